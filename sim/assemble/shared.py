"""What every part of the inputs rests on: kept values, the city, its plan, roads, days and driving times."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sim.city import load_city
from sim.city.forms import is_stated
from sim.compiled import cache_root
from sim.demand.calendar import build_calendar
from sim.demand.kinds import load_demand_tables
from sim.inputs import KnownDigests, digest_of
from sim.plan import load_plan, no_plan
from sim.settings import given_digests
from sim.travel import travel_of
from sim.travel.roads import load_roads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.city.types import City
    from sim.demand.calendar import Calendar
    from sim.demand.kinds import DemandTables
    from sim.plan import Plan
    from sim.settings import Settings
    from sim.travel.roads import Roads
    from sim.travel.source import TravelTables

_Value = TypeVar("_Value")
_KEPT = 6
"""Values of one kind kept at a time: enough for the arms of one replication, whatever the number of replications."""
_KEPT_SETTINGS = 256
"""Groups of settings whose digests are kept: each is part of many keys."""


class CityParts:
    """Makes and keeps what depends on no replication: the city, its tables, the days and the driving times."""

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[str, Any]] = {}
        self.known_digests = KnownDigests()
        self._of = KnownDigests(_KEPT_SETTINGS).of

    def _keep(self, kind: str, key: Any, make: Callable[[], _Value], n_most: int = _KEPT) -> _Value:
        """Return the value kept under (kind, key), making it first if need be; beyond `n_most` the oldest goes."""
        shelf = self._kept.setdefault(kind, OrderedDict())
        name = digest_of(key)
        if name in shelf:
            shelf.move_to_end(name)
            return shelf[name]  # type: ignore[no-any-return]
        value = make()
        shelf[name] = value
        while len(shelf) > n_most:
            shelf.popitem(last=False)
        return value

    def city(self, settings: Settings) -> City:
        """Return the city of the settings."""
        folder = settings.city_folder()
        return self._keep("city", str(folder), lambda: load_city(folder))

    def plan(self, settings: Settings) -> Plan:
        """Return the plan of the settings' city."""
        folder = settings.city_folder()
        if is_stated(folder):
            return no_plan(*self._towns_of(settings))
        return self._keep("plan", str(folder), lambda: load_plan(folder))

    def _towns_of(
        self, settings: Settings
    ) -> tuple[Sequence[str], Sequence[str], NDArray[np.int64], NDArray[np.float64]]:
        towns = self.city(settings).towns
        return towns.code, towns.name_zh, towns.population, towns.built_up_km2

    def roads(self, settings: Settings) -> Roads:
        """Return the roads of the settings' city."""
        folder, city = settings.city_folder(), self.city(settings)
        return self._keep("roads", str(folder), lambda: load_roads(folder, city))

    def demand_tables(self, settings: Settings) -> DemandTables:
        """Return the demand tables of the settings' city."""
        folder = settings.city_folder()
        with_ceilings = not is_stated(folder) or (folder / "ceilings.csv").is_file()
        return self._keep("demand tables", str(folder), lambda: load_demand_tables(folder, with_ceilings=with_ceilings))

    def calendar(self, settings: Settings) -> Calendar:
        """Return the days of the settings' window."""
        country, year = self.city(settings).holidays_country, settings.demand.reference_year
        key = (self._of(settings.window), country, year)
        return self._keep("calendar", key, lambda: build_calendar(settings.window, country, year))

    def travel(self, settings: Settings) -> TravelTables:
        """Return the travel tables of the settings, from the cache on disk when they were built before."""
        folder, city = settings.city_folder(), self.city(settings)

        key = (str(folder), self._of(settings.travel), given_digests(settings, "travel"))
        return self._keep("travel", key, lambda: travel_of(city, settings.travel, folder, cache_root() / "travel"))
