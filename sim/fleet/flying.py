"""When aircraft may fly, on which days each is not there, and what they are sent to.

`flying_windows.csv` of a city folder gives each month its whole hours of daylight and the share of half days on which
the weather forbids flying; `air_tasks.csv` the needs, by kind of incident, for which aircraft are asked. Chance is
keyed by the date, so a date has the same flying weather in every window and scenario. `aviation.py` says who flies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, rank
from sim.errors import Problems
from sim.fleet.aviation import AviationSettings
from sim.fleet.parts import CalendarLike, ChangeKind
from sim.tables import SOURCE, STANDING, STANDINGS, Column, TableSpec, check_references, read_table
from sim.units import MS_PER_DAY

HOURS_PER_DAY, N_MONTHS = 24, 12
_DAYS_PER_MONTH = 365.25 / N_MONTHS
_RANKS = 1 << 32
_SERVICE, _TRAINING, _PARTNER = range(3)
FLYING_WINDOWS = TableSpec(
    "flying_windows",
    1,
    (
        Column("month", "int", "Month, 1 to 12.", minimum=1, maximum=N_MONTHS, unique=True),
        Column("from_h", "int", "First whole hour of daylight on every day of the month.", "h", 0, 24),
        Column("to_h", "int", "Hour that is not whole daylight any more.", "h", 0, 24),
        SOURCE,
        STANDING,
        Column("no_fly_share", "float", "Share of half days on which the weather forbids flying.", "", 0, 1),
        Column("weather_source", "str", "Where that share comes from."),
        Column("weather_standing", "str", "How well it is known.", choices=STANDINGS),
    ),
)
TASKS = TableSpec(
    "tasks",
    1,
    (
        Column("kind", "str", "Code of the kind."),
        Column("capability", "str", "Code of the capability for which aircraft or boats are asked at it."),
        SOURCE,
        STANDING,
    ),
    key=("kind", "capability"),
)


@dataclass(frozen=True, slots=True)
class FlyingWindows:
    """Daylight and weather by month, all (12,): `from_h`, `to_h` int64, whole hours; `no_fly_share` float64."""

    from_h: NDArray[np.int64]
    to_h: NDArray[np.int64]
    no_fly_share: NDArray[np.float64]


def load_flying_windows(folder: Path) -> FlyingWindows:
    """Return the city's flying windows.

    Raises
    ------
    InputError
        With all problems: no table, months that are missing, a day that ends before it begins.
    """
    problems = Problems()
    rows = read_table(folder / "flying_windows.csv", FLYING_WINDOWS, problems)
    problems.raise_if_any()
    absent = sorted(set(range(1, N_MONTHS + 1)) - {int(month) for month in rows["month"]})
    if absent:
        problems.add(rows.where, "has no row for some months", value=absent, mend="give every month a row")
    for i in range(rows.n_rows):
        if rows["from_h"][i] >= rows["to_h"][i]:
            rule = f"(to_h) is not after from_h, {rows['from_h'][i]}"
            problems.add(rows.where, rule, value=int(rows["to_h"][i]), row=rows.row_number(i), mend="lower from_h")
    problems.raise_if_any()
    order = np.argsort(rows["month"])
    columns = (rows[name][order] for name in ("from_h", "to_h", "no_fly_share"))
    return FlyingWindows(*columns)


def load_tasks(path: Path, kinds: Sequence[str], bits: Mapping[str, int]) -> tuple[int, ...]:
    """Return, for each kind, the mask of capabilities for which aircraft (or boats) are asked at it, by their table.

    Raises
    ------
    InputError
        With all problems: no table, unknown kinds and capabilities.
    """
    problems = Problems()
    rows = read_table(path, TASKS, problems)
    check_references(rows, "kind", kinds, "kinds.csv", problems)
    check_references(rows, "capability", bits, "capabilities.csv", problems)
    problems.raise_if_any()
    masks = dict.fromkeys(kinds, 0)
    for kind, capability in zip(rows["kind"], rows["capability"], strict=True):
        masks[kind] |= 1 << bits[capability]
    return tuple(masks.values())


def flying_hours(
    windows: FlyingWindows,
    settings: AviationSettings,
    start: date,
    n_hours: int,
    chance: tuple[int, int],
    weather: NDArray[np.int8] | None,
) -> NDArray[np.int8]:
    """Return whether each hour of the run is one to fly in: (n_hours,) int8.

    Daylight of the month, unless they are flown at night; a crew on duty; and the weather: that of `weather`
    (n_hours,) where the run has any, else (None) the month's share of half days, drawn.

    Parameters
    ----------
    start, n_hours : first day of the run, and hours of it with its run-out.
    chance : seed and replication.
    """
    days = np.arange(-(-n_hours // HOURS_PER_DAY))
    ordinal = start.toordinal() + days
    month = np.array([date.fromordinal(int(day)).month - 1 for day in ordinal])
    hour = np.arange(HOURS_PER_DAY)
    is_light = (hour >= windows.from_h[month, None]) & (hour < windows.to_h[month, None])
    is_manned = (hour >= settings.duty_from_h) & (hour < settings.duty_to_h)
    can_fly = (is_light | settings.is_flown_at_night) & is_manned
    if weather is None:
        limit = (windows.no_fly_share[month] * _RANKS).astype(np.uint64)
        can_fly &= np.repeat(~_drawn(chance, Stream.FLYING_WEATHER, ordinal, 2, limit), HOURS_PER_DAY // 2, axis=1)
    is_fair = np.ones(n_hours, dtype=np.bool_) if weather is None else weather != 0
    return np.asarray(can_fly.reshape(-1)[:n_hours] & is_fair, dtype=np.int8)


def _drawn(
    chance: tuple[int, int], stream: Stream, identities: NDArray[np.int64], n_slots: int, limit: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Return whether the rank of each identity and slot is below the identity's limit: (n, n_slots) bool."""
    of = [[int(rank(*chance, int(stream), int(i), slot)) for slot in range(n_slots)] for i in identities]
    return np.array(of, dtype=np.uint64).reshape(-1, n_slots) < limit[:, None]


