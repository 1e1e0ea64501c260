"""Checked tables: a CSV file becomes typed columns, or one error that lists everything wrong with it.

A table is declared once as a `TableSpec` (names, types, units, ranges, keys, a line of meaning per column) by the part
that owns it; this module only reads, checks and writes. It must not know what any table means, nor any city.

Steps of `read_table`: bytes -> text (UTF-8 with or without a byte-order mark, or GB18030) -> records with their line
numbers -> columns by name -> values by type -> ranges and choices -> unique columns and the key. Every step adds its
problems to the list it was given and goes on; the caller raises once (`Problems.raise_if_any`). Problems first, table
second: a table that came with problems holds only its faultless rows and is good for nothing but further checks.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name

Kind = Literal["int", "float", "str", "bool", "date"]
KINDS: tuple[Kind, ...] = ("int", "float", "str", "bool", "date")
STANDINGS = ("plan", "standard", "published", "assumed", "fitted")
"""How a value of a city folder can be known; `STANDING` says what each word means."""

MAX_SHOWN = 20
"""Problems shown per column and rule; the rest of them are counted in one line."""

_INT = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)|n/?a|null|none", re.IGNORECASE)
_BOOLS = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}
_NOT_CSV = ((b"PK\x03\x04", "an Excel workbook"), (b"\xff\xfe", "UTF-16 text"), (b"\xfe\xff", "UTF-16 text"))
_LARGEST_INT = 2**63 - 1
_EXACT_IN_FLOAT = 2**53


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


@dataclass(frozen=True, slots=True)
class Table:
    """A checked table as columns, with the file line of each row for later messages.

    `table[name]` is a one-dimensional array (n_rows,): int64, float64 or bool; object for `str` and `date`, for an
    optional `bool`, with None in empty cells. An optional `int` is always float64 with NaN in empty cells, so that a
    column's type never depends on the data; its values are exact (at most 2^53).
    """

    where: str
    spec: TableSpec
    columns: Mapping[str, NDArray[Any]]
    lines: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def row_number(self, i: int) -> int:
        """Return the line of row `i` in the file; the header is line 1."""
        return int(self.lines[i])


class _BadCellError(ValueError):
    """A cell breaks a rule; `rule` and `mend` as in `sim.errors.Problem`."""

    def __init__(self, rule: str, mend: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.mend = mend


def read_table(path: Path, spec: TableSpec, problems: Problems) -> Table:
    """Return the table at `path`, adding every problem found to `problems`.

    Parameters
    ----------
    path : a CSV file in UTF-8 (with or without byte-order mark) or GB18030, comma-separated, header first.
    spec : what the file must hold. Columns may stand in any order; unknown ones are problems.
    problems : receives missing or unreadable files, missing, unknown or repeated columns, ragged rows, cells of a wrong
        type, not finite, out of range or not among the choices, repeated keys, and a table without rows.
    """
    text = _read_text(path, problems)
    if text is None:
        return _empty(path.name, spec)
    try:
        records = list(_records(text))
    except csv.Error as error:
        problems.add(path.name, f"cannot be split into cells ({error})", mend="look for a quote that is never closed")
        return _empty(path.name, spec)
    if not records:
        problems.add(path.name, "is empty", mend=f"give it the header {','.join(spec.names)}")
        return _empty(path.name, spec)
    positions = _positions(path.name, [name.strip() for name in records[0][1]], spec, problems)
    rows = list(_even_rows(path.name, records, problems))
    if not rows and not spec.may_be_empty:
        problems.add(path.name, "has no rows", mend="give it at least one row below the header")
    return _typed(path.name, spec, positions, rows, problems)


def write_table(path: Path, spec: TableSpec, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
    r"""Write `columns` as the CSV that `read_table` gives back: UTF-8, `\n` line ends, header first, in spec order.

    The file is written under a temporary name and renamed. Floats are written so that reading returns the same bits.

    Raises
    ------
    InputError
        If columns are missing, unknown or of unequal length, or a value breaks the spec; nothing is written then.
    """
    problems = Problems()
    where = path.name
    for name in [name for name in columns if name not in spec.names]:
        problems.add(where, "is not a column of this table", value=name, mend=nearest_name(name, spec.names))
    for column in spec.columns:
        if column.name not in columns and not column.optional:
            problems.add(where, "is missing", value=column.name)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        problems.add(where, "columns differ in length", value=lengths)
    problems.raise_if_any()
    present = [name for name in spec.names if name in columns]
    cells = [_texts(column, columns[column.name]) for column in spec.columns if column.name in columns]
    rows = [(i + 2, list(row)) for i, row in enumerate(zip(*cells, strict=True))]
    _find_unwritable(where, present, rows, problems)
    _typed(where, spec, {name: i for i, name in enumerate(present)}, rows, problems)
    problems.raise_if_any()
    lines = [",".join(map(_quoted, row)) for row in [present, *(row for _, row in rows)]]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))
    temporary.replace(path)


def check_references(table: Table, column: str, allowed: Iterable[str], where: str, problems: Problems) -> None:
    """Add a problem for every cell of `column` that is not in `allowed`, the names that the file `where` defines."""
    known = list(allowed)
    known_set = frozenset(known)
    for i, name in enumerate(table[column]):
        if name is not None and name not in known_set:
            rule = f"({column}) is not in {where}"
            problems.add(table.where, rule, value=name, row=table.row_number(i), mend=nearest_name(str(name), known))


# --- bytes to records -------------------------------------------------------------------------------------------------


def _read_text(path: Path, problems: Problems) -> str | None:
    """Return the file's text, or None after adding the problem that makes it unreadable."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        beside = [p.name for p in path.parent.glob("*.csv")] if path.parent.is_dir() else []
        mend = nearest_name(path.name, beside) if beside else f"there is no table in {path.parent}"
        problems.add(str(path), "does not exist", mend=mend)
        return None
    except OSError as error:
        problems.add(str(path), f"cannot be read ({error.strerror})", mend="give a readable file")
        return None
    for mark, what in _NOT_CSV:
        if data.startswith(mark):
            problems.add(str(path), f"is {what}, not a CSV file", mend="save it as 'CSV UTF-8'")
            return None
    text = _decode(path, data, problems)
    if text is not None and "\x00" in text:
        problems.add(str(path), "holds null bytes, so it is not a CSV file", mend="save it as 'CSV UTF-8'")
        return None
    return text


