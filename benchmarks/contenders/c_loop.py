"""The plain loop in C (`loop.c`): compiled when it is first asked for, called on the arrays of the engine's world."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders.plain import check_plain
from sim.engine import world as wd
from sim.engine.log import LOG_DTYPE, EventLog
from sim.engine.world import WorldArrays

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O3", "-march=native", "-std=c11", "-shared", "-fPIC")
_ROWS_OF_AN_INCIDENT, _ROWS_OF_A_NEED = 2, 9  # at most: CALL, CLOSED; WAIT, DISPATCH … AVAILABLE, REVEAL, MET
_NEVER = np.iinfo(np.int64).max

STATION = np.dtype(
    [("cell", "i4"), ("first_unit", "i4"), ("end_unit", "i4"), ("people_free", "i4"), ("is_open", "i4")], align=True
)
UNIT = np.dtype(
    [
        ("capabilities", "u8"),
        *((name, "i4") for name in ("callout_ms", "crew_min", "crew_preferred", "crew")),
        *((name, "i4") for name in ("station", "incident", "slot", "mission")),
        ("arrive_ms", "i8"),
        *((name, "i4") for name in ("ready_ms", "access_ms")),
        *((name, "u1") for name in ("is_in_bay", "is_fit")),
    ],
    align=True,
)
INCIDENT = np.dtype(
    [
        *((name, "i8") for name in ("call_ms", "due_ms", "met_ms")),
        *((name, "i4") for name in ("first_slot", "cell", "travel_factor", "kind", "grade", "priority")),
        *((name, "i4") for name in ("n_active", "n_waiting")),
        ("is_revealed", "u1"),
    ],
    align=True,
)
_NUMBERS = (
    "n_changes", "n_calls", "n_hours", "n_cells", "n_stations", "make_ready_ms", "home_factor", "noise_table",
)  # fmt: skip
_ARRAYS = (
    "changes", "call_order", "quantiles", "card_start", "n_needs", "roads", "turnout_table",
    "access_table", "scene_table", "period_of_hour", "turnout_row", "turnout_mean_ms", "turnout_least_ms", "slot_ranks",
    "needs", "stations", "units", "incidents", "working_ms", "waiting", "slot_incident", "heap", "log",
)  # fmt: skip
"""Fields of `World` in `loop.c`, in their order: numbers, then addresses."""
_GIVEN = {
    "changes": wd.CHANGE_ROW_DTYPE, "call_order": "i4", "quantiles": "i4", "card_start": "i4",
    "roads": wd.ROAD_DTYPE, "turnout_table": "i2", "access_table": "i2", "scene_table": "i2", "period_of_hour": "i1",
    "turnout_row": "i1", "turnout_mean_ms": "i8", "turnout_least_ms": "i8", "slot_ranks": "u4", "needs": wd.NEED_DTYPE,
}  # fmt: skip
"""Frozen arrays of the engine's world that the loop reads as they are, and their types in C."""


class _World(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in _NUMBERS] + [(name, ctypes.c_void_p) for name in _ARRAYS]


@cache
def library(is_fetching: bool = False) -> Any:
    """Return the compiled loop, or None where the system has no C compiler.

    `is_fetching`: what will be read soon is asked from memory ahead of time.

    Raises
    ------
    subprocess.CalledProcessError
        If the compiler refuses the source.
    """
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory(prefix="contender-") as folder:
        source, made = Path(__file__).with_name("loop.c"), Path(folder) / "loop.so"
        command = [compiler, *FLAGS, f"-DIS_FETCHING={int(is_fetching)}", "-o", str(made), str(source)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        loaded = ctypes.CDLL(str(made))
    loaded.play.argtypes, loaded.play.restype = [ctypes.POINTER(_World), ctypes.c_void_p], ctypes.c_int64
    return loaded


class CLoop:
    """One run of the loop; everything it needs is laid out when it is made, `run` is the work alone.

    `arrays`: a world in which nothing has happened yet; it is only read.
    """

    def __init__(self, arrays: WorldArrays, is_fetching: bool = False) -> None:
        check_plain(arrays)
        self._kept = {name: _as_given(getattr(arrays, name), dtype) for name, dtype in _GIVEN.items()}
        self._kept |= {"n_needs": _n_needs(arrays)} | _state(arrays)
        self._log = self._kept["log"]
        numbers = {
            "n_changes": len(arrays.changes), "n_calls": len(arrays.call_order), "n_hours": len(arrays.period_of_hour),
            "n_cells": arrays.roads.shape[1], "n_stations": len(arrays.stations),
            "make_ready_ms": arrays.params[wd.MAKE_READY_MS], "home_factor": arrays.params[wd.HOME_FACTOR_Q16],
            "noise_table": arrays.noise_table[0],
        }  # fmt: skip
        addresses = {name: self._kept[name].ctypes.data for name in _ARRAYS}
        self._world = _World(**{name: int(number) for name, number in numbers.items()}, **addresses)
        self._people_on_duty = np.zeros(len(arrays.stations), dtype=np.int32)
        self._play = library(is_fetching).play

    def run(self) -> EventLog:
        """Play the whole run, once, and return the log."""
        return EventLog(self._log[: self._play(ctypes.byref(self._world), self._people_on_duty.ctypes.data)])


def _as_given(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=dtype)


def _n_needs(arrays: WorldArrays) -> NDArray[np.int32]:
    """Return how many needs of its card a kind has at a grade: (n_kinds, 8) int32."""
    start, grades = arrays.card_start, arrays.needs["from_grade"]
    cards = [grades[start[kind] : start[kind + 1]] for kind in range(len(start) - 1)]
    return np.array([[np.count_nonzero(card <= grade) for grade in range(8)] for card in cards], dtype=np.int32)


def _state(arrays: WorldArrays) -> dict[str, NDArray[Any]]:
    """Return what changes: nothing has happened yet, everybody is in the bay."""
    n_slots, n_units = len(arrays.slots), len(arrays.units)
    units = _copied(arrays.units, UNIT)
    units["is_in_bay"], units["mission"], units["incident"] = 1, arrays.units["mission"], -1
    units["is_fit"], units["slot"] = arrays.units["is_in_service"], -1
    stations = _copied(arrays.stations, STATION)
    incidents = _copied(arrays.incidents, INCIDENT)
    incidents["travel_factor"] = arrays.incidents["travel_factor_q16"]
    n_needs = _n_needs(arrays)[arrays.incidents["kind"], arrays.incidents["grade"]].sum()
    n_rows = len(arrays.changes) + 1 + _ROWS_OF_AN_INCIDENT * len(incidents) + _ROWS_OF_A_NEED * int(n_needs)
    log = np.empty(n_rows, dtype=LOG_DTYPE)
    log[:] = np.zeros(1, dtype=LOG_DTYPE)  # the pages are there before the clock starts
    return {
        "stations": stations, "units": units, "incidents": incidents, "log": log,
        "working_ms": np.full(n_slots, _NEVER, dtype=np.int64), "waiting": np.zeros(n_slots + 1, dtype=np.int32),
        "slot_incident": np.zeros(n_slots + 1, dtype=np.int32), "heap": np.zeros(n_units + 1, dtype=np.uint64),
    }  # fmt: skip


def _copied(rows: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return rows of a smaller struct: columns of the same name are taken over, the others are zero."""
    out = np.zeros(len(rows), dtype=dtype)
    for name in dtype.names or ():
        if name in (rows.dtype.names or ()):
            out[name] = rows[name]
    return out
