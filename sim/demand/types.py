"""What happens, as frozen arrays: kinds, run cards, one replication of incidents, the quantile bank of durations."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

INCIDENT_DTYPE = np.dtype(
    [
        ("identity", "<u8"),
        ("call_ms", "<i8"),
        ("town", "<i2"),
        ("cell", "<i4"),
        ("kind", "<i2"),
        ("grade", "i1"),
        ("reported_kind", "<i2"),
        ("reported_grade", "i1"),
        ("rank_handling", "<u4"),
        ("rank_travel", "<u4"),
        ("rank_escalate", "<u4", (4,)),
    ]
)
SURGE_DTYPE = np.dtype(
    [
        ("day", "<i4"),
        ("surge_type", "i1"),
        ("x_m", "<i4"),
        ("y_m", "<i4"),
        ("size_q16", "<i4"),
        ("begin_ms", "<i8"),
        ("end_ms", "<i8"),
    ]
)
"""A surge day: `day` of the run, its type (position in the settings), centre, size factor and window."""
PROCESS_BIT = 60
"""First bit of an identity's process."""
EVENT, SERIES = 2, 3
"""Processes of planted incidents, beside 0 ordinary and 1 surge: of a day of stress, and of a sample of rare ones."""
PLANTED_DTYPE = np.dtype([("identity", "<u8"), ("cause", "<i2"), ("per_year", "<f8")])
"""A planted incident: what it was planted by (position among the causes), and how many incidents a year of its class
it stands for; 0 where it stands for none but itself."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """One entry per kind of incident, in the order of `kinds.csv`.

    `priority`: (n_kinds,) int8, 1 is served first. `is_headline`: bool, fires and rescues. `max_grade`: int8.
    `share`: (n_kinds,) int64, hundred-thousandths of ordinary alarms.
    """

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    family: tuple[str, ...]
    priority: NDArray[np.int8]
    is_headline: NDArray[np.bool_]
    max_grade: NDArray[np.int8]
    share: NDArray[np.int64]

    @property
    def n_kinds(self) -> int:
        """Number of kinds."""
        return len(self.code)


@dataclass(frozen=True, slots=True)
class RunCards:
    """What each kind needs: rows `start[kind]` to `start[kind + 1]`, in order, one unit each.

    `start`: (n_kinds + 1,) int32. `capability`: (n_needs,) int8, bit number. `from_grade`: int8. `is_critical`: bool.
    A kind at grade g needs all its rows with from_grade <= g; rows stand in order of from_grade.
    """

    start: NDArray[np.int32]
    capability: NDArray[np.int8]
    from_grade: NDArray[np.int8]
    is_critical: NDArray[np.bool_]

    def needs(self, kind: int, grade: int) -> list[int]:
        """Return the capability bits that a kind needs at a grade, in order."""
        rows = range(int(self.start[kind]), int(self.start[kind + 1]))
        return [int(self.capability[i]) for i in rows if self.from_grade[i] <= grade]


@dataclass(frozen=True, slots=True)
class Demand:
    """One replication: `incidents` (n,) `INCIDENT_DTYPE` sorted by (call_ms, identity), `surge_days` `SURGE_DTYPE`.

    `planted`: (n_planted,) `PLANTED_DTYPE`, those of the incidents that were planted; `causes`: names of what planted.
    """

    incidents: NDArray[np.void]
    surge_days: NDArray[np.void]
    planted: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, PLANTED_DTYPE))
    causes: tuple[str, ...] = ()


BY_AIR = 0
"""Column of `Durations.scene` for aircraft, before those of the grades."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Quantile tables and their numbers: a duration is `look_up(values[number], rank)`.

    `values`: (n_tables, 3072) int32, ms or 1/65536. `handling`: (2,) int16, before and after the visual command centre.
    `turnout`: (2,), day and night. `travel_common`, `travel_own`: tables of factors with mean 65536. `access`:
    (n_kinds,). `scene`, `latent`: (n_kinds, 6) by grade 1 to 5, -1 where there is none (a grade never outgrown); column
    `BY_AIR` of `scene` is an aircraft's own time, -1 where it stays as long as a vehicle. `scene_slope_q16`: (n_kinds,)
    int32, growth of the time on scene per minute of delay (65536 doubles it), up to `scene_delay_cap_ms`. `names` says
    what each table is.
    """

    values: NDArray[np.int32]
    names: tuple[str, ...]
    handling: NDArray[np.int16]
    turnout: NDArray[np.int16]
    travel_common: int
    travel_own: int
    access: NDArray[np.int16]
    scene: NDArray[np.int16]
    latent: NDArray[np.int16]
    scene_slope_q16: NDArray[np.int32]
    scene_delay_cap_ms: int
