"""Fitted durations and travel as plain values, and the parameter file that holds them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from calibration.fit.choice import PassedOver, RevealedOrder
from calibration.fit.sent import Sent
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


def choice_part(order: RevealedOrder, passed: PassedOver) -> dict[str, Any]:
    """Return which station serves as plain values; shares of calls that pass over 0, 1, 2, 3 and more stations."""
    why = {"busy": passed.nearest_busy, "not_busy": passed.nearest_not_busy, "unknown": passed.nearest_unknown}
    return {
        "n": passed.n,
        "zones_with_another_order": order.n_zones,
        "stations_raised": order.n_raised,
        "calls_affected": pair(order.affected.value, order.affected.se),
        "passed_over": [pair(value, se) for value, se in zip(passed.shares, passed.se, strict=True)],
        "is_identified": passed.is_identified,
        "not_nearest": pair(passed.not_nearest.value, passed.not_nearest.se),
        "nearest_was": {name: pair(share.value, share.se) for name, share in why.items()},
        "does_not_fit": list(passed.reasons),
    }


def sent_part(sent: Sent, kinds: Sequence[str], types: Sequence[str]) -> dict[str, Any]:
    """Return the units sent as plain values, by names of kinds and unit types in the order of their codes."""
    names = [" + ".join(types[code] for code in pattern) for pattern in sent.patterns]
    shares = {"cancelled": sent.cancelled, "no_arrival": sent.no_arrival, "sent_later": sent.later}
    found = {}
    for row, kind in enumerate(kinds):
        found[kind] = {
            "n": int(sent.count[row].sum()),
            "units": pair(sent.mean_units[row], sent.mean_units_se[row]),
            "patterns": {
                name: number(share) for name, share in zip(names, sent.share[row], strict=True) if share > 0.0
            },
            "is_filled_up": bool(sent.is_thin[row]),
            **{name: pair(share[row].value, share[row].se) for name, share in shares.items()},
        }
    return {"kinds": found, "assumed": list(sent.said)}


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
