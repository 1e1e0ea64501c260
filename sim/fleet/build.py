"""Who stands where: one siting world's stations and their units, from the plan's counts and the city's fleet tables.

Steps of `build_fleet`: order the sites by town and number; compare their counts with the plan; give each station its
role by rule; lay out its bays. The result holds every station and unit that is ever there, so that ids are the same in
every schedule. Next: `changes.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.fleet.parts import CityLike, Fleet, PlanLike, SitingLike, StationClasses, Stations, Units
from sim.fleet.tables import FleetTables, Role

WHERE = "siting"

Scalar = TypeVar("Scalar", bound=np.generic)


def build_fleet(city: CityLike, plan: PlanLike, siting: SitingLike, tables: FleetTables) -> Fleet:
    """Return the stations and units of one siting world.

    Stations are ordered by town, then by number within the town; units by station, then by bay, those of a later
    upgrade last.

    Raises
    ------
    InputError
        With all problems: plan towns that the city does not have; sites in no town or cell; a town with another number
        of standing sites than the plan, or with fewer new ones than the plan builds; roles that name an unknown town
        or class or fit no station; stations without a role; units that no crew of their station's class can man.
    """
    problems = Problems()
    known = station_classes(plan)
    order = np.lexsort((siting.k, siting.town))
    if not _are_sites_in_city(city, siting, problems):
        problems.raise_if_any()
    town, is_existing = siting.town[order], siting.is_existing[order]
    number = _number_in_group(town, is_existing)
    planned_year = _planned_year(city, plan, town, is_existing, number, problems)
    roles = _roles(city, tables, known, town, is_existing, number, problems)
    problems.raise_if_any()
    class_id = {code: i for i, code in enumerate(known.code)}
    stations = _stations(city, siting, order, roles, class_id, planned_year)
    units = _units(stations, roles, tables, known, problems)
    problems.raise_if_any()
    return Fleet(stations, units, known, tables.unit_types)


def station_classes(plan: PlanLike) -> StationClasses:
    """Return the plan's classes that have an on-duty figure, in the plan's order."""
    rows = []
    for station_class in plan.classes:
        figure = station_class.figures.get("on_duty")
        if figure is not None:
            bounds = [int(bound) for bound in (figure.low, figure.high) if not math.isnan(bound)]
            rows.append((station_class, bounds[0] + bounds[-1], bounds[-1]))
    return StationClasses(
        code=tuple(row[0].id for row in rows),
        name_zh=tuple(row[0].name_zh for row in rows),
        name_en=tuple(row[0].name_en for row in rows),
        weight=_fixed(np.array([row[1] for row in rows], dtype=np.int64)),
        on_duty_max=_fixed(np.array([row[2] for row in rows], dtype=np.int64)),
    )


def _are_sites_in_city(city: CityLike, siting: SitingLike, problems: Problems) -> bool:
    """Add a problem for each site in no town or no cell, or out of order; tell whether there was none."""
    n_towns, n_cells = len(city.towns.code), len(city.cells.town)
    n_before = len(problems.found)
    for site in range(len(siting.cells)):
        if not 0 <= siting.town[site] < n_towns:
            problems.add(WHERE, f"site {site}: town is not one of the city's {n_towns}", value=int(siting.town[site]))
        if not 0 <= siting.cells[site] < n_cells:
            problems.add(WHERE, f"site {site}: cell is not one of the city's {n_cells}", value=int(siting.cells[site]))
    if len(problems.found) > n_before:
        return False
    order = np.lexsort((siting.k, siting.town))
    town, k, stands = siting.town[order], np.asarray(siting.k)[order], siting.is_existing[order]
    for i in range(1, len(order)):
        code = city.towns.code[town[i]]
        if town[i] == town[i - 1] and k[i] == k[i - 1]:
            problems.add(WHERE, f"town {code!r} has two sites of this number", value=int(k[i]), mend="number them anew")
        if town[i] == town[i - 1] and stands[i] and not stands[i - 1]:
            rule = f"town {code!r}: a standing site comes after a new one"
            problems.add(WHERE, rule, value=int(k[i]), mend="number the standing sites first")
    return len(problems.found) == n_before


def _number_in_group(town: NDArray[np.int16], is_existing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return each station's number, from 1, among the standing or the new ones of its town."""
    number = np.ones(len(town), dtype=np.int64)
    for i in range(1, len(town)):
        if town[i] == town[i - 1] and is_existing[i] == is_existing[i - 1]:
            number[i] = number[i - 1] + 1
    return number


