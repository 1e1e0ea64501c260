"""What a report tells about the scenarios themselves: the plan's indicators, travel worlds beside published figures,
stations without a crew, and every assumption with its standing.

These tables come from settings and the city's tables, not from the simulation; the hours flown apart (`priced.py`).
Columns are equally long arrays.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.city.forms import is_stated
from sim.config import configs_root, leaves
from sim.errors import Problems
from sim.metrics.store import Columns, columns_of
from sim.money.prices import FILE as PRICES_FILE
from sim.run.priced import money_table
from sim.run.work import Arm, Work
from sim.tables.reading import read_text

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder
    from sim.fleet import Stations
    from sim.plan import Plan
    from sim.settings import Settings

NO_CREW = ("opens_empty", "falls_empty", "no_station")
_MAX_SOURCE_TEXTS = 4


def described_tables(job: tuple[Work, Mapping[str, Iterable[int]]]) -> dict[str, Columns]:
    """Return the tables `indicators`, `travel_worlds`, `empty_stations`, `money`, `assumptions` and `names`.

    No empty one is among them.

    `job`: the work, and for each arm the replications that stand for its siting worlds.
    """
    from sim.assemble import InputsBuilder

    (work, worlds), builder = job, InputsBuilder()
    tables = {
        "indicators": indicators_table(work, builder),
        "travel_worlds": travel_worlds_table(work, worlds, builder),
        "empty_stations": empty_stations_table(work, builder),
        "money": money_table(work, worlds, builder),
        "assumptions": columns_of([*setting_rows(work), *city_rows(work.arms[0].settings.city_folder())]),
        "names": names_table(work, builder),
    }
    return {name: table for name, table in tables.items() if table}


# --- the plan's indicators --------------------------------------------------------------------------------------------


def indicators_table(work: Work, builder: InputsBuilder) -> Columns:
    """Return the plan's indicators that a scenario decides, at each year's end.

    Columns: arm, year, indicator, value, target, met. `target` is the one in force that year, or the first.
    """
    from sim.units import MS_PER_DAY

    rows = []
    for arm in work.arms:
        plan, calendar = builder.plan(arm.settings), builder.calendar(arm.settings)
        changes = builder.changes(arm.settings, 0)
        measured = range(calendar.measure_from_ms // MS_PER_DAY, calendar.measure_to_ms // MS_PER_DAY)
        last_day = {int(calendar.year[day]): day for day in measured}
        for year, day in sorted(last_day.items()):
            step = [s for s in changes.staff_steps if s.time_ms <= day * MS_PER_DAY][-1]
            values = {
                "stations_per_100k": 100_000.0 * step.n_open / step.residents,
                "staff_share": step.permille,
            }
            for name, value in values.items():
                target = _target(plan, name, year)
                if target is not None:
                    is_met = value >= target - 1e-9
                    rows.append({"arm": arm.name, "year": year, "indicator": name, "value": value, "target": target})
                    rows[-1]["met"] = is_met
    return columns_of(rows)


def _target(plan: Plan, name: str, year: int) -> float | None:
    """Return the plan's target of a year, or None where it has none."""
    targets = {
        i.year: i.value for i in plan.indicators if i.id == name and i.role == "target" and not math.isnan(i.value)
    }
    if not targets:
        return None
    in_force = [y for y in targets if y <= year]
    return targets[max(in_force) if in_force else min(targets)]


# --- travel worlds ----------------------------------------------------------------------------------------------------


