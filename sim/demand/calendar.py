"""Days of a run: working days, holidays and make-up workdays, resolved once into arrays that are stored with inputs.

The public holidays come from the `holidays` package, which knows the make-up workdays of the years announced so far;
for later years it gives the statutory days only. Everything behind `build_calendar` reads arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.demand.settings import CalendarSettings
from sim.errors import Problems
from sim.units import MS_PER_DAY

if TYPE_CHECKING:
    from holidays import HolidayBase

ORDINARY_DAY = "ordinary day"
MAKE_UP_WORKDAY = "make-up workday"
_DAY = timedelta(days=1)
_OBSERVED = " (observed)"
_SUBSTITUTE = "Day off (substituted"


@dataclass(frozen=True, slots=True)
class Days:
    """A run of days: all arrays (n_days,).

    `day_type`: int8, 0 working day, 1 weekend or holiday. `year`: int16. `month`: int8, 1-12. `weekday`: int8, 0 is
    Monday. `is_holiday`: bool, a day off that belongs to a holiday. `label`: int16, position in `Calendar.labels`.
    """

    day_type: NDArray[np.int8]
    year: NDArray[np.int16]
    month: NDArray[np.int8]
    weekday: NDArray[np.int8]
    is_holiday: NDArray[np.bool_]
    label: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a run, and those of the reference year that the rates belong to.

    `start` is the first warm-up day, whose midnight is 0 ms; `measure_from_ms` to `measure_to_ms` is the measured
    window. Arrays (n_days,) as in `Days`. `labels[0]` is the ordinary day, `labels[1]` the make-up workday.
    """

    start: date
    n_days: int
    measure_from_ms: int
    measure_to_ms: int
    day_type: NDArray[np.int8]
    year: NDArray[np.int16]
    month: NDArray[np.int8]
    weekday: NDArray[np.int8]
    is_holiday: NDArray[np.bool_]
    label: NDArray[np.int16]
    labels: tuple[str, ...]
    reference_year: int
    reference: Days

    @property
    def end_ms(self) -> int:
        """Instant after the last day, ms."""
        return self.n_days * MS_PER_DAY

    def ms_of(self, day: date) -> int:
        """Return the instant of a day's first midnight, ms; it may lie before or after the run."""
        return (day - self.start).days * MS_PER_DAY

    def date_of(self, time_ms: int) -> date:
        """Return the day in which an instant lies."""
        return self.start + timedelta(days=time_ms // MS_PER_DAY)


def build_calendar(settings: CalendarSettings, country: str, reference_year: int) -> Calendar:
    """Return the calendar of a run in a country (two-letter code of its public holidays).

    Raises
    ------
    InputError
        If a date is not one, the measured window is empty, or the country is not known.
    """
    measure_from, measure_to = _window(settings, country)
    start = measure_from - timedelta(days=settings.warm_up_days)
    n_days = (measure_to - start).days + settings.run_out_days
    reference_start = date(reference_year, 1, 1)
    n_reference = (date(reference_year + 1, 1, 1) - reference_start).days
    years = range(min(start.year, reference_year) - 1, max((start + n_days * _DAY).year, reference_year) + 2)
    public = _public_holidays(country, years)
    names = _Names(public, settings.eves)
    texts = [names.label(start + i * _DAY) for i in range(n_days)]
    reference_texts = [names.label(reference_start + i * _DAY) for i in range(n_reference)]
    fixed = (ORDINARY_DAY, MAKE_UP_WORKDAY)
    labels = fixed + tuple(sorted({*texts, *reference_texts} - set(fixed)))
    days = _days(public, start, texts, labels)
    return Calendar(
        start=start,
        n_days=n_days,
        measure_from_ms=settings.warm_up_days * MS_PER_DAY,
        measure_to_ms=(measure_to - start).days * MS_PER_DAY,
        day_type=days.day_type,
        year=days.year,
        month=days.month,
        weekday=days.weekday,
        is_holiday=days.is_holiday,
        label=days.label,
        labels=labels,
        reference_year=reference_year,
        reference=_days(public, reference_start, reference_texts, labels),
    )


def _window(settings: CalendarSettings, country: str) -> tuple[date, date]:
    """Return the first measured day and the first one after the window."""
    import holidays

    problems = Problems()
    found: dict[str, date] = {}
    for name, text in (("measure_from", settings.measure_from), ("measure_to", settings.measure_to)):
        try:
            found[name] = date.fromisoformat(text)
        except ValueError:
            problems.add(f"calendar.{name}", "is not a day", value=text, mend="write it as 2022-01-01")
    if len(found) == 2 and found["measure_to"] <= found["measure_from"]:
        rule = f"must be after measure_from {settings.measure_from}"
        problems.add("calendar.measure_to", rule, value=settings.measure_to)
    for name, number in (("warm_up_days", settings.warm_up_days), ("run_out_days", settings.run_out_days)):
        if number < 0:
            problems.add(f"calendar.{name}", "must be at least 0", value=number)
    if country not in holidays.list_supported_countries():
        problems.add("city.yaml holidays_country", "has no public holidays on record", value=country, mend="use 'CN'")
    problems.raise_if_any()
    return found["measure_from"], found["measure_to"]


def _public_holidays(country: str, years: range) -> HolidayBase:
    import holidays

    public = holidays.country_holidays(country, years=years)
    has_english = "en_US" in public.supported_languages
    return holidays.country_holidays(country, years=years, language="en_US") if has_english else public


class _Names:
    """Names of days: a day off without a name of its own takes that of the nearest named day of its run of days off."""

    def __init__(self, public: HolidayBase, eves: Mapping[str, str]) -> None:
        self._public = public
        named = {day: self._own_name(day) for day in sorted(public)}
        self._named = {day: name for day, name in named.items() if name}
        self._eve: dict[date, str] = {}
        for day, name in self._named.items():
            if name in eves and self._named.get(day - _DAY) != name:
                self._eve[day - _DAY] = eves[name]

    def _own_name(self, day: date) -> str:
        name = str(self._public[day]).split("; ")[0]
        return "" if name.startswith(_SUBSTITUTE) else name.removesuffix(_OBSERVED)

    def label(self, day: date) -> str:
        """Return the day's name: an eve, a holiday, a make-up workday or an ordinary day."""
        if day in self._eve:
            return self._eve[day]
        if self._public.is_working_day(day):
            return MAKE_UP_WORKDAY if day in self._public.weekend_workdays else ORDINARY_DAY
        return self._named.get(day) or self._nearest(day)

    def _nearest(self, day: date) -> str:
        """Return the name of the nearest holiday in the run of days off around `day`, the earlier one of two."""
        first = last = day
        while not self._public.is_working_day(first - _DAY):
            first -= _DAY
        while not self._public.is_working_day(last + _DAY):
            last += _DAY
        run = [first + i * _DAY for i in range((last - first).days + 1)]
        near = sorted((abs((d - day).days), d) for d in run if d in self._named)
        return self._named[near[0][1]] if near else ORDINARY_DAY


def _days(public: HolidayBase, start: date, texts: list[str], labels: tuple[str, ...]) -> Days:
    dates = [start + i * _DAY for i in range(len(texts))]
    is_off = np.array([not public.is_working_day(day) for day in dates], dtype=np.bool_)
    label = np.array([labels.index(text) for text in texts], dtype=np.int16)
    return Days(
        day_type=is_off.astype(np.int8),
        year=np.array([day.year for day in dates], dtype=np.int16),
        month=np.array([day.month for day in dates], dtype=np.int8),
        weekday=np.array([day.weekday() for day in dates], dtype=np.int8),
        is_holiday=is_off & (label > 1),
        label=label,
    )
