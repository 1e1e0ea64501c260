"""What one choice says about another: towns, kinds, siting worlds, files and years that must exist in the city.

Only names are looked up here, quickly and together; what needs the tables themselves (people, cells, builds) is
checked where they are built, before the first replication. Works on raw maps, so that it can run beside failed types
and ranges.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sim.city.forms import AREAS, CELLS, STATIONS, is_stated
from sim.errors import Problems, nearest_name
from sim.settings import GIVEN_FILES, check_city

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}")
"""What has another form is told by the settings' own checks."""
_STATED = "stated"
"""Choice of `siting` for cities that state their stations."""
_OPTIONAL_TABLES = {("mutual_aid", "senders"): ("none", "mutual_aid.csv")}
"""Tables that a city may lack: setting -> (its value without the table, the table's name)."""


def check_references(content: Mapping[str, Any], where_of: Mapping[str, str], problems: Problems) -> None:
    """Add a problem for every date in `content` that is none, and every name that the chosen city does not know."""
    _check_dates(content, where_of, problems)
    city = _get(content, "city", "folder")
    folder = check_city(city, _where(where_of, "city.folder"), problems) if isinstance(city, str) and city else None
    if folder is None:
        return
    if is_stated(folder):
        _check_stated(content, folder, where_of, problems)
    else:
        _check_siting(content, folder, where_of, problems)
    _check_files(content, folder, where_of, problems)
    towns, kinds = _towns_of(folder), _codes(folder / "kinds.csv", "code")
    is_plan_lacking = is_stated(folder) and bool(_get(content, "schedule", "is_plan_built"))
    for key, name in _named_towns(content):
        if is_plan_lacking and key.startswith("schedule."):
            continue  # the whole schedule is told already
        where = "the city's areas" if is_stated(folder) else "towns.csv"
        _check_name(key, name, towns, where, where_of, problems)
    for key, name in _named_kinds(content):
        _check_name(key, name, kinds, "kinds.csv", where_of, problems)


def _check_dates(content: Mapping[str, Any], where_of: Mapping[str, str], problems: Problems) -> None:
    """Add a problem for every text that looks like a date and is none, and for a window that ends before it begins."""
    days = {key: _day(value) for key, value in _dates(content)}
    for key, value in _dates(content):
        if days[key] is None:
            mend = "give a day that the calendar has"
            problems.add(_where(where_of, key), f"({key}) is not a day", value=value, mend=mend)
    first, last = days.get("window.measure_from"), days.get("window.measure_to")
    if first and last and first >= last:
        where, mend = _where(where_of, "window.measure_to"), "give a later day"
        problems.add(where, f"(window.measure_to) must come after measure_from, {first}", value=str(last), mend=mend)