def _decode(path: Path, data: bytes, problems: Problems) -> str | None:
    """Return `data` as text: UTF-8, else GB18030, unless it is plainly UTF-8 with damaged bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    forced = data.decode("utf-8", errors="replace")
    n_bad = forced.count("\ufffd")
    n_good = sum(ord(letter) > 127 for letter in forced) - n_bad
    if n_good <= n_bad:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    problems.add(str(path), "is neither UTF-8 nor GB18030 text here", row=line, mend="save it as 'CSV UTF-8'")
    return None


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each record that is not blank; a quoted cell may span lines."""
    reader = csv.reader(io.StringIO(text, newline=""))
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _positions(where: str, header: list[str], spec: TableSpec, problems: Problems) -> dict[str, int]:
    """Return the position of each of the spec's columns in the header."""
    while header and not header[-1]:
        header.pop()
    positions: dict[str, int] = {}
    missing = [name for name in spec.names if name not in header]
    for position, name in enumerate(header):
        if name in positions:
            problems.add(where, "is the name of two columns", value=name, row=1, mend="keep one of them")
        elif name not in spec.names:
            is_split_wrongly = re.search(r"[;\t]", name) is not None
            mend = "separate columns by commas" if is_split_wrongly else nearest_name(name, missing or spec.names)
            problems.add(where, "is not a column of this table", value=name, row=1, mend=mend)
        else:
            positions[name] = position
    for column in spec.columns:
        if column.name not in positions and not column.optional:
            unknown = [name for name in header if name not in spec.names]
            mend = nearest_name(column.name, unknown) if unknown else f"add it: {column.doc}"
            problems.add(where, "column is missing", value=column.name, row=1, mend=mend)
    return positions


