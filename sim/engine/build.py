"""Fill a world from frozen inputs: the last step before the clock starts.

Everything that no event can move is worked out here: when each dispatch is due (call + handling, by the regime of that
day), each incident's common travel factor, the stations in order of driving time to every cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chance import TABLE_SIZE, bin_weights, look_up
from sim.compiled import compiled_borrowing
from sim.engine import events, rules
from sim.engine import world as wd
from sim.engine.codes import HANDLING_REGIME
from sim.engine.drives import reach_of, roads_of
from sim.engine.log import LOG_DTYPE
from sim.engine.stations import CREW_BITS
from sim.errors import Problems
from sim.fleet.parts import UNIT_TRAITS_DTYPE, UnitMode
from sim.inputs import slot_starts, station_drives
from sim.recorded import FACTORS_OF_CALLS
from sim.units import Q16

if TYPE_CHECKING:
    from sim.inputs import RunInputs

_MOST_UNITS_PER_EVENT = 64
_EVERY_TASK = -1
"""A mask with every capability."""


@compiled_borrowing
def look_up_all(values, table_of_row, ranks, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n,) int64 with the look-up of each rank in its row's table."""
    for i in range(ranks.shape[0]):
        out[i] = look_up(values[table_of_row[i]], ranks[i])


def table_mean(values: NDArray[np.int32]) -> int:
    """Return the mean of a quantile table, rounded to a whole unit."""
    return int(float(values.astype(np.float64) @ bin_weights()) + 0.5)


def handling_regimes(inputs: RunInputs) -> NDArray[np.int64]:
    """Return the call-handling regime in force at each call: (n_incidents,) int64."""
    rows = inputs.changes[inputs.changes["kind"] == HANDLING_REGIME]
    values = np.concatenate([[0], rows["value"]]).astype(np.int64)
    return values[np.searchsorted(rows["time_ms"], inputs.demand.incidents["call_ms"], side="right")]


def _incidents(inputs: RunInputs) -> tuple[NDArray[Any], NDArray[np.int64]]:
    rows, durations = inputs.demand.incidents, inputs.durations
    n = rows.shape[0]
    out = np.zeros(n, dtype=wd.INCIDENT_DTYPE)
    for name in ("call_ms", "cell", "town", "kind", "grade", "reported_kind", "reported_grade"):
        out[name] = rows[name]
    out["priority"] = np.asarray(inputs.kinds.priority)[rows["reported_kind"]]
    out["max_grade"] = np.asarray(inputs.kinds.max_grade)[rows["kind"]]
    out["met_ms"] = rules.NEVER_MS
    handling = np.empty(n, dtype=np.int64)
    tables = np.asarray(durations.handling, dtype=np.int64)[handling_regimes(inputs)]
    look_up_all(durations.values, tables, np.ascontiguousarray(rows["rank_handling"]), handling)
    if inputs.recorded is not None:
        handling = np.where(inputs.recorded.handling_ms >= 0, inputs.recorded.handling_ms, handling)
    out["due_ms"] = rows["call_ms"] + handling
    common = np.full(n, durations.travel_common, dtype=np.int64)
    factor = np.empty(n, dtype=np.int64)
    look_up_all(durations.values, common, np.ascontiguousarray(rows["rank_travel"]), factor)
    out["travel_factor_q16"] = factor
    _fill_scenes(inputs, out)
    out["drive_q16"] = out["turnout_q16"] = Q16
    for name, factors in _factors_of_calls(inputs).items():
        out[name] = factors
    if inputs.n_passed is not None:
        out["n_passed"] = inputs.n_passed
    start = slot_starts(inputs.demand, inputs.cards)
    out["first_slot"] = start[:-1]
    return out, start


def _fill_scenes(inputs: RunInputs, out: NDArray[Any]) -> None:
    """Put in what the place of each incident adds: portals and track, water, who in the village comes first."""
    scenes = inputs.scenes
    out["portal_a"], out["portal_b"] = scenes.portal_cell[:, 0], scenes.portal_cell[:, 1]
    out["track_a_m"], out["track_b_m"] = scenes.track_m[:, 0], scenes.track_m[:, 1]
    out["power_off_ms"], out["village_ms"] = scenes.power_off_ms, scenes.village_ms
    out["water_delay_ms"] = scenes.water_delay_ms


