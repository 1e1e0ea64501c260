"""Rates under ceilings: the city, its tables, the settings and the calendar become the arrays that draws are made from.

The rate of a kind in a town at an instant is
    mean rate x day (weekday x month x holiday x growth) x hour x the city's factor of the day x the town's factor.
Candidates come at a ceiling that the city fixes, whatever the settings, and each is kept with probability rate over
ceiling; so raising one rate keeps every incident there was and adds some. `prepare_demand` finds every rate that does
not fit under its ceiling before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sim.chance import TABLE_SIZE
from sim.city.types import City
from sim.demand.calendar import Calendar, Days
from sim.demand.ceilings import CountTables, count_tables
from sim.demand.exposure import Places, build_places
from sim.demand.kinds import RANK_WHOLE, DemandTables, Reporting
from sim.demand.quantiles import QuantileStore, gamma_factor
from sim.demand.schemas import SHARE_WHOLE
from sim.demand.settings import DemandSettings
from sim.errors import Problems, nearest_name
from sim.units import MS_PER_H, Q16

_MAX_DAY = 1 << 20
_DAYS_PER_YEAR = 365.0
MAX_SURGE_TYPES = 16


@dataclass(frozen=True, slots=True)
class SurgeTypes:
    """One entry per type of surge day: what it is made of, before a day of it is drawn.

    `probability`: (n_types, n_days) float64 that a day is one. `kind_rate`: (n_types, n_kinds) float64, alarms of a
    mean day of the reference year. `length_ms`: (n_types,) int64. `range_m`: (n_types,) float64.
    `size`: (n_types, 3072) int32 factor tables.
    """

    code: tuple[str, ...]
    probability: NDArray[np.float64]
    kind_rate: NDArray[np.float64]
    length_ms: NDArray[np.int64]
    range_m: NDArray[np.float64]
    size: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Intensity:
    """Everything a replication of incidents is drawn from: a pure function of city, tables, settings and calendar.

    `first_day`: days from the city's epoch to the run's first day, part of each identity. `rate`: (n_towns, n_kinds)
    float64, alarms per day in the mean of the reference year. `day`: (n_kinds, n_days) float64, `hour`: (n_kinds, 24)
    float64, factors with mean one over the reference year and over the day. `growth`: (n_days,) float64.
    `city_factor`, `town_factor`: (3072,) int32 tables. `counts`, `surge_counts`: candidates under the ceilings.
    `town_weight`, `kind_weight`: the settings' factors, which a surge obeys too.
    """

    first_day: int
    n_days: int
    rate: NDArray[np.float64]
    day: NDArray[np.float64]
    hour: NDArray[np.float64]
    growth: NDArray[np.float64]
    city_factor: NDArray[np.int32]
    town_factor: NDArray[np.int32]
    counts: CountTables
    surge_counts: CountTables
    surges: SurgeTypes
    places: Places
    seat_x_m: NDArray[np.int64]
    seat_y_m: NDArray[np.int64]
    cell_x_m: NDArray[np.int64]
    cell_y_m: NDArray[np.int64]
    town_weight: NDArray[np.float64]
    kind_weight: NDArray[np.float64]
    reporting: Reporting
    max_grade: NDArray[np.int8]
    is_report_exact: bool

    def rate_per_h(self, town: int, kind: int) -> NDArray[np.float64]:
        """Return (n_days * 24,) float64, mean ordinary alarms per hour of one town and kind."""
        by_day: NDArray[np.float64] = self.rate[town, kind] * self.day[kind]
        by_hour: NDArray[np.float64] = by_day[:, None] * self.hour[kind][None, :] / 24.0
        return by_hour.reshape(-1)

    def cell_weight(self, is_counted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return (n_cells,) int64: millionths of ordinary alarms a year to be expected of each cell, of some kinds.

        `is_counted`: (n_kinds,) bool. Growth and profiles are left out, so that every day of a run weighs alike.
        """
        places = self.places
        weight = np.zeros(len(places.cell))
        for kind in np.flatnonzero(is_counted):
            threshold = places.threshold[places.pattern[kind]]
            for town in range(self.rate.shape[0]):
                own = slice(int(places.cell_start[town]), int(places.cell_start[town + 1]))
                part = np.diff(threshold[own], prepend=0) / RANK_WHOLE
                weight[own] += part * (self.rate[town, kind] * _DAYS_PER_YEAR * 1e6)
        out = np.zeros(len(places.cell), dtype=np.int64)
        out[places.cell] = np.floor(weight + 0.5).astype(np.int64)
        return out


