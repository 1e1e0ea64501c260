"""The event log: the only output of the engine.

One row per thing that happened, in the total order of events. Response times, workloads, tables and pictures are all
computed from it afterwards. Its digest depends on the schema and the column bytes only, not on chunks or file formats.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOG_VERSION = 1
LOG_DTYPE = np.dtype(
    [
        ("time_ms", "<i8"),
        ("value", "<i8"),
        ("incident", "<i4"),
        ("unit", "<i4"),
        ("mission", "<i4"),
        ("slot", "<i2"),
        ("kind", "<i2"),
    ]
)


class LogKind(IntEnum):
    """What a row says; `docs/contracts.md` gives the meaning of `value` for each."""

    CHANGE = 1
    CALL = 2
    DISPATCH = 3
    WAIT = 4
    ENROUTE = 5
    ARRIVE = 6
    REVEAL = 7
    TURN_BACK = 8
    CLEAR = 9
    HOME = 10
    AVAILABLE = 11
    ESCALATE = 12
    UNFILLED = 13
    MET = 14
    CLOSED = 15
    END = 16
    SHIFT = 17
    RESTED = 18
    MOVE_UP = 19
    STAND_BY = 20
    RECALL = 21
    VILLAGE = 22
    TRANSPORT = 23
    DELIVER = 24
    HANDED_OVER = 25


NOT_OF_AN_INCIDENT = (LogKind.CHANGE, LogKind.SHIFT, LogKind.RESTED, LogKind.MOVE_UP, LogKind.STAND_BY, LogKind.RECALL)
"""Kinds whose `incident` counts something else: a change row, a shift of the roster, or a station."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """The rows of one run.

    Attributes
    ----------
    rows
        (n_rows,) `LOG_DTYPE`; fields that do not apply to a kind hold -1.
    """

    rows: NDArray[np.void]

    def column(self, name: str) -> NDArray[Any]:
        """Return one column as a contiguous array."""
        return np.ascontiguousarray(self.rows[name])

    def digest(self) -> str:
        """Return the SHA-256 (hex) over the schema and the SHA-256 of each column's little-endian bytes."""
        whole = hashlib.sha256(f"event-log/{LOG_VERSION}".encode())
        for name in LOG_DTYPE.names or ():
            column = hashlib.sha256(self.column(name).tobytes())
            whole.update(f"|{name}:{LOG_DTYPE[name].str}:".encode() + column.digest())
        return whole.hexdigest()

    def write_parquet(self, path: Path) -> None:
        """Write the log as Parquet (integers, delta-coded, zstd); the schema version is in the file's metadata."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = list(LOG_DTYPE.names or ())
        table = pa.table({name: self.column(name) for name in names})
        table = table.replace_schema_metadata({"schema": "event-log", "schema_version": str(LOG_VERSION)})
        pq.write_table(
            table, path, compression="zstd", compression_level=1, use_dictionary=["kind"],
            column_encoding={name: "DELTA_BINARY_PACKED" for name in names if name != "kind"},
        )  # fmt: skip


def read_log(path: Path) -> EventLog:
    """Return the log written by `EventLog.write_parquet`."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    rows = np.empty(table.num_rows, dtype=LOG_DTYPE)
    for name in LOG_DTYPE.names or ():
        rows[name] = table.column(name).to_numpy()
    return EventLog(rows)
