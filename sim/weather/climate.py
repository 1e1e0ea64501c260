"""The city's climate by month, from `climate.csv`: how often it rains, how much, and how long the days are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problem, Problems
from sim.tables import SOURCE, STANDING, STANDINGS, Column, Table, TableSpec, read_table

_MONTHS = list(range(1, 13))
_DAYS_OF_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_RAINLESS = 0.0
CLIMATE = TableSpec(
    "climate",
    1,
    (
        Column("month", "int", "Month, January is 1.", minimum=1, maximum=12, unique=True),
        Column("rain_days", "float", "Days with rain.", unit="d", minimum=0, maximum=31),
        Column("rain_mm", "float", "Rain of the month.", unit="mm", minimum=0, maximum=5_000),
        SOURCE,
        STANDING,
        Column("fog_days", "float", "Days with fog.", unit="d", minimum=0, maximum=31),
        Column("gale_days", "float", "Days with a gale, typhoons aside.", unit="d", minimum=0, maximum=31),
        Column("air_source", "str", "Where fog and gales come from."),
        Column("air_standing", "str", "How well they are known.", choices=STANDINGS),
        Column("daylight_from_h", "int", "First whole hour in daylight, local time.", minimum=0, maximum=23),
        Column("daylight_to_h", "int", "First whole hour not in daylight any more.", minimum=1, maximum=24),
        Column("light_source", "str", "Where daylight comes from."),
        Column("light_standing", "str", "How well it is known.", choices=STANDINGS),
    ),
    key=("month",),
)


@dataclass(frozen=True, slots=True)
class Climate:
    """Twelve months, January first: all arrays (12,).

    `rain`, `fog`, `gale`: float64, share of days with it. `rain_mm`: float64, mean of a day with rain. `light_from_h`,
    `light_to_h`: int64, the whole hours in daylight.
    """

    rain: NDArray[np.float64]
    rain_mm: NDArray[np.float64]
    fog: NDArray[np.float64]
    gale: NDArray[np.float64]
    light_from_h: NDArray[np.int64]
    light_to_h: NDArray[np.int64]


def load_climate(folder: Path) -> Climate:
    """Return the climate of a city folder.

    Raises
    ------
    InputError
        With every problem: no such table, wrong cells, a month missing, days longer than the month or ending before
        they begin, rain on no day.
    """
    path = folder / "climate.csv"
    if not path.is_file():
        mend = "choose weather=none, or write the twelve months of the city's climate there"
        raise InputError([Problem(str(path), "(weather.rule) 'timeline' needs this table of the city", mend=mend)])
    problems = Problems()
    table = read_table(path, CLIMATE, problems)
    problems.raise_if_any()
    _check(table, problems)
    problems.raise_if_any()
    order = np.argsort(table["month"])
    days = table["rain_days"][order]
    return Climate(
        rain=days / _DAYS_OF_MONTH,
        rain_mm=np.divide(table["rain_mm"][order], days, out=np.zeros(12), where=days > _RAINLESS),
        fog=table["fog_days"][order] / _DAYS_OF_MONTH,
        gale=table["gale_days"][order] / _DAYS_OF_MONTH,
        light_from_h=table["daylight_from_h"][order].astype(np.int64),
        light_to_h=table["daylight_to_h"][order].astype(np.int64),
    )


def _check(table: Table, problems: Problems) -> None:
    months = sorted(table["month"].tolist())
    if months != _MONTHS:
        problems.add(table.where, "(month) needs one row for each month 1 to 12", value=months)
        return
    for i in range(12):
        row, most = table.row_number(i), float(_DAYS_OF_MONTH[int(table["month"][i]) - 1])
        for name in ("rain_days", "fog_days", "gale_days"):
            if float(table[name][i]) > most:
                problems.add(table.where, f"({name}) is more than the month has", value=float(table[name][i]), row=row)
        if float(table["rain_mm"][i]) > 0 and not float(table["rain_days"][i]):
            problems.add(table.where, "(rain_mm) falls on no day", value=float(table["rain_mm"][i]), row=row)
        if int(table["daylight_to_h"][i]) <= int(table["daylight_from_h"][i]):
            rule = "(daylight_to_h) must be after daylight_from_h"
            problems.add(table.where, rule, value=int(table["daylight_to_h"][i]), row=row)
