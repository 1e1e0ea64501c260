"""Walks through a log and adds up, by unit, year and hour of the day, when too few people were there to send it.

Compiled, because every second of every unit counts. It knows no more than the log, the dated changes and the roster;
who rides with a unit until it leaves its bay is reckoned as the engine does (`rules.crew_for`). Next: `manning.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled_borrowing
from sim.engine.codes import (
    LOG_AVAILABLE,
    LOG_CHANGE,
    LOG_DISPATCH,
    LOG_ENROUTE,
    LOG_HOME,
    LOG_MOVE_UP,
    LOG_RESTED,
    LOG_SHIFT,
    LOG_TURN_BACK,
    STATION_CLOSE,
    STATION_OPEN,
    STATION_PEOPLE,
    UNIT_FAILS,
    UNIT_IN_SERVICE,
    UNIT_MENDED,
    UNIT_WITHDRAW,
)
from sim.units import MS_PER_DAY, MS_PER_H

IN_BAY, TURNING_OUT, AWAY, MADE_READY = range(4)
PLACE, IN_SERVICE, FAILED, CREW, SHIFT, LEFT_MS, SINCE = range(7)
"""Columns of a unit's state; from SINCE on, for each of what is added up, since when it holds, -1 while it does not."""
OPEN, ON_DUTY, OUT, SHIFT_NOW, MOST_CREW, N_STRANDED = range(6)
"""Columns of a station's state; MOST_CREW is the largest of its units' smallest crews."""
SERVICE_MS, UNMANNED_MS, STRANDED_MS = range(3)
"""Columns of what is added up."""
N_ADDED = 3