def _dates(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found = {
        "window.measure_from": _get(content, "window", "measure_from"),
        "window.measure_to": _get(content, "window", "measure_to"),
        "schedule.command_centre_from": _get(content, "schedule", "command_centre_from"),
    }
    rows = (("staffing", "steps", "from_date"), ("schedule", "rows", "date"), ("planted", "events", "date"))
    for group, name, field in rows:
        found |= dict(_of_rows(content, group, name, field))
    yield from ((key, text) for key, text in found.items() if isinstance(text, str) and _FORM.fullmatch(text))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _check_stated(content: Mapping[str, Any], folder: Path, where_of: Mapping[str, str], problems: Problems) -> None:
    """Add a problem for each choice that needs a plan or siting worlds in a city that states its stations."""
    builds_plan = _get(content, "schedule", "is_plan_built")
    needs = (
        ("schedule.is_plan_built", builds_plan, "the plan's building table", "choose schedule=none"),
        ("water_supply.is_plan_built", _get(content, "water_supply", "is_plan_built"), "the plan's hydrants", ""),
        ("siting.coordinates", _get(content, "siting", "coordinates"), "a siting world to replace", ""),
        ("siting.world", (_get(content, "siting", "world") or 0) > 0, "siting worlds", "choose siting=stated"),
        (
            "fleet.classes_left_out",
            _get(content, "fleet", "classes_left_out"),
            "rules of roles",
            "choose fleet=default",
        ),
    )
    for key, is_asked, what, mend in needs:
        if is_asked:
            rule = f"({key}) needs {what}, which a city that states its stations in {STATIONS} does not have"
            problems.add(_where(where_of, key), rule, value=is_asked, mend=mend or "leave it as it is by default")
    is_on_roads = _get(content, "travel", "local_kmh") and _get(content, "travel", "detour") is None
    if is_on_roads and not (folder / "road_classes.csv").is_file():
        rule = "(travel) drives on roads, and the city folder has no road_classes.csv"
        problems.add(_where(where_of, "travel"), rule, mend="choose travel=distance or travel=matrix")


def _check_siting(content: Mapping[str, Any], folder: Path, where_of: Mapping[str, str], problems: Problems) -> None:
    world = _get(content, "siting", "world")
    if _get(content, "siting", "name") == _STATED:
        rule = f"(siting) needs stations that the city states in {STATIONS}, which the city folder does not have"
        problems.add(_where(where_of, "siting"), rule, value=_STATED, mend="choose siting=worlds")
    if _get(content, "siting", "coordinates"):
        return
    worlds = _codes(folder / "siting" / "worlds.csv", "world")
    if isinstance(world, int) and world >= len(worlds):
        mend = f"the city has {len(worlds)}, numbered from 0"
        problems.add(_where(where_of, "siting.world"), "(siting.world) is not a siting world", value=world, mend=mend)


def _check_files(content: Mapping[str, Any], folder: Path, where_of: Mapping[str, str], problems: Problems) -> None:
    for key in GIVEN_FILES:
        given = _get(content, *key.split("."))
        if isinstance(given, str) and given and not Path(given).is_file():
            problems.add(_where(where_of, key), f"({key}) does not exist", value=given, mend="name a file")
    roles = _get(content, "fleet", "roles")
    if isinstance(roles, str) and not is_stated(folder) and not (folder / roles).is_file():
        mend = nearest_name(roles, [path.name for path in folder.glob("*.csv")])
        problems.add(_where(where_of, "fleet.roles"), "(fleet.roles) is not in the city folder", value=roles, mend=mend)

    for (group, key), (off, name) in _OPTIONAL_TABLES.items():
        chosen = _get(content, group, key)
        if chosen not in (None, off) and not (folder / name).is_file():
            rule = f"({group}.{key}) needs {name}, which the city folder does not have"
            problems.add(_where(where_of, f"{group}.{key}"), rule, value=chosen, mend=f"add the table or take {off!r}")


def _named_towns(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _get(content, "demand", "town_factor") or {}:
        yield f"demand.town_factor.{name}", name
    yield from _of_rows(content, "schedule", "rows", "town")
    yield from ((key, town) for key, town in _of_rows(content, "planted", "events", "town") if town)


def _of_rows(content: Mapping[str, Any], group: str, name: str, field: str) -> Iterator[tuple[str, Any]]:
    """Yield key and text of one field of each row of a list of rows."""
    rows = _get(content, group, name)
    for i, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, Mapping) and isinstance(row.get(field), str):
            yield f"{group}.{name}.{i}.{field}", row[field]


def _named_kinds(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for table in ("kind_factor", "extra_alarms_per_year"):
        yield from ((f"demand.{table}.{name}", name) for name in _get(content, "demand", table) or {})
    for i, name in enumerate(_get(content, "rail", "kinds") or []):
        yield f"rail.kinds.{i}", name
    surges = _get(content, "demand", "surges")
    for surge, values in (surges if isinstance(surges, Mapping) else {}).items():
        yield from _kinds_of_shares(f"demand.surges.{surge}", values)
    for i, event in enumerate(_get(content, "planted", "events") or []):
        yield from _kinds_of_shares(f"planted.events.{i}", event)
    for i, series in enumerate(_get(content, "planted", "series") or []):
        kinds = series.get("kinds") if isinstance(series, Mapping) else None
        for j, name in enumerate(kinds if isinstance(kinds, list) else []):
            yield f"planted.series.{i}.kinds.{j}", name
    tables = (("times", "access_min"), ("times", "scene_min"), ("times", "latent_min"), ("aviation", "scene_min"))
    for group, table in tables:
        yield from ((f"{group}.{table}.{name}", name) for name in _get(content, group, table) or {})


def _kinds_of_shares(key: str, values: Any) -> Iterator[tuple[str, Any]]:
    """Yield key and name of every kind in the shares of a surge day or a planted event."""
    shares = values.get("kind_share") if isinstance(values, Mapping) else None
    yield from ((f"{key}.kind_share.{name}", name) for name in (shares if isinstance(shares, Mapping) else {}))


def _check_name(
    key: str, name: Any, known: Iterable[str], file: str, where_of: Mapping[str, str], problems: Problems
) -> None:
    known = list(known)
    if known and name not in known:
        problems.add(
            _where(where_of, key), f"({key}) is not in {file}", value=name, mend=nearest_name(str(name), known)
        )


def _codes(path: Path, column: str) -> list[str]:
    """Return one column of a table; empty when it cannot be read, which is reported where the table is loaded."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [row[column] for row in csv.DictReader(file) if row.get(column)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _towns_of(folder: Path) -> list[str]:
    """Return the codes of the city's towns or areas; empty when no table lists them."""
    places = (("towns.csv", "code"), (AREAS, "area"), (CELLS, "area"))
    return next((found for name, column in places if (found := _codes(folder / name, column))), [])


def _get(content: Mapping[str, Any], group: str, key: str) -> Any:
    values = content.get(group)
    return values.get(key) if isinstance(values, Mapping) else None


def _where(where_of: Mapping[str, str], key: str) -> str:
    parts = key.split(".")
    for n in range(len(parts), 0, -1):
        if ".".join(parts[:n]) in where_of:
            return where_of[".".join(parts[:n])]
    return "settings"
