"""The world of one run: what the engine reads and what it changes.

`World` holds four record arrays that change (units, stations, incidents, slots), the lists that go with them (units
away without an incident, needs that wait, the heap and outbox of events, the log) and the frozen tables. Their types
never depend on the city's size, so the compiled code is the same for every city. A *slot* is one need of one incident:
the place that one unit fills. This module knows no rule; `build.py` fills a world from `RunInputs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LOG_DTYPE


class UnitStatus(IntEnum):
    """Where a unit is in its mission."""

    AT_STATION = 0
    TURNING_OUT = 1
    EN_ROUTE = 2
    ON_SCENE = 3
    RETURNING = 4
    MAKING_READY = 5
    MOVING_UP = 6
    STANDING_BY = 7
    TRANSPORTING = 8
    HANDING_OVER = 9


class SlotStatus(IntEnum):
    """What became of a need."""

    UNUSED = 0
    WAITING = 1
    ASSIGNED = 2
    ON_SCENE = 3
    DONE = 4
    RELEASED = 5
    UNFILLED = 6


UNIT_DTYPE = np.dtype(
    [
        # what is asked of a unit that might go, for many units in a row, lies together
        ("capabilities", "i8"),
        ("status", "i4"),
        ("crew_min", "i4"),
        ("mode", "i4"),
        ("is_in_service", "i4"),
        ("is_failed", "i4"),
        ("callout_ms", "i4"),
        ("station", "i4"),
        ("crew_preferred", "i4"),
        ("crew", "i4"),
        ("shift", "i4"),
        ("mission", "i4"),
        ("incident", "i4"),
        ("post", "i4"),
        ("away_at", "i4"),
        ("slot", "i8"),
        ("leave_ms", "i8"),
        ("arrive_ms", "i8"),
        ("clear_ms", "i8"),
        ("left_ms", "i8"),
        ("from_cell", "i4"),
        ("to_cell", "i4"),
        ("ready_ms", "i4"),
        ("access_ms", "i4"),
        ("flown_ms", "i8"),
        ("flown_day", "i4"),
        ("speed_mm_s", "i4"),
        ("track_mm_s", "i4"),
        ("range_m", "i4"),
        ("duty_ms", "i4"),
        ("spare", "i4"),
    ]
)
STATION_DTYPE = np.dtype(
    [
        ("cell", "i4"),
        ("town", "i4"),
        ("is_open", "i4"),
        ("people_on_duty", "i4"),
        ("people_out", "i4"),
        ("first_unit", "i4"),
        ("end_unit", "i4"),
        ("help_grade", "i4"),
        ("shift", "i4"),
        ("is_emptied", "i4"),
        ("n_emptied", "i4"),
        ("n_guests", "i4"),
        ("quay", "i4"),
        ("n_ready", "i4"),
        ("is_in_vain", "i4"),
        ("drive_q16", "i4"),
        ("is_passed", "i4"),
        ("n_pumps", "i4"),
        ("is_covering", "i4"),
        ("crews_kept", "i4"),
    ]
)
INCIDENT_DTYPE = np.dtype(
    [
        ("call_ms", "i8"),
        ("due_ms", "i8"),
        ("met_ms", "i8"),
        ("first_slot", "i8"),
        ("cell", "i4"),
        ("town", "i4"),
        ("kind", "i4"),
        ("grade", "i4"),
        ("reported_kind", "i4"),
        ("reported_grade", "i4"),
        ("priority", "i4"),
        ("max_grade", "i4"),
        ("n_active", "i4"),
        ("n_waiting", "i4"),
        ("is_revealed", "i4"),
        ("is_closed", "i4"),
        ("travel_factor_q16", "i8"),
        ("power_off_ms", "i8"),
        ("village_ms", "i8"),
        ("water_delay_ms", "i4"),
        ("portal_a", "i4"),
        ("portal_b", "i4"),
        ("track_a_m", "i4"),
        ("track_b_m", "i4"),
        ("n_passed", "i4"),
        ("drive_q16", "i4"),
        ("turnout_q16", "i4"),
        ("n_opened", "i4"),  # slots up to the last one for which a need was ever opened
        ("spare", "i4"),
    ]
)
SLOT_DTYPE = np.dtype(
    [
        ("working_ms", "i8"),
        ("arrive_ms", "i8"),
        ("opened_ms", "i8"),
        ("looked", "i8"),
        ("incident", "i4"),
        ("unit", "i4"),
        ("capability", "i4"),
        ("status", "i4"),
    ]
)
EVENT_DTYPE = np.dtype([("time_ms", "i8"), ("key", "i8")])
NEED_DTYPE = np.dtype([("capability", "i4"), ("from_grade", "i4"), ("is_critical", "i4"), ("spare", "i4")])
ROAD_DTYPE = np.dtype([("station", "i4"), ("to_ms", "i4"), ("home_ms", "i4")])
"""A station as a cell sees it: the drive from it and the drive home to it, on dry roads, by the station's factor."""
CHANGE_ROW_DTYPE = np.dtype([("time_ms", "i8"), ("value", "i8"), ("kind", "i4"), ("entity", "i4")])

