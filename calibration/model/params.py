"""A fitted model as plain values with standard errors: what `params.yaml` holds.

Stations go by code, kinds and hours by name, patches by their middles; durations and travel are written by
`calibration.fit.params`. What has no number is None. Next: `calibration/commands/calibrate.py`, which writes the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.fit.demand import Demand
from calibration.fit.params import choice_part, number, pair, sent_part, times_part, travel_part
from calibration.fit.times import TimesFit
from calibration.model.drift import Drift
from calibration.model.fitted import Fitted
from calibration.model.noise import Pairs
from calibration.model.returning import Returning
from calibration.model.ways import MOST_PLACES
from calibration.scores import Share

_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Levels of the noise that are written."""
_LEVEL = 0.01


def params_of(fitted: Fitted, demand: Demand) -> dict[str, Any]:
    """Return the parts of `params.yaml` by name; places of the demand are patches of the model."""
    names = _names(fitted)
    stages = {"handling": fitted.handling, "turnout": fitted.turnout, "on_scene": fitted.scene}
    groups = {"handling": ("kind", "hour"), "turnout": ("kind", "hour", "station"), "on_scene": ("kind",)}
    return {
        "responses_counted_from": fitted.clock.value,
        **{name: None if fit is None else _times(fit, groups[name], names) for name, fit in stages.items()},
        "travel": _travel(fitted, names),
        "drift": {name: _drift(each) for name, each in fitted.drift.items()},
        "dispatch": _dispatch(fitted),
        "returning": _returning(fitted.returning),
        "units_sent": sent_part(fitted.sent, fitted.kinds, fitted.fleet.types),
        "ends": _ends(fitted),
        "fleet": _fleet(fitted),
        "demand": _demand(demand, names["patch"]),
        "assumed": [*fitted.said, *fitted.sent.said],
        "does_not_fit": {name: list(texts) for name, texts in reasons_of(fitted, demand).items()},
        "not_identified": {name: list(texts) for name, texts in not_identified(fitted, demand).items()},
    }


def _returning(of: Returning) -> dict[str, Any]:
    return {
        "is_sent_on": of.is_sent_on, "clear_is_home": of.is_home, "dispatched_on_the_way": of.n_sent_on,
        "dispatched_if_it_made_no_difference": number(of.n_expected), "over_expected_drive": number(of.factor),
        "made_ready_s": number(of.ready_s), "ways_on_record": of.n_ways,
    }  # fmt: skip


def reasons_of(fitted: Fitted, demand: Demand) -> Mapping[str, Sequence[str]]:
    """Return what speaks against each part of the fit, in words, by part; parts that fit are left out."""
    found = {
        "handling": _misfit(fitted.handling), "turnout": _misfit(fitted.turnout), "travel": fitted.travel.reasons,
        "scene": _misfit(fitted.scene), "dispatch": () if fitted.passed is None else fitted.passed.reasons,
        "demand": [f"refuted that {t.asserts} (p {t.p_value:.2g})" for t in demand.tests if t.p_value < _LEVEL],
    }  # fmt: skip
    return {name: texts for name, texts in found.items() if texts}


def not_identified(fitted: Fitted, demand: Demand) -> Mapping[str, Sequence[str]]:
    """Return what the records do not fix, in words, by part."""
    is_known = fitted.passed is not None and fitted.passed.is_identified
    found: dict[str, Sequence[str]] = {
        "travel": [f"{name} of the curve in distance" for name in fitted.travel.vague],
        "dispatch": [] if is_known else ["whether a nearer station was busy or passed over"],
    }
    found["demand"] = demand.said
    return {name: texts for name, texts in found.items() if texts}


def _misfit(fit: TimesFit | None) -> Sequence[str]:
    return () if fit is None else fit.misfit.reasons


def _names(fitted: Fitted) -> Mapping[str, Sequence[str]]:
    hours = [f"{'day off' if n >= 24 else 'workday'} {n % 24:02d}" for n in range(48)]
    return {
        "kind": fitted.kinds, "hour": hours, "station": fitted.ground.station,
        "patch": [f"{x} {y}" for x, y in patch_middles(fitted).tolist()],
    }  # fmt: skip


def patch_middles(fitted: Fitted) -> NDArray[np.int64]:
    """Return the middle of each patch, the mean of its zones: (n_patches, 2), m on the plane."""
    zones = fitted.zones
    size = np.maximum(np.bincount(zones.patch), 1)
    return np.column_stack(
        [np.rint(np.bincount(zones.patch, weights=of) / size) for of in (zones.x_m, zones.y_m)]
    ).astype(np.int64)


