"""What each scenario spends, for the table `money`: from its dated changes, its settings, and the hours it flew.

Hours flown are means over the arm's replications; vehicles replaced are means over its siting worlds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.fleet.bases import is_base
from sim.metrics.store import REPLICATION_SCHEMAS, Columns, columns_of, read_columns
from sim.run.work import Arm, Work, replication_folder
from sim.units import MS_PER_H

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.assemble import InputsBuilder
    from sim.demand.calendar import Calendar
    from sim.money import Levers, Years
    from sim.settings import Settings


def money_table(work: Work, worlds: Mapping[str, Iterable[int]], builder: InputsBuilder) -> Columns:
    """Return what each scenario costs, by year (0: the window), item and class or type; {} for a city without prices.

    Columns: arm, year, length (years measured), item, of, quantity, currency, and outlay and cost a year, each low,
    likely and high. `worlds`: arm -> replications that stand for its siting worlds.
    """
    from sim.money import RANGE, cost_lines, measured_years

    rows: list[dict[str, Any]] = []
    for arm in work.arms:
        settings = arm.settings
        prices = builder.prices(settings)
        if prices is None:
            continue
        fleet, calendar = builder.fleet(settings, 0), builder.calendar(settings)
        years = measured_years(calendar.year, calendar.measure_from_ms, calendar.measure_to_ms)
        levers = _levers(work, arm, years, tuple(worlds[arm.name]), builder)
        for line in cost_lines(fleet, builder.changes(settings, 0), years, prices, settings.money, levers):
            row = {"arm": arm.name, "year": line.year, "length": line.length, "item": line.item, "of": line.of}
            row |= {"quantity": line.quantity}
            row |= {f"outlay_{name}": value for name, value in zip(RANGE, line.outlay, strict=True)}
            row |= {f"annual_{name}": value for name, value in zip(RANGE, line.annual, strict=True)}
            rows.append(row | {"currency": prices.currency})
    return columns_of(rows)


def _levers(work: Work, arm: Arm, years: Years, worlds: tuple[int, ...], builder: InputsBuilder) -> Levers:
    """Return what a scenario spends money on besides its stations and units."""
    from sim.fleet.bases import on_duty_in_all
    from sim.money import Levers
    from sim.scenes.hydrants import new_hydrants

    settings, calendar = arm.settings, builder.calendar(arm.settings)
    plan, (teams, _) = builder.plan(settings), builder.bases(settings, 0)
    on_top = on_duty_in_all(teams) if settings.teams.people == "on_top" else ()
    share = settings.staffing.present_share
    return Levers(
        aviation=settings.aviation.mode,
        paid_units=_paid_units(settings, builder, date(min(plan.years), 1, 1) if plan.years else calendar.start),
        flown_h=_flown_h(work, arm, years, builder),
        people=tuple((_day(day, calendar), on_duty / share) for day, on_duty in on_top),
        replaced=_replaced(settings, worlds, builder),
        hydrants=tuple((_day(day, calendar), number) for day, number in new_hydrants(plan, settings.water_supply)),
    )


def _day(day: date, calendar: Calendar) -> float:
    return float((day - calendar.start).days)


def _paid_units(settings: Settings, builder: InputsBuilder, begun: date) -> frozenset[int]:
    """Return the units of bases that stand from before the plan's building programme begins."""
    teams, fields = builder.bases(settings, 0)
    every = [unit for base in teams + fields for unit in base.units]
    if not every:
        return frozenset()
    fleet = builder.fleet(settings, 0)
    first = int(np.searchsorted(fleet.units.station, np.flatnonzero(is_base(fleet.stations))[0]))
    return frozenset(first + at for at, unit in enumerate(every) if unit.from_day < begun)


def _flown_h(work: Work, arm: Arm, years: Years, builder: InputsBuilder) -> dict[str, NDArray[np.float64]]:
    """Return the hours flown by type of aircraft and year, mean over the arm's replications: type -> (n_years,).

    From leaving until home, time over the scene among it, and for an aircraft whose field lies outside the city the way
    from the field to its border and back.
    """
    _, fields = builder.bases(arm.settings, 0)
    codes = builder.fleet(arm.settings, 0).unit_types.code
    way_ms = {codes[unit.type_id]: unit.ready_ms for base in fields for unit in base.units}
    found = {of: np.zeros(len(years.year)) for of in way_ms}
    for replication in range(arm.n_replications) if way_ms else ():
        path = replication_folder(work.arm_folder(arm), replication) / "turnouts.parquet"
        names = ("year", "type", "away_ms")
        rows = read_columns(path, "turnouts", REPLICATION_SCHEMAS["turnouts"], names)
        for of, hours in found.items():
            has_left = (rows["type"] == of) & (rows["away_ms"] >= 0)
            flown_ms = rows["away_ms"][has_left] + 2 * way_ms[of]
            for place, year in enumerate(years.year):
                hours[place] += flown_ms[rows["year"][has_left] == year].sum() / MS_PER_H / arm.n_replications
    return found


def _replaced(
    settings: Settings, worlds: tuple[int, ...], builder: InputsBuilder
) -> tuple[tuple[float, str, float], ...]:
    """Return (day, type, number) of vehicles bought in place of old ones, mean over the siting worlds."""
    from sim.fleet.vehicles import replaced_vehicles

    total: dict[tuple[int, str], float] = {}
    if not settings.vehicles.replace_at_years:
        return ()
    for replication in worlds:
        fleet, changes = builder.fleet(settings, replication), builder.changes(settings, replication)
        calendar = builder.calendar(settings)
        found = replaced_vehicles(changes, fleet, settings.vehicles, calendar, settings.seed, replication)
        for day, unit in found:
            key = day, str(fleet.unit_types.code[fleet.units.type_id[unit]])
            total[key] = total.get(key, 0.0) + 1.0 / len(worlds)
    return tuple((float(day), of, number) for (day, of), number in sorted(total.items()))
