"""The tables of a replication as one would make them with pandas: frames, `groupby`, `merge`, `to_parquet`.

They are columns of the program's own `incidents`, `units` and `workload` and the measures that a report shows of each
town and year. What the program makes besides is not made here: static responses, coverage, manning, one station more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.demand.types import RunCards
from sim.engine.log import LOG_DTYPE, LogKind
from sim.fleet.parts import ChangeKind
from sim.inputs import RunInputs
from sim.units import MS_PER_DAY, MS_PER_H

QUANTILES = (0.5, 0.8, 0.9, 0.95)
THRESHOLDS_S = (300, 480, 600)
LONGEST_S = 3_600
"""Quantiles beyond it are not told: infinite."""
NEVER = -1


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables name: the year of each day, whether a kind counts, the station of each unit, what is dated.

    `cards`: a row per need of a kind (kind, slot, capability, from_grade, is_critical); `critical`: how many critical
    needs a kind has at a grade by capability (kind, grade, capability, n_wanted). `changes`: (time, value, kind,
    entity) in order. `end_ms`: of the window, which has to lie in one calendar year.
    """

    year_of_day: NDArray[np.int16]
    is_headline: NDArray[np.bool_]
    station_of_unit: list[int]
    n_stations: int
    cards: pd.DataFrame
    critical: pd.DataFrame
    changes: Sequence[tuple[int, ...]]
    end_ms: int


def known_of(inputs: RunInputs, change_rows: Sequence[tuple[int, ...]]) -> Known:
    """Return what the tables of a run name.

    Raises
    ------
    ValueError
        If the run is not measured from its first day on, in one calendar year.
    """
    calendar = inputs.calendar
    if calendar.measure_from_ms or len(set(calendar.year.tolist())) > 1:
        raise ValueError("the contender's tables are those of a run that is measured from its first day, in one year")
    cards = _cards(inputs.cards)
    by_grade = [
        cards[cards["is_critical"] & (cards["from_grade"] <= grade)].assign(grade=grade) for grade in range(1, 6)
    ]
    counted = pd.concat(by_grade).groupby(["kind", "grade", "capability"]).size()
    return Known(
        year_of_day=np.asarray(calendar.year),
        is_headline=np.asarray(inputs.kinds.is_headline),
        station_of_unit=np.asarray(inputs.fleet.units.station).tolist(),
        n_stations=len(inputs.fleet.stations.cell),
        cards=cards,
        critical=counted.rename("n_wanted").reset_index(),
        changes=change_rows,
        end_ms=calendar.measure_to_ms,
    )


def _cards(cards: RunCards) -> pd.DataFrame:
    n_needs = np.diff(cards.start)
    columns = {name: np.asarray(getattr(cards, name)) for name in ("capability", "from_grade", "is_critical")}
    frame = pd.DataFrame({"kind": np.repeat(np.arange(len(n_needs)), n_needs)} | columns)
    frame["slot"] = frame.groupby("kind").cumcount()
    return frame