def _planned_year(
    city: CityLike,
    plan: PlanLike,
    town: NDArray[np.int16],
    is_existing: NDArray[np.bool_],
    number: NDArray[np.int64],
    problems: Problems,
) -> NDArray[np.int16]:
    """Return the year of the plan in which each station is built (0 stands already, -1 not in the plan)."""
    years = np.where(is_existing, 0, -1).astype(np.int16)
    n_of = {(t, e): int(np.sum((town == t) & (is_existing == e))) for t in range(len(city.towns.code)) for e in (0, 1)}
    for row, code in enumerate(plan.code):
        if code not in city.towns.code:
            problems.add("plan", "town is not in the city", value=code, mend=nearest_name(code, city.towns.code))
            continue
        t = city.towns.code.index(code)
        if n_of[t, 1] != plan.stations_now[row]:
            rule = f"town {code!r} has {n_of[t, 1]} standing sites, the plan counts {int(plan.stations_now[row])}"
            problems.add(WHERE, rule, mend="give the siting as many standing sites as the plan")
        until = np.cumsum(plan.builds[row])
        if len(until) and until[-1] > n_of[t, 0]:
            rule = f"the plan builds {int(until[-1])} stations in {code!r}, the siting has {n_of[t, 0]} new sites"
            problems.add("plan", rule, value=int(until[-1]), mend="add sites or build less")
        for i in np.flatnonzero((town == t) & ~is_existing):
            column = int(np.searchsorted(until, number[i]))
            if column < len(until):
                years[i] = plan.years[column]
    return years


def _roles(
    city: CityLike,
    tables: FleetTables,
    classes: StationClasses,
    town: NDArray[np.int16],
    is_existing: NDArray[np.bool_],
    number: NDArray[np.int64],
    problems: Problems,
) -> list[Role]:
    """Return each station's role; add what is wrong with the rules, and the stations that have none."""
    _check_roles(city, tables, classes, town, is_existing, problems)
    roles: list[Role] = []
    for i in range(len(town)):
        code, group = city.towns.code[town[i]], "existing" if is_existing[i] else "new"
        role = tables.role(code, group, int(number[i]))
        if role is None:
            rule = f"no rule fits station {number[i]} of the {group} ones of {code!r}"
            problems.add(tables.roles_where, rule, mend=f"add a rule for {group} stations with empty town and number")
        else:
            roles.append(role)
    return roles


def _check_roles(
    city: CityLike,
    tables: FleetTables,
    classes: StationClasses,
    town: NDArray[np.int16],
    is_existing: NDArray[np.bool_],
    problems: Problems,
) -> None:
    where = tables.roles_where
    for (code, group, number), role in tables.roles.items():
        if code and code not in city.towns.code:
            mend = nearest_name(code, city.towns.code)
            problems.add(where, "(town) is not in towns.csv", value=code, row=role.row, mend=mend)
        elif code:
            in_town = town == city.towns.code.index(code)
            n = int(np.sum(in_town & (is_existing == (group == "existing"))))
            if number > n:
                rule = f"(number) there are only {n} {group} stations in {code!r}"
                problems.add(where, rule, value=number, row=role.row, mend="lower it or drop the row")
        for column in ("station_class", "later_class"):
            name = getattr(role, column)
            if name and name not in classes.code:
                mend, rule = nearest_name(name, classes.code), "has no on_duty figure in station_classes.csv"
                problems.add(where, f"({column}) {rule}", value=name, row=role.row, mend=mend)


