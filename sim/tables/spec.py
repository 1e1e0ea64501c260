"""How a table is declared, and what it is once read: `Column`, `TableSpec`, `Table`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["int", "float", "str", "bool", "date"]
KINDS: tuple[Kind, ...] = ("int", "float", "str", "bool", "date")
STANDINGS = ("plan", "standard", "published", "assumed", "fitted")
"""How a value of a city folder can be known; `STANDING` says what each word means."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, type, meaning and the values it may take.

    Parameters
    ----------
    name : header of the column.
    kind : `int`, `float`, `str`, `bool` (true/false, yes/no, 1/0, 是/否) or `date` (YYYY-MM-DD).
    doc : one line of meaning.
    unit : unit of the values, if any.
    minimum, maximum : inclusive bounds of an `int` or `float`.
    choices : the only texts allowed in a `str` column.
    optional : a cell may be empty, and the column may be left out altogether.
    unique : no value may occur twice (empty cells aside).
    """

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None
    optional: bool = False
    unique: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"column {self.name!r}: kind {self.kind!r} is not one of {KINDS}")


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table's name, schema version, columns and key (columns whose values together never repeat)."""

    name: str
    version: int
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    may_be_empty: bool = False

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names) or not set(self.key) <= set(names):
            raise ValueError(f"table {self.name!r}: column names repeat, or the key {self.key} is not among them")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)


SOURCE = Column("source", "str", "Where the row's value was read, or why it is assumed.")
STANDING = Column(
    "standing",
    "str",
    "How the value is known: plan (printed in it), standard, published elsewhere, assumed, or fitted.",
    choices=STANDINGS,
)

KNOWN_FROM = (
    Column("source", "str", "Where the row's values were read, or why they are assumed.", optional=True),
    Column("standing", "str", "How they are known.", choices=STANDINGS, optional=True),
)
"""Both, of tables in which a user may leave them empty."""


@dataclass(frozen=True, slots=True)
class Table:
    """A checked table as columns, with the file line of each row for later messages.

    `table[name]` is a one-dimensional array (n_rows,): int64, float64 or bool; object for `str` and `date`, for an
    optional `bool`, with None in empty cells. An optional `int` is always float64 with NaN in empty cells, so that a
    column's type never depends on the data; its values are exact (at most 2^53).

    `is_whole`: nothing was wrong with the file, so every row of it is here; what counts or sums rows may be asked of
    whole tables only. `refused`: the texts that each readable column has in the rows left out.
    """

    where: str
    spec: TableSpec
    columns: Mapping[str, NDArray[Any]]
    lines: NDArray[np.int64]
    is_whole: bool = True
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def names(self, column: str) -> tuple[str, ...] | None:
        """Return what other tables may name in a column, rows with faults included; None where nobody can tell."""
        found = tuple(str(name) for name in self[column] if name is not None)
        if self.is_whole:
            return found
        return (*found, *self.refused[column]) if column in self.refused else None

    def row_number(self, i: int) -> int:
        """Return the line of row `i` in the file; the header is line 1."""
        return int(self.lines[i])
