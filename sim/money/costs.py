"""From a scenario's dated changes to money: what is bought when, and what runs how long.

Bought: stations that did not stand before the plan and their land, the larger class of an upgraded one, units of
either, units of special teams, vehicles in place of old ones, hydrants, and the field of aircraft of one's own.
Running: people, stations, upkeep of units, of the plan's hydrants and of fields, pilots, aircraft of others, hours
flown. A base of a team has no building: it shares a station's. What stands already was paid for and only runs. Outlay
is counted in the year it falls into (the first of the window for what lies before it); cost a year spreads each outlay
over its life as an annuity, for the part of the year it was there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.fleet.bases import NO_CLASS
from sim.fleet.parts import ChangeKind, UnitMode
from sim.money.prices import ANY, Prices
from sim.money.settings import MoneySettings
from sim.units import MS_PER_DAY

if TYPE_CHECKING:
    from sim.fleet.parts import Changes, Fleet

DAYS_PER_YEAR = 365.25
RANGE = ("low", "likely", "high")
"""Names of the three levels of a price and of what comes of it."""
WINDOW = 0
"""`year` of a line about the whole window: the sum of outlays, the mean of costs a year."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One item of one year: `quantity` in the item's unit; outlay and cost a year, each (low, likely, high).

    `length`: of the year, or of the window, as far as it is measured, in years of 365.25 days.
    """

    year: int
    length: float
    item: str
    of: str
    quantity: float
    outlay: tuple[float, float, float]
    annual: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Levers:
    """What a scenario spends money on besides the dated changes of its stations and units.

    Days are of the run and may lie before it. `aviation`: how the city comes by its aircraft: none, own, shared or
    buy_service. `paid_units`: units of bases that stand from before the plan. `flown_h`: unit type -> (n_years,) hours
    flown. `people`: (from day, people of all shifts) on top of the staff. `replaced`: (day, unit type, number) of
    vehicles bought in place of old ones. `hydrants`: (day, number).
    """

    aviation: str = "none"
    paid_units: frozenset[int] = frozenset()
    flown_h: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    people: tuple[tuple[float, float], ...] = ()
    replaced: tuple[tuple[float, str, float], ...] = ()
    hydrants: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Years:
    """The measured years: first and one past the last day of each, in days of the run; `length` in years."""

    year: tuple[int, ...]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @property
    def length(self) -> NDArray[np.float64]:
        """Length of each year, in years of 365.25 days."""
        return (self.end - self.begin) / DAYS_PER_YEAR

    def shares(self, from_day: float, to_day: float) -> NDArray[np.float64]:
        """Return for how long, in years, an interval lies in each of the years."""
        days = np.minimum(self.end, to_day) - np.maximum(self.begin, from_day)
        return np.asarray(np.maximum(days, 0.0) / DAYS_PER_YEAR, dtype=np.float64)

    def place(self, day: float) -> int:
        """Return the year an outlay falls into: -1 after the window; the first year for what comes before."""
        return -1 if day >= self.end[-1] else max(int(np.searchsorted(self.begin, day, side="right")) - 1, 0)


def measured_years(year_of_day: NDArray[np.int16], from_ms: int, to_ms: int) -> Years:
    """Return the years of a measured window, from the year of every day of the run."""
    days = np.arange(from_ms // MS_PER_DAY, to_ms // MS_PER_DAY)
    years, first, count = np.unique(year_of_day[days], return_index=True, return_counts=True)
    return Years(tuple(int(y) for y in years), days[first], days[first] + count)


def annuity(rate: float, n_years: int) -> float:
    """Return the yearly payment that repays 1 in `n_years` at interest `rate`: r / (1 - (1 + r)^-n), 1/n without."""
    return 1.0 / n_years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -n_years)


class _Book:
    """Quantities by (item, of): bought (a count per year), there (years of service per year)."""

    def __init__(self, years: Years) -> None:
        self.years = years
        n = len(years.year)
        self.bought: dict[tuple[str, str], NDArray[np.float64]] = defaultdict(lambda: np.zeros(n))
        self.served: dict[tuple[str, str], NDArray[np.float64]] = defaultdict(lambda: np.zeros(n))

    def buy(self, item: str, of: str, day: float, n: float = 1.0) -> None:
        place = self.years.place(day)
        if place >= 0:
            self.bought[item, of][place] += n
            self.served[f"{item} (life)", of] += n * self.years.shares(day, np.inf)

    def run(self, item: str, of: str, from_day: float, to_day: float, n: float = 1.0) -> None:
        self.served[item, of] += n * self.years.shares(from_day, to_day)


def cost_lines(
    fleet: Fleet,
    changes: Changes,
    years: Years,
    prices: Prices,
    settings: MoneySettings,
    levers: Levers | None = None,
) -> list[CostLine]:
    """Return what a scenario costs, by year (0: the window), item and class or type; lines of nothing are left out."""
    book, levers = _Book(years), levers or Levers()
    _book_stations(book, fleet, changes)
    _book_units(book, fleet, changes, levers)
    end_day = float(years.end[-1])
    _book_people(book, [(step.time_ms / MS_PER_DAY, step.staff) for step in changes.staff_steps], end_day)
    _book_people(book, list(levers.people), end_day)
    for of, hours in levers.flown_h.items():
        item = "flying_hour" if levers.aviation == "buy_service" else "own_flying_hour"
        book.served[item, of] += hours
    for day, of, number in levers.replaced:
        book.buy("replacement", of, day, number)
    for day, number in levers.hydrants:
        book.buy("hydrant", ANY, day, number)
        book.run("hydrant_upkeep", ANY, day, end_day, number)
    return list(_lines(book, prices, settings))


def _book_people(book: _Book, steps: list[tuple[float, float]], end_day: float) -> None:
    """Book people from each (day, number) of theirs to the next."""
    ends = [day for day, _ in steps[1:]] + [end_day]
    for (day, number), end in zip(steps, ends, strict=False):
        book.run("people", ANY, day, end, number)


def _intervals(changes: Changes, begins: int, ends: int, entity: int, end_day: float) -> list[tuple[float, float]]:
    """Return the days from and to which a station is open, or a unit in service."""
    rows = changes.rows[np.isin(changes.rows["kind"], (begins, ends)) & (changes.rows["entity"] == entity)]
    found: list[tuple[float, float]] = []
    since = None
    for row in rows:
        day = row["time_ms"] / MS_PER_DAY
        if row["kind"] == begins and since is None:
            since = day
        elif row["kind"] == ends and since is not None:
            found.append((since, day))
            since = None
    return found if since is None else [*found, (since, end_day)]


def _book_stations(book: _Book, fleet: Fleet, changes: Changes) -> None:
    """Book buildings: new ones in their class, upgraded ones as their later class for the earlier one."""
    stations, end_day = fleet.stations, float(book.years.end[-1])
    for station in np.flatnonzero((stations.help_grade == 0) & (stations.class_id != NO_CLASS)):
        was, later = (fleet.classes.code[i] for i in (stations.class_id[station], stations.later_class_id[station]))
        upgraded = _upgrade_day(fleet, changes, int(station))
        is_open = _intervals(changes, ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE, int(station), end_day)
        for from_day, to_day in is_open:
            turn = min(max(upgraded, from_day), to_day)
            book.run("station_running", was, from_day, turn)
            if turn < to_day:
                book.run("station_running", later, turn, to_day)
        if not is_open:
            continue
        for item in ("build", "land", "fit_out"):
            if not stations.is_existing[station]:
                book.buy(item, was, is_open[0][0])
            if np.isfinite(upgraded):
                book.buy(item, later, upgraded)
                book.buy(item, was, upgraded, -1.0)


def _upgrade_day(fleet: Fleet, changes: Changes, station: int) -> float:
    """Return the day a station takes its later class: when the units of its upgrade come; infinity for never."""
    added = np.flatnonzero(fleet.units.is_added & (fleet.units.station == station))
    rows = changes.rows[(changes.rows["kind"] == ChangeKind.UNIT_IN_SERVICE) & np.isin(changes.rows["entity"], added)]
    return float(rows["time_ms"].min() / MS_PER_DAY) if len(rows) else np.inf


def _book_units(book: _Book, fleet: Fleet, changes: Changes, levers: Levers) -> None:
    """Book vehicles and boats as bought and kept up, aircraft as the city comes by them."""
    units, end_day = fleet.units, float(book.years.end[-1])
    is_of_city = fleet.stations.help_grade[units.station] == 0
    is_paid = fleet.stations.is_existing[units.station] & ~units.is_added
    fields: dict[int, float] = {}
    for unit in np.flatnonzero(is_of_city):
        of, station = fleet.unit_types.code[units.type_id[unit]], int(units.station[unit])
        is_aircraft = units.traits["mode"][unit] == UnitMode.AIR
        item = _AIRCRAFT_ITEMS.get(levers.aviation, "vehicle_upkeep") if is_aircraft else "vehicle_upkeep"
        served = _intervals(changes, ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_WITHDRAW, int(unit), end_day)
        for from_day, to_day in served:
            book.run(item, of, from_day, to_day)
            if is_aircraft and item == "vehicle_upkeep":
                book.run("pilots", of, from_day, to_day)
        if not served or item != "vehicle_upkeep":
            continue
        if not (is_paid[unit] or int(unit) in levers.paid_units):
            book.buy("vehicle", of, served[0][0])
        if is_aircraft:
            fields[station] = min(served[0][0], fields.get(station, np.inf))
    for day in fields.values():
        book.buy("air_field", ANY, day)
        book.run("air_field_upkeep", ANY, day, end_day)


_AIRCRAFT_ITEMS = {"shared": "aircraft_share", "buy_service": "aircraft_contract"}
"""What an aircraft of others costs a year, by how the city comes by it; one of its own is bought and kept up."""


def _price(item: str, of: str, prices: Prices, settings: MoneySettings) -> NDArray[np.float64]:
    """Return (low, likely, high) of one of an item, or of one of it a year.

    A share of an aircraft is of its price, spread over its life as an annuity, and of its upkeep.
    """
    if item == "replacement":
        return np.array(prices.price("vehicle", of))
    if item == "air_field_upkeep":
        field, part = (np.array(prices.price(name, of), dtype=np.float64) for name in ("air_field", item))
        return np.asarray(field * part)
    if item not in ("vehicle_upkeep", "aircraft_share"):
        return np.array(prices.price(item, of))
    vehicle, upkeep, share = (np.array(prices.price(name, of)) for name in ("vehicle", "vehicle_upkeep", item))
    yearly: NDArray[np.float64] = vehicle * upkeep
    if item == "aircraft_share":
        yearly = share * (yearly + vehicle * annuity(settings.discount_rate, settings.life_vehicle_years))
    return yearly


def _lines(book: _Book, prices: Prices, settings: MoneySettings) -> Iterable[CostLine]:
    lives = {
        "build": settings.life_build_years,
        "land": settings.life_build_years,
        "air_field": settings.life_build_years,
        "fit_out": settings.life_fit_out_years,
        "vehicle": settings.life_vehicle_years,
        "replacement": settings.life_vehicle_years,
        "hydrant": settings.life_hydrant_years,
    }
    length = book.years.length
    for item, of in sorted({*book.bought, *(key for key in book.served if not key[0].endswith("(life)"))}):
        price = _price(item, of, prices, settings)
        if item in lives:
            quantity = book.bought[item, of]
            outlay = quantity[:, None] * price
            per_year = annuity(settings.discount_rate, lives[item])
            annual = (book.served[f"{item} (life)", of] / length)[:, None] * price * per_year
        else:
            quantity = book.served[item, of]
            outlay = quantity[:, None] * price
            annual = outlay / length[:, None]
        if not quantity.any() and not annual.any():
            continue
        for place, year in enumerate(book.years.year):
            yield CostLine(
                year, float(length[place]), item, of, float(quantity[place]), _range(outlay[place]),
                _range(annual[place]),
            )  # fmt: skip
        mean = (annual * (length / length.sum())[:, None]).sum(axis=0)
        n, paid = float(quantity.sum()), _range(outlay.sum(axis=0))
        yield CostLine(WINDOW, float(length.sum()), item, of, n, paid, _range(mean))


def _range(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return low, likely, high; what is handed back (a negative quantity) has its low and high the other way round."""
    first, likely, last = (float(value) for value in values)
    return min(first, last), likely, max(first, last)
