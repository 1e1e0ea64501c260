"""A backtest as tables and plain values: one row per scored call, and every figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Backtest, filled
from calibration.backtest.scores import MINUTES
from calibration.scores import HORIZON_S, crps, pit_bounds, row_quantiles

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
_LONG = ("drawn_s", "forecast", "recalibrated", "generator")
"""As long as the calls or the sets drawn from the model, or in `params.yaml`; what is shown of them is elsewhere."""


def quantile_table(found: Backtest) -> pd.DataFrame:
    """Return one row per scored call, ascending by call.

    incident, call (local), kind, x_m, y_m, zone; then for first_ and second_: recorded_s, q_0.025 ... q_0.975 s (at
    p (m + 1) of m draws), mean_s (draws cut at two hours), pit_low, pit_high, crps_s, within_4 ... within_15: predicted
    share of calls reached within so many minutes as the records would write it. Second columns are NaN where no second
    arrival is on record or predicted.
    """
    import pandas as pd

    samples, scored = found.prepared.samples, found.scored
    calls, zones = samples.calls, found.prepared.zones
    incidents = found.prepared.records.incidents.iloc[calls.identity[scored].astype(np.int64)]
    columns: dict[str, Any] = {
        "incident": incidents["id"].to_numpy(dtype=object),
        "call": calls.local_ms[scored].astype("datetime64[ms]"),
        "kind": np.array(calls.kinds, dtype=object)[calls.kind[scored]],
        "zone": calls.zone[scored],
        "x_m": zones.x_m[calls.zone[scored]],
        "y_m": zones.y_m[calls.zone[scored]],
    }
    for name, draws, known_s in (
        ("first", found.predicted.first_s, samples.first_s), ("second", found.predicted.second_s, samples.second_s),
    ):  # fmt: skip
        own = draws[found.row]
        is_known = np.isfinite(known_s[scored]) & ~np.isnan(own).all(axis=1)
        part = _of(found, filled(own[is_known]), scored[is_known], is_second=name == "second")
        for column, values in {"recorded_s": known_s[scored[is_known]], **part}.items():
            whole = np.full(len(scored), np.nan)
            whole[is_known] = values
            columns[f"{name}_{column}"] = whole
    return pd.DataFrame(columns)


def _of(
    found: Backtest, draws: NDArray[np.float32], call: NDArray[np.int64], *, is_second: bool
) -> dict[str, NDArray[np.float64]]:
    seen = found.prepared.samples.first(call, is_second=is_second)
    levels = np.array(LEVELS)
    if not len(call):
        names = [*(f"q_{level:g}" for level in LEVELS), "mean_s", "pit_low", "pit_high", "crps_s"]
        return {name: np.zeros(0) for name in (*names, *(f"within_{minutes}" for minutes in MINUTES))}
    quantiles = row_quantiles(np.asarray(draws, dtype=np.float64), levels)
    low, high = pit_bounds(np.asarray(draws, dtype=np.float64), seen)
    written = seen.written(np.asarray(draws, dtype=np.float64))
    return {
        **{f"q_{level:g}": quantiles[:, place] for place, level in enumerate(LEVELS)},
        "mean_s": np.minimum(draws, HORIZON_S).mean(axis=1, dtype=np.float64),
        "pit_low": low,
        "pit_high": high,
        "crps_s": crps(np.asarray(draws, dtype=np.float64), seen),
        **{f"within_{minutes}": (written <= 60.0 * minutes).mean(axis=1) for minutes in MINUTES},
    }


def figures(found: Backtest) -> dict[str, Any]:
    """Return every figure of a backtest as plain values; what is no number is None. Times taken are not among them."""
    verdict = found.verdict
    judged = {
        each.key: {
            "name": plain(each.name), "rule": plain(each.rule), "outcome": each.outcome.value,
            **({} if each.key == "speed" else {"reason": plain(each.reason)}),
        }
        for each in verdict.judgements
    }  # fmt: skip
    parts: dict[str, Any] = {"first": found.first, "second": found.second}
    return {
        "outcome": verdict.outcome.value,
        "sentence": plain(verdict.sentence),
        "figures": judged,
        **{name: None if part is None else _scores(*part) for name, part in parts.items()},
        "calls_drawn": plain(found.generative),
        "load": None if found.load is None else plain(found.load),
    }


def _scores(whole: Any, calls: Any) -> dict[str, Any]:
    floor = whole.floor
    distances = {
        name: {str(level): plain(at(level)) for level in (0.5, 0.95)}
        for name, at in (("ks", floor.ks_at), ("wasserstein_s", floor.wasserstein_at))
    }
    of_all = {field.name: plain(getattr(whole, field.name)) for field in fields(whole) if field.name not in ("floor",)}
    return {"all_calls": {**of_all, "floor": distances}, "by_call": plain(calls)}


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: dataclasses as maps, arrays as lists, no number as None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.name not in _LONG}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