def travel_worlds_table(work: Work, worlds: Mapping[str, Iterable[int]], builder: InputsBuilder) -> Columns:
    """Return each travel world's figures beside the published ones, the stations of the run's start standing.

    Figures of the model are means over the siting worlds; the travel noise of the run is in shares within a time.
    """
    from sim.travel.benchmarks import benchmarks

    published = configs_root() / "travel" / "published.csv"
    if not published.is_file():
        return {}
    rows = []
    for arm in _first_by(work.arms, lambda arm: arm.settings.travel.name):
        settings = arm.settings
        tables, city = builder.travel(settings), builder.city(settings)
        noise = math.hypot(settings.times.travel_common_sigma, settings.times.travel_own_sigma)
        found = []
        for replication in worlds[arm.name]:
            fleet = builder.fleet(settings, replication)
            is_open = builder.changes(settings, replication).open_stations(0, fleet.stations.n_stations)
            is_open &= fleet.stations.help_grade == 0
            found.append(benchmarks(tables, city, fleet.stations.cell[is_open], published, settings.travel, noise))
        for same in zip(*found, strict=True):
            rows.append(
                {
                    "travel": settings.travel.name,
                    "benchmark": same[0].figure,
                    "place": same[0].place,
                    "unit": same[0].unit,
                    "model_value": float(np.mean([figure.modelled for figure in same])),
                    "published_value": same[0].published,
                    "doc_zh": same[0].doc_zh,
                    "doc_en": same[0].doc_en,
                    "source": same[0].source,
                }
            )
    return columns_of(rows)


def _first_by(arms: Iterable[Arm], key: Any) -> list[Arm]:
    """Return the first arm of each value of `key`."""
    found: dict[str, Arm] = {}
    for arm in arms:
        found.setdefault(key(arm), arm)
    return list(found.values())


# --- stations without a crew ------------------------------------------------------------------------------------------


def empty_stations_table(work: Work, builder: InputsBuilder) -> Columns:
    """Return the stations that are open without people for any of their units: arm, station, town, date, reason."""
    rows = []
    for arm in work.arms:
        changes, calendar = builder.changes(arm.settings, 0), builder.calendar(arm.settings)
        stations = builder.fleet(arm.settings, 0).stations
        codes = builder.city(arm.settings).towns.code
        for note in changes.notes:
            if note.code in NO_CREW:
                town = codes[stations.town[note.station]] if note.station >= 0 else ""
                name = f"{town}-{int(stations.k[note.station])}" if note.station >= 0 else ""
                row = {
                    "arm": arm.name,
                    "station": name,
                    "town": town,
                    "date": calendar.date_of(note.time_ms).isoformat(),
                }
                rows.append(row | {"reason": note.code, "text": note.text})
    return columns_of(rows)


# --- names ------------------------------------------------------------------------------------------------------------


def names_table(work: Work, builder: InputsBuilder) -> Columns:
    """Return what codes of other tables are called: of (unit_type, base, station, team, capability), code, names.

    Columns: of, code, name_zh, name_en. Bases are those of teams and aircraft and the posts outside the city; stations
    are those that the city states, by area and number in it (`west-2`); a capability's code is its bit.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for arm in work.arms:
        fleet = builder.fleet(arm.settings, 0)
        types, stations = fleet.unit_types, fleet.stations
        named = [("unit_type", *names) for names in zip(types.code, types.name_zh, types.name_en, strict=True)]
        every = zip(stations.name, stations.name_zh, stations.name_en, stations.town >= 0, strict=True)
        named += [("base", code, zh, en) for code, zh, en, is_own in every if not is_own]
        if is_stated(arm.settings.city_folder()):
            named += _stated_stations(stations, builder.city(arm.settings).towns.code)
        for of, code, zh, en in named:
            found.setdefault((of, code), (zh, en))
    for row in _rows_of(work.arms[0].settings.city_folder() / "capabilities.csv"):
        found["capability", row["bit"]] = (row["name_zh"], row["name_en"])
    if any(arm.settings.teams.teams for arm in work.arms):
        for row in _rows_of(work.arms[0].settings.city_folder() / "teams.csv"):
            found["team", row["team"]] = (row["name_zh"], row["name_en"])
    return columns_of(
        [{"of": of, "code": code, "name_zh": zh, "name_en": en} for (of, code), (zh, en) in found.items()]
    )


def _stated_stations(stations: Stations, towns: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Return (station, area-number, name_zh, name_en) of each of the city's own stations."""
    every = zip(stations.town.tolist(), stations.k.tolist(), stations.name_zh, stations.name_en, strict=True)
    return [("station", f"{towns[town]}-{k}", zh, en) for town, k, zh, en in every if town >= 0]


