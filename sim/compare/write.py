"""Writes the tables of a comparison: Parquet always, CSV that Excel opens and XLSX of the towns on request."""

from __future__ import annotations

import csv
import datetime
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sim.metrics.store import Columns, read_columns, write_columns

TABLE_VERSION = 2
"""Schema version of every table of a comparison; it grows when a column changes its name or its meaning."""
SQL = "headlines.sql"
_XLSX_METRICS = ("p50", "p90", "mean", "share_300", "share_600")


def write_tables(tables: Mapping[str, Columns], folder: Path, *, csv: bool = False, xlsx: bool = False) -> list[Path]:
    """Write each table as `<name>.parquet` and `headlines.sql` beside them; return the files written.

    `csv` adds `<name>.csv` (utf-8 with a byte-order mark), `xlsx` adds `towns.xlsx`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, columns in tables.items():
        files.append(folder / f"{name}.parquet")
        write_columns(files[-1], columns, name, TABLE_VERSION)
        if csv:
            files.append(folder / f"{name}.csv")
            write_csv(files[-1], columns)
    files.append(folder / SQL)
    files[-1].write_text(headlines_sql(has_pairs="contrasts" in tables), encoding="utf-8", newline="\n")
    if xlsx:
        files.append(folder / "towns.xlsx")
        write_towns_xlsx(files[-1], tables)
    return files


def headlines_sql(*, has_pairs: bool) -> str:
    """Return the script that recomputes the headlines; without the parts between `pairs {` and `pairs }` if asked."""
    text = Path(__file__).with_name(SQL).read_text(encoding="utf-8")
    return (
        re.sub(r"^-- pairs \{\n.*?^-- pairs \}\n", "", text, flags=re.MULTILINE | re.DOTALL) if not has_pairs else text
    )


def read_tables(folder: Path) -> dict[str, Columns]:
    """Return the tables that `write_tables` wrote, by name."""
    return {path.stem: read_columns(path, path.stem, TABLE_VERSION) for path in sorted(folder.glob("*.parquet"))}


def _plain(value: Any) -> Any:
    """Return a cell's value for a sheet: nothing for what is unknown, the word for what is without end."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "" if math.isnan(value) else "inf"
    return "" if value is None else value


def write_csv(path: Path, columns: Columns) -> None:
    """Write columns as CSV in utf-8 with a byte-order mark, so that Excel reads Chinese names."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([_plain(value) for value in row])


def write_towns_xlsx(path: Path, tables: Mapping[str, Columns]) -> None:
    """Write a workbook of the towns: figures, differences, next stations; the same bytes for the same tables."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "nan_inf_to_errors": False})
    book.set_properties({"created": datetime.datetime(2000, 1, 1)})
    names = tables.get("town_names", {})
    _sheet(book, "towns", _told(tables.get("towns", {}), names))
    contrasts = tables.get("contrasts", {})
    is_town = contrasts["scope"] == "town" if contrasts else np.zeros(0, dtype=bool)
    _sheet(book, "differences", _told({k: v[is_town] for k, v in contrasts.items()}, names))
    _sheet(book, "one more station", _named(tables.get("one_more", {}), names))
    book.close()


def _told(table: Columns, names: Columns) -> Columns:
    """Return the headline rows of the metrics a planner reads."""
    if not table:
        return {}
    keep = (table["group"] == "headline") & (table["clock"] == "arrival")
    keep &= np.isin(table["metric"].astype(str), _XLSX_METRICS)
    return _named({name: values[keep] for name, values in table.items()}, names)


def _named(table: Columns, names: Columns) -> Columns:
    """Return the table with the towns' names after their codes."""
    if not table or not names:
        return dict(table)
    zh = dict(zip(names["town"], names["name_zh"], strict=True))
    en = dict(zip(names["town"], names["name_en"], strict=True))
    out: Columns = {}
    for name, values in table.items():
        out[name] = values
        if name == "town":
            out["name_zh"] = np.array([zh[town] for town in values], dtype=object)
            out["name_en"] = np.array([en[town] for town in values], dtype=object)
    return out


def _sheet(book: Any, title: str, columns: Columns) -> None:
    if not columns:
        return
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, list(columns), book.add_format({"bold": True}))
    for place, row in enumerate(zip(*columns.values(), strict=True)):
        sheet.write_row(place + 1, 0, [_plain(value) for value in row])
