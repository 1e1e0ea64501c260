"""Writes the folder of a small city whose every duration and rate is stated, as a user would write it by hand.

Handling, turnout, access, making ready and the noise of travel take no time, ways are those of a stated matrix, calls
come at stated rates and one unit serves each: what is left of the program is a queue. The folder goes through the same
reading, composing and building of inputs as any other. Next: `played.py`, which runs it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sim.demand.schemas import SHARE_WHOLE

Law = Literal["exponential", "lognormal", "constant"]
ORIGIN = (30.0, 110.0)
"""Latitude and longitude of the plane's origin."""
EVEN_HOURS = (1.0,) * 24
_TAIL = "verification,assumed"
_H_PER_YEAR = 24 * 365
_FIRST_DAY = np.datetime64("2025-01-01")
_STATED_WAYS = "travel: {choice: matrix, matrix: ways.npz, matrix_unit: ms, is_matrix_one_way: true}"


@dataclass(frozen=True, slots=True)
class CallClass:
    """Calls of one kind: their rate, who waits least (1), and the mean of their time on scene."""

    per_h: float
    mean_s: float
    priority: int = 1


@dataclass(frozen=True, slots=True)
class SmallCity:
    """What is stated of a city.

    `classes`: its kinds of calls. `units`: units of each station. `station_cell`: the cell of each. `drive_s`: seconds
    from cell (row) to cell (column), the same at all hours and on the way home; the cell's own on the diagonal. None:
    overrides name the driving times. `residents`: of each cell, by which calls are spread. `law`: of the time on
    scene; `scv`, the squared coefficient of variation of a log-normal one. `hour_weights`: the profile of the day.
    `n_days` are measured after `n_warm_up`. `places_m`: east and north of each cell; empty: in a row, a side apart.
    `side_m`: of a cell. `open_days`: first day of each station and first day without it, counted from the run's
    start; empty: always.
    """

    classes: tuple[CallClass, ...]
    units: tuple[int, ...]
    station_cell: tuple[int, ...] = (0,)
    drive_s: tuple[tuple[float, ...], ...] | None = ((0.0,),)
    residents: tuple[int, ...] = (1_000,)
    law: Law = "exponential"
    scv: float = 1.0
    hour_weights: tuple[float, ...] = EVEN_HOURS
    weekday_weights: tuple[float, ...] = (1.0,) * 7
    month_weights: tuple[float, ...] = (1.0,) * 12
    n_days: int = 1
    n_warm_up: int = 1
    is_sent_on: bool = False
    places_m: tuple[tuple[int, int], ...] = ()
    side_m: int = 1_000
    open_days: tuple[tuple[int, int], ...] = ()

    @property
    def per_h(self) -> float:
        """Calls per hour, all classes."""
        return sum(it.per_h for it in self.classes)

    def place_m(self, cell: int) -> tuple[int, int]:
        """Return where a cell lies, m east and north."""
        return self.places_m[cell] if self.places_m else (self.side_m * cell, 0)


def median_s(city: SmallCity, mean_s: float) -> float:
    """Return the median of a time on scene with the given mean, s."""
    if city.law == "exponential":
        return mean_s * math.log(2.0)
    return mean_s / math.sqrt(1.0 + city.scv) if city.law == "lognormal" else mean_s


