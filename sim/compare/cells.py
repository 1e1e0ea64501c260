"""Which groups each incident belongs to: year, group and town; kind and grade; hour.

Each layout numbers its cells and lists (cell, incident) pairs; an incident stands in the whole window and in its year,
in its town and in the city, in its group and in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.compare.cube import bins_of
from sim.compare.parts import CLOCKS, GROUPS, Labels
from sim.metrics.store import Columns

STATIC, STATIC_CALL = len(CLOCKS), len(CLOCKS) + 1
"""Places of the static parts of `arrival` and of `call_to_arrival`, behind the four clocks that are told."""
STATIC_OF_CLOCK = {"arrival": STATIC, "call_to_arrival": STATIC_CALL}
N_GRADES = 5
TOWN_GROUPS = ("headline", "all")
COLUMNS = (
    "identity", "call_ms", "dispatch_due_ms", "year", "hour", "town", "kind", "grade", "is_headline",
    "first_arrival_ms", "first_critical_ms", "full_alarm_ms", "queue_ms", "n_unfilled", "n_escalations",
    "static_arrival_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes of a comparison: the years told apart (without the pooled one) and the labels."""

    years: tuple[int, ...]
    labels: Labels

    @property
    def all_years(self) -> tuple[int, ...]:
        """The pooled window (0) and every year."""
        return (0, *self.years)

    @property
    def n_towns(self) -> int:
        """Towns; the city as a whole comes after them, at this index."""
        return self.labels.n_towns

    @property
    def n_main(self) -> int:
        """Cells of year x group x town (and city); groups that are not told by town have the city's alone."""
        return len(self.all_years) * sum(self._widths)

    @property
    def _widths(self) -> list[int]:
        """Cells of each group within a year."""
        return [self.n_towns + 1 if group in TOWN_GROUPS else 1 for group in GROUPS]

    def main_cell(self, year: int, group: str, town: int | None = None) -> int:
        """Return the cell of a year (0 pooled), a group and a town (None: the city, which is the group's last)."""
        before, widths = GROUPS.index(group), self._widths
        assert town is None or group in TOWN_GROUPS, f"{group} is not told by town"
        begin = self.all_years.index(year) * sum(widths) + sum(widths[:before])
        return begin + (widths[before] - 1 if town is None else town)

    def city_cells(self) -> NDArray[np.int64]:
        """Return the cells of the whole city, by year and group: (n_years + 1, n_groups)."""
        return np.array([[self.main_cell(year, group) for group in GROUPS] for year in self.all_years])

    def towns(self, group: str) -> NDArray[np.int64]:
        """Return the cells of the towns by year: (n_years + 1, n_towns)."""
        first = np.array([self.main_cell(year, group, 0) for year in self.all_years])
        return first[:, None] + np.arange(self.n_towns)

    def headline_hours(self) -> NDArray[np.int64]:
        """Return the cells of the headline's hours, by year and hour: ((n_years + 1) x 24,)."""
        shape = (len(self.all_years), len(GROUPS), 24)
        return np.arange(self.n_hour_cells).reshape(shape)[:, GROUPS.index("headline")].reshape(-1)

    @property
    def n_kind_cells(self) -> int:
        """Cells of year x kind, then kind x grade over the whole window."""
        return self.labels.n_kinds * (len(self.all_years) + N_GRADES)

    @property
    def n_hour_cells(self) -> int:
        """Cells of year x group x hour."""
        return len(self.all_years) * len(GROUPS) * 24


def responses(table: Columns) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return (response ms, bins) of every clock: two (n_clocks, n_incidents) arrays; -1 ms is never."""
    arrival, static = table["first_arrival_ms"], table["static_arrival_ms"]
    handling = table["dispatch_due_ms"] - table["call_ms"]
    ms = np.stack(
        [
            arrival,
            table["first_critical_ms"],
            table["full_alarm_ms"],
            np.where(arrival < 0, -1, arrival + handling),
            static,
            np.where(static < 0, -1, static + handling),
        ]
    )
    return ms, bins_of(ms)


def year_place(frame: Frame, table: Columns) -> NDArray[np.int64]:
    """Return each incident's year as a place in `frame.all_years`."""
    return np.searchsorted(np.array(frame.years), table["year"]).astype(np.int64) + 1


