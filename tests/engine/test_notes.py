"""What the engine notes instead of asking is true after every event of random cities with every lever in play."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine import choice
from sim.engine.build import build_world
from sim.engine.kernel import KernelRun
from sim.engine.world import (
    COVER_CAPABILITY,
    COVER_MS,
    HELP_WAIT_MS,
    N_GAINS,
    N_WAITING,
    UnitStatus,
)
from sim.fleet.parts import UnitMode
from tests.engine.random_cities import cities_with_levers


def fit_in_bay(arrays, here):
    units = arrays.units[here["first_unit"] : here["end_unit"]]
    return [u for u in units if u["status"] == UnitStatus.AT_STATION and u["is_in_service"] and not u["is_failed"]]


def ready_units(arrays, station):
    """Vehicles of a station that could leave now, and how many that fight fires could leave one after another."""
    here = arrays.stations[station]
    if not here["is_open"]:
        return [], 0
    people = left = here["people_on_duty"] - here["people_out"]
    by_road = [unit for unit in fit_in_bay(arrays, here) if unit["mode"] == UnitMode.ROAD]
    n_pumps = 0
    for unit in by_road:
        if unit["crew_min"] <= left and unit["capabilities"] >> arrays.params[COVER_CAPABILITY] & 1:
            left -= unit["crew_min"]
            n_pumps += 1
    return [unit for unit in by_road if unit["crew_min"] <= people], n_pumps


def check_stations(arrays):
    """Return whether each station covers its area."""
    covers = []
    for station, here in enumerate(arrays.stations):
        units, n_pumps = ready_units(arrays, station)
        mask = int(np.bitwise_or.reduce([unit["capabilities"] for unit in units])) if units else 0
        is_own = here["help_grade"] == 0
        assert arrays.ready[station] == mask
        assert here["n_pumps"] == (n_pumps if is_own else 0)
        covers.append(bool(is_own and here["is_open"] and (n_pumps > 0 or here["n_guests"] > 0)))
        assert bool(here["is_covering"]) == covers[-1]
        assert here["crews_kept"] == sum(unit["crew_min"] for unit in fit_in_bay(arrays, here))
    return covers


def check_cover(arrays, covers):
    """The stations counted for each cell of some weight are those that cover their area and reach it."""
    for period in range(len(arrays.reach_begin)):
        counted = np.zeros(len(arrays.cell_weight), int)
        for station in np.flatnonzero(covers).tolist():
            drive = arrays.travel_ms[period, arrays.stations["cell"][station]].astype(np.int64)
            drive = drive * arrays.stations["drive_q16"][station] >> 16
            counted += (drive <= arrays.params[COVER_MS]) & (arrays.cell_weight != 0)
        assert arrays.n_covering[period].tolist() == counted.tolist()


def check_waiting(run, now):
    """A need that is noted as looked at in vain has nobody to go by road now."""
    arrays = run.arrays
    for slot in arrays.waiting[: arrays.counts[N_WAITING]].tolist():
        it = arrays.slots[slot]
        waited_ms = now - int(it["opened_ms"])
        state = 2 * int(arrays.counts[N_GAINS]) + (waited_ms >= arrays.params[HELP_WAIT_MS])
        if it["looked"] == state:
            unit, _ = choice.choose_unit(run.world, now, int(it["incident"]), int(it["capability"]), waited_ms)
            assert unit < 0 or arrays.units["mode"][unit] != UnitMode.ROAD


@settings(max_examples=60)
@given(data=st.data())
def test_what_is_noted_is_what_would_be_found_by_asking(tiny, data):
    run = KernelRun(build_world(data.draw(cities_with_levers(tiny)).inputs()))
    while (event := run.next_event()) is not None:
        run.step()
        covers = check_stations(run.arrays)
        check_cover(run.arrays, covers)
        check_waiting(run, event[0])
