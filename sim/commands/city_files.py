"""Every file of a city folder that states its places, as Markdown: what `docs/your-city.md` holds between its marks."""

from __future__ import annotations

from collections.abc import Iterator

from sim.tables import Column, TableSpec


def documentation() -> list[str]:
    """Return a table of columns for each file, in the order in which a folder is filled, as lines of Markdown."""
    lines: list[str] = []
    for file, told, spec in _files():
        lines += [f"#### `{file}`", "", told, "", "| column | values | meaning |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {_values(column)} | {column.doc} |" for column in spec.columns]
        lines.append("")
    return lines


def _files() -> Iterator[tuple[str, str, TableSpec]]:
    from sim.city import schemas as city
    from sim.city.stated import AREAS_SPEC, STATED_CELLS
    from sim.demand import schemas as demand
    from sim.fleet.stated import STATED_STATIONS, STATED_UNITS
    from sim.fleet.tables import UNIT_TYPES
    from sim.travel.given import ZONES

    yield "areas.csv", "Areas (towns, districts, zones); may be left out beside `cells.csv`.", AREAS_SPEC
    yield "cells.csv", "Cells; left out where areas give centres, sizes and residents, or polygons.", STATED_CELLS
    yield "stations.csv", "Stations, open or not yet.", STATED_STATIONS
    yield "units.csv", "Units and their stations.", STATED_UNITS
    told = "Types of unit; may be left out where every unit says its crew and capabilities."
    yield "unit_types.csv", told, UNIT_TYPES
    yield "capabilities.csv", "What units can do, and run cards ask for.", demand.CAPABILITIES
    yield "kinds.csv", "Kinds of incident.", demand.KINDS
    yield "grades.csv", "How large incidents of a kind are, and how large callers take them for.", demand.GRADES
    yield "reports.csv", "Kinds that callers take for another; may hold no rows.", demand.REPORTS
    yield "profiles.csv", "When incidents happen.", demand.PROFILES
    yield "run_cards.csv", "Who is sent.", demand.RUN_CARDS
    yield "exposure.csv", "Where incidents of a kind happen.", demand.EXPOSURE
    told = "Candidates a day; left out, they are made of each run's own rates (`docs/demand.md`)."
    yield "ceilings.csv", told, demand.CEILINGS
    yield "sites.csv", "Special sites; may be left out.", city.SITES
    yield "rail.csv", "Railway stations; may be left out.", city.RAIL
    yield "zones (any name)", "For `travel.matrix_zones`: the zone of each cell; left out, cells are zones.", ZONES


def _values(column: Column) -> str:
    """Return what a column may hold, in words."""
    kinds = {"int": "whole number", "float": "number", "str": "text", "bool": "true or false", "date": "YYYY-MM-DD"}
    words = kinds[column.kind]
    if column.choices is not None:
        words = " or ".join(f"`{choice}`" for choice in column.choices)
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        words += f" {low:,g} to {high:,g}"
    elif low is not None or high is not None:
        words += f" at least {low:,g}" if low is not None else f" at most {high:,g}"
    words += f", {column.unit}" if column.unit else ""
    return words + (", may be empty" if column.optional else "") + (", each once" if column.unique else "")