def _factors_of_calls(inputs: RunInputs) -> dict[str, NDArray[np.int32]]:
    """Return what a fit says of single incidents: the factors of their drives and turnouts, where there are any."""
    effects, n_incidents = inputs.effects, inputs.demand.incidents.shape[0]
    if effects is None:
        return {}
    given = {name: getattr(effects, name) for name in FACTORS_OF_CALLS}
    for name, factors in given.items():
        if factors is not None and (factors.shape != (n_incidents,) or factors.min(initial=0) < 0):
            raise ValueError(f"{name} are not {n_incidents} factors of 0 or more, one for each incident")
    return {name.replace("_of_call", ""): factors for name, factors in given.items() if factors is not None}


def _stations(inputs: RunInputs) -> NDArray[Any]:
    stations, units = inputs.fleet.stations, inputs.fleet.units
    n = len(stations.cell)
    out = np.zeros(n, dtype=wd.STATION_DTYPE)
    out["cell"], out["town"] = stations.cell, stations.town
    out["first_unit"] = np.searchsorted(units.station, np.arange(n), side="left")
    out["end_unit"] = np.searchsorted(units.station, np.arange(n), side="right")
    out["help_grade"] = stations.help_grade
    out["drive_q16"] = Q16
    if inputs.effects is not None and inputs.effects.drive_q16 is not None:
        out["drive_q16"] = inputs.effects.drive_q16
        _check_order(inputs, inputs.effects.drive_q16)
    out["quay"] = -1
    out["quay"][inputs.waterways.station] = np.arange(len(inputs.waterways.station))
    return out


def _check_order(inputs: RunInputs, drive_q16: NDArray[np.int32]) -> None:
    """Raise `ValueError` unless the stations stand in the order of their driving times by these factors."""
    drives = station_drives(inputs.travel.duration_ms, inputs.fleet.stations.cell, drive_q16).transpose(0, 2, 1)
    if (np.diff(np.take_along_axis(drives, inputs.station_order.astype(np.int64), axis=2), axis=2) < 0).any():
        raise ValueError("station_order is not that of the stations' own driving times; set effects by with_effects")


def _turnout(inputs: RunInputs) -> dict[str, NDArray[Any]]:
    """Return which tables of turnout hold at each hour, by station, with their means: rows of day and night, or of 24.

    A run starts at midnight.
    """
    durations, n_hours = inputs.durations, len(inputs.is_night_of_hour)
    tables, row = np.asarray(durations.turnout)[:, None], np.asarray(inputs.is_night_of_hour, dtype=np.int64)
    if inputs.effects is not None and inputs.effects.turnout is not None:
        tables, row = inputs.effects.turnout, np.arange(n_hours) % 24
    tables = np.broadcast_to(tables, (len(tables), len(inputs.fleet.stations.cell)))
    numbers, place = np.unique(tables, return_inverse=True)
    means = np.array([table_mean(durations.values[number]) for number in numbers.tolist()], dtype=np.int64)
    by_station = means[place.reshape(tables.shape)]
    least = by_station.min(axis=1) if by_station.size else np.zeros(len(tables), np.int64)
    return {
        "turnout_row": row, "turnout_table": tables, "turnout_mean_ms": by_station, "turnout_least_ms": least,
    }  # fmt: skip


