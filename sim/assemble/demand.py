"""Who calls and how long work takes: intensity, incidents of a replication, run cards with their ranks, durations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.assemble.shared import CityParts
from sim.demand.build import with_ceilings
from sim.demand.draw import draw_demand
from sim.demand.durations import build_durations
from sim.demand.intensity import prepare_demand
from sim.demand.planting import prepare_planting
from sim.demand.quantiles import gamma_factor, is_table_of, load_store, read_tables
from sim.demand.team_cards import AskedCards, load_team_cards
from sim.errors import Problems
from sim.inputs import draw_slot_ranks, with_added_ranks
from sim.outcome import load_fire_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.demand.intensity import Intensity
    from sim.demand.planting import Planting
    from sim.demand.quantiles import QuantileStore
    from sim.demand.types import Demand, Durations
    from sim.outcome import FireWeights
    from sim.settings import Settings

_REMAKE = "delete the file and the replications beside it, and run again"

_KEPT_RANKS = 2
"""Sets of slot ranks kept at a time: some 20 MB each in five years, and the arms of a replication share one."""


class DemandParts(CityParts):
    """Adds the demand of a replication and the quantile tables that runs draw from."""

    def __init__(self) -> None:
        super().__init__()
        self._stores: dict[str, QuantileStore] = {}
        self._committed: dict[str, frozenset[str]] = {}

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
        times, by_air = settings.times, settings.aviation.scene_min
        key = (str(folder), self._of(times), by_air)
        kinds, store = self.demand_tables(settings).kinds, self._store(settings)
        return self._keep("durations", key, lambda: build_durations(kinds, times, store, by_air))

    def intensity(self, settings: Settings) -> Intensity:
        """Return what the incidents of every replication are drawn from."""
        key = (str(settings.city_folder()), self._of(settings.demand), self._of(settings.window))
        calendar, tables, city = self.calendar(settings), self.demand_tables(settings), self.city(settings)
        store = self._store(settings)

        def make() -> Intensity:
            has_own = bool(tables.ceilings)
            own = tables if has_own else with_ceilings(city, tables, settings.demand, calendar)
            return prepare_demand(city, own, settings.demand, calendar, store)

        return self._keep("intensity", key, make)

    def _cell_weight(self, settings: Settings) -> NDArray[np.int64]:
        """Return what rules that weigh cover take a cell for: its fires and rescues to be expected."""
        key = (str(settings.city_folder()), self._of(settings.demand), self._of(settings.window))
        kinds = self.demand_tables(settings).kinds
        return self._keep("cell weight", key, lambda: self.intensity(settings).cell_weight(kinds.is_headline))

    def _town_weight(self, settings: Settings) -> NDArray[np.float64]:
        """Return the fires and rescues to be expected of each town: (n_towns,)."""
        towns = self.city(settings).cells.town
        n_towns = len(self.city(settings).towns.code)
        return np.bincount(towns, self._cell_weight(settings), minlength=n_towns).astype(np.float64)

    def demand(self, settings: Settings, replication: int) -> Demand:
        """Return the incidents of a replication: the same for every scenario of the same demand."""
        intensity, planting = self.intensity(settings), self.planting(settings)
        return self._keep(
            "demand", (self._demand_key(settings), settings.seed, replication),
            lambda: draw_demand(intensity, settings.seed, replication, planting),
        )  # fmt: skip

    def planting(self, settings: Settings) -> Planting:
        """Return what the settings plant in the running city."""
        city, tables, intensity = self.city(settings), self.demand_tables(settings), self.intensity(settings)
        calendar, surges = self.calendar(settings), tuple(settings.demand.surges)
        return self._keep(
            "planting", self._demand_key(settings),
            lambda: prepare_planting(city, tables, settings.planted, calendar, intensity, surges),
        )  # fmt: skip

    def _demand_key(self, settings: Settings) -> tuple[Any, ...]:
        parts = (self._of(settings.demand), self._of(settings.window), self._of(settings.planted))
        return (str(settings.city_folder()), *parts)

    def fire_weights(self, settings: Settings) -> FireWeights | None:
        """Return how deadly and costly each kind of fire is, None where no deaths and losses are estimated."""
        if settings.outcome.rule == "none":
            return None
        kinds = self.demand_tables(settings).kinds
        return load_fire_weights(settings.city_folder(), kinds.code, kinds.family)

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
        key = (self._demand_key(settings), seed, replication)
        ranks = self._keep(
            "slot ranks", key, lambda: draw_slot_ranks(demand, tables.run_cards, seed, replication), _KEPT_RANKS
        )
        if not asked.is_added.any():
            return ranks
        return self._keep(
            "ranks with added needs", key,
            lambda: with_added_ranks(ranks, demand, cards, asked.is_added, seed, replication), _KEPT_RANKS,
        )  # fmt: skip
