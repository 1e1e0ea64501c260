"""Write columns as the CSV that `sim.tables.reading` gives back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sim.errors import InputError, Problem, Problems, nearest_name
from sim.tables.cells import texts_of
from sim.tables.reading import typed
from sim.tables.spec import TableSpec


def write_table(path: Path, spec: TableSpec, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
    r"""Write `columns` as the CSV that `read_table` gives back: UTF-8, `\n` line ends, header first, in spec order.

    The file is written under a temporary name and renamed. Floats are written so that reading returns the same bits.

    Raises
    ------
    InputError
        If columns are missing, unknown or of unequal length, if a value breaks the spec or would not read back as it is
        (nothing is written then), or if the file cannot be written.
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
    cells = [texts_of(column, columns[column.name]) for column in spec.columns if column.name in columns]
    rows = [(i + 2, list(row)) for i, row in enumerate(zip(*cells, strict=True))]
    _find_unwritable(where, present, rows, problems)
    typed(where, spec, {name: i for i, name in enumerate(present)}, rows, problems)
    problems.raise_if_any()
    lines = [",".join(map(_quoted, row)) for row in [present, *(row for _, row in rows)]]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        problem = Problem(
            str(path), f"cannot be written ({error.strerror})", mend="give a path in a folder you can write"
        )
        raise InputError([problem]) from error


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