def prepare_demand(
    city: City, tables: DemandTables, settings: DemandSettings, calendar: Calendar, store: QuantileStore
) -> Intensity:
    """Return the intensity that `draw_demand` draws replications from.

    Raises
    ------
    InputError
        With every fault found: unknown towns, kinds or holidays, negative rates, shares that do not make one, days
        before the epoch, and each town and kind whose rate may exceed its ceiling.
    """
    _check_settings(city, tables, settings, calendar)
    intensity = build_intensity(city, tables, settings, calendar, store)
    _check_ceilings(city, tables, intensity)
    return intensity


def build_intensity(
    city: City, tables: DemandTables, settings: DemandSettings, calendar: Calendar, store: QuantileStore
) -> Intensity:
    """Return the intensity without asking whether it fits under the ceilings (only for making them)."""
    places = build_places(city, tables)
    kinds, towns = tables.kinds, city.towns
    town_weight = _factors(settings.town_factor, towns.code)
    kind_weight = _factors(settings.kind_factor, kinds.code)
    n_reference = len(calendar.reference.year)
    growth = _growth(calendar.year, settings)
    extra = np.array([settings.extra_alarms_per_year.get(code, 0.0) for code in kinds.code])
    per_year = settings.alarms_per_year * kinds.share / SHARE_WHOLE + extra
    town_share = places.town_share[places.pattern].T
    hour = tables.hour / (np.cumsum(tables.hour, axis=1)[:, -1:] / 24.0)
    return Intensity(
        first_day=(calendar.start - _epoch(city)).days,
        n_days=calendar.n_days,
        rate=town_share * (per_year * kind_weight / n_reference)[None, :] * town_weight[:, None],
        day=_day_factors(tables, calendar) * growth[None, :],
        hour=hour,
        growth=growth,
        city_factor=store.table(gamma_factor(settings.city_day_cv)),
        town_factor=store.table(gamma_factor(settings.town_day_cv)),
        counts=count_tables(tables.ceilings, "ordinary", towns.code, kinds.code),
        surge_counts=count_tables(tables.ceilings, "surge", towns.code, kinds.code),
        surges=_surge_types(tables, settings, calendar, store),
        places=places,
        seat_x_m=towns.seat_x_m.astype(np.int64),
        seat_y_m=towns.seat_y_m.astype(np.int64),
        cell_x_m=city.cells.x_m.astype(np.int64),
        cell_y_m=city.cells.y_m.astype(np.int64),
        town_weight=town_weight,
        kind_weight=kind_weight,
        reporting=tables.reporting,
        max_grade=kinds.max_grade,
        is_report_exact=settings.is_report_exact,
    )


def highest_rates(intensity: Intensity) -> NDArray[np.float64]:
    """Return (n_towns, n_kinds) float64, the highest ordinary rate of any hour of the run, alarms per day."""
    factor = float(intensity.city_factor.max()) / Q16 * (float(intensity.town_factor.max()) / Q16)
    peak = intensity.day.max(axis=1) * intensity.hour.max(axis=1) * factor
    highest: NDArray[np.float64] = intensity.rate * peak[None, :]
    return highest


def highest_surge_rates(intensity: Intensity) -> NDArray[np.float64]:
    """Return (n_towns, n_kinds) float64, the most alarms that any surge day of the run expects, per day."""
    shape = intensity.rate.shape
    highest = np.zeros(shape)
    share = intensity.places.town_share[intensity.places.pattern].T
    scale = float(intensity.growth.max()) * intensity.town_weight[:, None] * intensity.kind_weight[None, :]
    for j in range(len(intensity.surges.code)):
        size = float(intensity.surges.size[j].max()) / Q16
        near = np.zeros(shape)
        for cell in range(len(intensity.cell_x_m)):
            kernel = surge_kernel(intensity, j, int(intensity.cell_x_m[cell]), int(intensity.cell_y_m[cell]))
            weight = share * kernel[:, None]
            total = weight.sum(axis=0)
            near = np.maximum(near, weight / np.where(total > 0, total, 1.0)[None, :])
        highest = np.maximum(highest, near * intensity.surges.kind_rate[j][None, :] * scale * size)
    return highest


