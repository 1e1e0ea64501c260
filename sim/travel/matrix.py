"""A given origin-destination matrix as a source of driving times, checked before anything believes it.

Forms of file, told apart by name and columns: `.npz` with square arrays named by period (`night`, `day`, `peak`) or one
array `duration` for all of them; `.csv` or `.parquet` in long form (`from`, `to`, `duration`, maybe `period`) or as a
square (first column the zone, one further column per zone). The unit is declared, never guessed, but a unit that makes
the typical trip absurd is an error: slower or faster than any vehicle where the places of the zones are known, else
shorter than five seconds or longer than six hours. Durations are door to door and are taken as they are: no
acceleration is added. Next: `given.py`, which makes one from a city and its settings.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.travel.cache import digest_of
from sim.travel.settings import PERIODS
from sim.travel.source import source_digest
from sim.units import MS_PER_H, MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    import pandas as pd

MS_OF_UNIT = {"ms": 1, "s": MS_PER_S, "min": MS_PER_MIN}
LONG_COLUMNS = ("from", "to", "duration")
TYPICAL_MS = (5 * MS_PER_S, 6 * MS_PER_H)
"""Shortest and longest believable median trip between zones."""
TYPICAL_KMH = (2.0, 150.0)
"""Slowest and fastest believable median speed between zones, straight line over time: a wrong unit is 60 times off."""
ONE_WAY_RATIO = 0.25
ONE_WAY_MS = MS_PER_MIN
"""Ways there and back that differ by more than both of these must be declared."""
MOST_ONE_WAY = 5.0
MOST_ONE_WAY_MS = 5 * MS_PER_MIN
"""Ways that take so many times as long as the way back, and so much longer, are errors even where one-way is meant."""
FASTEST_KMH = 200.0
FAR_M = 1_000.0
"""Nobody drives so fast as the crow flies between places at least so far apart, m."""
MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class GivenMatrix:
    """A `TravelSource` from a file of durations between zones.

    Parameters
    ----------
    name : name of the travel world.
    path : the file.
    unit : "ms", "s" or "min".
    zones : labels of the zones, in order; by default each cell is a zone and its id the label.
    zone_of_cell : (n_cells,) position of each cell's zone; cells of one zone are the zone's diagonal apart.
    hours : (2, 24) int8 periods, as in `TravelTables.period_of_hour`.
    is_one_way_meant : there and back may differ much, because the roads do.
    centre_m : (n_zones, 2) places of the zones, m, by which the unit is checked; None where they are not known.
    """

    name: str
    path: Path
    unit: str
    zones: tuple[str, ...]
    zone_of_cell: NDArray[np.int32]
    hours: NDArray[np.int8]
    is_one_way_meant: bool = False
    centre_m: NDArray[np.float64] | None = None

    def key(self) -> str:
        """Return the SHA-256 of the file, the declarations and this package's source."""
        problems = Problems()
        try:
            content = np.frombuffer(self.path.read_bytes(), dtype=np.uint8)
        except OSError as error:
            content = np.empty(0, dtype=np.uint8)
            problems.add(
                str(self.path), f"cannot be read ({error.strerror})", mend="name an existing .npz, .csv or .parquet"
            )
        problems.raise_if_any()
        declared = (self.path.suffix, self.unit, str(self.is_one_way_meant), *self.zones)
        arrays: dict[str, NDArray[Any]] = {"file": content, "zone_of_cell": self.zone_of_cell}
        if self.centre_m is not None:
            arrays["centre_m"] = self.centre_m
        return digest_of(arrays, "matrix", *declared, source_digest())

    def period_of_hour(self) -> NDArray[np.int8]:
        """Return the given periods by day type and hour."""
        return self.hours

    def durations(self) -> NDArray[np.int32]:
        """Return (n_periods, n_cells, n_cells) int32 ms.

        Raises
        ------
        InputError
            With all faults of the file: unknown or missing zones, holes, negative durations, zero between zones, an
            unlikely unit, ways there and back that differ much.
        """
        problems = Problems()
        if self.unit not in MS_OF_UNIT:
            problems.add(
                self.name, "is not a unit of duration", value=self.unit, mend=f"one of {', '.join(MS_OF_UNIT)}"
            )
        wrong = np.flatnonzero((self.zone_of_cell < 0) | (self.zone_of_cell >= len(self.zones)))
        if len(wrong):
            problems.add(
                self.name, f"({len(wrong)} cells) have no zone", value=f"cell {wrong[0]}", mend="give each cell one"
            )
        problems.raise_if_any()
        squares = read_squares(self.path, self.zones, problems)
        problems.raise_if_any()
        tables = np.empty((len(PERIODS), len(self.zone_of_cell), len(self.zone_of_cell)), dtype=np.int32)
        done: dict[int, NDArray[np.int32]] = {}
        for i, period in enumerate(PERIODS):
            if id(squares[i]) not in done:
                n_same = sum(other is squares[i] for other in squares)
                label = period if n_same == 1 else "all periods"
                done[id(squares[i])] = self._checked_ms(squares[i], label, problems)
            tables[i] = done[id(squares[i])][np.ix_(self.zone_of_cell, self.zone_of_cell)]
        problems.raise_if_any()
        return tables

    def _checked_ms(self, square: NDArray[np.float64], period: str, problems: Problems) -> NDArray[np.int32]:
        """Return the square (n_zones, n_zones) in int32 ms after all checks of its values; zeros if it has faults."""
        n_before = len(problems.found)
        where = f"{self.path.name} ({period})"
        duration_ms = square * MS_OF_UNIT[self.unit]
        off_diagonal = ~np.eye(len(square), dtype=bool)
        self._report(
            where, ~np.isfinite(square), "has no duration", "fill the hole; zones need a way to each other", problems
        )
        self._report(where, square < 0, "is negative", "durations are zero or more", problems)
        self._report(
            where, (square == 0) & off_diagonal, "is zero between two zones", "give the time between them", problems
        )
        self._report(
            where, duration_ms >= 2**31 - 1, "is longer than 24 days", f"is the unit really {self.unit}?", problems
        )
        if len(problems.found) > n_before:
            return np.zeros(square.shape, dtype=np.int32)
        self._check_unit(where, duration_ms, problems)
        self._check_back(where, duration_ms, problems)
        return np.floor(duration_ms + 0.5).astype(np.int32)

    def _check_back(self, where: str, duration_ms: NDArray[np.float64], problems: Problems) -> None:
        """Add a problem for ways that differ from the way back: much, where that is not declared, or absurdly."""
        longer = duration_ms - duration_ms.T
        is_absurd = (longer > MOST_ONE_WAY_MS) & (duration_ms > MOST_ONE_WAY * duration_ms.T)
        rule, mend = f"takes more than {MOST_ONE_WAY:g} times as long as the way back", "mend one of the two values"
        self._report(where, is_absurd, rule, mend, problems)
        if self.is_one_way_meant:
            return
        is_odd = (longer > ONE_WAY_MS) & (longer > ONE_WAY_RATIO * duration_ms) & ~is_absurd
        if is_odd.any():
            times = np.where(is_odd, duration_ms / np.maximum(duration_ms.T, 1.0), 0.0)
            a, b = np.unravel_index(int(np.argmax(times)), times.shape)
            worst = f"{self.zones[a]} -> {self.zones[b]} takes {times[a, b]:.1f} times as long"
            rule = f"differs much from the way back (most of all, {worst})"
            mend = "mend the values, or set travel.is_matrix_one_way=true if one-way streets do that"
            self._report(where, is_odd, rule, mend, problems)

    def _check_unit(self, where: str, duration_ms: NDArray[np.float64], problems: Problems) -> None:
        """Add a problem where the median trip is absurd: by its speed, or by its length without places."""
        between = ~np.eye(len(duration_ms), dtype=bool)
        trips_ms = duration_ms[between]
        if not len(trips_ms):
            return
        typical_ms = float(np.median(trips_ms))
        rule = f"(median between zones, in {self.unit}) makes a typical trip of {typical_ms / MS_PER_S:g} s"
        is_absurd = not TYPICAL_MS[0] <= typical_ms <= TYPICAL_MS[1]
        if self.centre_m is not None:
            apart_m = np.hypot(*(np.subtract.outer(axis, axis) for axis in self.centre_m.T))
            kmh = float(np.median(apart_m[between] / trips_ms)) * MS_PER_H / 1000.0
            rule += f" at {kmh:.3g} km/h as the crow flies"
            is_absurd = not TYPICAL_KMH[0] <= kmh <= TYPICAL_KMH[1]
            if not is_absurd:
                is_flight = is_too_fast(apart_m, duration_ms)
                rule = f"goes at more than {FASTEST_KMH:g} km/h as the crow flies"
                self._report(where, is_flight, rule, "mend the value, or the places of the zones", problems)
                return
        if is_absurd:
            mend = "declare another unit: ms, s or min"
            problems.add(where, rule, value=typical_ms / MS_OF_UNIT[self.unit], mend=mend)

    def _report(self, where: str, is_wrong: NDArray[np.bool_], rule: str, mend: str, problems: Problems) -> None:
        """Add one problem for the pairs of zones that break a rule: how many, and the first few by name."""
        pairs = np.argwhere(is_wrong)
        if len(pairs):
            shown = ", ".join(f"{self.zones[a]} -> {self.zones[b]}" for a, b in pairs[:MAX_SHOWN])
            more = f" and {len(pairs) - MAX_SHOWN} more pairs" if len(pairs) > MAX_SHOWN else ""
            problems.add(where, rule, value=shown + more, mend=mend)


