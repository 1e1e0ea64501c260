"""One incident told from its event log: for each need, who was considered, who went and why the others did not.

The run is made again up to the instant of each decision, so the state is the one the rules saw; candidates are ranked
as the rules rank them, but by plain loops of their own. What was chosen is read from the log, so a disagreement would
show. Whether the run made again is the one that was stored is told by the digests in `result.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import InputError, Problem, RunDirectoryError
from sim.run.work import CONFIG, TABLES, read_note, read_result, replication_folder
from sim.settings import load_settings

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.engine.world import WorldArrays
    from sim.inputs import RunInputs

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit that could be thought of for a need. `expected_ms`: turnout and drive, as the dispatcher reckons.

    `why_not` is empty for the one that is first among those that can go. `is_own_town`: it belongs to the incident's
    town.
    """

    unit: int
    station: int
    expected_ms: int
    is_returning: bool
    is_own_town: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One need at the instant it was looked after: `chosen` is the unit of the log, -1 where the need had to wait."""

    time_ms: int
    slot: int
    capability: int
    chosen: int
    expected_ms: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """An incident: its place in the demand table, the log's rows about it, and the decisions in order.

    `difference`: what in `result.json` did not come out again, "" where the run made again is the one that was stored.
    """

    inputs: RunInputs
    log: EventLog
    incident: int
    rows: tuple[int, ...]
    decisions: tuple[Decision, ...]
    difference: str = ""


def find_arm(folder: Path, arm: str, replication: int) -> tuple[str, Path]:
    """Return (name, folder) of an arm of a run directory that has the replication; "" is the first arm.

    Raises
    ------
    DgsimError
        If there is no such arm or replication.
    """
    from sim.errors import nearest_name

    arms = read_note(folder)["arms"]
    name = arm or next(iter(arms))
    if name not in arms:
        raise InputError([Problem(str(folder), "is not one of its arms", name, mend=nearest_name(name, arms))])
    where = folder / arms[name]["folder"]
    if not replication_folder(where, replication).is_dir():
        raise RunDirectoryError(f"{where}: has no replication {replication}")
    return name, where


def explain(where: Path, replication: int, incident: str) -> Story:
    """Return the story of an incident of one replication of the arm in `where`.

    Parameters
    ----------
    incident : the identity (decimal or 0x…), or a row of `incidents.parquet` counted from 0.

    Raises
    ------
    InputError
        If there is no such incident.
    """
    from sim.assemble import InputsBuilder, build_inputs
    from sim.engine import simulate
    from sim.engine.log import NOT_OF_AN_INCIDENT

    settings, builder = load_settings(where / CONFIG), InputsBuilder()
    stored = read_result(replication_folder(where, replication))
    builder.take_tables(settings, where / TABLES)
    inputs = build_inputs(settings, replication, builder)
    place = find_incident(inputs, incident)
    log = simulate(inputs, "kernel")
    rows = np.flatnonzero(log.column("incident") == place)
    told = rows[~np.isin(log.rows["kind"][rows], NOT_OF_AN_INCIDENT)]
    decisions = tuple(_decisions(inputs, log, told))
    return Story(inputs, log, place, tuple(int(row) for row in told), decisions, _difference(stored, inputs, log))


def _difference(stored: Mapping[str, Any], inputs: RunInputs, log: EventLog) -> str:
    """Return what of a replication made again is not as its `result.json` says: parts of the inputs, else the log."""
    before, now = stored["inputs"], inputs.digests()
    parts = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if parts:
        return f"other inputs ({', '.join(parts)})"
    return "" if log.digest() == stored["log_digest"] else "another event log from the same inputs"


def find_incident(inputs: RunInputs, incident: str) -> int:
    """Return the place in the demand table of an identity, or of a row of the measured incidents."""
    try:
        number = int(incident, 0)
    except ValueError:
        mend = "give the identity, or the row of incidents.parquet counted from 0"
        raise InputError([Problem("INCIDENT", "is not a number", incident, mend=mend)]) from None
    incidents = inputs.demand.incidents
    found = np.flatnonzero(incidents["identity"] == np.uint64(number)) if 0 <= number < 2**64 else np.empty(0)
    if len(found):
        return int(found[0])
    calendar = inputs.calendar
    is_measured = (incidents["call_ms"] >= calendar.measure_from_ms) & (incidents["call_ms"] < calendar.measure_to_ms)
    measured = np.flatnonzero(is_measured)
    if 0 <= number < len(measured):
        return int(measured[number])
    rule = f"is neither an identity of this replication nor a row of its {len(measured)} measured incidents"
    raise InputError([Problem("INCIDENT", rule, number, mend="look it up in incidents.parquet")])


def _decisions(inputs: RunInputs, log: EventLog, rows: np.ndarray[Any, Any]) -> Iterator[Decision]:
    """Yield the decisions of an incident: its DISPATCH and WAIT rows, each with the state just before it."""
    from sim.engine.log import LogKind

    wanted = [int(row) for row in rows if int(log.rows["kind"][row]) in (LogKind.DISPATCH, LogKind.WAIT)]
    if not wanted:
        return
    for row, world in _worlds_before(inputs, log, wanted):
        entry = log.rows[row]
        now, slot = int(entry["time_ms"]), int(entry["slot"])
        is_wait = int(entry["kind"]) == LogKind.WAIT
        capability = int(entry["value"]) if is_wait else capability_of(inputs, int(entry["incident"]), slot)
        candidates = rank_candidates(world, now, int(entry["incident"]), capability)
        chosen, expected = (NOBODY, -1) if is_wait else (int(entry["unit"]), int(entry["value"]))
        yield Decision(now, slot, capability, chosen, expected, candidates)


def capability_of(inputs: RunInputs, incident: int, slot: int) -> int:
    """Return the capability bit of an incident's slot: the true kind's card, then the reported kind's."""
    cards, row = inputs.cards, inputs.demand.incidents[incident]
    start = int(cards.start[row["kind"]])
    n_true = int(cards.start[row["kind"] + 1]) - start
    place = start + slot if slot < n_true else int(cards.start[row["reported_kind"]]) + slot - n_true
    return int(cards.capability[place])