def surge_kernel(intensity: Intensity, surge_type: int, x_m: int, y_m: int) -> NDArray[np.float64]:
    """Return (n_towns,) float64, the weight of each town seat in a surge around a point."""
    return town_weights(intensity, x_m, y_m, float(intensity.surges.range_m[surge_type]))


def town_weights(intensity: Intensity, x_m: int, y_m: int, reach: float) -> NDArray[np.float64]:
    """Return (n_towns,) float64, 1 / (1 + (d / reach)^2) at d from a point: one half at `reach`, m."""
    dx, dy = (intensity.seat_x_m - x_m).astype(np.float64), (intensity.seat_y_m - y_m).astype(np.float64)
    weight: NDArray[np.float64] = 1.0 / (1.0 + (dx * dx + dy * dy) / (reach * reach))
    return weight


# --- parts of the rate ------------------------------------------------------------------------------------------------


def _epoch(city: City) -> date:
    return date.fromisoformat(str(city.epoch)[:10])


def _factors(given: Mapping[str, float], codes: Sequence[str]) -> NDArray[np.float64]:
    return np.array([given.get(code, 1.0) for code in codes], dtype=np.float64)


def _growth(years: NDArray[np.int16], settings: DemandSettings) -> NDArray[np.float64]:
    """Return (n_days,) the growth of each day's year over the reference year, by repeated products."""
    step = 1.0 + settings.growth_per_year
    by_year: dict[int, float] = {}
    for year in sorted(set(years.tolist())):
        factor = 1.0
        for _ in range(abs(year - settings.reference_year)):
            factor = factor * step if year > settings.reference_year else factor / step
        by_year[year] = factor
    return np.array([by_year[year] for year in years.tolist()], dtype=np.float64)


def _day_factors(tables: DemandTables, calendar: Calendar) -> NDArray[np.float64]:
    """Return (n_kinds, n_days) weekday x month x holiday with mean one over the reference year."""
    run_days = Days(
        calendar.day_type, calendar.year, calendar.month, calendar.weekday, calendar.is_holiday, calendar.label
    )
    reference = _raw_day_factors(tables, calendar.reference, calendar.labels)
    mean = np.cumsum(reference, axis=1)[:, -1:] / reference.shape[1]
    factors: NDArray[np.float64] = _raw_day_factors(tables, run_days, calendar.labels) / mean
    return factors


def _raw_day_factors(tables: DemandTables, days: Days, labels: tuple[str, ...]) -> NDArray[np.float64]:
    holiday = np.array([[row.get(label, 1.0) for label in labels] for row in tables.holiday], dtype=np.float64)
    by_day = tables.weekday[:, days.weekday] * tables.month[:, days.month - 1]
    factors: NDArray[np.float64] = by_day * holiday[:, days.label]
    return factors


