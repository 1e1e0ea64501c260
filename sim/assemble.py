"""From settings to `RunInputs`: reads the city folder, draws the replication's chance, builds what is missing.

An `InputsBuilder` keeps what runs share - the city, travel tables, the intensity of demand, the chance of a
replication, the sites of a world - so that the scenarios of one replication differ in nothing but what their settings
say. Everything here is a pure function of (settings, replication) and the files of the city folder.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sim.city import load_city
from sim.compiled import cache_root
from sim.demand.calendar import build_calendar
from sim.demand.draw import draw_demand
from sim.demand.durations import build_durations
from sim.demand.intensity import prepare_demand
from sim.demand.kinds import load_demand_tables
from sim.demand.quantiles import gamma_factor, is_table_of, load_store, read_tables
from sim.errors import InputError, Problem, Problems, nearest_name
from sim.fleet.build import build_fleet
from sim.fleet.changes import build_changes
from sim.fleet.tables import load_fleet_tables
from sim.inputs import (
    Policy,
    RunInputs,
    clear_sky,
    digest_of,
    draw_slot_ranks,
    hours_of_run,
    no_roster,
    order_stations,
    plain_scenes,
)
from sim.money import load_prices
from sim.plan import load_plan
from sim.settings import given_digests
from sim.siting import load_siting, load_station_coordinates, siting_worlds
from sim.travel import travel_of
from sim.travel.roads import load_roads
from sim.units import ms_from_min, ms_from_s, q16

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.city.types import City
    from sim.demand.calendar import Calendar
    from sim.demand.intensity import Intensity
    from sim.demand.kinds import DemandTables
    from sim.demand.quantiles import QuantileStore
    from sim.demand.types import Demand, Durations
    from sim.fleet.parts import Changes, Fleet
    from sim.fleet.tables import FleetTables
    from sim.money import Prices
    from sim.plan import Plan
    from sim.settings import Settings
    from sim.siting import Siting
    from sim.travel.roads import Roads
    from sim.travel.source import TravelTables

_Value = TypeVar("_Value")
_REMAKE = "delete the file and the replications beside it, and run again"
DISPATCH_RULES = ("nearest", "own_town_first", "keep_cover")
MOVE_UP_RULES = ("none", "nearest", "best_cover")
_KEPT = 6
"""Values of one kind kept at a time: enough for the arms of one replication, whatever the number of replications."""


def world_in_turn(replication: int, n_worlds: int) -> int:
    """Return the number of the siting world of a replication: every world once in `n_worlds` replications.

    Worlds made by one method stand side by side in their list, so the turn strides through it by the golden section: a
    few replications have worlds of all methods already.
    """
    stride = max(int(0.382 * n_worlds), 1)
    while gcd(stride, n_worlds) != 1:
        stride -= 1
    return replication * stride % n_worlds


class InputsBuilder:
    """Builds the inputs of runs, keeping what they share."""

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[str, Any]] = {}
        self._stores: dict[str, QuantileStore] = {}
        self._committed: dict[str, frozenset[str]] = {}

    def _keep(self, kind: str, key: Any, make: Callable[[], _Value]) -> _Value:
        """Return the value kept under (kind, key), making it first if need be; the oldest of a kind goes."""
        shelf = self._kept.setdefault(kind, OrderedDict())
        name = digest_of(key)
        if name in shelf:
            shelf.move_to_end(name)
            return shelf[name]  # type: ignore[no-any-return]
        value = make()
        shelf[name] = value
        while len(shelf) > _KEPT:
            shelf.popitem(last=False)
        return value

    def city(self, settings: Settings) -> City:
        """Return the city of the settings."""
        folder = settings.city_folder()
        return self._keep("city", str(folder), lambda: load_city(folder))

    def plan(self, settings: Settings) -> Plan:
        """Return the plan of the settings' city."""
        folder = settings.city_folder()
        return self._keep("plan", str(folder), lambda: load_plan(folder))

    def roads(self, settings: Settings) -> Roads:
        """Return the roads of the settings' city."""
        folder, city = settings.city_folder(), self.city(settings)
        return self._keep("roads", str(folder), lambda: load_roads(folder, city))

    def demand_tables(self, settings: Settings) -> DemandTables:
        """Return the demand tables of the settings' city."""
        folder = settings.city_folder()
        return self._keep("demand tables", str(folder), lambda: load_demand_tables(folder))

    def calendar(self, settings: Settings) -> Calendar:
        """Return the days of the settings' window."""
        country, year = self.city(settings).holidays_country, settings.demand.reference_year
        key = (asdict(settings.window), country, year)
        return self._keep("calendar", key, lambda: build_calendar(settings.window, country, year))

    def travel(self, settings: Settings) -> TravelTables:
        """Return the travel tables of the settings, from the cache on disk when they were built before."""
        folder, city = settings.city_folder(), self.city(settings)

        key = (str(folder), asdict(settings.travel), given_digests(settings, "travel"))
        return self._keep("travel", key, lambda: travel_of(city, settings.travel, folder, cache_root() / "travel"))

    def world_name(self, settings: Settings, replication: int) -> str:
        """Return the name of the siting world of a replication (the coordinates' file name where one is given)."""
        if settings.siting.coordinates:
            return Path(settings.siting.coordinates).name
        folder = settings.city_folder()
        worlds = self._keep("worlds", str(folder), lambda: siting_worlds(folder))
        chosen = settings.siting.world
        return worlds[chosen if chosen >= 0 else world_in_turn(replication, len(worlds))].world

    def siting(self, settings: Settings, replication: int) -> Siting:
        """Return where the stations stand in a replication."""
        folder, city, given = settings.city_folder(), self.city(settings), settings.siting.coordinates
        key = (str(folder), self._sites_key(settings, replication))
        if given:
            return self._keep("siting", key, lambda: load_station_coordinates(Path(given), city))
        world = self.world_name(settings, replication)
        return self._keep("siting", key, lambda: load_siting(folder, world, city))

    def _sites_key(self, settings: Settings, replication: int) -> tuple[str, str]:
        """Return what tells two placements of stations apart: the world's name, or a given file's name and contents."""
        given = Path(settings.siting.coordinates)
        if not settings.siting.coordinates or not given.is_file():
            return self.world_name(settings, replication), ""
        return str(given), hashlib.sha256(given.read_bytes()).hexdigest()

    def fleet_tables(self, settings: Settings) -> FleetTables:
        """Return the fleet tables of the settings' city; some unit type has what any run card needs."""
        demand = self.demand_tables(settings)

        def make() -> FleetTables:
            tables = load_fleet_tables(settings.city_folder(), demand.capability_bit, settings.fleet)
            _check_capabilities(demand, tables)
            return tables

        return self._keep("fleet tables", (str(settings.city_folder()), asdict(settings.fleet)), make)

    def fleet(self, settings: Settings, replication: int) -> Fleet:
        """Return the stations and units of a replication's siting world."""

        def make() -> Fleet:
            tables = self.fleet_tables(settings)
            return build_fleet(self.city(settings), self.plan(settings), self.siting(settings, replication), tables)

        sites = self._sites_key(settings, replication)
        return self._keep("fleet", (str(settings.city_folder()), sites, asdict(settings.fleet)), make)

    def changes(self, settings: Settings, replication: int) -> Changes:
        """Return the dated changes of the settings' scenario, with the notes a report shows."""
        fleet, city, calendar = self.fleet(settings, replication), self.city(settings), self.calendar(settings)
        key = (
            str(settings.city_folder()), self._sites_key(settings, replication),
            asdict(settings.fleet), asdict(settings.schedule), asdict(settings.staffing), asdict(settings.window),
            asdict(settings.demand) if settings.schedule.allocation == "by_demand" else {},
        )  # fmt: skip

        def make() -> Changes:
            weight = self._town_weight(settings) if settings.schedule.allocation == "by_demand" else None
            return build_changes(fleet, city, settings.schedule, settings.staffing, calendar, weight)

        return self._keep("changes", key, make)

    def prices(self, settings: Settings) -> Prices | None:
        """Return the prices of the settings' city, None where it has none.

        Raises
        ------
        InputError
            With all that is wrong with them.
        """
        folder, fleet, problems = settings.city_folder(), self.fleet(settings, 0), Problems()
        found = load_prices(folder, settings.money, fleet.classes.code, fleet.unit_types.code, problems)
        problems.raise_if_any()
        return found

    def _store(self, settings: Settings) -> QuantileStore:
        folder = settings.city_folder()
        if str(folder) not in self._stores:
            self._stores[str(folder)] = store = load_store(folder)
            self._committed[str(folder)] = frozenset(store.stored)
        return self._stores[str(folder)]

    def tables_made(self, settings: Settings) -> dict[str, NDArray[np.int32]]:
        """Return the quantile tables that the settings ask for and the city folder does not hold, by name."""
        self.intensity(settings)
        demand, store = settings.demand, self._store(settings)
        day_factors = (demand.city_day_cv, demand.town_day_cv, *(surge.size_cv for surge in demand.surges.values()))
        asked = {*self.durations(settings).names, *(gamma_factor(cv) for cv in day_factors)}
        own = sorted(asked - self._committed[str(settings.city_folder())])
        return {name: store.table(name) for name in own if not name.startswith("constant")}

    def take_tables(self, settings: Settings, path: Path) -> None:
        """Use the quantile tables stored with a run instead of making them; no file, no change.

        Raises
        ------
        InputError
            If the file is damaged, holds a table that the city folder has itself, or one that is not what it is called.
        """
        store, where = self._store(settings), str(settings.city_folder())
        problems = Problems()
        for name, values in read_tables(path).items():
            if name in self._committed[where]:
                problems.add(str(path), "holds a table that the city folder has itself", value=name, mend=_REMAKE)
            elif not is_table_of(name, values):
                problems.add(str(path), "holds a table that is not what its name says", value=name, mend=_REMAKE)
            else:
                store.stored[name] = values
        problems.raise_if_any()

    def durations(self, settings: Settings) -> Durations:
        """Return the quantile bank of the settings."""
        folder = settings.city_folder()
        key = (str(folder), asdict(settings.times))
        kinds = self.demand_tables(settings).kinds
        return self._keep("durations", key, lambda: build_durations(kinds, settings.times, self._store(settings)))

    def intensity(self, settings: Settings) -> Intensity:
        """Return what the incidents of every replication are drawn from."""
        key = (str(settings.city_folder()), asdict(settings.demand), asdict(settings.window))
        calendar, tables, city = self.calendar(settings), self.demand_tables(settings), self.city(settings)
        store = self._store(settings)
        return self._keep("intensity", key, lambda: prepare_demand(city, tables, settings.demand, calendar, store))

    def _cell_weight(self, settings: Settings) -> NDArray[np.int64]:
        """Return what rules that weigh cover take a cell for: its fires and rescues to be expected."""
        key = (str(settings.city_folder()), asdict(settings.demand), asdict(settings.window))
        kinds = self.demand_tables(settings).kinds
        return self._keep("cell weight", key, lambda: self.intensity(settings).cell_weight(kinds.is_headline))

    def _town_weight(self, settings: Settings) -> NDArray[np.float64]:
        """Return the fires and rescues to be expected of each town: (n_towns,)."""
        towns = self.city(settings).cells.town
        n_towns = len(self.city(settings).towns.code)
        return np.bincount(towns, self._cell_weight(settings), minlength=n_towns).astype(np.float64)

    def demand(self, settings: Settings, replication: int) -> Demand:
        """Return the incidents of a replication: the same for every scenario of the same demand."""
        folder = settings.city_folder()
        key = (str(folder), asdict(settings.demand), asdict(settings.window))
        intensity = self.intensity(settings)
        return self._keep(
            "demand", (key, settings.seed, replication), lambda: draw_demand(intensity, settings.seed, replication)
        )

    def build(self, settings: Settings, replication: int) -> RunInputs:
        """Return all inputs of one run.

        Raises
        ------
        InputError
            With the problems of the first part that has any.
        """
        tables, durations = self.demand_tables(settings), self.durations(settings)
        demand, travel = self.demand(settings, replication), self.travel(settings)
        fleet, calendar = self.fleet(settings, replication), self.calendar(settings)
        demand_key = (str(settings.city_folder()), asdict(settings.demand), asdict(settings.window), settings.seed)
        ranks = self._keep(
            "slot ranks", (demand_key, replication),
            lambda: draw_slot_ranks(demand, tables.run_cards, settings.seed, replication),
        )  # fmt: skip
        order = self._keep(
            "station order", (travel.digest, fleet.stations.cell),
            lambda: order_stations(travel.duration_ms, fleet.stations.cell),
        )  # fmt: skip
        period, is_night = hours_of_run(
            calendar, travel.period_of_hour, settings.times.night_from_h, settings.times.night_to_h
        )
        return RunInputs(
            city=self.city(settings), fleet=fleet, changes=self.changes(settings, replication).rows, demand=demand,
            kinds=tables.kinds, cards=tables.run_cards, durations=durations, travel=travel, calendar=calendar,
            policy=self.policy(settings), slot_ranks=ranks, station_order=order, period_of_hour=period,
            is_night_of_hour=is_night, roster=no_roster(fleet.stations.n_stations), sky=clear_sky(len(period)),
            scenes=plain_scenes(len(demand.incidents), tables.kinds.n_kinds), cell_weight=self._cell_weight(settings),
            seed=settings.seed, replication=replication,
        )  # fmt: skip

    def policy(self, settings: Settings) -> Policy:
        """Return the rules by which units are sent, moved up and rested."""
        bits, dispatch = self.demand_tables(settings).capability_bit, settings.dispatch
        if dispatch.cover_capability not in bits:
            mend = nearest_name(dispatch.cover_capability, bits)
            rule = "(dispatch.cover_capability) is not in the city's register of capabilities"
            raise InputError([Problem("settings", rule, dispatch.cover_capability, mend=mend)])
        return Policy(
            dispatch=DISPATCH_RULES.index(dispatch.rule),
            is_escalation_on=dispatch.is_escalation_on,
            is_scene_delay_on=dispatch.is_scene_delay_on,
            home_factor_q16=q16(1.0 / settings.times.home_speed_factor),
            make_ready_ms=ms_from_min(settings.times.make_ready_min),
            slack_ms=ms_from_s(dispatch.slack_s),
            cover_ms=ms_from_min(dispatch.cover_min),
            cover_bit=bits[dispatch.cover_capability],
            move_up=MOVE_UP_RULES.index(settings.move_up.rule),
            move_up_after_ms=ms_from_min(settings.move_up.after_min),
            move_up_most_ms=ms_from_min(settings.move_up.most_min),
            rest_after_ms=ms_from_min(60 * settings.relief.rest_after_h),
            rest_ms=ms_from_min(60 * settings.relief.rest_h),
        )