def write_city(folder: Path, city: SmallCity) -> None:
    """Write the folder: tables, driving times and choices.

    Raises
    ------
    ValueError
        If the rates of the classes are no whole hundred-thousandths of all calls, as tables of kinds hold them.
    """
    folder.mkdir(parents=True)
    codes = [f"class_{number}" for number in range(1, len(city.classes) + 1)]
    for name, lines in {
        "city.yaml": [*_CITY, f"cell_m: {city.side_m}"],
        "choices.yaml": _choices(city, codes),
        "cells.csv": _cells(city),
        "stations.csv": _stations(city),
        "units.csv": _units(city),
        "capabilities.csv": ["bit,code,name_zh,name_en,meaning,source,standing", f"0,water,水,water,all,{_TAIL}"],
        "kinds.csv": _kinds(city, codes),
        "grades.csv": _rows("kind,grade,share,reported_lower,reported_higher", [(c, 1, 100_000, 0, 0) for c in codes]),
        "reports.csv": _rows("kind,reported_kind,share", []),
        "profiles.csv": _profiles(city),
        "exposure.csv": _rows("kind,driver,share", [(c, "population", 1_000) for c in codes]),
        "run_cards.csv": _rows(
            "kind,need_no,capability,from_grade,is_critical", [(c, 0, "water", 1, "true") for c in codes]
        ),
    }.items():
        (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    if city.drive_s is not None:
        np.savez(folder / "ways.npz", duration=np.array(city.drive_s, dtype=np.float64) * 1_000.0)


_CITY = [
    "id: verification", "name_zh: 验证", "name_en: Verification", "crs: plane",
    f"plane: {{lat0: {ORIGIN[0]}, lon0: {ORIGIN[1]}}}",
    'epoch: "2020-01-01"', "utc_offset_h: 8", "holidays_country: CN", "population_year: 2025",
]  # fmt: skip


def _rows(columns: str, rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [",".join(str(value) for value in row) + f",{_TAIL}" for row in rows]
    return [f"{columns},source,standing", *lines]


def _cells(city: SmallCity) -> list[str]:
    rows = [(i, "plane", *city.place_m(i), city.side_m**2, n) for i, n in enumerate(city.residents)]
    return _rows("cell_id,crs,x_m,y_m,area_m2,population", rows)


def _stations(city: SmallCity) -> list[str]:
    days = [tuple(str(_FIRST_DAY + day) for day in pair) for pair in city.open_days] or [("", "")] * len(city.units)
    rows = [
        (f"S{i}", "plane", *city.place_m(cell), *pair)
        for i, (cell, pair) in enumerate(zip(city.station_cell, days, strict=True))
    ]
    return _rows("station,crs,x_m,y_m,opens,closes", rows)


def _units(city: SmallCity) -> list[str]:
    rows = [(f"U{i}_{j}", f"S{i}", "pumper", 1, 1, "water") for i, n in enumerate(city.units) for j in range(n)]
    return _rows("unit,station,type,crew_min,crew_preferred,capabilities", rows)


def _kinds(city: SmallCity, codes: Sequence[str]) -> list[str]:
    shares = [it.per_h / city.per_h * SHARE_WHOLE for it in city.classes]
    whole = [round(share) for share in shares]
    if max(abs(a - b) for a, b in zip(shares, whole, strict=True)) > 1e-6 or sum(whole) != SHARE_WHOLE:
        raise ValueError(f"shares {shares} are no whole hundred-thousandths")
    rows = [
        (code, code, code, "fire", it.priority, 1, share, "own", "own", "own", "own")
        for code, it, share in zip(codes, city.classes, whole, strict=True)
    ]
    axes = ",".join(f"{axis}_profile" for axis in ("hour", "weekday", "month", "holiday"))
    return _rows(f"code,name_zh,name_en,family,priority,max_grade,share,{axes}", rows)


def _profiles(city: SmallCity) -> list[str]:
    axes = (("hour", 0, city.hour_weights), ("weekday", 0, city.weekday_weights), ("month", 1, city.month_weights))
    rows: list[tuple[object, ...]] = [
        ("own", axis, first + i, weight) for axis, first, weights in axes for i, weight in enumerate(weights)
    ]
    return _rows("profile,axis,key,weight", [*rows, ("own", "holiday", "ordinary day", 1)])


def _choices(city: SmallCity, codes: Sequence[str]) -> list[str]:
    """Return what makes a queue of it: stages without time, no growth, no factor of the day, everybody on duty."""
    medians = [f"{code}: [{median_s(city, it.mean_s) / 60.0!r}]" for code, it in zip(codes, city.classes, strict=True)]
    none, first = ", ".join(f"{code}: 0" for code in codes), _FIRST_DAY + city.n_warm_up
    sigma = math.sqrt(math.log1p(city.scv)) if city.law == "lognormal" else 0.0
    return [
        'schedule: {choice: none, command_centre_from: ""}', "siting: stated", "staffing: stated",
        *([] if city.drive_s is None else [_STATED_WAYS]),
        f"dispatch: {{choice: nearest, is_escalation_on: false, is_sent_on: {str(city.is_sent_on).lower()}}}",
        "window:", "  choice: one_week", f"  measure_from: '{first}'", f"  measure_to: '{first + city.n_days}'",
        f"  warm_up_days: {city.n_warm_up}", "  run_out_days: 1",
        "demand:", "  reference_year: 2025", f"  alarms_per_year: {city.per_h * _H_PER_YEAR!r}",
        "  growth_per_year: 0.0", "  city_day_cv: 0.0", "  is_surge_on: false", "  is_report_exact: true",
        "  surges: {}", "  kind_factor: {}", "  extra_alarms_per_year: {}",
        "times:", *(f"  {name}: 0" for name in _NO_TIME), "  home_speed_factor: 1.0",
        f"  scene_distribution: {'exponential' if city.law == 'exponential' else 'lognormal'}",
        f"  scene_sigma: {sigma!r}", "  scene_delay_per_min: {}", f"  access_min: {{{none}}}",
        f"  scene_min: {{{', '.join(medians)}}}", "  latent_min: {}",
    ]  # fmt: skip


_NO_TIME = (
    "handling_before_s", "handling_after_s", "handling_sigma", "turnout_day_s", "turnout_night_s", "turnout_sigma",
    "travel_common_sigma", "travel_own_sigma", "access_sigma", "latent_sigma", "make_ready_min",
)  # fmt: skip