def make_tables(known: Known, calls: list[dict[str, Any]], rows: Sequence[tuple[Any, ...]]) -> dict[str, pd.DataFrame]:
    """Return the tables by name, from the records of the calls and the rows of the events."""
    log = pd.DataFrame(rows, columns=list(LOG_DTYPE.names or ()))
    incidents = incident_table(known, pd.DataFrame(calls), log)
    units = unit_table(known, log)
    return {
        "incidents": incidents,
        "units": units,
        "workload": workload_table(known, units),
        "responses": response_table(incidents),
    }


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table as a Parquet file."""
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", compression="zstd")


def incident_table(known: Known, calls: pd.DataFrame, log: pd.DataFrame) -> pd.DataFrame:
    """Return a row per call: when it was met and by how much; times are ms after the dispatch was due, -1 never."""
    by_kind = {kind: log[log["kind"] == kind].groupby("incident") for kind in LogKind}
    due = by_kind[LogKind.CALL]["time_ms"].first()
    last_arrival = by_kind[LogKind.ARRIVE]["time_ms"].max()
    instants = {
        "first_dispatch_ms": by_kind[LogKind.DISPATCH]["time_ms"].min(),
        "first_arrival_ms": by_kind[LogKind.ARRIVE]["time_ms"].min(),
        "full_alarm_ms": last_arrival[~last_arrival.index.isin(by_kind[LogKind.UNFILLED].groups)],
        "first_critical_ms": _critical(known, calls, log[log["kind"] == LogKind.ARRIVE]),
    }
    table = calls.copy()
    table["dispatch_due_ms"] = due
    table["year"] = known.year_of_day[table["call_ms"] // MS_PER_DAY]
    table["hour"] = table["call_ms"] % MS_PER_DAY // MS_PER_H
    table["is_headline"] = known.is_headline[table["kind"]]
    for name, instant in instants.items():
        table[name] = (instant - due).reindex(table.index).fillna(NEVER).astype("int64")
    table["queue_ms"] = table["first_dispatch_ms"]
    for name, kind in (("n_dispatched", LogKind.DISPATCH), ("n_unfilled", LogKind.UNFILLED)):
        table[name] = by_kind[kind].size().reindex(table.index, fill_value=0)
    return table


def _critical(known: Known, calls: pd.DataFrame, arrivals: pd.DataFrame) -> pd.Series[int]:
    """Return when as many as wanted were at work for every critical capability, by incident; no entry where never.

    Where none is critical it is the first arrival.
    """
    found = arrivals[["incident", "slot", "time_ms"]].join(calls[["kind", "grade"]], on="incident")
    found["at_work_ms"] = arrivals["time_ms"] + arrivals["value"]
    found = found.merge(known.cards[["kind", "slot", "capability"]], on=["kind", "slot"])
    found["place"] = found.groupby(["incident", "capability"])["at_work_ms"].rank(method="first")
    found = found.merge(known.critical, on=["kind", "grade", "capability"])
    last = found[found["place"] == found["n_wanted"]].groupby("incident")
    n_capabilities = known.critical.groupby(["kind", "grade"]).size().rename("n_capabilities")
    n_met, n_asked = last.size(), calls.join(n_capabilities, on=["kind", "grade"])["n_capabilities"].fillna(0)
    met = last["at_work_ms"].max()[n_met == n_asked.reindex(n_met.index)]
    first = arrivals.groupby("incident")["time_ms"].min()
    critical: pd.Series[int] = pd.concat([met, first[n_asked.reindex(first.index) == 0]])
    return critical


def unit_table(known: Known, log: pd.DataFrame) -> pd.DataFrame:
    """Return a row per unit: how often it was sent and how long it and its people were out, within the window."""
    on = ["unit", "mission"]
    parts = {LogKind.DISPATCH: "from_ms", LogKind.HOME: "to_ms"}
    outings = [
        log.loc[log["kind"] == kind, [*on, "time_ms"]].rename(columns={"time_ms": x}) for kind, x in parts.items()
    ]
    crews = log.loc[log["kind"] == LogKind.ENROUTE, [*on, "value"]].rename(columns={"value": "crew"})
    missions = outings[0].merge(outings[1], on=on, how="left").merge(crews, on=on, how="left")
    missions = missions[missions["from_ms"] < known.end_ms]
    missions["busy_ms"] = missions["to_ms"].fillna(known.end_ms).clip(upper=known.end_ms) - missions["from_ms"]
    missions["crew_out_ms"] = missions["busy_ms"] * missions["crew"].fillna(0)
    table = pd.DataFrame({"station": known.station_of_unit, "year": known.year_of_day[0]})
    table.index.name = "unit"
    by_unit = missions.groupby("unit")
    table["n_dispatches"] = by_unit.size()
    table[["busy_ms", "crew_out_ms"]] = by_unit[["busy_ms", "crew_out_ms"]].sum()
    table["in_service_ms"] = _lasting(known)[0]
    return table.fillna(0).astype("int64").reset_index()


def workload_table(known: Known, units: pd.DataFrame) -> pd.DataFrame:
    """Return a row per station: how long it was open, its people on duty, and what its units had to do."""
    _, open_ms, people_ms = _lasting(known)
    table = pd.DataFrame({"year": known.year_of_day[0], "open_ms": open_ms, "people_duty_ms": people_ms})
    table.index.name = "station"
    columns = ["n_dispatches", "busy_ms", "in_service_ms", "crew_out_ms"]
    return table.join(units.groupby("station")[columns].sum()).fillna(0).astype("int64").reset_index()


def _lasting(known: Known) -> tuple[list[int], list[int], list[int]]:
    """Return how long each unit was in service with its station open, each station open, and its people x ms."""
    is_open, people = [False] * known.n_stations, [0] * known.n_stations
    is_in_service = [False] * len(known.station_of_unit)
    service_ms, open_ms, people_ms = [0] * len(is_in_service), [0] * len(is_open), [0] * len(is_open)
    now = 0
    for time_ms, value, kind, entity in [*known.changes, (known.end_ms, 0, -1, -1)]:
        lasts = min(time_ms, known.end_ms) - now
        if lasts > 0:
            for station, is_now in enumerate(is_open):
                open_ms[station] += lasts * is_now
                people_ms[station] += lasts * is_now * people[station]
            for unit, station in enumerate(known.station_of_unit):
                service_ms[unit] += lasts * (is_in_service[unit] and is_open[station])
            now += lasts
        if kind in (ChangeKind.STATION_OPEN, ChangeKind.STATION_CLOSE):
            is_open[entity] = kind == ChangeKind.STATION_OPEN
        elif kind in (ChangeKind.UNIT_IN_SERVICE, ChangeKind.UNIT_WITHDRAW):
            is_in_service[entity] = kind == ChangeKind.UNIT_IN_SERVICE
        elif kind == ChangeKind.STATION_PEOPLE:
            people[entity] = value
    return service_ms, open_ms, people_ms


def response_table(
    incidents: pd.DataFrame, interpolation: Literal["linear", "lower", "higher"] = "linear"
) -> pd.DataFrame:
    """Return a row per town and year: quantiles, mean and shares within some times of the headline responses, s."""
    chosen = incidents[incidents["is_headline"]]
    seconds = (chosen["first_arrival_ms"] / 1_000).where(chosen["first_arrival_ms"] >= 0, np.inf)
    grouped = seconds.groupby([chosen["town"], chosen["year"]])
    table = grouped.quantile(np.array(QUANTILES), interpolation=interpolation).unstack()
    table = table.where(table <= LONGEST_S, np.inf)
    table.columns = [f"p{round(100 * quantile)}" for quantile in QUANTILES]
    table["mean"] = grouped.mean()
    for limit in THRESHOLDS_S:
        table[f"within_{limit}"] = (seconds <= limit).groupby([chosen["town"], chosen["year"]]).mean()
    return table.reset_index()
