"""Checked tables: a CSV file becomes typed columns, or one error that lists everything wrong with it.

A table is declared once as a `TableSpec` (names, types, units, ranges, keys, a line of meaning per column) by the part
that owns it; this package only reads, checks and writes. It must not know what any table means, nor any city.

Readers add to a list of problems and the caller raises once (`Problems.raise_if_any`). Problems first, table second: a
table that came with problems holds only its faultless rows and is good for nothing but further checks.

`spec.py` declares, `cells.py` turns texts into values and back, `reading.py` and `writing.py` do the files.
"""

from sim.tables.reading import check_references, read_table
from sim.tables.spec import KINDS, KNOWN_FROM, SOURCE, STANDING, STANDINGS, Column, Kind, Table, TableSpec
from sim.tables.writing import write_table

__all__ = [
    "KINDS",
    "KNOWN_FROM",
    "SOURCE",
    "STANDING",
    "STANDINGS",
    "Column",
    "Kind",
    "Table",
    "TableSpec",
    "check_references",
    "read_table",
    "write_table",
]