def group_masks(frame: Frame, table: Columns) -> list[NDArray[np.bool_]]:
    """Return which incidents are in each of `GROUPS`; fires and rescues are those among the headline incidents."""
    family = np.array([{"fire": 1, "rescue": 2}.get(name, 0) for name in frame.labels.kind_family])[table["kind"]]
    headline = table["is_headline"]
    return [headline, headline & (family == 1), headline & (family == 2), np.ones(len(headline), dtype=bool)]


def main_cells(frame: Frame, table: Columns) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the (cell, incident) pairs of year x group x town; only `TOWN_GROUPS` are told by town."""
    year, town, city = year_place(frame, table), table["town"].astype(np.int64), frame.city_cells()
    cells: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.intp]] = []
    for group, mask in enumerate(group_masks(frame, table)):
        row = np.flatnonzero(mask)
        for of_year in (np.zeros_like(row), year[row]):
            place = city[of_year, group]
            cells.append(place)
            if GROUPS[group] in TOWN_GROUPS:
                cells.append(place - frame.n_towns + town[row])
            rows += [row] * (len(cells) - len(rows))
    return np.concatenate(cells).astype(np.int32), np.concatenate(rows)


def main_sums(frame: Frame, table: Columns, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each cell's sum of its incidents' weights, as by `main_cells`: (n, n_incidents) -> (n, n_main_cells)."""
    headline, fire, rescue, _ = group_masks(frame, table)
    part = np.select([fire, rescue, headline], [0, 1, 2], default=3)
    shape = (len(frame.years), 4, frame.n_towns)
    place = ((year_place(frame, table) - 1) * 4 + part) * frame.n_towns + table["town"]
    out = np.zeros((len(weights), frame.n_main))
    city = frame.city_cells()
    towns = city[:, :, None] - frame.n_towns + np.arange(frame.n_towns)
    for at, weight in enumerate(weights):
        parts = np.bincount(place, weights=weight, minlength=int(np.prod(shape))).reshape(shape)
        of_group = (parts[:, :3].sum(axis=1), parts[:, 0], parts[:, 1], parts.sum(axis=1))
        for group, by_town in enumerate(of_group):
            if GROUPS[group] in TOWN_GROUPS:
                out[at, towns[1:, group]] = by_town
                out[at, towns[0, group]] = by_town.sum(axis=0)
            out[at, city[1:, group]] = by_town.sum(axis=1)
            out[at, city[0, group]] = by_town.sum()
    return out


def kind_cells(frame: Frame, table: Columns) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the (cell, incident) pairs of year x kind and of kind x grade."""
    n_kinds = frame.labels.n_kinds
    year, kind, grade = year_place(frame, table), table["kind"].astype(np.int64), table["grade"].astype(np.int64)
    by_grade = n_kinds * len(frame.all_years) + kind * N_GRADES + grade - 1
    row = np.arange(len(kind))
    return np.concatenate([kind, year * n_kinds + kind, by_grade]).astype(np.int32), np.tile(row, 3)


def hour_cells(frame: Frame, table: Columns) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the (cell, incident) pairs of year x group x hour."""
    year, hour = year_place(frame, table), table["hour"].astype(np.int64)
    cells, rows = [], []
    for group, mask in enumerate(group_masks(frame, table)):
        row = np.flatnonzero(mask)
        cells += [group * 24 + hour[row], (year[row] * len(GROUPS) + group) * 24 + hour[row]]
        rows += [row, row]
    return np.concatenate(cells).astype(np.int32), np.concatenate(rows)
