"""The log's rows by kind, found once for all tables that are made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.log import LogKind

if TYPE_CHECKING:
    from sim.engine.log import EventLog


class RowsOfKind:
    """Rows of some kinds in the order of the log; `rows["time_ms"]` is a column of them."""

    def __init__(self, rows: NDArray[np.void], at: NDArray[np.intp]) -> None:
        self._rows = rows
        self.at = at

    def __getitem__(self, name: str) -> NDArray[Any]:
        return np.ascontiguousarray(self._rows[name][self.at])


class LogIndex:
    """Where the rows of each kind lie in a log."""

    def __init__(self, log: EventLog) -> None:
        self.rows = log.rows
        kind = log.column("kind")
        self._order = np.argsort(kind, kind="stable")  # 16-bit integers: a radix sort
        n_kinds = max(LogKind) + 1
        self._start = np.searchsorted(kind[self._order], np.arange(n_kinds + 1))

    def of(self, kind: LogKind) -> RowsOfKind:
        """Return the rows of one kind."""
        return RowsOfKind(self.rows, self._order[self._start[kind] : self._start[kind + 1]])

    def of_any(self, kinds: tuple[LogKind, ...]) -> RowsOfKind:
        """Return the rows of several kinds."""
        return RowsOfKind(self.rows, np.sort(np.concatenate([self.of(kind).at for kind in kinds])))

    @property
    def last_ms(self) -> int:
        """Instant of the last row; 0 without rows."""
        return int(self.rows["time_ms"][-1]) if len(self.rows) else 0
