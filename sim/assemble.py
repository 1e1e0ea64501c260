"""From settings to `RunInputs`: reads the city folder, draws the replication's chance, builds what is missing.

An `InputsBuilder` keeps what runs share - the city, travel tables, the intensity of demand, the chance of a
replication, the sites of a world - so that the scenarios of one replication differ in nothing but what their settings
say. Everything here is a pure function of (settings, replication) and the files of the city folder.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from sim.city import load_city
from sim.compiled import cache_root
from sim.demand.calendar import build_calendar
from sim.demand.draw import draw_demand
from sim.demand.durations import build_durations
from sim.demand.intensity import prepare_demand
from sim.demand.kinds import load_demand_tables
from sim.demand.planting import prepare_planting
from sim.demand.quantiles import gamma_factor, is_table_of, load_store, read_tables
from sim.demand.team_cards import AskedCards, load_team_cards
from sim.errors import InputError, Problem, Problems, nearest_name
from sim.fleet.aviation import load_air_base
from sim.fleet.bases import on_duty_in_all, with_bases, with_bases_open, with_rows
from sim.fleet.build import build_fleet
from sim.fleet.changes import build_changes
from sim.fleet.duty import planned_share
from sim.fleet.flying import days_off, flying_hours, load_flying_windows, load_tasks
from sim.fleet.mutual_aid import load_posts, with_posts, with_posts_open
from sim.fleet.parts import UnitMode
from sim.fleet.rosters import build_roster, with_dated_stations
from sim.fleet.staffing import Catchments
from sim.fleet.tables import load_fleet_tables, load_unit_types
from sim.fleet.teams import load_team_bases
from sim.fleet.vehicles import with_breakdowns
from sim.fleet.waterways import ways_by_water
from sim.inputs import (
    Policy,
    Roster,
    RunInputs,
    Scenes,
    Sky,
    Waterways,
    clear_sky,
    digest_of,
    draw_slot_ranks,
    hours_of_run,
    months_of_run,
    no_roster,
    no_waterways,
    order_stations,
    plain_scenes,
    with_added_ranks,
)
from sim.money import load_prices
from sim.outcome import load_fire_weights
from sim.plan import load_plan
from sim.scenes.hydrants import supply_grades, water_delays
from sim.scenes.tunnels import place_on_tracks
from sim.scenes.villages import village_instants
from sim.settings import given_digests
from sim.siting import load_siting, load_station_coordinates, siting_worlds
from sim.travel import travel_of
from sim.travel.roads import load_roads
from sim.units import ms_from_min, ms_from_s, q16
from sim.weather.climate import load_climate
from sim.weather.timeline import draw_weather, road_factor_q16
from sim.weather.timeline import flying_hours as weather_to_fly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.city.types import City
    from sim.demand.calendar import Calendar
    from sim.demand.intensity import Intensity
    from sim.demand.kinds import DemandTables
    from sim.demand.planting import Planting
    from sim.demand.quantiles import QuantileStore
    from sim.demand.types import Demand, Durations
    from sim.fleet.bases import Base
    from sim.fleet.parts import Changes, Fleet, UnitTypes
    from sim.fleet.tables import FleetTables
    from sim.money import Prices
    from sim.outcome import FireWeights
    from sim.plan import Plan
    from sim.settings import Settings
    from sim.siting import Siting
    from sim.travel.roads import Roads
    from sim.travel.source import TravelTables

_Value = TypeVar("_Value")
Bases: TypeAlias = "tuple[Base, ...]"
_REMAKE = "delete the file and the replications beside it, and run again"
DISPATCH_RULES = ("nearest", "own_town_first", "keep_cover")
MOVE_UP_RULES = ("none", "nearest", "best_cover")
WATER = "water"
"""Code of the capability that hydrants serve."""
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
        """Return the stations and units of a replication's siting world.

        The city's own come first, then the bases of special teams and aircraft, then help from outside.
        """
        types, teams, fields = self._bases(settings, replication)
        own = with_bases(self._own_fleet(settings, replication), types, teams + fields)

        def make() -> Fleet:
            tables, folder = self.fleet_tables(settings), settings.city_folder()
            return with_posts(own, load_posts(folder, self.city(settings), tables, settings.mutual_aid))

        key = (self._bases_key(settings, replication), settings.mutual_aid.senders)
        return self._keep("fleet with help", key, make)

    def bases(self, settings: Settings, replication: int) -> tuple[Bases, Bases]:
        """Return the bases of special teams and those of aircraft, as they stand behind the city's own stations."""
        _, teams, fields = self._bases(settings, replication)
        return teams, fields

    def _bases(self, settings: Settings, replication: int) -> tuple[UnitTypes, Bases, Bases]:
        """Return all types of unit, the fleet's first; the bases of special teams; and those of aircraft."""
        own, city = self._own_fleet(settings, replication), self.city(settings)
        bits, share = self.demand_tables(settings).capability_bit, settings.staffing.present_share
        folder, teams, aviation = settings.city_folder(), settings.teams, settings.aviation

        def make() -> tuple[UnitTypes, Bases, Bases]:
            types, of_teams = load_team_bases(folder, city, own, bits, teams, share)
            types, of_aircraft = load_air_base(folder, city, types, bits, aviation)
            return types, of_teams, of_aircraft

        return self._keep("bases", self._bases_key(settings, replication), make)

    def _bases_key(self, settings: Settings, replication: int) -> tuple[Any, ...]:
        parts = (asdict(settings.teams), asdict(settings.aviation), settings.staffing.present_share)
        return (self._fleet_key(settings, replication), *parts)

    def _fleet_key(self, settings: Settings, replication: int) -> tuple[Any, ...]:
        return (str(settings.city_folder()), self._sites_key(settings, replication), asdict(settings.fleet))

    def _own_fleet(self, settings: Settings, replication: int) -> Fleet:

        def make() -> Fleet:
            tables = self.fleet_tables(settings)
            return build_fleet(self.city(settings), self.plan(settings), self.siting(settings, replication), tables)

        return self._keep("fleet", self._fleet_key(settings, replication), make)

    def changes(self, settings: Settings, replication: int) -> Changes:
        """Return the dated changes of the settings' scenario, with the notes a report shows."""
        city, calendar, own = self.city(settings), self.calendar(settings), self._own_fleet(settings, replication)
        fleet, (_, teams, fields) = self.fleet(settings, replication), self._bases(settings, replication)
        posted = teams if settings.teams.people == "of_the_city" else ()
        posted += fields if settings.aviation.mode == "own" else ()
        present = planned_share(settings.roster) if settings.roster.shifts else None
        groups = ["schedule", "staffing", "window", "teams", "aviation"]
        groups += ["demand"] if settings.schedule.allocation == "by_demand" else []
        groups += ["demand", "travel"] if settings.staffing.sharing == "demand" else []
        parts = [(group, asdict(getattr(settings, group))) for group in groups]
        key = (self._fleet_key(settings, replication), parts, str(present), settings.mutual_aid.senders)

        def make() -> Changes:
            weight = self._town_weight(settings) if settings.schedule.allocation == "by_demand" else None
            nearest = self._catchments(settings, own) if settings.staffing.sharing == "demand" else None
            changes = build_changes(
                own, city, settings.schedule, settings.staffing, calendar, weight, on_duty_in_all(posted),
                present=present, catchments=nearest,
            )  # fmt: skip
            return with_posts_open(with_bases_open(changes, fleet, teams + fields, calendar), fleet)

        return self._keep("changes", key, make)

    def _catchments(self, settings: Settings, own: Fleet) -> Catchments:
        """Return which station is nearest to whom, and what is to be expected there, in the usual traffic."""
        travel = self.travel(settings)
        order = self._station_order(travel, own)
        usual = int(np.bincount(travel.period_of_hour.reshape(-1)).argmax())
        return Catchments(order[usual], self._cell_weight(settings))

    def _station_order(self, travel: TravelTables, fleet: Fleet) -> NDArray[np.int16]:
        """Return the stations by driving time to every cell."""
        return self._keep(
            "station order", (travel.digest, fleet.stations.cell),
            lambda: order_stations(travel.duration_ms, fleet.stations.cell),
        )  # fmt: skip

    def roster(self, settings: Settings, replication: int) -> Roster:
        """Return who is on duty when in a replication; no rows where people are posted by dated changes."""
        calendar, duty = self.calendar(settings), settings.roster
        n_stations = self.fleet(settings, replication).stations.n_stations
        if not duty.shifts:
            return no_roster(n_stations)
        own, changes = self._own_fleet(settings, replication), self.changes(settings, replication)
        rows = build_roster(own, changes, duty, calendar, settings.seed, replication)
        return Roster(*with_dated_stations(rows, changes, n_stations))

    def prices(self, settings: Settings) -> Prices | None:
        """Return the prices of the settings' city, None where it has none.

        Raises
        ------
        InputError
            With all that is wrong with them.
        """
        folder, fleet, problems = settings.city_folder(), self.fleet(settings, 0), Problems()
        types, aircraft = list(fleet.unit_types.code), []
        for name in ("team_unit_types.csv", "aircraft_types.csv"):
            bits = self.demand_tables(settings).capability_bit
            more = load_unit_types(folder / name, bits, problems) if (folder / name).is_file() else None
            if more is not None:
                types += more.code
                aircraft += np.array(more.code)[more.traits["mode"] == UnitMode.AIR].tolist()
        problems.raise_if_any()
        known = dict.fromkeys(types)
        found = load_prices(folder, settings.money, fleet.classes.code, known, problems, dict.fromkeys(aircraft))
        problems.raise_if_any()
        return found

    def fire_weights(self, settings: Settings) -> FireWeights | None:
        """Return how deadly and costly each kind of fire is, None where no deaths and losses are estimated."""
        if settings.outcome.rule == "none":
            return None
        kinds = self.demand_tables(settings).kinds
        return load_fire_weights(settings.city_folder(), kinds.code, kinds.family)

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
        key = (str(folder), asdict(settings.demand), asdict(settings.window), asdict(settings.planted))
        intensity = self.intensity(settings)
        planting = self._keep("planting", key, lambda: self._planting(settings))
        return self._keep(
            "demand", (key, settings.seed, replication),
            lambda: draw_demand(intensity, settings.seed, replication, planting),
        )  # fmt: skip

    def _planting(self, settings: Settings) -> Planting:
        """Return what the settings plant in the running city."""
        city, tables, intensity = self.city(settings), self.demand_tables(settings), self.intensity(settings)
        surges = tuple(settings.demand.surges)
        return prepare_planting(city, tables, settings.planted, self.calendar(settings), intensity, surges)

    def asked_cards(self, settings: Settings) -> AskedCards:
        """Return the run cards, with the needs of special teams where the settings ask for them."""
        folder, tables, is_on = settings.city_folder(), self.demand_tables(settings), settings.teams.is_asked_for
        return self._keep("cards", (str(folder), is_on), lambda: load_team_cards(folder, tables, is_on))

    def _slot_ranks(self, settings: Settings, replication: int) -> NDArray[np.uint32]:
        tables, demand, asked = (
            self.demand_tables(settings),
            self.demand(settings, replication),
            self.asked_cards(settings),
        )
        seed, cards = settings.seed, asked.cards
        parts = (settings.demand, settings.window, settings.planted)
        key = (str(settings.city_folder()), [asdict(part) for part in parts], seed, replication)
        ranks = self._keep("slot ranks", key, lambda: draw_slot_ranks(demand, tables.run_cards, seed, replication))
        if not asked.is_added.any():
            return ranks
        return self._keep(
            "ranks with added needs", key,
            lambda: with_added_ranks(ranks, demand, cards, asked.is_added, seed, replication),
        )  # fmt: skip

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
        order = self._station_order(travel, fleet)
        cards, ranks = self.asked_cards(settings).cards, self._slot_ranks(settings, replication)
        period, is_night = hours_of_run(
            calendar, travel.period_of_hour, settings.times.night_from_h, settings.times.night_to_h
        )
        return RunInputs(
            city=self.city(settings), fleet=fleet, demand=demand,
            changes=self._rows(settings, replication),
            kinds=tables.kinds, cards=cards, durations=durations, travel=travel, calendar=calendar,
            policy=self._policy_of(settings, replication), slot_ranks=ranks, station_order=order, period_of_hour=period,
            is_night_of_hour=is_night, roster=self.roster(settings, replication),
            sky=self._sky(settings, replication, len(period)), waterways=self.waterways(settings, replication),
            scenes=self._scenes(settings, replication), cell_weight=self._cell_weight(settings),
            seed=settings.seed, replication=replication,
        )  # fmt: skip

    def _rows(self, settings: Settings, replication: int) -> NDArray[Any]:
        """Return the dated changes of a run, breakdowns and the days on which aircraft are not there among them."""
        fleet, calendar = self.fleet(settings, replication), self.calendar(settings)
        chance = (settings.seed, replication)
        changes = with_breakdowns(self.changes(settings, replication), fleet, settings.vehicles, calendar, *chance)
        if not settings.aviation.is_on:
            return changes.rows
        aircraft = np.flatnonzero(fleet.units.traits["mode"] == UnitMode.AIR).tolist()
        return with_rows(changes, days_off(settings.aviation, aircraft, calendar, chance)).rows

    def _sky(self, settings: Settings, replication: int, n_hours: int) -> Sky:
        """Return the weather by hour of the run, and the hours in which the city's aircraft may fly."""
        sky, folder, chance = self._weather(settings, replication, n_hours), settings.city_folder(), settings.seed
        if not settings.aviation.is_on:
            return sky
        windows, start = load_flying_windows(folder), self.calendar(settings).start
        may_fly = flying_hours(windows, settings.aviation, start, n_hours, (chance, replication), sky.is_flyable)
        return replace(sky, is_flyable=may_fly)

    def _weather(self, settings: Settings, replication: int, n_hours: int) -> Sky:
        """Return what the weather does in each hour of a replication: the same for every scenario."""
        choice, surges = settings.weather, tuple(settings.demand.surges)
        if choice.rule == "none":
            return clear_sky(n_hours)
        _check_storms(choice.storms, surges)
        folder, calendar = settings.city_folder(), self.calendar(settings)
        climate = self._keep("climate", str(folder), lambda: load_climate(folder))
        storms, first_day = self.demand(settings, replication).surge_days, self.intensity(settings).first_day
        month = months_of_run(calendar, n_hours // 24)
        weather = draw_weather(climate, choice, month, first_day, storms, surges, settings.seed, replication)
        return Sky(road_factor_q16(weather, choice, surges), weather_to_fly(weather, choice))

    def _scenes(self, settings: Settings, replication: int) -> Scenes:
        """Return what the place of each incident adds to the way to its work."""
        demand, kinds = self.demand(settings, replication), self.demand_tables(settings).kinds
        chance, water = (settings.seed, replication), settings.water_supply
        city, calendar = self.city(settings), self.calendar(settings)
        tracks = place_on_tracks(city, calendar, kinds, demand, settings.rail, chance)
        return replace(
            plain_scenes(len(demand.incidents), kinds.n_kinds),
            water_delay_ms=water_delays(city, self.plan(settings), calendar, demand, water, chance),
            supply_grade=supply_grades(kinds, water),
            portal_cell=tracks.portal_cell,
            track_m=tracks.track_m,
            power_off_ms=tracks.power_off_ms,
            village_ms=village_instants(city, kinds, demand, settings.micro_stations, chance),
        )

    def air_tasks(self, settings: Settings) -> tuple[int, ...]:
        """Return the capabilities for which aircraft are asked, by kind; empty where there are none."""
        folder, tables = settings.city_folder(), self.demand_tables(settings)
        if not settings.aviation.is_on:
            return ()
        kinds, bits = tables.kinds.code, tables.capability_bit
        return self._keep("air tasks", str(folder), lambda: load_tasks(folder / "air_tasks.csv", kinds, bits))

    def _quays(self, settings: Settings, replication: int) -> NDArray[np.int32]:
        """Return the stations at which boats lie."""
        units = self.fleet(settings, replication).units
        return np.unique(units.station[units.traits["mode"] == UnitMode.WATER]).astype(np.int32)

    def waterways(self, settings: Settings, replication: int) -> Waterways:
        """Return how far it is by water from each quay."""
        folder, city, quays = settings.city_folder(), self.city(settings), self._quays(settings, replication)
        if not len(quays):
            return no_waterways(len(city.cells.town))
        cells = self.fleet(settings, replication).stations.cell[quays]
        key = (str(folder), cells)
        return Waterways(quays, self._keep("ways by water", key, lambda: ways_by_water(folder, city, cells)))

    def boat_tasks(self, settings: Settings, replication: int) -> tuple[int, ...]:
        """Return the capabilities for which boats under way are asked, by kind; empty where there are none."""
        folder, tables = settings.city_folder(), self.demand_tables(settings)
        if not len(self._quays(settings, replication)):
            return ()
        kinds, bits = tables.kinds.code, tables.capability_bit
        return self._keep("boat tasks", str(folder), lambda: load_tasks(folder / "boat_tasks.csv", kinds, bits))

    def _policy_of(self, settings: Settings, replication: int) -> Policy:
        """Return the rules of a run, with what its aircraft and boats are asked for."""
        air, boats = self.air_tasks(settings), self.boat_tasks(settings, replication)
        return replace(self.policy(settings), air_tasks=air, boat_tasks=boats)

    def policy(self, settings: Settings) -> Policy:
        """Return the rules by which units are sent, moved up and rested."""
        bits, dispatch = self.demand_tables(settings).capability_bit, settings.dispatch
        if dispatch.cover_capability not in bits:
            mend = nearest_name(dispatch.cover_capability, bits)
            rule = "(dispatch.cover_capability) is not in the city's register of capabilities"
            raise InputError([Problem("settings", rule, dispatch.cover_capability, mend=mend)])
        if settings.water_supply.is_limited and WATER not in bits:
            rule = "(water_supply.is_limited) needs this capability, which the city's register does not have"
            raise InputError([Problem("settings", rule, WATER, mend="add it to capabilities.csv")])
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
            water_bit=bits[WATER] if settings.water_supply.is_limited else 0,
            help_wait_ms=ms_from_min(settings.mutual_aid.wait_min) if settings.mutual_aid.wait_min >= 0 else -1,
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


def _check_storms(storms: Iterable[str], surges: Sequence[str]) -> None:
    """Raise an error that names every storm of the weather that is no type of surge day."""
    problems = Problems()
    for code in storms:
        if code not in surges:
            rule = f"(weather.storms.{code}) is no type of surge day in demand.surges"
            problems.add("settings", rule, value=code, mend=nearest_name(code, surges))
    problems.raise_if_any()


def build_inputs(settings: Settings, replication: int, builder: InputsBuilder | None = None) -> RunInputs:
    """Return the inputs of one run; a `builder` that is passed again keeps what runs share."""
    return (builder or InputsBuilder()).build(settings, replication)