# Places in `World.counts`.
N_LOG, N_OUTBOX, N_WAITING, N_AWAY, N_OPEN, N_HEAP, NEXT_CALL, NEXT_CHANGE = range(8)
FAULT, FAULT_ENTITY, FAULT_DETAIL, N_DONE, NEXT_SHIFT, N_IN_VAIN, N_GAINS, GIVEN_MS, GIVEN_KEY = range(8, 17)
NEXT_WINDOW_MS, N_COUNTS = 17, 18

# Places in `World.params`.
(
    DISPATCH_POLICY,
    IS_ESCALATION_ON,
    IS_SCENE_DELAY_ON,
    HOME_FACTOR_Q16,
    MAKE_READY_MS,
    SCENE_DELAY_CAP_MS,
    GRID_X0_M,
    GRID_Y0_M,
    GRID_CELL_M,
    SLACK_MS,
    COVER_MS,
    COVER_CAPABILITY,
    MOVE_UP_POLICY,
    MOVE_UP_AFTER_MS,
    MOVE_UP_MOST_MS,
    HELP_WAIT_MS,
    REST_AFTER_MS,
    REST_MS,
    WATER_CAPABILITY,
    TRANSPORT_FACTOR_Q16,
    IS_SENT_ON,
    OWN_RULE,
) = range(22)
N_PARAMS = 22
DISPATCH_NEAREST, DISPATCH_OWN_TOWN_FIRST, DISPATCH_KEEP_COVER = 0, 1, 2
MOVE_UP_NONE, MOVE_UP_NEAREST, MOVE_UP_BEST_COVER = 0, 1, 2


FIELDS: tuple[tuple[str, Any, int, bool], ...] = (
    # name, dtype, dimensions, is frozen (read-only)
    ("units", UNIT_DTYPE, 1, False),
    ("stations", STATION_DTYPE, 1, False),
    ("incidents", INCIDENT_DTYPE, 1, False),
    ("slots", SLOT_DTYPE, 1, False),
    ("counts", "i8", 1, False),
    ("waiting", "i8", 1, False),
    ("away", "i4", 1, False),
    ("away_ms", "i8", 1, False),
    ("outbox", EVENT_DTYPE, 1, False),
    ("heap", EVENT_DTYPE, 1, False),
    ("log", LOG_DTYPE, 1, False),
    ("ready", "i8", 1, False),
    ("n_covering", "i2", 2, False),
    ("params", "i8", 1, True),
    ("changes", CHANGE_ROW_DTYPE, 1, True),
    ("call_order", "i4", 1, True),
    ("escalate_ranks", "u4", 2, True),
    ("slot_ranks", "u4", 2, True),
    ("needs", NEED_DTYPE, 1, True),
    ("card_start", "i4", 1, True),
    ("travel_ms", "i4", 3, True),
    ("roads", ROAD_DTYPE, 3, True),
    ("reach_begin", "i8", 2, True),
    ("reach_cell", "i4", 1, True),
    ("period_of_hour", "i1", 1, True),
    ("turnout_row", "i1", 1, True),
    ("turnout_table", "i2", 2, True),
    ("turnout_mean_ms", "i8", 2, True),
    ("turnout_least_ms", "i8", 1, True),
    ("noise_from_ms", "i8", 1, True),
    ("noise_table", "i2", 1, True),
    ("quantiles", "i4", 2, True),
    ("access_table", "i2", 1, True),
    ("scene_table", "i2", 2, True),
    ("latent_table", "i2", 2, True),
    ("scene_slope_q16", "i4", 1, True),
    ("cell_xy", "i4", 2, True),
    ("grid", "i4", 2, True),
    ("roster_ms", "i8", 1, True),
    ("roster", "i2", 2, True),
    ("roster_is_relief", "i1", 1, True),
    ("road_q16", "i4", 1, True),
    ("is_flyable", "i1", 1, True),
    ("cell_weight", "i8", 1, True),
    ("access_mean_ms", "i8", 1, True),
    ("kind_priority", "i4", 1, True),
    ("supply_grade", "i1", 1, True),
    ("craft", "i4", 1, True),
    ("able_begin", "i4", 1, True),
    ("able_station", "i4", 1, True),
    ("tasks", "i8", 2, True),
    ("way_m", "i4", 2, True),
    ("near", "i4", 1, True),
    ("recorded_ms", "i8", 2, True),
    ("recorded_station", "i4", 1, True),
    ("transport_cell", "i4", 1, True),
    ("transport_ms", "i8", 1, True),
    ("hand_over_ms", "i8", 1, True),
)
FIELD_NAMES = [field[0] for field in FIELDS]


