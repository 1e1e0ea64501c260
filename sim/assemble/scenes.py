"""What surrounds the incidents of a replication: weather and flying hours, water, tracks, villages, waterways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sim.assemble.fleet import FleetParts
from sim.errors import Problems, nearest_name
from sim.fleet.flying import FlyingWindows, flying_hours, load_flying_windows, load_tasks
from sim.fleet.parts import UnitMode
from sim.fleet.waterways import ways_by_water
from sim.inputs import Scenes, Sky, Waterways, clear_sky, months_of_run, no_waterways, plain_scenes
from sim.scenes.hydrants import supply_grades, water_delays
from sim.scenes.tunnels import check_kinds, place_on_tracks
from sim.scenes.villages import check_families, village_instants
from sim.weather.climate import Climate, load_climate
from sim.weather.timeline import draw_weather, road_factor_q16
from sim.weather.timeline import flying_hours as weather_to_fly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.settings import Settings


class SceneParts(FleetParts):
    """Adds the sky over a run, the place of each incident, and the ways and tasks of aircraft and boats."""

    def _sky(self, settings: Settings, replication: int, n_hours: int) -> Sky:
        """Return the weather by hour of the run, and the hours in which the city's aircraft may fly."""
        sky, windows = self._weather(settings, replication, n_hours), self.flying_windows(settings)
        if windows is None:
            return sky
        chance, start = (settings.seed, replication), self.calendar(settings).start
        known = None if settings.weather.rule == "none" else sky.is_flyable
        may_fly = flying_hours(windows, settings.aviation, start, n_hours, chance, known)
        return replace(sky, is_flyable=may_fly)

    def _weather(self, settings: Settings, replication: int, n_hours: int) -> Sky:
        """Return what the weather does in each hour of a replication: the same for every scenario."""
        choice, surges, climate = settings.weather, tuple(settings.demand.surges), self.climate(settings)
        if climate is None:
            return clear_sky(n_hours)
        calendar = self.calendar(settings)
        storms, first_day = self.demand(settings, replication).surge_days, self.intensity(settings).first_day
        month = months_of_run(calendar, n_hours // 24)
        weather = draw_weather(climate, choice, month, first_day, storms, surges, settings.seed, replication)
        is_fair = weather_to_fly(weather, choice, is_flown_at_night=settings.aviation.is_flown_at_night)
        return Sky(road_factor_q16(weather, choice, surges), is_fair)

    def climate(self, settings: Settings) -> Climate | None:
        """Return the climate that the weather is drawn from, None where there is no weather.

        Raises
        ------
        InputError
            If the city has no climate, or the weather has a storm that is no type of surge day.
        """
        if settings.weather.rule == "none":
            return None
        _check_storms(settings.weather.storms, tuple(settings.demand.surges))
        folder = settings.city_folder()
        return self._keep("climate", str(folder), lambda: load_climate(folder))

    def flying_windows(self, settings: Settings) -> FlyingWindows | None:
        """Return the daylight and weather to fly in by month, None where there are no aircraft."""
        return load_flying_windows(settings.city_folder()) if settings.aviation.is_on else None

    def check_tracks(self, settings: Settings) -> None:
        """Raise an error that names every kind that is to lie on a track and that the city does not have."""
        check_kinds(self.demand_tables(settings).kinds, settings.rail)

    def check_villages(self, settings: Settings) -> None:
        """Raise an error that names every family that villages go to and that the city does not have."""
        check_families(self.demand_tables(settings).kinds, settings.micro_stations)

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


def _check_storms(storms: Iterable[str], surges: Sequence[str]) -> None:
    """Raise an error that names every storm of the weather that is no type of surge day."""
    problems = Problems()
    for code in storms:
        if code not in surges:
            rule = f"(weather.storms.{code}) is no type of surge day in demand.surges"
            problems.add("settings", rule, value=code, mend=nearest_name(code, surges))
    problems.raise_if_any()