def _stations(
    city: CityLike,
    siting: SitingLike,
    order: NDArray[np.int64],
    roles: list[Role],
    class_id: Mapping[str, int],
    planned_year: NDArray[np.int16],
) -> Stations:
    town = siting.town[order].astype(np.int16)
    site = _number_in_group(town, np.zeros(len(town), dtype=np.bool_))
    towns = city.towns
    return Stations(
        town=_fixed(town),
        k=_fixed(np.asarray(siting.k)[order].astype(np.int16)),
        cell=_fixed(siting.cells[order].astype(np.int32)),
        class_id=_fixed(np.array([class_id[role.station_class] for role in roles], dtype=np.int8)),
        is_existing=_fixed(siting.is_existing[order].astype(np.bool_)),
        name=tuple(f"{towns.code[t]}-{n:02d}" for t, n in zip(town, site, strict=True)),
        name_zh=tuple(r.name_zh or f"{towns.name_zh[t]} {n}" for t, n, r in zip(town, site, roles, strict=True)),
        name_en=tuple(r.name_en or f"{towns.name_en[t]} {n}" for t, n, r in zip(town, site, roles, strict=True)),
        brigade=tuple(role.brigade for role in roles),
        later_class_id=_fixed(np.array([class_id.get(role.later_class, -1) for role in roles], dtype=np.int8)),
        planned_year=_fixed(planned_year),
        help_grade=_fixed(np.zeros(len(town), dtype=np.int8)),
    )


def _units(
    stations: Stations, roles: list[Role], tables: FleetTables, classes: StationClasses, problems: Problems
) -> Units:
    rows: list[tuple[int, int, int, bool]] = []
    for station, role in enumerate(roles):
        now, later = tables.bays[role.fleet], tables.bays[role.added_fleet] if role.added_fleet else ()
        rows += [(station, type_id, bay + 1, bay >= len(now)) for bay, type_id in enumerate(now + later)]
    _check_crews(stations, roles, tables, classes, problems)
    types = tables.unit_types
    type_id = np.array([row[1] for row in rows], dtype=np.int16)
    return Units(
        station=_fixed(np.array([row[0] for row in rows], dtype=np.int32)),
        type_id=_fixed(type_id),
        capabilities=_fixed(types.capabilities[type_id]),
        crew_min=_fixed(types.crew_min[type_id]),
        crew_preferred=_fixed(types.crew_preferred[type_id]),
        bay=_fixed(np.array([row[2] for row in rows], dtype=np.int16)),
        is_added=_fixed(np.array([row[3] for row in rows], dtype=np.bool_)),
        traits=_fixed(types.traits[type_id]),
    )


def _check_crews(
    stations: Stations, roles: list[Role], tables: FleetTables, classes: StationClasses, problems: Problems
) -> None:
    """Add a problem for each type of unit whose smallest crew is above what a class of stations has on duty at most."""
    types = tables.unit_types
    housed: dict[tuple[int, str], list[str]] = {}
    for station, role in enumerate(roles):
        for fleet, class_code in ((role.fleet, role.station_class), (role.added_fleet, role.later_class)):
            for type_id in sorted(set(tables.bays[fleet])) if fleet else ():
                housed.setdefault((type_id, class_code), []).append(stations.name[station])
    for (type_id, class_code), names in housed.items():
        most = int(classes.on_duty_max[classes.code.index(class_code)])
        if types.crew_min[type_id] > most:
            value = f"{types.code[type_id]}: crew_min {types.crew_min[type_id]}"
            more = f" nor at {len(names) - 1} more" if len(names) > 1 else ""
            rule = f"no crew can man it at {names[0]!r}{more}: {class_code} has at most {most} on duty"
            problems.add("unit_types.csv", rule, value=value, mend="lower crew_min or house it elsewhere")


def _fixed(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return the array, no longer writeable."""
    array.flags.writeable = False
    return array
