"""Tables of a replay: one row per call, one per unit, and where the durations came from.

The same command on the same files gives the same bytes: nothing here knows the time or the folder written to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration.replay.compare import most_often
from calibration.replay.run import Replay, Side


def calls_table(found: Replay) -> pd.DataFrame:
    """Return one row per call played: what is on record, and before and after what was simulated.

    Arrivals are means over the draws, s after the call as the log counts, infinite where no draw reached the call;
    station and unit are those that came first most often.
    """
    given, prepared = found.given, found.prepared
    frame = prepared.records.incidents.iloc[given.calls.identity.astype(np.int64)]
    zone = given.calls.zone
    x_m, y_m = prepared.placed.x_m[given.calls.identity], prepared.placed.y_m[given.calls.identity]
    names = found.before.cast.resources.ground.station
    table = {
        "id": frame["id"].to_numpy(), "call_local_ms": given.calls.local_ms, "x_m": x_m, "y_m": y_m, "zone": zone,
        "kind": np.array(given.calls.kinds, dtype=object)[given.calls.kind], "n_units": given.n_needs,
        "recorded_first_s": given.first_s, "recorded_second_s": given.second_s,
        "recorded_station": _named(given.station, names), "recorded_unit": _named(given.unit, given.units),
    }  # fmt: skip
    for name, side in _sides(found):
        table |= _of_side(name, side)
    if found.after is not None:
        for arrival in ("first", "second"):
            table[f"change_{arrival}_s"] = table[f"after_{arrival}_s"] - table[f"before_{arrival}_s"]
    return pd.DataFrame(table)


def _sides(found: Replay) -> list[tuple[str, Side]]:
    return [("before", found.before)] + ([("after", found.after)] if found.after is not None else [])


def _of_side(name: str, side: Side) -> dict[str, Any]:
    played, cast = side.played, side.cast
    stations = cast.resources.ground.station
    return {
        f"{name}_first_s": mean_arrival(played.first_s), f"{name}_second_s": mean_arrival(played.second_s),
        f"{name}_station": _named(most_often(played.station(cast)).astype(np.int64), stations),
        f"{name}_unit": _named(most_often(played.unit).astype(np.int64), cast.resources.unit),
    }  # fmt: skip


def mean_arrival(arrival: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return means over draws (n_calls, n_draws): infinite where one of them is, NaN where there is none."""
    has = ~np.isnan(arrival)
    total = np.where(has, arrival, 0.0).sum(axis=1, dtype=np.float64)
    n = has.sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _named(at: Any, names: tuple[str, ...]) -> Any:
    """Return names by position, None at -1."""
    return np.array([*names, None], dtype=object)[at]


def units_table(found: Replay) -> pd.DataFrame:
    """Return one row per unit of either side: its station, type, and the share of the days that it was out."""
    frames = []
    for name, side in _sides(found):
        of = side.cast.resources
        busy = side.played.busy_s / side.played.span_s
        station = np.array(of.ground.station, dtype=object)[of.fleet.station]
        kind = np.array(of.fleet.types, dtype=object)[of.fleet.type]
        frames.append(
            pd.DataFrame({"unit": of.unit, "station": station, "type": kind, f"{name}_busy_share": busy}).set_index(
                ["unit", "station", "type"]
            )
        )
    whole = pd.concat(frames, axis=1) if len(frames) > 1 else frames[0]
    return whole.reset_index().sort_values(["station", "unit"], kind="stable").reset_index(drop=True)


def stages_table(found: Replay) -> dict[str, Any]:
    """Return how many durations of each stage were needed and recorded, and what else was taken how."""
    given = found.given
    stages = {
        stage.value: {"needed": it.n, "recorded": it.n_recorded, "assumed": it.assumed}
        for stage, it in given.shares.items()
    }
    return {"calls": len(given.calls), "stages": stages, "said": [*found.prepared.samples.said, *given.said]}
