"""Who responds: sites of a world, stations and units on them, dated changes, rosters and prices."""

from __future__ import annotations

import hashlib
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sim.assemble.demand import DemandParts
from sim.city.forms import STATIONS, is_stated
from sim.errors import Problems
from sim.fleet.aviation import load_air_base
from sim.fleet.bases import on_duty_in_all, with_bases, with_bases_open, with_rows
from sim.fleet.build import build_fleet, station_classes
from sim.fleet.changes import build_changes, check_people
from sim.fleet.duty import planned_share
from sim.fleet.flying import days_off
from sim.fleet.mutual_aid import load_posts, with_posts, with_posts_open
from sim.fleet.parts import UnitMode
from sim.fleet.residents import Denominator, load_residents
from sim.fleet.rosters import build_roster, with_dated_stations
from sim.fleet.staffing import Catchments
from sim.fleet.stated import load_stated_fleet
from sim.fleet.tables import load_fleet_tables, load_unit_types
from sim.fleet.teams import load_team_bases
from sim.fleet.vehicles import with_breakdowns
from sim.inputs import Roster, no_roster, order_stations
from sim.money import load_prices
from sim.siting import load_siting, load_station_coordinates, siting_worlds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.demand.kinds import DemandTables
    from sim.fleet.bases import Base
    from sim.fleet.parts import Changes, Fleet, UnitTypes
    from sim.fleet.residents import ResidentsByYear
    from sim.fleet.stated import StatedFleet
    from sim.fleet.tables import FleetTables
    from sim.money import Prices
    from sim.settings import Settings
    from sim.siting import Siting
    from sim.travel.source import TravelTables

Bases: TypeAlias = "tuple[Base, ...]"


def world_in_turn(replication: int, n_worlds: int) -> int:
    """Return the number of the siting world of a replication: every world once in `n_worlds` replications.

    Worlds made by one method stand side by side in their list, so the turn strides through it by the golden section: a
    few replications have worlds of all methods already.
    """
    stride = max(int(0.382 * n_worlds), 1)
    while gcd(stride, n_worlds) != 1:
        stride -= 1
    return replication * stride % n_worlds


