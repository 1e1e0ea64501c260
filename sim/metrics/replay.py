"""Walks through a log and adds up, by unit, year and hour of the day, when too few people were there to send it.

Compiled, because every second of every unit counts. It knows no more than the log, the dated changes and the roster;
who rides with a unit until it leaves its bay is reckoned as the engine does (`rules.crew_for`). Next: `manning.py`.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled
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
PLACE, IN_SERVICE, FAILED, CREW, SHIFT, LEFT_MS = range(6)
"""Columns of a unit's state."""
OPEN, ON_DUTY, OUT, SHIFT_NOW, SINCE_MS = range(5)
"""Columns of a station's state."""
SERVICE_MS, UNMANNED_MS, STRANDED_MS = range(3)
"""Columns of what is added up."""


@compiled
def _add(out, unit, what, begin_ms, end_ms, year_ms):  # type: ignore[no-untyped-def]
    """Add an interval to its years and hours of the day, as far as it lies within the years."""
    now = max(begin_ms, year_ms[0])
    end = min(end_ms, year_ms[-1])
    year = 0
    while now < end:
        while now >= year_ms[year + 1]:
            year += 1
        until = min(end, (now // MS_PER_H + 1) * MS_PER_H)
        out[unit, year, now % MS_PER_DAY // MS_PER_H, what] += until - now
        now = until


@compiled
def _settle(units, stations, station, span, crew, now, year_ms, out):  # type: ignore[no-untyped-def]
    """Add up what held at a station since it last changed."""
    it = stations[station]
    begin = it[SINCE_MS]
    it[SINCE_MS] = now
    if now <= begin or not it[OPEN]:
        return
    left = it[ON_DUTY]
    for unit in range(span[station], span[station + 1]):
        if not units[unit, IN_SERVICE] or units[unit, FAILED]:
            continue
        _add(out, unit, SERVICE_MS, begin, now, year_ms)
        if crew[unit, 0] <= left:
            left -= crew[unit, 0]
        else:
            _add(out, unit, UNMANNED_MS, begin, now, year_ms)
        if units[unit, PLACE] == IN_BAY and it[ON_DUTY] - it[OUT] < crew[unit, 0]:
            _add(out, unit, STRANDED_MS, begin, now, year_ms)


@compiled
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


@compiled
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


@compiled
def _of_unit(units, stations, station, span, crew, unit, kind, now, people, rest_after_ms):  # type: ignore[no-untyped-def]
    """Move one unit on by a row of the log that names it; return whether the log has other people aboard."""
    it = units[unit]
    if kind in (LOG_DISPATCH, LOG_MOVE_UP) and it[PLACE] == IN_BAY:
        _board(units, stations, station, span, crew, unit, now)
        it[PLACE] = TURNING_OUT if kind == LOG_DISPATCH else AWAY
    elif kind == LOG_ENROUTE:
        it[PLACE] = AWAY
        if it[SHIFT] == stations[station, SHIFT_NOW]:
            stations[station, OUT] += people - it[CREW]
        is_other, it[CREW] = it[CREW] != people, people
        return is_other
    elif kind == LOG_HOME or (kind == LOG_TURN_BACK and it[PLACE] == TURNING_OUT):
        is_same_shift = it[SHIFT] == stations[station, SHIFT_NOW]
        is_resting = kind == LOG_HOME and rest_after_ms > 0 and now - it[LEFT_MS] >= rest_after_ms
        if is_same_shift and not is_resting:  # a crew that rests is given back by a row of its own
            stations[station, OUT] -= it[CREW]
        it[PLACE] = MADE_READY if kind == LOG_HOME else IN_BAY
    elif kind == LOG_AVAILABLE:
        it[PLACE] = IN_BAY
    return False


@compiled
def replay(rows, changes, roster, is_relief, station_of, span, crew, rest_after_ms, year_ms):  # type: ignore[no-untyped-def]
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
    units = np.zeros((len(station_of), 6), dtype=np.int64)
    stations = np.zeros((len(span) - 1, 5), dtype=np.int64)
    out = np.zeros((len(station_of), len(year_ms) - 1, 24, 3), dtype=np.int64)
    n_other = 0
    for at in range(len(rows)):
        kind, now, unit = rows[at].kind, rows[at].time_ms, rows[at].unit
        if kind == LOG_SHIFT:
            for station in range(len(stations)):
                _settle(units, stations, station, span, crew, now, year_ms, out)
                stations[station, ON_DUTY] = roster[rows[at].incident, station]
                if is_relief[rows[at].incident]:
                    stations[station, OUT] = 0
                    stations[station, SHIFT_NOW] += 1
        elif kind == LOG_CHANGE:
            row = changes[rows[at].incident]
            if row.entity >= 0:
                is_of_unit = row.kind in (UNIT_IN_SERVICE, UNIT_WITHDRAW, UNIT_FAILS, UNIT_MENDED)
                station = station_of[row.entity] if is_of_unit else row.entity
                _settle(units, stations, station, span, crew, now, year_ms, out)
                _change(units, stations, row)
        elif kind == LOG_RESTED:
            _settle(units, stations, rows[at].incident, span, crew, now, year_ms, out)
            stations[rows[at].incident, OUT] -= rows[at].value
        elif kind in (LOG_DISPATCH, LOG_MOVE_UP, LOG_ENROUTE, LOG_HOME, LOG_TURN_BACK, LOG_AVAILABLE):
            station = station_of[unit]
            _settle(units, stations, station, span, crew, now, year_ms, out)
            people = rows[at].value
            n_other += _of_unit(units, stations, station, span, crew, unit, kind, now, people, rest_after_ms)
    for station in range(len(stations)):
        _settle(units, stations, station, span, crew, year_ms[-1], year_ms, out)
    return out, n_other