def _even_rows(where: str, records: list[tuple[int, list[str]]], problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield the records below the header that have as many cells as it; empty cells too many at the end are let go."""
    width = len(records[0][1])
    for line, cells in records[1:]:
        if len(cells) == width or (len(cells) > width and not any(cell.strip() for cell in cells[width:])):
            yield line, cells
        else:
            mend = "quote cells that hold a comma" if len(cells) > width else "give every column a cell, empty or not"
            problems.add(where, f"has {len(cells)} cells, the header has {width}", row=line, mend=mend)


# --- records to typed columns -----------------------------------------------------------------------------------------


def _typed(
    where: str, spec: TableSpec, positions: Mapping[str, int], rows: list[tuple[int, list[str]]], problems: Problems
) -> Table:
    """Return the faultless rows as typed columns; all problems are added in the order of rows."""
    found: list[tuple[int, int, str, str, str]] = []
    values: dict[str, list[Any]] = {}
    bad: set[int] = set()
    for order, column in enumerate(spec.columns):
        values[column.name] = parsed = []
        position = positions.get(column.name)
        for i, (_, cells) in enumerate(rows):
            text = "" if position is None else cells[position].strip()
            try:
                parsed.append(None if position is None else _value(column, text))
            except _BadCellError as error:
                parsed.append(None)
                bad.add(i)
                found.append((i, order, text, error.rule, error.mend))
    _find_repeats(spec, values, rows, positions, bad, found)
    _add_in_order(where, spec, rows, found, problems)
    is_whole = all(column.optional or column.name in positions for column in spec.columns)
    good = [i for i in range(len(rows)) if is_whole and i not in bad]
    columns = {c.name: _array(c, [values[c.name][i] for i in good]) for c in spec.columns}
    return Table(where, spec, columns, np.array([rows[i][0] for i in good], dtype=np.int64))


def _find_repeats(
    spec: TableSpec,
    values: Mapping[str, list[Any]],
    rows: list[tuple[int, list[str]]],
    positions: Mapping[str, int],
    bad: set[int],
    found: list[tuple[int, int, str, str, str]],
) -> None:
    """Note the rows that repeat a unique value or the key of an earlier row; rows that are bad already are left out."""
    groups = [(column.name,) for column in spec.columns if column.unique] + ([spec.key] if spec.key else [])
    for group in groups:
        if any(name not in positions for name in group):
            continue
        first: dict[tuple[Any, ...], int] = {}
        for i, (line, _) in enumerate(rows):
            key = tuple(values[name][i] for name in group)
            if i in bad or all(part is None for part in key):
                continue
            if first.setdefault(key, line) != line:
                bad.add(i)
                shown = ", ".join(str(part) for part in key)
                rule = f"({', '.join(group)}) stands already in row {first[key]}"
                found.append((i, spec.names.index(group[0]), shown, rule, "each may occur once"))


def _add_in_order(
    where: str,
    spec: TableSpec,
    rows: list[tuple[int, list[str]]],
    found: list[tuple[int, int, str, str, str]],
    problems: Problems,
) -> None:
    """Add the problems by row, then column; of one column and rule `MAX_SHOWN` are shown, the rest counted."""
    n_of: dict[tuple[int, str], int] = {}
    for i, order, text, rule, mend in sorted(found, key=lambda item: item[:2]):
        group = (order, rule.split(" stands already")[0])
        n_of[group] = n_of.get(group, 0) + 1
        if n_of[group] <= MAX_SHOWN:
            name = spec.columns[order].name
            named = rule if rule.startswith("(") else f"({name}) {rule}"
            problems.add(where, named, value=text, row=rows[i][0], mend=mend)
    for (order, rule), n in n_of.items():
        if n > MAX_SHOWN:
            rest = f"{n - MAX_SHOWN} more rows like the {MAX_SHOWN} shown"
            problems.add(where, f"({spec.columns[order].name}) {rule}: {rest}")


def _value(column: Column, text: str) -> Any:
    """Return the cell's value, None for an empty optional cell; raise `_BadCellError` when a rule is broken."""
    if not text:
        if column.optional:
            return None
        raise _BadCellError("is empty", "give a value")
    if column.kind == "str":
        if column.choices is not None and text not in column.choices:
            raise _BadCellError(f"must be one of {', '.join(column.choices)}", nearest_name(text, column.choices))
        return text
    if column.kind == "bool":
        if text.lower() not in _BOOLS:
            raise _BadCellError("must be true or false")
        return _BOOLS[text.lower()]
    if column.kind == "date":
        return _date(text)
    value = _integer(column, text) if column.kind == "int" else _real(text)
    is_low = column.minimum is not None and value < column.minimum
    if is_low or (column.maximum is not None and value > column.maximum):
        unit = f" {column.unit}" if column.unit else ""
        raise _BadCellError(f"must be {_bounds(column)}{unit}")
    return value


def _bounds(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"between {column.minimum:g} and {column.maximum:g}"
    return f"at least {column.minimum:g}" if column.minimum is not None else f"at most {column.maximum:g}"


def _integer(column: Column, text: str) -> int:
    if not _INT.fullmatch(text):
        raise _BadCellError("must be a whole number", _number_mend(text))
    value = int(text)
    limit = _EXACT_IN_FLOAT if column.optional else _LARGEST_INT
    if not -limit <= value <= limit:
        raise _BadCellError(f"is too large a whole number (limit {limit})")
    return value


def _real(text: str) -> float:
    if _NOT_FINITE.fullmatch(text):
        raise _BadCellError("must be a finite number", "leave no NaN, inf or NA in the table")
    if not _FLOAT.fullmatch(text):
        raise _BadCellError("must be a number", _number_mend(text))
    value = float(text)
    if not math.isfinite(value):
        raise _BadCellError("must be a finite number")
    return value


def _number_mend(text: str) -> str:
    plain = text.replace(",", "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if plain != text and _FLOAT.fullmatch(plain):
        return f"write {plain}"
    return "write digits with a point for decimals, without unit or separator"


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise _BadCellError("is not a day of the calendar", "check month and day") from error
    raise _BadCellError("must be a date", "write it as YYYY-MM-DD, for example 2022-01-31")


def _array(column: Column, values: list[Any]) -> NDArray[Any]:
    """Return the values as the array type that `Table` promises for this column."""
    if column.kind == "float" or (column.kind == "int" and column.optional):
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    if column.kind == "int":
        return np.array(values, dtype=np.int64)
    if column.kind == "bool" and not column.optional:
        return np.array(values, dtype=np.bool_)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _empty(where: str, spec: TableSpec) -> Table:
    return Table(where, spec, {c.name: _array(c, []) for c in spec.columns}, np.zeros(0, dtype=np.int64))


# --- values to text ---------------------------------------------------------------------------------------------------


def _texts(column: Column, values: Sequence[Any] | NDArray[Any]) -> list[str]:
    """Return the cells of a column as texts that read back as the same values."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [_text(column, value) for value in plain]


def _text(column: Column, value: Any) -> str:
    if value is None or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        whole = column.kind == "int" and float(value).is_integer()
        return str(int(value)) if whole else repr(float(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _quoted(cell: str) -> str:
    """Return the cell as it stands in the file (written out here because csv quotes line ends by Python version)."""
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def _find_unwritable(where: str, names: list[str], rows: list[tuple[int, list[str]]], problems: Problems) -> None:
    """Add the cells that would not read back as they are."""
    for line, cells in rows:
        if not any(cells):
            problems.add(where, "has no value at all, so it would be read as a blank line", row=line)
        for name, cell in zip(names, cells, strict=True):
            if cell != cell.strip() or "\x00" in cell or not _is_utf8(cell):
                rule = f"({name}) has blanks at an end, a null or half a character"
                problems.add(where, rule, value=cell, row=line, mend="write plain text")


def _is_utf8(cell: str) -> bool:
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
