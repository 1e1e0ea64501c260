"""Read a CSV file into a checked table.

Steps: bytes -> text (UTF-8 with or without a byte-order mark, or GB18030) -> records with their line numbers -> columns
by name -> values by type -> ranges and choices -> unique columns and the key. Every step adds its problems and goes on.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import Problems, nearest_name
from sim.tables.cells import BadCellError, array_of, value_of
from sim.tables.spec import Table, TableSpec

MAX_SHOWN = 20
"""Problems shown per column and rule; the rest of them are counted in one line."""

_Record = tuple[int, list[str]]
"""Line in the file, and cells."""

_NOT_CSV = ((b"PK\x03\x04", "an Excel workbook"), (b"\xff\xfe", "UTF-16 text"), (b"\xfe\xff", "UTF-16 text"))


def read_table(path: Path, spec: TableSpec, problems: Problems) -> Table:
    """Return the table at `path`, adding every problem found to `problems`.

    Parameters
    ----------
    path : a CSV file in UTF-8 (with or without byte-order mark) or GB18030, comma-separated, header first.
    spec : what the file must hold. Columns may stand in any order; unknown ones are problems.
    problems : receives missing or unreadable files, missing, unknown or repeated columns, ragged rows, cells of a wrong
        type, not finite, out of range or not among the choices, repeated keys, and a table without rows.
    """
    n_before = len(problems.found)
    text = read_text(path, problems)
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
    rows, odd = _even_rows(path.name, records, problems)
    if not rows and not odd and not spec.may_be_empty:
        problems.add(path.name, "has no rows", mend="give it at least one row below the header")
    table = typed(path.name, spec, positions, rows, problems)
    if len(problems.found) == n_before:
        return table
    return replace(table, is_whole=False, refused=_refused(table, positions, rows, odd))


def check_references(table: Table, column: str, allowed: Iterable[str] | None, where: str, problems: Problems) -> None:
    """Add a problem for every name in `column` that is not in `allowed`, the names that the file `where` defines.

    A name is told once, with its first row and the number of others. `allowed` is None where that file cannot be read,
    which is a problem of its own; nothing is said about the names then.
    """
    if allowed is None:
        return
    known = list(allowed)
    unknown: dict[str, list[int]] = {}
    for i, name in enumerate(table[column]):
        if name is not None:
            unknown.setdefault(str(name), []).append(table.row_number(i))
    for name in sorted(unknown.keys() - set(known), key=lambda name: unknown[name][0]):
        first, *others = unknown[name]
        more = f", nor in {len(others)} more rows" if others else ""
        rule = f"({column}) is not in {where}{more}"
        problems.add(table.where, rule, value=name, row=first, mend=nearest_name(name, known))


# --- bytes to records -------------------------------------------------------------------------------------------------


def read_text(path: Path, problems: Problems) -> str | None:
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


def _records(text: str) -> Iterator[_Record]:
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


def _even_rows(where: str, records: list[_Record], problems: Problems) -> tuple[list[_Record], list[_Record]]:
    """Return the records below the header that have as many cells as it, and the others after adding a problem each.

    Empty cells too many at the end are let go.
    """
    width = len(records[0][1])
    even: list[_Record] = []
    odd: list[_Record] = []
    for line, cells in records[1:]:
        if len(cells) == width or (len(cells) > width and not any(cell.strip() for cell in cells[width:])):
            even.append((line, cells))
        else:
            odd.append((line, cells))
            mend = "quote cells that hold a comma" if len(cells) > width else "give every column a cell, empty or not"
            problems.add(where, f"has {len(cells)} cells, the header has {width}", row=line, mend=mend)
    return even, odd


def _refused(
    table: Table, positions: Mapping[str, int], rows: list[_Record], odd: list[_Record]
) -> dict[str, tuple[str, ...]]:
    """Return by column the texts of the rows that the table leaves out; of a ragged row, whose cells are anywhere, all.

    Nothing where there are no rows at all.
    """
    kept = set(table.lines.tolist())
    out = [cells for line, cells in rows if line not in kept]
    anywhere = [cell.strip() for _, cells in odd for cell in cells]
    if not rows and not odd:
        return {}
    return {
        name: tuple(text for text in (*(cells[at].strip() for cells in out), *anywhere) if text)
        for name, at in positions.items()
    }


# --- records to typed columns -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fault:
    """A cell that breaks a rule: its row and column by position, its text, and the rule and mend of `sim.errors`."""

    row: int
    column: int
    text: str
    rule: str
    mend: str


def typed(where: str, spec: TableSpec, positions: Mapping[str, int], rows: list[_Record], problems: Problems) -> Table:
    """Return the faultless rows as typed columns; all problems are added in the order of rows.

    `positions` is the place of each column in a row's cells, `rows` are (line, cells).
    """
    values: dict[str, list[Any]] = {}
    faults: list[_Fault] = []
    for order, column in enumerate(spec.columns):
        values[column.name] = parsed = []
        position = positions.get(column.name)
        for i, (_, cells) in enumerate(rows):
            text = "" if position is None else cells[position].strip()
            try:
                parsed.append(None if position is None else value_of(column, text))
            except BadCellError as error:
                parsed.append(None)
                faults.append(_Fault(i, order, text, error.rule, error.mend))
    faults += _repeats(spec, values, [line for line, _ in rows], positions, faults)
    _add_in_order(where, spec, rows, faults, problems)
    bad = {fault.row for fault in faults}
    is_whole = all(column.optional or column.name in positions for column in spec.columns)
    good = [i for i in range(len(rows)) if is_whole and i not in bad]
    columns = {c.name: array_of(c, [values[c.name][i] for i in good]) for c in spec.columns}
    return Table(where, spec, columns, np.array([rows[i][0] for i in good], dtype=np.int64))


def _repeats(
    spec: TableSpec,
    values: Mapping[str, list[Any]],
    lines: list[int],
    positions: Mapping[str, int],
    faults: list[_Fault],
) -> list[_Fault]:
    """Return a fault for each row that repeats a unique value or the key of an earlier row, faulty cells left out."""
    found = []
    groups = dict.fromkeys([(column.name,) for column in spec.columns if column.unique] + [spec.key])
    for group in (group for group in groups if group and all(name in positions for name in group)):
        orders = [spec.names.index(name) for name in group]
        skipped = {fault.row for fault in faults if fault.column in orders}
        first: dict[tuple[Any, ...], int] = {}
        for i, line in enumerate(lines):
            key = tuple(values[name][i] for name in group)
            if i in skipped or all(part is None for part in key):
                continue
            if first.setdefault(key, line) != line:
                rule = f"({', '.join(group)}) stands already in row {first[key]}"
                found.append(_Fault(i, orders[0], ", ".join(map(str, key)), rule, "each may occur once"))
    return found


def _add_in_order(where: str, spec: TableSpec, rows: list[_Record], faults: list[_Fault], problems: Problems) -> None:
    """Add the problems by row, then column; of one column and rule `MAX_SHOWN` are shown, the rest counted."""
    n_of: dict[tuple[int, str], int] = {}
    for fault in sorted(faults, key=lambda fault: (fault.row, fault.column)):
        group = (fault.column, re.sub(r"row [0-9]+$", "an earlier row", fault.rule))
        n_of[group] = n_of.get(group, 0) + 1
        if n_of[group] <= MAX_SHOWN:
            named = fault.rule if fault.rule.startswith("(") else f"({spec.columns[fault.column].name}) {fault.rule}"
            problems.add(where, named, value=fault.text, row=rows[fault.row][0], mend=fault.mend)
    for (order, rule), n in n_of.items():
        if n > MAX_SHOWN:
            named = rule if rule.startswith("(") else f"({spec.columns[order].name}) {rule}"
            problems.add(where, f"{named}: {n - MAX_SHOWN} more rows like the {MAX_SHOWN} shown")


def _empty(where: str, spec: TableSpec) -> Table:
    columns = {c.name: array_of(c, []) for c in spec.columns}
    return Table(where, spec, columns, np.zeros(0, dtype=np.int64), is_whole=False)