def _roads(inputs: RunInputs, stations: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the roads between stations and cells; where cover is asked for, who reaches which cell."""
    cell, drive_q16 = np.ascontiguousarray(stations["cell"]), np.ascontiguousarray(stations["drive_q16"])
    policy = inputs.policy
    parts: dict[str, NDArray[Any]] = {"roads": roads_of(inputs, cell, drive_q16)}
    if policy.dispatch == wd.DISPATCH_KEEP_COVER or policy.move_up == wd.MOVE_UP_BEST_COVER:
        reach = reach_of(inputs, cell, drive_q16, policy.cover_ms)
        n_covering = np.zeros((len(reach.begin), len(inputs.cell_weight)), np.int16)
        return parts | {"reach_begin": reach.begin, "reach_cell": reach.cell, "n_covering": n_covering}
    none = np.zeros((0, 0), np.int64)
    return parts | {"reach_begin": none, "reach_cell": none.reshape(-1), "n_covering": none}


def _noise(inputs: RunInputs) -> dict[str, NDArray[Any]]:
    """Return from which expected driving times on which table of a trip's own factor holds."""
    effects = inputs.effects
    if effects is None or effects.noise_from_ms is None or effects.noise_table is None:
        only = np.array([inputs.durations.travel_own], dtype=np.int16)
        return {"noise_from_ms": np.zeros(1, np.int64), "noise_table": only}
    begins = effects.noise_from_ms
    if len(begins) != len(effects.noise_table) or not len(begins) or begins[0] != 0 or (np.diff(begins) <= 0).any():
        raise ValueError(f"bands of noise begin at {begins.tolist()}, not at 0 and ascending, with a table each")
    return {"noise_from_ms": begins, "noise_table": effects.noise_table}


def _units(inputs: RunInputs) -> NDArray[Any]:
    units = inputs.fleet.units
    out = np.zeros(len(units.station), dtype=wd.UNIT_DTYPE)
    out["station"], out["capabilities"] = units.station, units.capabilities
    out["crew_min"], out["crew_preferred"] = units.crew_min, units.crew_preferred
    for name in ("incident", "slot", "away_at", "clear_ms", "post", "flown_day"):
        out[name] = -1
    for name in UNIT_TRAITS_DTYPE.names or ():
        out[name] = units.traits[name]
    out["from_cell"] = out["to_cell"] = np.asarray(inputs.fleet.stations.cell)[units.station]
    return out


def _params(inputs: RunInputs) -> NDArray[np.int64]:
    policy, durations = inputs.policy, inputs.durations
    out = np.zeros(wd.N_PARAMS, dtype=np.int64)
    out[wd.DISPATCH_POLICY] = policy.dispatch
    out[wd.IS_ESCALATION_ON] = policy.is_escalation_on
    out[wd.IS_SCENE_DELAY_ON] = policy.is_scene_delay_on
    out[wd.HOME_FACTOR_Q16] = policy.home_factor_q16
    out[wd.MAKE_READY_MS] = policy.make_ready_ms
    out[wd.IS_SENT_ON] = policy.is_sent_on
    out[wd.SCENE_DELAY_CAP_MS] = durations.scene_delay_cap_ms
    out[wd.SLACK_MS], out[wd.COVER_MS], out[wd.COVER_CAPABILITY] = policy.slack_ms, policy.cover_ms, policy.cover_bit
    out[wd.MOVE_UP_POLICY], out[wd.MOVE_UP_AFTER_MS] = policy.move_up, policy.move_up_after_ms
    out[wd.MOVE_UP_MOST_MS], out[wd.WATER_CAPABILITY] = policy.move_up_most_ms, policy.water_bit
    out[wd.HELP_WAIT_MS] = rules.NEVER_MS if policy.help_wait_ms < 0 else policy.help_wait_ms
    if inputs.transport is not None:
        out[wd.TRANSPORT_FACTOR_Q16] = inputs.transport.factor_q16
    out[wd.REST_AFTER_MS], out[wd.REST_MS] = policy.rest_after_ms, policy.rest_ms
    city, zones = inputs.city, inputs.nearest_zone
    squares = (city.grid_x0_m, city.grid_y0_m, city.cell_m) if zones is None else (zones.x0_m, zones.y0_m, zones.side_m)
    out[wd.GRID_X0_M], out[wd.GRID_Y0_M], out[wd.GRID_CELL_M] = squares
    return out


def _needs(inputs: RunInputs) -> NDArray[Any]:
    out = np.zeros(len(inputs.cards.capability), dtype=wd.NEED_DTYPE)
    out["capability"], out["from_grade"] = inputs.cards.capability, inputs.cards.from_grade
    out["is_critical"] = inputs.cards.is_critical
    return out


def _changes(inputs: RunInputs) -> NDArray[Any]:
    out = np.zeros(inputs.changes.shape[0], dtype=wd.CHANGE_ROW_DTYPE)
    for name in wd.CHANGE_ROW_DTYPE.names or ():
        out[name] = inputs.changes[name]
    return out


def _tasks(inputs: RunInputs) -> NDArray[np.int64]:
    """Return the masks of capabilities for which units are asked, by `UnitMode` and kind: (3, n_kinds)."""
    every = (_EVERY_TASK,) * (len(inputs.cards.start) - 1)
    given = {UnitMode.AIR: inputs.policy.air_tasks, UnitMode.WATER: inputs.policy.boat_tasks}
    return np.array([given.get(mode) or every for mode in UnitMode], dtype=np.int64)


def _able(inputs: RunInputs) -> dict[str, NDArray[np.int32]]:
    """Return, capability by capability, the stations that have a vehicle with it, and where each list begins."""
    units = inputs.fleet.units
    is_road = np.asarray(units.traits["mode"]) == UnitMode.ROAD
    n = int(np.asarray(inputs.cards.capability).max(initial=0)) + 1
    has = [is_road & ((np.asarray(units.capabilities) >> bit) & 1 == 1) for bit in range(n)]
    lists = [np.unique(np.asarray(units.station)[which]).astype(np.int32) for which in has]
    begin = np.cumsum([0, *(len(stations) for stations in lists)]).astype(np.int32)
    return {"able_begin": begin, "able_station": np.concatenate(lists)}


def _access_means(inputs: RunInputs) -> NDArray[np.int64]:
    """Return the mean access time of each kind, ms, as the dispatcher reckons with it."""
    return np.array([table_mean(inputs.durations.values[table]) for table in inputs.durations.access], dtype=np.int64)


def _squares(inputs: RunInputs) -> dict[str, NDArray[np.int32]]:
    """Return the cell of each square of the plane, and the cells of squares that are near to several."""
    if inputs.nearest_zone is None:
        return {"grid": inputs.city.grid, "near": np.zeros(0, np.int32)}
    return {"grid": inputs.nearest_zone.square, "near": inputs.nearest_zone.near}


def _recorded(inputs: RunInputs) -> dict[str, NDArray[Any]]:
    """Return the recorded durations of slots; no rows where nothing is recorded."""
    if inputs.recorded is None:
        return {"recorded_ms": np.zeros((0, 4), np.int64), "recorded_station": np.zeros(0, np.int32)}
    return {"recorded_ms": inputs.recorded.slot_ms, "recorded_station": inputs.recorded.travel_station}


def _transport(inputs: RunInputs) -> dict[str, NDArray[Any]]:
    """Return where the units of slots take patients; no rows where nobody is taken anywhere."""
    part = inputs.transport
    if part is None:
        none = np.zeros(0, np.int64)
        return {"transport_cell": none, "transport_ms": none, "hand_over_ms": none}
    return {"transport_cell": part.cell, "transport_ms": part.drive_ms, "hand_over_ms": part.hand_over_ms}


def _check_rows(inputs: RunInputs, n_slots: int) -> None:
    """Raise `ValueError` unless what belongs to incidents and slots has a row for each."""
    n_incidents = inputs.demand.incidents.shape[0]
    if inputs.recorded is not None:
        shapes = (
            inputs.recorded.handling_ms.shape,
            inputs.recorded.slot_ms.shape,
            inputs.recorded.travel_station.shape,
        )
        if shapes != ((n_incidents,), (n_slots, 4), (n_slots,)):
            raise ValueError(f"recorded durations of {shapes}, not of {n_incidents} incidents with {n_slots} slots")
    for name, rows in _transport(inputs).items():
        if inputs.transport is not None and len(rows) != n_slots:
            raise ValueError(f"{name} has {len(rows)} rows, not one for each of {n_slots} slots")


def check_room(inputs: RunInputs) -> None:
    """Raise one `InputError` for everything that is too large for the fields it would be kept in."""
    n_needs = np.diff(inputs.cards.start)
    limits = (
        ("stations", len(inputs.fleet.stations.cell), np.iinfo(np.int16).max),
        ("incidents", inputs.demand.incidents.shape[0], events.MISSION_MASK),
        ("people of a crew", int(np.asarray(inputs.fleet.units.crew_preferred).max(initial=0)), (1 << CREW_BITS) - 1),
        ("units", len(inputs.fleet.units.station), events.MISSION_MASK),
        ("slots of one incident", 2 * int(n_needs.max(initial=0)), np.iinfo(np.int16).max),
        ("capabilities (highest bit)", int(np.asarray(inputs.cards.capability).max(initial=0)), 62),
    )
    problems = Problems()
    for what, found, most in limits:
        if found > most:
            problems.add(
                "inputs", f"{what}: more than the engine holds ({most})", value=found, mend="use a smaller city"
            )
    problems.raise_if_any()


def build_world(inputs: RunInputs) -> wd.WorldArrays:
    """Return the arrays of a world at the run's start, before the first change is applied.

    Raises
    ------
    InputError
        If the city, its cards or its demand are too large for the engine's fields.
    ValueError
        If arrays that belong to the same things differ in length.
    """
    check_room(inputs)
    incidents, slot_start = _incidents(inputs)
    n_slots, n_units = int(slot_start[-1]), len(inputs.fleet.units.station)
    _check_rows(inputs, n_slots)
    slots, stations = np.zeros(n_slots, dtype=wd.SLOT_DTYPE), _stations(inputs)
    slots["incident"] = np.repeat(np.arange(incidents.shape[0], dtype=np.int32), np.diff(slot_start))
    slots["unit"] = -1
    n_planned = 4 * n_units + 4 * _MOST_UNITS_PER_EVENT + 2 * len(inputs.fleet.stations.cell)
    margin = 16 * n_units + 16 * _MOST_UNITS_PER_EVENT
    arrays = wd.WorldArrays(
        log_margin=margin, units=_units(inputs), stations=stations, incidents=incidents, slots=slots,
        counts=np.where(np.arange(wd.N_COUNTS) == wd.NEXT_WINDOW_MS, rules.NEVER_MS, 0),
        waiting=np.zeros(max(n_slots, 1), dtype=np.int64),
        away=np.zeros(max(n_units, 1), dtype=np.int32),
        away_ms=np.zeros(max(n_units, 1), dtype=np.int64),
        outbox=np.zeros(n_planned, dtype=wd.EVENT_DTYPE),
        heap=np.zeros(n_planned + 1024, dtype=wd.EVENT_DTYPE),
        ready=np.zeros(len(stations), np.int64),
        log=np.zeros(2 * margin + 24 * incidents.shape[0], dtype=LOG_DTYPE),
        params=_params(inputs), changes=_changes(inputs),
        call_order=np.argsort(incidents["due_ms"], kind="stable").astype(np.int32),
        escalate_ranks=inputs.demand.incidents["rank_escalate"], slot_ranks=inputs.slot_ranks,
        needs=_needs(inputs), card_start=inputs.cards.start,
        travel_ms=inputs.travel.duration_ms,
        **_roads(inputs, stations),
        period_of_hour=inputs.period_of_hour, **_turnout(inputs), **_noise(inputs),
        quantiles=inputs.durations.values.reshape(-1, TABLE_SIZE),
        access_table=inputs.durations.access, scene_table=inputs.durations.scene,
        latent_table=inputs.durations.latent, scene_slope_q16=inputs.durations.scene_slope_q16,
        cell_xy=np.stack([inputs.city.cells.x_m, inputs.city.cells.y_m], axis=1), **_squares(inputs),
        roster_ms=inputs.roster.shift_ms, roster=inputs.roster.people, roster_is_relief=inputs.roster.is_relief,
        road_q16=inputs.sky.road_q16, is_flyable=inputs.sky.is_flyable, cell_weight=inputs.cell_weight,
        access_mean_ms=_access_means(inputs), supply_grade=inputs.scenes.supply_grade,
        kind_priority=inputs.kinds.priority,
        craft=np.flatnonzero(np.asarray(inputs.fleet.units.traits["mode"]) != UnitMode.ROAD).astype(np.int32),
        tasks=_tasks(inputs), **_able(inputs), way_m=inputs.waterways.way_m, **_recorded(inputs), **_transport(inputs),
    )  # fmt: skip
    if inputs.own_rule is not None:
        from sim.engine.asking import Asked

        arrays.asked = Asked(arrays, inputs.own_rule)
    return arrays
