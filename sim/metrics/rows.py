"""The log's rows by kind, found once for all tables that are made of them, and the few rows that some tables need."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import EventLog, LogKind


class RowsOfKind:
    """Rows of some kinds in the order of the log; `rows["time_ms"]` is a column of them."""

    def __init__(self, rows: NDArray[np.void], at: NDArray[np.intp]) -> None:
        self._rows = rows
        self.at = at

    def __getitem__(self, name: str) -> NDArray[Any]:
        return np.ascontiguousarray(self._rows[name][self.at])


class LogIndex:
    """Where the rows of each kind lie in a log; found when it is first asked for."""

    def __init__(self, log: EventLog) -> None:
        self.rows = log.rows

    @cached_property
    def _by_kind(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        kind = np.ascontiguousarray(self.rows["kind"])
        order = np.argsort(kind, kind="stable")  # 16-bit integers: a radix sort
        return order, np.searchsorted(kind[order], np.arange(max(LogKind) + 2))

    def of(self, kind: LogKind) -> RowsOfKind:
        """Return the rows of one kind."""
        order, start = self._by_kind
        return RowsOfKind(self.rows, order[start[kind] : start[kind + 1]])

    def of_any(self, kinds: tuple[LogKind, ...]) -> RowsOfKind:
        """Return the rows of several kinds."""
        return RowsOfKind(self.rows, np.sort(np.concatenate([self.of(kind).at for kind in kinds])))

    def of_units(self, is_wanted: NDArray[np.bool_]) -> LogIndex:
        """Return the rows that name a wanted unit, and the last row; `is_wanted`: (n_units,)."""
        return self._part(_is_marked(is_wanted, self.rows["unit"]))

    def about(self, is_wanted: NDArray[np.bool_]) -> LogIndex:
        """Return the rows that name a wanted incident, and the last row; `is_wanted`: (n_incidents,).

        Where the column `incident` holds something else by the row's kind (a change, a station), its row may be there.
        """
        return self._part(_is_marked(is_wanted, self.rows["incident"]))

    def _part(self, is_kept: NDArray[np.bool_]) -> LogIndex:
        is_kept[-1:] = True
        return LogIndex(EventLog(self.rows[is_kept]))

    @property
    def last_ms(self) -> int:
        """Instant of the last row; 0 without rows."""
        return int(self.rows["time_ms"][-1]) if len(self.rows) else 0


def _is_marked(is_wanted: NDArray[np.bool_], at: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which places are marked; a place before the first or behind the last is not."""
    framed = np.concatenate([[False], is_wanted, [False]])
    found: NDArray[np.bool_] = framed.take(at + 1, mode="clip")
    return found