@compiled_borrowing
def _add(out, unit, what, begin_ms, end_ms, year_ms):  # type: ignore[no-untyped-def]
    """Add an interval to its years and hours of the day, as far as it lies within the years."""
    now = max(begin_ms, year_ms[0])
    end = min(end_ms, year_ms[-1])
    year = 0
    while now < end:
        while now >= year_ms[year + 1]:
            year += 1
        n_days = (min(end, year_ms[year + 1]) - now) // MS_PER_DAY if now % MS_PER_DAY == 0 else 0
        for hour in range(24 if n_days > 0 else 0):
            out[unit, year, hour, what] += n_days * MS_PER_H
        now += n_days * MS_PER_DAY
        if n_days == 0:
            until = min(end, (now // MS_PER_H + 1) * MS_PER_H)
            out[unit, year, now % MS_PER_DAY // MS_PER_H, what] += until - now
            now = until


@compiled_borrowing
def _note(units, unit, what, is_so, now, year_ms, out):  # type: ignore[no-untyped-def]
    """Take down from when on one thing holds of a unit; add it up once it no longer does."""
    since = units[unit, SINCE + what]
    if is_so and since < 0:
        units[unit, SINCE + what] = now
    elif not is_so and since >= 0:
        _add(out, unit, what, since, now, year_ms)
        units[unit, SINCE + what] = -1


@compiled_borrowing
def _note_bays(units, stations, station, span, crew, now, year_ms, out):  # type: ignore[no-untyped-def]
    """Take down which units of a station stand ready without the people to send them."""
    free = stations[station, ON_DUTY] - stations[station, OUT]
    if stations[station, N_STRANDED] == 0 and free >= stations[station, MOST_CREW]:
        return
    stations[station, N_STRANDED] = 0
    for unit in range(span[station], span[station + 1]):
        is_ready = units[unit, PLACE] == IN_BAY and units[unit, SINCE + SERVICE_MS] >= 0
        is_stranded = is_ready and free < crew[unit, 0]
        stations[station, N_STRANDED] += is_stranded
        _note(units, unit, STRANDED_MS, is_stranded, now, year_ms, out)


@compiled_borrowing
def _note_station(units, stations, station, span, crew, now, year_ms, out):  # type: ignore[no-untyped-def]
    """Take down what holds of a station's units after its people, its units in service or the station changed."""
    left = stations[station, ON_DUTY]
    for unit in range(span[station], span[station + 1]):
        is_serving = stations[station, OPEN] and units[unit, IN_SERVICE] and not units[unit, FAILED]
        is_manned = is_serving and crew[unit, 0] <= left
        if is_manned:
            left -= crew[unit, 0]
        _note(units, unit, SERVICE_MS, is_serving, now, year_ms, out)
        _note(units, unit, UNMANNED_MS, is_serving and not is_manned, now, year_ms, out)
    _note_bays(units, stations, station, span, crew, now, year_ms, out)


@compiled_borrowing
def _board(units, stations, station, span, crew, unit, now):  # type: ignore[no-untyped-def]
    """Bind the crew that a unit leaves its bay with."""
    spare = stations[station, ON_DUTY] - stations[station, OUT]
    for other in range(span[station], span[station + 1]):
        it = units[other]
        if other != unit and it[PLACE] == IN_BAY and it[IN_SERVICE] and not it[FAILED]:
            spare -= crew[other, 0]
    units[unit, CREW] = max(crew[unit, 0], min(crew[unit, 1], spare))
    units[unit, SHIFT] = stations[station, SHIFT_NOW]
    units[unit, LEFT_MS] = now
    stations[station, OUT] += units[unit, CREW]


@compiled_borrowing
def _change(units, stations, row):  # type: ignore[no-untyped-def]
    kind, entity = row.kind, row.entity
    if kind in (STATION_OPEN, STATION_CLOSE):
        stations[entity, OPEN] = kind == STATION_OPEN
    elif kind == STATION_PEOPLE:
        stations[entity, ON_DUTY] = row.value
    elif kind in (UNIT_IN_SERVICE, UNIT_WITHDRAW):
        units[entity, IN_SERVICE] = kind == UNIT_IN_SERVICE
    elif kind in (UNIT_FAILS, UNIT_MENDED):
        units[entity, FAILED] = kind == UNIT_FAILS


@compiled_borrowing
def _of_unit(units, stations, station, span, crew, unit, kind, now, people, rest_after_ms):  # type: ignore[no-untyped-def]
    """Move one unit on by a row of the log that names it; return whether the log has other people aboard."""
    place, is_same_shift = units[unit, PLACE], units[unit, SHIFT] == stations[station, SHIFT_NOW]
    if kind in (LOG_DISPATCH, LOG_MOVE_UP) and place == IN_BAY:
        _board(units, stations, station, span, crew, unit, now)
        units[unit, PLACE] = TURNING_OUT if kind == LOG_DISPATCH else AWAY
    elif kind == LOG_ENROUTE:
        units[unit, PLACE] = AWAY
        is_other = units[unit, CREW] != people
        if is_same_shift:
            stations[station, OUT] += people - units[unit, CREW]
        units[unit, CREW] = people
        return is_other
    elif kind == LOG_HOME or (kind == LOG_TURN_BACK and place == TURNING_OUT):
        is_resting = kind == LOG_HOME and rest_after_ms > 0 and now - units[unit, LEFT_MS] >= rest_after_ms
        if is_same_shift and not is_resting:  # a crew that rests is given back by a row of its own
            stations[station, OUT] -= units[unit, CREW]
        units[unit, PLACE] = MADE_READY if kind == LOG_HOME else IN_BAY
    elif kind == LOG_AVAILABLE:
        units[unit, PLACE] = IN_BAY
    return False


@compiled_borrowing
def _shift(stations, people, is_relief):  # type: ignore[no-untyped-def]
    """Post the people of a roster's shift."""
    for station in range(len(stations)):
        stations[station, ON_DUTY] = people[station]
        if is_relief:
            stations[station, OUT] = 0
            stations[station, SHIFT_NOW] += 1


@compiled_borrowing
def _walk(rows, changes, roster, is_relief, station_of, span, crew, rest_after_ms, year_ms, units, stations, out):  # type: ignore[no-untyped-def]
    """Walk through the log and add up into `out`; return how many crews were others than reckoned."""
    n_other = 0
    for at in range(len(rows)):
        kind, now, unit = rows[at].kind, rows[at].time_ms, rows[at].unit
        if kind in (LOG_DISPATCH, LOG_MOVE_UP, LOG_ENROUTE, LOG_HOME, LOG_TURN_BACK, LOG_AVAILABLE):
            station, people = station_of[unit], rows[at].value
            n_other += _of_unit(units, stations, station, span, crew, unit, kind, now, people, rest_after_ms)
            _note_bays(units, stations, station, span, crew, now, year_ms, out)
        elif kind == LOG_RESTED:
            stations[rows[at].incident, OUT] -= rows[at].value
            _note_bays(units, stations, rows[at].incident, span, crew, now, year_ms, out)
        elif kind == LOG_CHANGE and changes[rows[at].incident].entity >= 0:
            row = changes[rows[at].incident]
            is_of_unit = row.kind in (UNIT_IN_SERVICE, UNIT_WITHDRAW, UNIT_FAILS, UNIT_MENDED)
            _change(units, stations, row)
            station = station_of[row.entity] if is_of_unit else row.entity
            _note_station(units, stations, station, span, crew, now, year_ms, out)
        elif kind == LOG_SHIFT:
            _shift(stations, roster[rows[at].incident], is_relief[rows[at].incident])
            for station in range(len(stations)):
                _note_station(units, stations, station, span, crew, now, year_ms, out)
    for unit in range(len(units)):
        for what in range(N_ADDED):
            _note(units, unit, what, False, year_ms[-1], year_ms, out)
    return n_other


def replay(
    rows: NDArray[np.void],
    changes: NDArray[np.void],
    roster: NDArray[np.int16],
    is_relief: NDArray[np.int8],
    station_of: NDArray[np.int64],
    span: NDArray[np.int64],
    crew: NDArray[np.int64],
    rest_after_ms: int,
    year_ms: NDArray[np.int64],
) -> tuple[NDArray[np.int64], int]:
    """Return (n_units, n_years, 24, 3) int64 ms, in service, unmanned, stranded; and how many crews were others.

    A crew is reckoned when its unit is dispatched and is what the log says once it leaves; where the two differ the
    rules here are no longer the engine's.

    Parameters
    ----------
    rows : the log. changes : `CHANGE_DTYPE` rows. roster, is_relief : as in `sim.inputs.Roster`.
    station_of : (n_units,) station. span : (n_stations + 1,) first unit of each station, and the number of units.
    crew : (n_units, 2) smallest and preferred crew. rest_after_ms : of the policy.
    year_ms : (n_years + 1,) bounds of the years that are measured.
    """
    units = np.zeros((len(station_of), SINCE + N_ADDED), dtype=np.int64)
    units[:, SINCE:] = -1
    stations = np.zeros((len(span) - 1, N_STRANDED + 1), dtype=np.int64)
    np.maximum.at(stations[:, MOST_CREW], station_of, crew[:, 0])
    out = np.zeros((len(station_of), len(year_ms) - 1, 24, N_ADDED), dtype=np.int64)
    n_other = _walk(
        rows, changes, roster, is_relief, station_of, span, crew, rest_after_ms, year_ms, units, stations, out
    )
    return out, int(n_other)