def _surge_types(
    tables: DemandTables, settings: DemandSettings, calendar: Calendar, store: QuantileStore
) -> SurgeTypes:
    codes = tuple(settings.surges) if settings.is_surge_on else ()
    types = [settings.surges[code] for code in codes]
    probability = np.zeros((len(types), calendar.n_days))
    for j, surge in enumerate(types):
        weight = np.array(surge.month_weight, dtype=np.float64)
        by_month = weight / (np.cumsum(weight)[-1] / 12.0)
        probability[j] = surge.days_per_year / _DAYS_PER_YEAR * by_month[calendar.month - 1]
    rates = [[surge.alarms * surge.kind_share.get(code, 0.0) for code in tables.kinds.code] for surge in types]
    sizes = [store.table(gamma_factor(surge.size_cv)) for surge in types]
    return SurgeTypes(
        code=codes,
        probability=probability,
        kind_rate=np.array(rates, dtype=np.float64).reshape(len(types), tables.kinds.n_kinds),
        length_ms=np.array([int(surge.hours * MS_PER_H) for surge in types], dtype=np.int64),
        range_m=np.array([surge.range_km * 1_000.0 for surge in types], dtype=np.float64),
        size=np.array(sizes, dtype=np.int32).reshape(len(types), TABLE_SIZE),
    )


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_settings(city: City, tables: DemandTables, settings: DemandSettings, calendar: Calendar) -> None:
    problems = Problems()
    kinds = tables.kinds.code
    _check_rates("demand.town_factor", settings.town_factor, city.towns.code, problems)
    _check_rates("demand.kind_factor", settings.kind_factor, kinds, problems)
    _check_rates("demand.extra_alarms_per_year", settings.extra_alarms_per_year, kinds, problems)
    for name in ("alarms_per_year", "city_day_cv", "town_day_cv"):
        _check_number(f"demand.{name}", getattr(settings, name), problems)
    _check_number("demand.growth_per_year", settings.growth_per_year, problems, lowest=-0.5)
    if settings.reference_year != calendar.reference_year:
        rule = f"differs from the calendar's reference year {calendar.reference_year}"
        problems.add("demand.reference_year", rule, value=settings.reference_year)
    for name, surge in settings.surges.items():
        _check_rates(f"demand.surges.{name}.kind_share", surge.kind_share, kinds, problems)
        for key in ("days_per_year", "alarms", "size_cv", "hours", "range_km"):
            _check_number(f"demand.surges.{name}.{key}", getattr(surge, key), problems)
        total = sum(surge.kind_share.values())
        if not abs(total - 1.0) <= 1e-6:
            problems.add(f"demand.surges.{name}.kind_share", "must sum to 1", value=total)
        if len(surge.month_weight) != 12 or not min(surge.month_weight, default=-1) >= 0 or not any(surge.month_weight):
            rule = "needs twelve weights of at least 0, not all 0"
            problems.add(f"demand.surges.{name}.month_weight", rule, value=surge.month_weight)
    if len(settings.surges) > MAX_SURGE_TYPES:
        problems.add("demand.surges", f"holds more than {MAX_SURGE_TYPES} types", value=len(settings.surges))
    first_day = (calendar.start - _epoch(city)).days
    if first_day < 0 or first_day + calendar.n_days > _MAX_DAY:
        rule = "is before the city's epoch (city.yaml), from which identities count days"
        problems.add("calendar", rule, value=str(calendar.start), mend=f"start after {_epoch(city)}")
    for town in sorted({town for _, town, _ in tables.ceilings} - set(city.towns.code)):
        mend = nearest_name(town, city.towns.code)
        problems.add("ceilings.csv", "(town) is not known to the city", value=town, mend=mend)
    _check_holidays(tables, calendar, problems)
    problems.raise_if_any()


def _check_rates(where: str, given: Mapping[str, float], known: Sequence[str], problems: Problems) -> None:
    for name, value in given.items():
        if name not in known:
            problems.add(f"{where}.{name}", "is not known to the city", mend=nearest_name(name, known))
        _check_number(f"{where}.{name}", value, problems)


def _check_number(where: str, value: object, problems: Problems, lowest: float = 0.0) -> None:
    """Note a value that is no finite number of at least `lowest`; a missing one (None) too."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not lowest <= float(value) < float("inf"):  # type: ignore[arg-type]
        problems.add(where, f"must be a number of at least {lowest:g}", value=value)


def _check_holidays(tables: DemandTables, calendar: Calendar, problems: Problems) -> None:
    for name in sorted({name for row in tables.holiday for name in row}):
        if name not in calendar.labels:
            mend = nearest_name(name, calendar.labels)
            problems.add("profiles.csv", "(key) on axis 'holiday' is no holiday here", value=name, mend=mend)


def _check_ceilings(city: City, tables: DemandTables, intensity: Intensity) -> None:
    """Note each town and kind whose rate may exceed its ceiling, the worst first."""
    problems = Problems()
    pairs = [("ordinary", highest_rates(intensity), intensity.counts)]
    if len(intensity.surges.code):
        pairs.append(("surge", highest_surge_rates(intensity), intensity.surge_counts))
    for process, highest, counts in pairs:
        over = [(town, kind) for town, kind in np.argwhere(highest > counts.per_day).tolist()]
        for town, kind in sorted(over, key=lambda at: -highest[at[0], at[1]]):
            where = f"ceilings.csv {process} town {city.towns.code[town]!r} kind {tables.kinds.code[kind]!r}"
            ceiling = float(counts.per_day[town, kind])
            rule = f"rate may reach {highest[town, kind]:.6g} a day, above its ceiling {ceiling:g}"
            mend = "lower the rate, or raise the ceiling (this changes every draw of that town and kind)"
            problems.add(where, rule, mend=mend)
    problems.raise_if_any()
