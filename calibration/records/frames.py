"""The result of reading: two data frames with fixed columns, their account and their digest.

`INCIDENT_COLUMNS` and `RESPONSE_COLUMNS` say what every column holds; it is there whether the files had it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.records.account import Account
from calibration.records.clocks import offset_ms
from calibration.records.marks import Calls, Timeline
from calibration.records.part import Part
from calibration.records.places import Numbers
from calibration.records.schema import INCIDENTS, RESPONSES, RecordSpec
from calibration.records.values import read_flags
from sim.units import MS_PER_DAY, MS_PER_H

if TYPE_CHECKING:
    import pandas as pd

FrameColumns = tuple[tuple[str, str, str], ...]
"""(name, dtype, meaning) of each column."""


def _marks(spec: RecordSpec) -> FrameColumns:
    of_marks = tuple(
        (f"{m}_s", "float64", f"{spec[m].doc} Seconds after the call, NaN if unknown.") for m in spec.marks
    )
    return of_marks + tuple(
        (f"{f.name}_s", "float64", f"{f.doc} Seconds, NaN if unknown.") for f in spec.of_kind("duration")
    )


def _label(spec: RecordSpec, name: str) -> tuple[str, str, str]:
    return name, "category", spec[name].doc


INCIDENT_COLUMNS: FrameColumns = (
    ("id", "str", "Id in the file, `row N` where it had none."),
    ("row", "int64", "Place in the file."),
    ("call_ms", "int64", "Call, ms since 1970 UTC."),
    ("offset_s", "int64", "What the local clock was ahead of UTC at the call."),
    ("date", "datetime64[s]", "Local day of the call."),
    ("hour", "int8", "Local hour of the call, 0-23."),
    ("weekday", "int8", "Local weekday of the call, 0 Monday to 6 Sunday."),
    ("month", "int8", "Local month of the call, 1-12."),
    *((name, "float64", f"{INCIDENTS[name].doc} NaN if unknown.") for name in ("lat", "lon", "x", "y")),
    *(_label(INCIDENTS, name) for name in ("zone", "cell", "kind", "grade", "unit", "station")),
    ("is_cancelled", "bool", INCIDENTS["cancelled"].doc),
    ("is_walk_in", "bool", INCIDENTS["walk_in"].doc),
    ("n_units", "int32", "Units in the response file; -1 where there is no such file."),
    *_marks(INCIDENTS),
)
RESPONSE_COLUMNS: FrameColumns = (
    ("incident", "int64", "Position of its incident in the incident frame."),
    ("row", "int64", "Place in the file."),
    *(_label(RESPONSES, name) for name in ("unit", "station", "type", "destination")),
    ("is_cancelled", "bool", RESPONSES["cancelled"].doc),
    *_marks(RESPONSES),
)


@dataclass(frozen=True, slots=True)
class Records:
    """Records read and cleaned.

    Parameters
    ----------
    incidents : one row per incident, ascending by call, columns as `INCIDENT_COLUMNS`.
    responses : one row per unit sent, ascending by incident, columns as `RESPONSE_COLUMNS`; no rows without a file.
    account : what became of every row read.
    digest : SHA-256 over the files' bytes and how they were read.
    time_zone : IANA name by which local times were read and told.
    crs : reference of the coordinates as declared; they are not converted.
    resolution_s : by file and column of times or durations, the resolution its values show.
    """

    incidents: pd.DataFrame
    responses: pd.DataFrame
    account: Account
    digest: str
    time_zone: str
    crs: str
    resolution_s: Mapping[str, Mapping[str, float]]


def incident_frame(
    part: Part, calls: Calls, times: Timeline, coordinates: Mapping[str, Numbers], zone: str
) -> pd.DataFrame:
    """Return the incidents by call, then row in the file."""
    n = len(part.rows)
    day, clock_ms = calls.local_ms // MS_PER_DAY, calls.local_ms % MS_PER_DAY
    ids = [text or f"row {row}" for text, row in zip(part.text("id"), part.rows, strict=True)]
    values: dict[str, Any] = {
        "id": ids,
        "row": part.rows,
        "call_ms": calls.utc_ms,
        "offset_s": offset_ms(calls.utc_ms, zone) // 1000,
        "date": day.astype("datetime64[D]").astype("datetime64[s]"),
        "hour": clock_ms // MS_PER_H,
        "weekday": (day + 3) % 7,
        "month": day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "is_cancelled": read_flags(part.text("cancelled"))[0],
        "is_walk_in": read_flags(part.text("walk_in"))[0],
        "n_units": np.full(n, -1),
        **{name: coordinates.get(name, np.full(n, np.nan)) for name in ("lat", "lon", "x", "y")},
    }
    frame = _frame(part, times, values, INCIDENT_COLUMNS)
    return frame.sort_values(["call_ms", "row"], kind="stable").reset_index(drop=True)


def response_frame(part: Part, incident: NDArray[np.int64], times: Timeline) -> pd.DataFrame:
    """Return the responses by incident, then row in the file; `incident` (n,) is the position of each one's."""
    values = {"incident": incident, "row": part.rows, "is_cancelled": read_flags(part.text("cancelled"))[0]}
    frame = _frame(part, times, values, RESPONSE_COLUMNS)
    return frame.sort_values(["incident", "row"], kind="stable").reset_index(drop=True)


def empty_responses() -> pd.DataFrame:
    """Return a response frame without rows."""
    import pandas as pd

    return pd.DataFrame({name: [] for name, _, _ in RESPONSE_COLUMNS}).astype(
        {name: dtype for name, dtype, _ in RESPONSE_COLUMNS}
    )


def _frame(part: Part, times: Timeline, values: Mapping[str, Any], columns: FrameColumns) -> pd.DataFrame:
    import pandas as pd

    made = {f"{name}_s": seconds for name, seconds in {**times.offset_s, **times.interval_s}.items()}
    data: dict[str, Any] = {}
    for name, dtype, _ in columns:
        if dtype == "category":
            texts = part.text(name)
            data[name] = pd.Categorical([text or None for text in texts], categories=sorted(set(texts) - {""}))
        else:
            data[name] = values[name] if name in values else made[name]
    return pd.DataFrame(data).astype({name: dtype for name, dtype, _ in columns})


def with_first_arrivals(incidents: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Return the incidents with what the response file says of them: `n_units`, and, where the incident file has no
    arrival at all, unit, station, times and durations of the unit that arrived first (lowest row on a tie).
    """
    counts = np.bincount(responses["incident"].to_numpy(), minlength=len(incidents)).astype(np.int32)
    incidents = incidents.assign(n_units=counts)
    if incidents["arrival_s"].notna().any() or incidents["call_to_arrival_s"].notna().any():
        return incidents
    arrived = responses[responses["arrival_s"].notna()].sort_values(["incident", "arrival_s", "row"], kind="stable")
    first = arrived.drop_duplicates("incident").set_index("incident").reindex(range(len(incidents)))
    taken = {name: first[name].to_numpy() for name in ("dispatch_s", "en_route_s", "arrival_s", "clear_s")}
    for name in ("turnout_s", "travel_s", "dispatch_to_arrival_s", "on_scene_s"):
        taken[name] = first[name].to_numpy()
    labels = {name: first[name].array for name in ("unit", "station")}
    return incidents.assign(**taken, **labels, handling_s=taken["dispatch_s"], call_to_arrival_s=taken["arrival_s"])