def days_off(
    settings: AviationSettings, aircraft: Sequence[int], calendar: CalendarLike, chance: tuple[int, int]
) -> list[tuple[int, int, int, int]]:
    """Return the dated changes that take aircraft out for whole days: serviced, in training, or with the partner.

    Parameters
    ----------
    aircraft : unit ids; the n-th has the same days in every scenario.
    chance : seed and replication.
    """
    ordinal = calendar.start.toordinal() + np.arange(calendar.n_days)
    shares = np.zeros((3, calendar.n_days))
    shares[_SERVICE] = settings.servicing_days_per_month / _DAYS_PER_MONTH
    shares[_TRAINING] = settings.training_days_per_month / _DAYS_PER_MONTH
    shares[_TRAINING, ordinal >= date.fromisoformat(settings.complete).toordinal()] = 0
    shares[_PARTNER] = settings.partner_share
    rows: list[tuple[int, int, int, int]] = []
    for number, unit in enumerate(aircraft):
        is_off = np.zeros(calendar.n_days + 2, dtype=np.bool_)
        for reason, share in enumerate(shares):
            limit = (np.minimum(share, 1.0) * (_RANKS - 1)).astype(np.uint64)
            identities = (ordinal << 8 | number) * len(shares) + reason
            is_off[1:-1] |= _drawn(chance, Stream.AIRCRAFT_DAY, identities, 1, limit)[:, 0]
        turns = np.flatnonzero(is_off[1:] != is_off[:-1])
        turns = turns[turns < calendar.n_days]
        kinds = (ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED)
        rows += [(int(day) * MS_PER_DAY, int(kinds[at % 2]), unit, 0) for at, day in enumerate(turns)]
    return rows
