"""Two forms of a city folder: what it is made of is derived from a plan, or stated directly.

A folder *derives* where `plan_towns.csv`, `towns.csv` and the siting worlds make towns, cells and stations, and it
*states* where `stations.csv` and `units.csv` say who stands where, and areas or cells say where people live. Tables of
the two forms never stand side by side, so that nobody has to know which of them wins.
"""

from __future__ import annotations

from pathlib import Path

from sim.errors import Problems

STATIONS, UNITS = "stations.csv", "units.csv"
AREAS, POLYGONS, CELLS = "areas.csv", "areas.geojson", "cells.csv"
STATED = (STATIONS, UNITS, AREAS, POLYGONS)
"""Any of these makes a folder one that states."""
DERIVED = (
    "plan_towns.csv", "plan_indicators.csv", "towns.csv", "station_roles.csv", "fleets.csv", "siting/worlds.csv",
)  # fmt: skip
"""What stands in a folder that derives, and must not stand beside any of the above."""


_KEY = "station"
"""Column that tells stated stations from the coordinates that replace a siting world, whatever their file is called."""


def is_stated(folder: Path) -> bool:
    """Return whether the folder states its stations and places.

    Beside a plan a `stations.csv` may be the file that `siting.coordinates` names, which has no column `station`.
    """
    has = [name for name in STATED if (folder / name).is_file()]
    if has == [STATIONS] and (folder / DERIVED[0]).is_file():
        return _KEY in _header(folder / STATIONS)
    return bool(has)


def _header(path: Path) -> list[str]:
    """Return the names of a table's columns; none where it cannot be read, which is told where it is loaded."""
    try:
        with path.open("rb") as file:
            first = file.readline().decode("utf-8-sig", errors="replace")
    except OSError:
        return []
    return [name.strip().strip('"') for name in first.split(",")]


def check_forms(folder: Path, problems: Problems) -> None:
    """Add a problem for each table of the other form, each table that is missing, and places that are given twice."""
    has = {name for name in (*STATED, *DERIVED, CELLS) if (folder / name).is_file()}
    first = next(name for name in STATED if name in has)
    for name in (name for name in DERIVED if name in has):
        rule = f"stands beside {first}: a city either states its stations or derives them from a plan"
        problems.add(name, rule, mend=f"remove {name}, or {', '.join(n for n in STATED if n in has)}")
    for name in (name for name in (STATIONS, UNITS) if name not in has):
        problems.add(name, f"is missing beside {first}", mend="add it; `dgsim new-city DIR` writes one to start from")
    if not has & {AREAS, POLYGONS, CELLS}:
        mend = f"add {AREAS}, {POLYGONS} or {CELLS}"
        problems.add(str(folder), "says nowhere where its people live", mend=mend)
    for name in (AREAS, CELLS):
        if {POLYGONS, name} <= has:
            problems.add(POLYGONS, f"stands beside {name}: both say where the areas are", mend="keep one of them")