def _worlds_before(inputs: RunInputs, log: EventLog, wanted: list[int]) -> Iterator[tuple[int, WorldArrays]]:
    """Yield (row, state just before it was written) for log rows in order.

    The run is advanced to the row's instant and then event by event; what the same event had decided before that row is
    marked in a copy of the state.
    """
    from sim.engine.build import build_world
    from sim.engine.kernel import KernelRun
    from sim.engine.world import N_LOG

    run = KernelRun(build_world(inputs))
    before, n_before = _copy(run.arrays), 0
    for row in wanted:
        if int(run.arrays.counts[N_LOG]) <= row:
            run.advance(int(log.rows["time_ms"][row]))
        while int(run.arrays.counts[N_LOG]) <= row:
            before, n_before = _copy(run.arrays), int(run.arrays.counts[N_LOG])
            run.step()
        world = _copy(before)
        _mark_decided(world, log, n_before, row)
        yield row, world


def _copy(arrays: WorldArrays) -> WorldArrays:
    """Return a world with its own units, stations and lists; everything else is shared."""
    from sim.engine.world import FIELD_NAMES, WorldArrays

    own = ("units", "stations", "away", "counts", "slots")
    given = {name: arrays.arrays[name] for name in FIELD_NAMES}
    given |= {name: given[name].copy() for name in own}
    return WorldArrays(log_margin=arrays.log_margin, **given)


def _mark_decided(world: WorldArrays, log: EventLog, begin: int, end: int) -> None:
    """Apply what the rows of one event before row `end` say about units and stations."""
    from sim.engine.log import LogKind
    from sim.engine.world import UnitStatus

    for entry in log.rows[begin:end]:
        unit = int(entry["unit"])
        if int(entry["kind"]) != LogKind.DISPATCH:
            continue
        it = world.units[unit]
        if int(it["status"]) == UnitStatus.AT_STATION:
            station = world.stations[int(it["station"])]
            crew = min(int(it["crew_preferred"]), int(station["people_on_duty"] - station["people_out"]))
            station["people_out"] += crew
        it["status"] = UnitStatus.TURNING_OUT
        it["incident"] = int(entry["incident"])


def rank_candidates(world: WorldArrays, now: int, incident: int, capability: int) -> tuple[Candidate, ...]:
    """Return every unit that has the capability, those that can go first, each group by expected arrival, then id.

    Under own town first, those of the incident's town that can go precede the others that can.
    """
    from sim.engine import approach, rules
    from sim.engine.world import DISPATCH_OWN_TOWN_FIRST, DISPATCH_POLICY, UnitStatus

    handle = world.struct()
    it = world.incidents[incident]
    period = int(world.period_of_hour[int(rules.hour_index(handle, now))])
    turnout = int(rules.expected_turnout_ms(handle, now))
    is_own_first = int(world.params[DISPATCH_POLICY]) == DISPATCH_OWN_TOWN_FIRST
    found = []
    for number, unit in enumerate(world.units):
        if not int(unit["capabilities"]) >> capability & 1:
            continue
        station = world.stations[int(unit["station"])]
        is_returning = int(unit["status"]) == UnitStatus.RETURNING
        from_cell = int(approach.position_cell(handle, number, now)) if is_returning else int(station["cell"])
        drive = int(world.travel_ms[period, from_cell, int(it["cell"])])
        is_own = int(station["town"]) == int(it["town"])
        expected = drive if is_returning else turnout + drive
        why_not = _why_not(world, unit, station, is_returning)
        found.append(Candidate(number, int(unit["station"]), expected, is_returning, is_own, why_not))
    found.sort(key=lambda c: (bool(c.why_not), is_own_first and not c.is_own_town, c.expected_ms, c.unit))
    return tuple(found)


def _why_not(world: WorldArrays, unit: Any, station: Any, is_returning: bool) -> str:
    """Return why a unit that has the capability cannot go, or ""."""
    from sim.engine.world import UnitStatus

    status = UnitStatus(int(unit["status"]))
    busy = (UnitStatus.TURNING_OUT, UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE)
    if is_returning:
        return ""
    if status in busy:
        told = {busy[0]: "turning out", busy[1]: "on its way", busy[2]: "at work"}[status]
        return f"busy: {told} at incident {int(unit['incident'])}"
    if status == UnitStatus.MAKING_READY:
        return "busy: being made ready"
    if not int(station["is_open"]):
        return "its station is not open"
    if not int(unit["is_in_service"]):
        return "not in service"
    free = int(station["people_on_duty"]) - int(station["people_out"])
    if int(unit["crew_min"]) > free:
        return (
            f"no crew: needs {int(unit['crew_min'])}, {max(free, 0)} of {int(station['people_on_duty'])} on duty are in"
        )
    return ""
