"""A record file as columns of text: CSV in several encodings and separators, Parquet, or the first sheet of a workbook.

Knows files only; what the columns mean is told by `schema.py` and read by `read.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from calibration.records.schema import RecordSpec, field_of, plain
from calibration.records.settings import NAME, FileSettings
from sim.errors import Problems, nearest_name
from sim.tables.reading import read_text

_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx")
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's cells as stripped texts.

    Parameters
    ----------
    where : name of the file.
    header : names of the columns as they stand there.
    cells : one (n_rows,) object array of `str` per column; empty for a missing value.
    rows : (n_rows,) int64, place in the file: line of a CSV, row of a sheet (the header is 1), row of a Parquet from 1.
    ragged : rows whose cells do not match the header, with their text.
    has_decimal_comma : columns are parted by something else than commas, so that 23,5 is a number.
    """

    where: str
    header: tuple[str, ...]
    cells: tuple[NDArray[Any], ...]
    rows: NDArray[np.int64]
    ragged: tuple[tuple[int, str], ...] = ()
    has_decimal_comma: bool = False


def find_file(folder: Path, spec: RecordSpec, settings: FileSettings, problems: Problems) -> Path | None:
    """Return the path of a record file, None where there is none; several candidates or a missing one are problems."""
    if settings.file:
        path = folder / settings.file
        if path.is_file():
            return path
        beside = sorted(p.name for p in folder.glob("*") if p.is_file() and p.name != NAME)
        mend = nearest_name(path.name, beside) if beside else "there is no file beside it"
        problems.add(NAME, f"({spec.name}.file) does not exist", value=settings.file, mend=mend)
        return None
    found = [path for ending in _ENDINGS if (path := folder / f"{spec.name}{ending}").is_file()]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        problems.add(
            str(folder), f"has several files of {spec.name}: {names}", mend=f"name one: {spec.name}.file in {NAME}"
        )
        return None
    return found[0] if found else None


def read_sheet(path: Path, problems: Problems) -> Sheet | None:
    """Return the file's cells, or None after adding the problem that makes it unreadable."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        problems.add(str(path), f"cannot be read ({error.strerror})", mend="give a readable file")
        return None
    read = {b"PAR1": _parquet, b"PK\x03\x04": _workbook}.get(start, _csv)
    sheet = read(path, problems)
    if sheet is not None and not len(sheet.rows) and not sheet.ragged:
        problems.add(path.name, "has no rows", mend="give it at least one row below the header")
        return None
    return sheet


def _csv(path: Path, problems: Problems) -> Sheet | None:
    text = read_text(path, problems)
    if text is None:
        return None
    first = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda mark: (first.count(mark), -_DELIMITERS.index(mark)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[int] = []
    records: list[list[str]] = []
    line = 1
    try:
        for record in reader:
            if any(map(str.strip, record)):
                lines.append(line)
                records.append(record)
            line = reader.line_num + 1
    except csv.Error as error:
        problems.add(path.name, f"cannot be split into cells ({error})", row=line, mend="look for a quote never closed")
        return None
    if not records:
        problems.add(path.name, "is empty", mend="give it a header and rows")
        return None
    return _sheet(path.name, records, lines, delimiter != ",")


def _sheet(where: str, records: list[list[str]], lines: list[int], has_decimal_comma: bool) -> Sheet:
    header = [name.strip() for name in records[0]]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    even, rows, ragged = [], [], []
    for line, record in zip(lines[1:], records[1:], strict=True):
        if len(record) == width or (len(record) > width and not any(map(str.strip, record[width:]))):
            even.append(record[:width])
            rows.append(line)
        else:
            ragged.append((line, " | ".join(record)))
    columns = zip(*even, strict=True) if even else [()] * width
    cells = tuple(_objects([cell.strip() for cell in column]) for column in columns)
    return Sheet(where, tuple(header), cells, np.array(rows, dtype=np.int64), tuple(ragged), has_decimal_comma)


def _objects(texts: list[str]) -> NDArray[Any]:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _parquet(path: Path, problems: Problems) -> Sheet | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        problems.add(path.name, f"cannot be read as Parquet ({error})", mend="write the file again")
        return None
    columns = [_objects([_text(value) for value in column.to_pylist()]) for column in table.columns]
    return Sheet(path.name, tuple(table.column_names), tuple(columns), np.arange(1, table.num_rows + 1))


def _workbook(path: Path, problems: Problems) -> Sheet | None:
    import pandas as pd

    try:
        frame = pd.read_excel(path, header=None, dtype=object, engine="openpyxl")
    except ImportError:
        problems.add(path.name, "is an Excel workbook, for which openpyxl is needed", mend="save it as 'CSV UTF-8'")
        return None
    except (ValueError, KeyError, OSError, BadZipFile) as error:
        problems.add(path.name, f"cannot be read as a workbook ({error})", mend="save it as 'CSV UTF-8'")
        return None
    records = [[_text(value) for value in record] for record in frame.itertuples(index=False, name=None)]
    numbered = [(i + 1, record) for i, record in enumerate(records) if any(record)]
    if not numbered:
        problems.add(path.name, "is empty", mend="give its first sheet a header and rows")
        return None
    return _sheet(path.name, [record for _, record in numbered], [i for i, _ in numbered], False)


def _text(value: Any) -> str:
    """Return a typed cell as the text that reads back as the same value."""
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def match_columns(
    spec: RecordSpec, sheet: Sheet, settings: FileSettings, problems: Problems
) -> tuple[Mapping[str, int], Mapping[str, str], tuple[str, ...]]:
    """Return the position of each column of the schema that the file has, units named in headers, and unused headers.

    A header given twice, two headers for one column, and a declared header that is not there are problems.
    """
    declared = {plain(own): target for own, target in settings.columns.items()}
    headers = [plain(name) for name in sheet.header]
    for own in settings.columns:
        if plain(own) not in headers:
            rule = f"({spec.name}.columns) is not a header of {sheet.where}"
            problems.add(NAME, rule, value=own, mend=nearest_name(own, sheet.header))
    positions: dict[str, int] = {}
    units: dict[str, str] = {}
    unused = []
    taken = set(declared.values())
    for position, name in enumerate(sheet.header):
        known = field_of(spec, name)
        target, unit = (declared[headers[position]], "") if headers[position] in declared else known or ("", "")
        if not target or (target in taken and headers[position] not in declared):
            unused.append(name)
        elif target in positions:
            other = sheet.header[positions[target]]
            mend = (
                f"write '{name}: \"\"' under columns in {NAME}" if plain(other) != headers[position] else "rename one"
            )
            problems.add(
                sheet.where, f"is a second column for {target}, beside {other!r}", value=name, row=1, mend=mend
            )
        else:
            positions[target] = position
            units[target] = unit
    return positions, {**units, **settings.units}, tuple(unused)
