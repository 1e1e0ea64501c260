"""Fitted durations and travel as plain values, and the parameter file that holds them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from calibration.fit.times import Effects, Held, TimesFit
from calibration.fit.travel import TravelFit
from calibration.scores.keyed import Floats

_LEVELS = (0.1, 0.5, 0.9)


def times_part(fit: TimesFit) -> dict[str, Any]:
    """Return a fitted duration as plain values, standard errors beside estimates; what has none is None."""
    estimate = fit.estimate
    levels = np.array(_LEVELS)
    quantiles = zip(_LEVELS, estimate.family.ppf(estimate.parameters, levels), fit.quantile_se_s(levels), strict=True)
    return {
        "family": estimate.family.name,
        "n": estimate.n,
        "parameters": _with_se(estimate.family.parameters, estimate.parameters, estimate.se),
        "quantiles_s": {f"p{100 * level:g}": pair(value, se) for level, value, se in quantiles},
        "effects": [_effects(level) for level in fit.effects],
        "held_out": _held(fit.held),
        "does_not_fit": list(fit.misfit.reasons),
    }


def travel_part(fit: TravelFit) -> dict[str, Any]:
    """Return a fitted travel model as plain values, standard errors beside estimates."""
    return {
        "curve": fit.curve.name,
        "n": fit.n,
        "n_absurd": fit.n_absurd,
        "parameters": _with_se(fit.curve.parameters, fit.parameters, fit.se),
        "effects": {name: _effects(level) for name, level in fit.effects.items()},
        "band_edges_s": [number(edge) for edge in fit.edges_s],
        "log_sd": [pair(value, se) for value, se in zip(fit.sd, fit.sd_se, strict=True)],
        "is_lognormal": fit.is_lognormal,
        "noise_quantiles": [[number(value) for value in row] for row in fit.noise_quantiles],
        "common_share": pair(fit.common.share, fit.common.se),
        "held_out": _held(fit.held),
        "does_not_fit": list(fit.reasons),
        "not_identified": list(fit.vague),
    }


def write_params(path: Path, parts: Mapping[str, Any], *, digest: str, first: date, last: date) -> None:
    """Write parts by name to a YAML file that names the records' digest and their first and last local day."""
    head = {"standing": "fitted", "records": {"sha256": digest, "first": first.isoformat(), "last": last.isoformat()}}
    text = yaml.safe_dump({**head, **parts}, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    path.write_text(text, encoding="utf-8", newline="\n")


def _with_se(names: tuple[str, ...], values: Floats, errors: Floats) -> dict[str, Any]:
    return {name: pair(value, se) for name, value, se in zip(names, values, errors, strict=True)}


def _effects(level: Effects) -> dict[str, Any]:
    each = {key: {**pair(level.effect[key], level.se[key]), "n": level.own_n[key]} for key in level.effect}
    return {"tau": number(level.tau), "log_factor": each}


def _held(held: Mapping[str, Held]) -> dict[str, Any]:
    return {
        name: {"log_score": number(each.score), "below_best": number(each.below_best), "se": number(each.se)}
        for name, each in held.items()
    }


def pair(value: float, se: float) -> dict[str, Any]:
    """Return a value with its standard error."""
    return {"value": number(value), "se": number(se)}


def number(value: float) -> float | None:
    """Return six digits of a number, None for what is none."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
