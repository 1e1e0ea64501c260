"""What happens and when: kinds, profiles and the year's number of calls, from the fitted demand.

Profiles are the fitted rates of a whole year, averaged by hour, weekday and month, at the level of its middle; what
days off have of their own by the hour is in their mean. Calls that are called off or come to a station's door are no
part of it, as nobody drives to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.city.source import ASSUMED, FITTED, Source, codes_of, write_table
from calibration.fit.exposure import Days, calendar
from calibration.model.fitted import Fitted
from calibration.model.generate import Generator
from sim.city.people import largest_remainder
from sim.demand.schemas import PER_MILLE, SHARE_WHOLE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_ORIGIN = date(1970, 1, 1)
_FAMILIES = (
    ("false_alarm", r"false|malicious|alarm|误报|虚|报警"),
    ("fire", r"fire|smoke|burn|explosion|火|烟"),
    ("medical", r"medical|ems|ambulance|医|急救"),
    ("rescue", r"rescue|accident|collision|traffic|trapped|water|flood|救援|事故|被困"),
)
"""Assumed: the family of a kind by its name, the first that is met; others are social help."""
GROWTH_RANGE = (-0.49, 1.0)


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of a folder: `kind` (n_kinds,) positions among the model's kinds, with `code` and `name`.

    `share`: (n_kinds,) int64 of `SHARE_WHOLE`. `hour`, `weekday`, `month`: (n_kinds, 24 | 7 | 12) weights of mean one.
    `per_year`: calls of the year `year`; `growth`: from one year to the next; `day_cv`: of a day's factor.
    """

    kind: Ints
    code: tuple[str, ...]
    name: tuple[str, ...]
    share: Ints
    hour: Floats
    weekday: Floats
    month: Floats
    year: int
    per_year: float
    growth: float
    day_cv: float


def calls_of(fitted: Fitted, generator: Generator) -> Calls:
    """Return what the folder says of calls; the year is that in which the middle of the last year of records lies."""
    demand = generator.demand
    year = date.fromordinal(_ORIGIN.toordinal() + max(fitted.last_day - 182, fitted.first_day)).year
    first, last = ((day - _ORIGIN).days for day in (date(year, 1, 1), date(year, 12, 31)))
    held = calendar(np.arange(first, last + 1), np.ones((last - first + 1, 24)), origin_day=generator.origin_day)
    middle = float(held.years.mean())
    rate = _rates(generator, held, middle)
    of_kind = rate.sum(axis=(1, 2))
    growth = float(of_kind.sum() / _rates(generator, held, middle - 1.0).sum() - 1.0)
    hour = rate.sum(axis=1)
    of_day = rate.sum(axis=2)
    weekday = np.stack([of_day[:, held.weekday == number].mean(axis=1) for number in range(7)], axis=1)
    weekday = weekday / weekday.mean(axis=1, keepdims=True)
    rest = of_day / weekday[:, held.weekday]
    month = np.stack([rest[:, held.month == number].mean(axis=1) for number in range(12)], axis=1)
    names = demand.kinds
    return Calls(
        generator.kind_of, codes_of(names, "kind"), names, largest_remainder(SHARE_WHOLE, of_kind),
        hour / hour.mean(axis=1, keepdims=True), weekday, month / month.mean(axis=1, keepdims=True), year,
        float(of_kind.sum()), float(np.clip(growth, *GROWTH_RANGE)), float(np.sqrt(demand.shape.day_cv2)),
    )  # fmt: skip


def _rates(generator: Generator, held: Days, years: float) -> Floats:
    """Return responses per hour by kind, day and hour, (n_kinds, n_days, 24), all days at the level of one instant."""
    demand, level = generator.demand, replace(held, years=np.full(len(held.day), years))
    shape = demand.shape.log_rate(level)
    rate = np.stack([np.exp(shape + demand.own[kind].log_rate(level)) for kind in demand.kinds])
    answered = 1.0 - generator.excused[generator.kind_of].sum(axis=1)
    return np.asarray(rate * answered[:, None, None], dtype=np.float64)


def family_of(name: str) -> str:
    """Return the family that a kind's name speaks of, `social` where it speaks of none."""
    return next((family for family, words in _FAMILIES if re.search(words, name.lower())), "social")


def write_kinds(folder: Path, calls: Calls, n_grades: Ints, source: Source) -> None:
    """Write `kinds.csv`, `exposure.csv` and the empty `reports.csv`; `n_grades` (n_kinds,) is each kind's highest."""
    rows = []
    for i, code in enumerate(calls.code):
        name = calls.name[i]
        rows.append({
            "code": code, "name_zh": name, "name_en": name, "family": family_of(name), "priority": 1,
            "max_grade": int(n_grades[i]), "share": int(calls.share[i]), "hour_profile": code, "weekday_profile": code,
            "month_profile": code, "holiday_profile": "even",
            **source.row(FITTED, "share and profiles; family by the kind's name and one priority for all are assumed"),
        })  # fmt: skip
    write_table(folder / "kinds.csv", rows)
    why = source.row(ASSUMED, "all kinds come from the same places, by their calls together")
    exposure = [{"kind": code, "driver": "population", "share": PER_MILLE, **why} for code in calls.code]
    write_table(folder / "exposure.csv", exposure)
    write_table(folder / "reports.csv", [], ("kind", "reported_kind", "share", "source", "standing"))


def write_profiles(folder: Path, calls: Calls, source: Source) -> None:
    """Write `profiles.csv`: a profile of each kind over hours, weekdays and months; holidays are like other days."""
    why, rows = source.row(FITTED, "the fitted rates of a year"), list[dict[str, Any]]()
    for i, code in enumerate(calls.code):
        for axis, first, weights in (("hour", 0, calls.hour), ("weekday", 0, calls.weekday), ("month", 1, calls.month)):
            rows += [
                {"profile": code, "axis": axis, "key": first + key, "weight": f"{weight:.5f}", **why}
                for key, weight in enumerate(weights[i])
            ]
    even = source.row(ASSUMED, "holidays are not told apart")
    rows.append({"profile": "even", "axis": "holiday", "key": "ordinary day", "weight": 1, **even})
    write_table(folder / "profiles.csv", rows)