class FleetParts(DemandParts):
    """Adds the stations, units and people of a replication, and what changes them."""

    def world_name(self, settings: Settings, replication: int) -> str:
        """Return the name of the siting world of a replication (the coordinates' file name where one is given)."""
        folder = settings.city_folder()
        if is_stated(folder):
            return STATIONS
        if settings.siting.coordinates:
            return Path(settings.siting.coordinates).name
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
            if is_stated(settings.city_folder()):
                stated = self._stated_fleet(settings)
                _check_capabilities(demand, stated.fleet.units.capabilities, "unit")
                return stated.tables
            tables = load_fleet_tables(settings.city_folder(), demand.capability_bit, settings.fleet)
            _check_capabilities(demand, tables.unit_types.capabilities, "unit type")
            return tables

        return self._keep("fleet tables", (str(settings.city_folder()), self._of(settings.fleet)), make)

    def fleet(self, settings: Settings, replication: int) -> Fleet:
        """Return the stations and units of a replication's siting world.

        The city's own come first, then the bases of special teams and aircraft, then help from outside.
        """

        def make() -> Fleet:
            types, teams, fields = self._bases(settings, replication)
            own = with_bases(self._own_fleet(settings, replication), types, teams + fields)
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
        parts = (self._of(settings.teams), self._of(settings.aviation), settings.staffing.present_share)
        return (self._fleet_key(settings, replication), *parts)

    def _fleet_key(self, settings: Settings, replication: int) -> tuple[Any, ...]:
        return (str(settings.city_folder()), self._sites_key(settings, replication), self._of(settings.fleet))

    def _own_fleet(self, settings: Settings, replication: int) -> Fleet:
        """Return the city's own stations and units, without bases and help."""
        if is_stated(settings.city_folder()):
            return self._stated_fleet(settings).fleet

        def make() -> Fleet:
            tables = self.fleet_tables(settings)
            return build_fleet(self.city(settings), self.plan(settings), self.siting(settings, replication), tables)

        return self._keep("fleet", self._fleet_key(settings, replication), make)

    def _stated_fleet(self, settings: Settings) -> StatedFleet:
        """Return the stations and units that the city's tables state, and their days."""
        folder, bits = settings.city_folder(), self.demand_tables(settings).capability_bit
        city = self.city(settings)
        key = (str(folder), self._of(settings.fleet))
        return self._keep("stated fleet", key, lambda: load_stated_fleet(folder, city, bits, settings.fleet))

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
        parts = [(group, self._of(getattr(settings, group))) for group in groups]
        key = (self._fleet_key(settings, replication), parts, str(present), settings.mutual_aid.senders)

        def make() -> Changes:
            weight = self._town_weight(settings) if settings.schedule.allocation == "by_demand" else None
            nearest = self._catchments(settings, own) if settings.staffing.sharing == "demand" else None
            dated = self._stated_fleet(settings).dated if is_stated(settings.city_folder()) else None
            changes = build_changes(
                own, city, settings.schedule, settings.staffing, calendar, weight, on_duty_in_all(posted),
                present=present, catchments=nearest, residents=self._residents(settings), dated=dated,
            )  # fmt: skip
            return with_posts_open(with_bases_open(changes, fleet, teams + fields, calendar), fleet)

        return self._keep("changes", key, make)

    def _residents(self, settings: Settings) -> ResidentsByYear | None:
        """Return the city's residents by year, None where the staffing does not ask for them."""
        folder, towns = settings.city_folder(), self.city(settings).towns.code
        if settings.staffing.residents != "by_year":
            return None
        return self._keep("residents", str(folder), lambda: load_residents(folder, towns))

    def check_people(self, settings: Settings) -> None:
        """Raise an error for every day on which the settings leave fewer than no people to ride."""
        denominator = Denominator(settings.staffing, self.city(settings), self._residents(settings))
        check_people(settings.staffing, denominator, self.calendar(settings))

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
        folder, problems = settings.city_folder(), Problems()
        types, aircraft = list(self.fleet_tables(settings).unit_types.code), []
        for name in ("team_unit_types.csv", "aircraft_types.csv"):
            bits = self.demand_tables(settings).capability_bit
            more = load_unit_types(folder / name, bits, problems) if (folder / name).is_file() else None
            if more is not None:
                types += more.code
                aircraft += np.array(more.code)[more.traits["mode"] == UnitMode.AIR].tolist()
        problems.raise_if_any()
        known = dict.fromkeys(types)
        stated = is_stated(folder)
        classes = (self._own_fleet(settings, 0).classes if stated else station_classes(self.plan(settings))).code
        found = load_prices(folder, settings.money, classes, known, problems, dict.fromkeys(aircraft))
        problems.raise_if_any()
        return found

    def _rows(self, settings: Settings, replication: int) -> NDArray[Any]:
        """Return the dated changes of a run, breakdowns and the days on which aircraft are not there among them."""
        fleet, calendar = self.fleet(settings, replication), self.calendar(settings)
        chance = (settings.seed, replication)
        changes = with_breakdowns(self.changes(settings, replication), fleet, settings.vehicles, calendar, *chance)
        if not settings.aviation.is_on:
            return changes.rows
        aircraft = np.flatnonzero(fleet.units.traits["mode"] == UnitMode.AIR).tolist()
        return with_rows(changes, days_off(settings.aviation, aircraft, calendar, chance)).rows


def _check_capabilities(demand: DemandTables, capabilities: NDArray[np.uint64], who: str) -> None:
    """Raise an error that names every need of a run card that nobody of `capabilities` (bit masks) could ever serve."""
    someone_has = 0
    for mask in capabilities.tolist():
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
            rule = f"needs a capability that no {who} has (need {', '.join(needs)})"
            mend = f"give it to a {who} in {who.replace(' ', '_')}s.csv, or take the need off the card"
            problems.add(f"run_cards.csv: {code}", rule, value=code_of[bit], mend=mend)
    problems.raise_if_any()
