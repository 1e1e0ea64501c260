"""A whole replication as one would write it with numpy, SimPy and pandas: chance, the city, its tables on disk.

Chance is drawn from one generator as it is needed (`drawn.py`), the city is the model of `idiomatic.py` with that
chance in the place of ranks, the tables are frames (`framed.py`). What no chance moves - drives, fleet, dated
changes, laws - is laid out once, before any clock starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders.drawn import draw_calls, lognormal_ms
from benchmarks.contenders.framed import Known, known_of, make_tables, write_tables
from benchmarks.contenders.idiomatic import IdiomaticModel, Incident, Need, Unit, tables_of
from benchmarks.contenders.laws import Laws, laws_of
from sim.assemble import InputsBuilder
from sim.engine.build import build_world
from sim.engine.world import WorldArrays
from sim.settings import Settings
from sim.units import Q16

Calls = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class City:
    """What all replications share."""

    arrays: WorldArrays
    tables: dict[str, Any]
    laws: Laws
    known: Known


def city_of(settings: Settings, builder: InputsBuilder) -> City:
    """Return the city that the replications of some settings share.

    Raises
    ------
    ValueError
        If it has more than the contender knows.
    """
    inputs = builder.build(settings, 0)
    arrays = build_world(inputs)
    tables = tables_of(arrays)
    return City(arrays, tables, laws_of(settings, builder), known_of(inputs, tables["change_rows"]))


class DrawnModel(IdiomaticModel):
    """One run of the city with given calls, whose other durations are drawn when they begin."""

    def __init__(self, city: City, calls: Calls, rng: np.random.Generator, is_presorted: bool = False) -> None:
        self.city, self.laws, self.given, self.rng = city, city.laws, calls, rng
        super().__init__(city.arrays, is_presorted)

    def _read_tables(self, arrays: WorldArrays) -> None:
        vars(self).update(self.city.tables)

    def _read_incidents(self, arrays: WorldArrays) -> None:
        cards = arrays.needs[["capability", "from_grade", "is_critical"]].tolist()
        starts = arrays.card_start.tolist()
        self.incidents = []
        for id, call in enumerate(self.given):
            kind, grade, due_ms = call["kind"], call["grade"], call["call_ms"] + call["handling_ms"]
            incident = Incident(
                id, call["call_ms"], due_ms, call["cell"], kind, grade, self.laws.priority[kind], call["travel_factor"],
                over=self.env.event(),
            )  # fmt: skip
            for number, (capability, from_grade, is_critical) in enumerate(cards[starts[kind] : starts[kind + 1]]):
                if from_grade <= grade:
                    incident.needs.append(Need(incident, number, number, capability, bool(is_critical), []))
            self.incidents.append(incident)
        self.incidents.sort(key=lambda incident: incident.due_ms)

    def turnout_ms(self, unit: Unit, need: Need) -> int:
        """Draw the time until a unit leaves its bay, by day or by night."""
        median_ms = self.laws.turnout_ms[self.turnout_row[self.hour()]]
        return lognormal_ms(median_ms, self.laws.sigma["turnout"], self.rng) + unit.callout_ms

    def trip_ms(self, unit: Unit, need: Need) -> int:
        """Draw the time of the way to the incident: the expected drive times both factors of its noise."""
        drive = self.drive_from[self.period_of_hour[self.hour()]][unit.station.id][need.incident.cell]
        sigma = self.laws.sigma["travel_own"]
        own = self.rng.lognormal(-sigma * sigma / 2.0, sigma)
        return int(drive * need.incident.travel_factor / Q16 * own)

    def access_ms(self, need: Need) -> int:
        """Draw the time from the address to the work."""
        return lognormal_ms(self.laws.access_ms[need.incident.kind], self.laws.sigma["access"], self.rng)

    def scene_ms(self, need: Need) -> int:
        """Draw the time from the arrival until the unit leaves."""
        incident = need.incident
        return lognormal_ms(self.laws.scene_ms[incident.kind][incident.grade - 1], self.laws.sigma["scene"], self.rng)


@dataclass(frozen=True, slots=True)
class Replication:
    """One replication on its way: its generator, then its calls, then the rows of its events."""

    rng: np.random.Generator
    calls: Calls
    rows: list[tuple[Any, ...]]


def drawn(city: City, number: int) -> Replication:
    """Return a replication whose calls are drawn and in which nothing has happened yet."""
    rng = np.random.default_rng([20211231, number])
    return Replication(rng, draw_calls(city.laws, rng), [])


def played(city: City, replication: Replication, is_presorted: bool = False) -> Replication:
    """Return a replication with the rows of what happened in it."""
    model = DrawnModel(city, replication.calls, replication.rng, is_presorted)
    model.play()
    return Replication(replication.rng, replication.calls, model.rows)


def tabled(city: City, replication: Replication, folder: Path) -> dict[str, Any]:
    """Write the tables of a replication and return them."""
    tables = make_tables(city.known, replication.calls, replication.rows)
    write_tables(folder, tables)
    return tables


def whole_replication(city: City, number: int, folder: Path, is_presorted: bool = False) -> dict[str, Any]:
    """Make one replication, chance to Parquet, and return its tables."""
    return tabled(city, played(city, drawn(city, number), is_presorted), folder)