class World:
    """Handle that compiled functions take; `w.units` and the other fields of `FIELDS` are reached through it."""

    __slots__ = ("_arrays", "_words", "address")
    _numba_type_: Any = None
    """The compiled type, which `handle.py` sets."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = [arrays[name] for name in FIELD_NAMES]  # kept alive: compiled code sees addresses only
        self._words = np.concatenate([_array_words(array) for array in self._arrays])
        self.address = self._words.ctypes.data


class PlainWorld:
    """The same fields for running the source as plain Python (`NUMBA_DISABLE_JIT=1`)."""

    __slots__ = tuple(FIELD_NAMES)

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        for name in FIELD_NAMES:
            setattr(self, name, arrays[name].view(np.recarray) if arrays[name].dtype.names else arrays[name])


def _array_words(array: NDArray[Any]) -> NDArray[np.int64]:
    """Return an array as numba lays it out: no owner, size, item size, address, shape, strides; one word each."""
    words = [0, 0, array.size, array.itemsize, array.ctypes.data, *array.shape, *array.strides]
    return np.array(words, dtype=np.int64)


class WorldArrays:
    """The arrays of a world, by name, for the Python side; `struct()` hands them to compiled code.

    `log_margin`: more rows than any one event can write; the log grows when it has less room than that.
    """

    def __init__(self, *, log_margin: int, **arrays: Any) -> None:
        self.arrays: dict[str, Any] = {}
        self.log_margin = log_margin
        self.asked: Any = None
        """The dispatch rule of one's own that this world asks (`asking.py`), if any."""
        for name, dtype, ndim, is_frozen in FIELDS:
            array = np.ascontiguousarray(arrays[name], dtype=dtype)
            if array.ndim != ndim:
                raise ValueError(f"world array {name} has {array.ndim} dimensions, not {ndim}")
            if is_frozen:
                array = array.view()
                array.flags.writeable = False
            self.arrays[name] = array

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["arrays"][name]
        except KeyError as missing:
            raise AttributeError(name) from missing

    def struct(self) -> Any:
        """Return the handle that compiled functions take; it shares memory with these arrays."""
        return PlainWorld(self.arrays) if numba.config.DISABLE_JIT else World(self.arrays)

    def make_room_to_end(self) -> None:
        """Let the log grow until it holds a row for every need that still waits, and the last one."""
        while self.arrays["log"].shape[0] - self.arrays["counts"][N_LOG] <= self.arrays["counts"][N_WAITING] + 1:
            self.grow("log")

    def grow(self, name: str) -> None:
        """Double an array along its first axis; `struct()` must be taken anew afterwards."""
        old = self.arrays[name]
        new = np.zeros((2 * old.shape[0], *old.shape[1:]), dtype=old.dtype)
        new[: old.shape[0]] = old
        self.arrays[name] = new