def teams_of(settings: Settings) -> dict[tuple[str, str], str]:
    """Return the team of each (base, type of unit) of the settings' city, {} where there is none.

    Units of no team that teams.csv names, as fire boats, are left out: they are told by their base.
    """
    if not settings.teams.teams:
        return {}
    rows, named = (_rows_of(settings.city_folder() / name) for name in ("team_units.csv", "teams.csv"))
    known = {row["team"] for row in named}
    return {(row["base"], row["unit_type"]): row["team"] for row in rows if row["team"] in known}


# --- assumptions ------------------------------------------------------------------------------------------------------


def setting_rows(work: Work) -> list[dict[str, str]]:
    """Return one row per setting that states a fact of the city: key, value, standing, source, arms ("": all)."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for arm in work.arms:
        values = dict(leaves(arm.settings.as_map()))
        is_priced = (arm.settings.city_folder() / PRICES_FILE).is_file()
        silent = ("run.",) if is_priced else ("run.", "money.")
        for key, entry in arm.about.items():
            if key.startswith(silent):
                continue
            text = _value_text({k: v for k, v in values.items() if k == key or k.startswith(f"{key}.")}, key)
            if text:
                found.setdefault((key, text, entry.standing, entry.source), []).append(arm.name)
    return [
        _assumption(key, value, standing, source, "" if len(arms) == len(work.arms) else ", ".join(arms))
        for (key, value, standing, source), arms in sorted(found.items())
    ]


def _assumption(key: str, value: str, standing: str, source: str, arms: str = "") -> dict[str, str]:
    return {"key": key, "value": value, "standing": standing, "source": source, "arms": arms}


def _value_text(found: Mapping[str, Any], key: str) -> str:
    """Return a setting's value as text; a list or map as JSON of its leaves; "" for one that is not there."""
    if list(found) == [key]:
        value = found[key]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps({k[len(key) + 1 :]: v for k, v in found.items()}, ensure_ascii=False) if found else ""


def city_rows(folder: Path) -> list[dict[str, str]]:
    """Return one row per table of the city folder, pair of source and standing columns, and standing: how many rows."""
    rows = []
    for path in sorted(folder.rglob("*.csv")):
        name = path.relative_to(folder).as_posix()
        if not _names_standing(path):
            continue  # no table of the city's, a matrix for instance, which may be large
        content = _rows_of(path)
        for column in [column for column in (content[0] if content else ()) if column.endswith("standing")]:
            part = column.removesuffix("standing").rstrip("_")
            rows += _by_standing(f"{name}: {part}" if part else name, content, column)
    return rows


def _names_standing(path: Path) -> bool:
    with path.open("rb") as file:
        return b"standing" in file.readline()


def _rows_of(path: Path) -> list[dict[str, str]]:
    problems = Problems()
    text = read_text(path, problems)
    problems.raise_if_any()
    return list(csv.DictReader((text or "").splitlines(keepends=True)))


def _by_standing(key: str, content: list[dict[str, str]], column: str) -> list[dict[str, str]]:
    source = column.removesuffix("standing") + "source"
    groups: dict[str, dict[str, int]] = {}
    for row in content:
        texts = groups.setdefault(row[column], {})
        texts[row.get(source) or ""] = texts.get(row.get(source) or "", 0) + 1
    rows = []
    for standing, texts in sorted(groups.items()):
        often = sorted(texts, key=lambda text: -texts[text])
        more = f" … and {len(often) - _MAX_SOURCE_TEXTS} other sources" if len(often) > _MAX_SOURCE_TEXTS else ""
        told = "; ".join(text for text in often[:_MAX_SOURCE_TEXTS] if text) + more
        rows.append(_assumption(key, f"{sum(texts.values())} rows", standing, told))
    return rows