def _times(fit: TimesFit, groups: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    part = times_part(fit)
    part["effects"] = {
        group: _named(effects, names[group]) for group, effects in zip(groups, part["effects"], strict=True)
    }
    return part


def _travel(fitted: Fitted, names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    part = travel_part(fitted.travel)
    part["effects"] = {group: _named(effects, names[group]) for group, effects in part["effects"].items()}
    part["way"] = "seconds of the city's own travel" if fitted.zones.is_time else "metres in a straight line"
    part["pairs"] = {
        "station_and_patch": _pairs(fitted, fitted.pairs[0], names["patch"]),
        "station_and_zone": _pairs(fitted, fitted.pairs[1], _zone_names(fitted)),
    }
    noise = fitted.noise
    levels = np.array(_LEVELS)
    at = (np.arange(noise.log_quantiles.shape[1]) + 0.5) / noise.log_quantiles.shape[1]
    part["noise"] = {
        "band_edges_s": [number(edge) for edge in noise.edges_s],
        "log_quantiles": [
            {f"p{100 * p:g}": number(value) for p, value in zip(_LEVELS, np.interp(levels, at, row), strict=True)}
            for row in noise.log_quantiles
        ],
        "common_share": number(noise.common_share),
    }
    return part


def _zone_names(fitted: Fitted) -> Sequence[str]:
    return [f"{x} {y}" for x, y in zip(fitted.zones.x_m.tolist(), fitted.zones.y_m.tolist(), strict=True)]


def _named(effects: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return effects by name instead of by number."""
    return {**effects, "log_factor": {names[int(key)]: each for key, each in effects["log_factor"].items()}}


def _pairs(fitted: Fitted, pairs: Pairs, places: Sequence[str]) -> dict[str, Any]:
    """Return the s.d. of what pairs add, and those that are clear: beyond two standard errors."""
    clear = np.flatnonzero(np.abs(pairs.effect) > 2.0 * pairs.se) if pairs.tau > 0.0 else np.zeros(0, np.int64)
    station, place = np.divmod(pairs.code[clear], MOST_PLACES)
    each = [
        {"station": fitted.ground.station[s], "at": places[p], **pair(effect, se)}
        for s, p, effect, se in zip(station, place, pairs.effect[clear], pairs.se[clear], strict=True)
    ]
    return {"tau": number(pairs.tau), "n": len(pairs.code), "clear": each}


def _drift(drift: Drift) -> dict[str, Any]:
    return {"log_level_at_end": number(drift.level), "missed_sd": number(drift.se), "kept_share": number(drift.kept)}


def _share(share: Share) -> dict[str, Any]:
    return {**pair(share.value, share.se), "n": share.n}


def _dispatch(fitted: Fitted) -> dict[str, Any] | None:
    """Return which station serves, with the shares that are played; None where hardly any station is on record."""
    if fitted.order is None or fitted.passed is None:
        return None
    passing = fitted.passing
    by_gap = {
        "edges_s": [number(edge) for edge in passing.edges_s],
        "shares": [[number(value) for value in row] for row in passing.by_gap],
    }
    return {**choice_part(fitted.order, fitted.passed), "passed_over_by_gap": by_gap}


def _ends(fitted: Fitted) -> dict[str, Any]:
    ends = fitted.ends
    parts = {
        "reached": ends.reached,
        "never_reached": ends.never_reached,
        "cancelled": ends.cancelled,
        "walk_in": ends.walk_in,
    }
    return {kind: {name: _share(each[row]) for name, each in parts.items()} for row, kind in enumerate(fitted.kinds)}


def _demand(demand: Demand, patches: Sequence[str]) -> dict[str, Any]:
    """Return the demand with places named by the middles of their patches, numbers in six digits."""
    part = demand.params()
    part["places"] = [patches[int(name)] for name in part["places"]]
    return {name: _six_digits(value) for name, value in part.items()}


def _six_digits(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _six_digits(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_six_digits(each) for each in value]
    return number(value) if isinstance(value, float) else value


def _fleet(fitted: Fitted) -> dict[str, Any]:
    fleet, codes = fitted.fleet, fitted.ground.station
    table = np.zeros((len(codes), len(fleet.types)), dtype=np.int64)
    np.add.at(table, (fleet.station, fleet.type), 1)
    units = {
        code: {fleet.types[at]: int(table[row, at]) for at in np.flatnonzero(table[row])}
        for row, code in enumerate(codes)
    }
    return {"from": fleet.source, "units": units}