def _check_capabilities(demand: DemandTables, fleet: FleetTables) -> None:
    """Raise an error that names every need of a run card that no type of unit could ever serve."""
    someone_has = 0
    for mask in fleet.unit_types.capabilities.tolist():
        someone_has |= int(mask)
    code_of = {bit: code for code, bit in demand.capability_bit.items()}
    cards, problems = demand.run_cards, Problems()
    for kind, code in enumerate(demand.kinds.code):
        unserved: dict[int, list[str]] = {}
        first = int(cards.start[kind])
        for place in range(first, int(cards.start[kind + 1])):
            bit = int(cards.capability[place])
            if not (someone_has >> bit) & 1:
                unserved.setdefault(bit, []).append(str(place - first))
        for bit, needs in unserved.items():
            rule = f"needs a capability that no unit type has (need {', '.join(needs)})"
            mend = "give it to a unit type in unit_types.csv, or take the need off the card"
            problems.add(f"run_cards.csv: {code}", rule, value=code_of[bit], mend=mend)
    problems.raise_if_any()


def build_inputs(settings: Settings, replication: int, builder: InputsBuilder | None = None) -> RunInputs:
    """Return the inputs of one run; a `builder` that is passed again keeps what runs share."""
    return (builder or InputsBuilder()).build(settings, replication)