def is_too_fast(apart_m: NDArray[np.float64], duration_ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for pairs of places, so far apart in m and ms, whether nobody drives so fast as the crow flies."""
    least_ms = apart_m * (MS_PER_H / 1_000.0) / FASTEST_KMH
    fast: NDArray[np.bool_] = (apart_m >= FAR_M) & (duration_ms < least_ms)
    return fast


def cells_as_zones(n_cells: int) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return (`zones`, `zone_of_cell`) of a matrix whose zones are the cells, labelled by id."""
    return tuple(str(cell) for cell in range(n_cells)), np.arange(n_cells, dtype=np.int32)


def read_squares(path: Path, zones: tuple[str, ...], problems: Problems) -> list[NDArray[np.float64]]:
    """Return one (n_zones, n_zones) array per period in the file's unit, NaN where the file is silent.

    Periods that share their durations share one array. Faults of form go to `problems`; the result is empty then.
    """
    readers = {".npz": _from_npz, ".csv": _from_frame, ".parquet": _from_frame}
    if path.suffix not in readers:
        problems.add(str(path), "is no known form of matrix", value=path.suffix, mend=f"one of {', '.join(readers)}")
        return []
    n_before = len(problems.found)
    squares = readers[path.suffix](path, zones, problems)
    for period, square in squares.items():
        if square.shape != (len(zones), len(zones)):
            rule = f"(array {period!r}) must have a row and a column for each of {len(zones)} zones"
            problems.add(path.name, rule, value="x".join(map(str, square.shape)), mend="give all zones, in order")
    if len(problems.found) > n_before:
        return []
    if "duration" in squares:
        return [squares["duration"]] * len(PERIODS)
    for period in [period for period in PERIODS if period not in squares]:
        problems.add(
            path.name, "is a period without durations", value=period, mend="give it, or one 'duration' for all"
        )
    return [squares[period] for period in PERIODS if period in squares]


def _from_npz(path: Path, zones: tuple[str, ...], problems: Problems) -> dict[str, NDArray[np.float64]]:
    """Return the arrays of the file by name."""
    squares: dict[str, NDArray[np.float64]] = {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            for name in arrays.files:
                if name not in (*PERIODS, "duration"):
                    mend = nearest_name(name, (*PERIODS, "duration"))
                    problems.add(path.name, "is not the name of a period", value=name, mend=mend)
                else:
                    squares[name] = np.asarray(arrays[name], dtype=np.float64)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        problems.add(str(path), f"cannot be read as .npz ({error})", mend="write it with numpy.savez")
    return squares


def _from_frame(path: Path, zones: tuple[str, ...], problems: Problems) -> dict[str, NDArray[np.float64]]:
    """Return the squares by period of a long or square table."""
    frame = frame_of(path, problems)
    if frame is None:
        return {}
    if not set(LONG_COLUMNS) <= set(frame.columns):
        return {"duration": square} if (square := _from_square(path, frame, zones, problems)) is not None else {}
    if "period" not in frame.columns:
        return {"duration": _from_long(path, frame, zones, problems)}
    for name in sorted(set(frame["period"].astype(str)) - set(PERIODS)):
        problems.add(path.name, "(period) is not a period", value=name, mend=nearest_name(name, PERIODS))
    parts: Iterator[tuple[Any, pd.DataFrame]] = iter(frame.groupby("period", sort=True))
    return {str(name): _from_long(path, part, zones, problems) for name, part in parts if name in PERIODS}


def frame_of(path: Path, problems: Problems) -> pd.DataFrame | None:
    """Return the table in the file, zone labels as text, or None after adding a problem."""
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        try:
            return pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
        except UnicodeDecodeError:
            return pd.read_csv(path, encoding="gb18030", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        problems.add(str(path), f"cannot be read ({error})", mend="give a comma-separated or Parquet table")
    return None


def numbers_of(path: Path, texts: pd.Series[Any], problems: Problems) -> NDArray[np.float64]:
    """Return the column as float64, NaN where it is empty; texts that are no numbers are problems."""
    import pandas as pd

    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    is_text = np.isnan(numbers) & (texts.notna() & (texts.astype(str).str.strip() != "")).to_numpy()
    for i in np.flatnonzero(is_text)[:MAX_SHOWN]:
        problems.add(path.name, "is not a number", value=texts.iloc[i], row=int(texts.index[i]) + 2)
    return numbers


def positions_of(
    path: Path, labels: pd.Series[Any], zones: tuple[str, ...], problems: Problems, what: str = "a zone"
) -> NDArray[np.int64]:
    """Return the position in `zones` of each label, -1 and a problem where there is no such zone (or `what` it is)."""
    position = {zone: i for i, zone in enumerate(zones)}
    found = np.asarray(labels.astype(str).str.strip().map(position).fillna(-1), dtype=np.int64)
    unknown = labels[found < 0].drop_duplicates()
    for row, label in unknown.head(MAX_SHOWN).items():
        problems.add(
            path.name, f"is not {what}", value=str(label), row=int(str(row)) + 2, mend=nearest_name(str(label), zones)
        )
    return found


def _from_long(path: Path, frame: pd.DataFrame, zones: tuple[str, ...], problems: Problems) -> NDArray[np.float64]:
    """Return the square of rows (from, to, duration); pairs given twice are problems."""
    n_zones = len(zones)
    square = np.full((n_zones, n_zones), np.nan)
    start, end = (positions_of(path, frame[column], zones, problems) for column in ("from", "to"))
    values = numbers_of(path, frame["duration"], problems)
    is_known = (start >= 0) & (end >= 0)
    pair = start[is_known] * n_zones + end[is_known]
    twice = np.flatnonzero(np.bincount(pair, minlength=n_zones * n_zones) > 1)
    for number in twice[:MAX_SHOWN]:
        value = f"{zones[number // n_zones]} -> {zones[number % n_zones]}"
        problems.add(path.name, "is given twice", value=value, mend="keep one row per pair and period")
    square.ravel()[pair] = values[is_known]
    return square


def _from_square(
    path: Path, frame: pd.DataFrame, zones: tuple[str, ...], problems: Problems
) -> NDArray[np.float64] | None:
    """Return the square of a table with one row and one column per zone, in the order of `zones`."""
    import pandas as pd

    n_before = len(problems.found)
    rows = positions_of(path, frame.iloc[:, 0], zones, problems)
    columns = positions_of(
        path, pd.Series([str(name) for name in frame.columns[1:]]), zones, problems, "a zone (in the first line)"
    )
    for kind, found in (("row", rows), ("column", columns)):
        for zone in [zone for i, zone in enumerate(zones) if np.count_nonzero(found == i) != 1][:MAX_SHOWN]:
            problems.add(path.name, f"must have exactly one {kind} of this zone", value=zone)
    if len(problems.found) > n_before:
        return None
    square = np.full((len(zones), len(zones)), np.nan)
    values = np.column_stack([numbers_of(path, frame.iloc[:, i + 1], problems) for i in range(len(columns))])
    square[np.ix_(rows, columns)] = values
    return square
