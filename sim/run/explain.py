"""One incident told from its event log: for each need, who was considered, who went and why the others did not.

The run is made again up to each decision (`retrace.py`), so the state is the one the rules saw; candidates are ranked
as the rules rank them, but by plain loops of their own (`candidates.py`). What was chosen is read from the log, so a
disagreement would show. Whether the run made again is the one that was stored is told by the digests in `result.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.engine import simulate
from sim.engine.log import NOT_OF_AN_INCIDENT, LogKind
from sim.engine.world import SlotStatus
from sim.errors import InputError, Problem, RunDirectoryError
from sim.report.texts import join, same
from sim.run.candidates import Candidate, rank_candidates
from sim.run.compared import settings_in
from sim.run.phrases import phrase
from sim.run.retrace import worlds_before
from sim.run.work import CONFIG, TABLES, read_note, read_result, replication_folder

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs
    from sim.report.texts import Bi

NOBODY = -1


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

    `difference`: what in `result.json` did not come out again, None where the run made again is the stored one.
    """

    inputs: RunInputs
    log: EventLog
    incident: int
    rows: tuple[int, ...]
    decisions: tuple[Decision, ...]
    difference: Bi | None = None


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

    settings, builder = settings_in(where / CONFIG), InputsBuilder()
    stored = read_result(replication_folder(where, replication))
    builder.take_tables(settings, where / TABLES)
    inputs = build_inputs(settings, replication, builder)
    if inputs.own_rule is not None:
        rule = "(dispatch.own_rule) is your own Python; only the reasons of built-in rules can be told"
        raise InputError(
            [Problem(str(where / CONFIG), rule, inputs.own_rule.name, mend="look at a run with a built-in rule")]
        )
    place = find_incident(inputs, incident)
    log = simulate(inputs, "kernel")
    rows = np.flatnonzero(log.column("incident") == place)
    told = rows[~np.isin(log.rows["kind"][rows], NOT_OF_AN_INCIDENT)]
    decisions = tuple(decisions_of(inputs, log, told))
    return Story(inputs, log, place, tuple(int(row) for row in told), decisions, _difference(stored, inputs, log))


def _difference(stored: Mapping[str, Any], inputs: RunInputs, log: EventLog) -> Bi | None:
    """Return what of a replication made again is not as its `result.json` says: parts of the inputs, else the log."""
    before, now = stored["inputs"], inputs.digests()
    parts = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if parts:
        return phrase("differs.inputs", parts=join([same(part) for part in parts]))
    return None if log.digest() == stored["log_digest"] else phrase("differs.log")


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


def decisions_of(inputs: RunInputs, log: EventLog, rows: np.ndarray[Any, Any]) -> Iterator[Decision]:
    """Yield the decision of each DISPATCH and WAIT row among `rows` (ascending) of the log of `inputs`."""
    wanted = [int(row) for row in rows if int(log.rows["kind"][row]) in (LogKind.DISPATCH, LogKind.WAIT)]
    if not wanted:
        return
    for row, world in worlds_before(inputs, log, wanted):
        entry = log.rows[row]
        now, slot, incident = int(entry["time_ms"]), int(entry["slot"]), int(entry["incident"])
        is_wait = int(entry["kind"]) == LogKind.WAIT
        capability = int(entry["value"]) if is_wait else capability_of(inputs, incident, slot)
        need = world.slots[int(world.incidents["first_slot"][incident]) + slot]
        waited_ms = now - int(need["opened_ms"]) if int(need["status"]) == SlotStatus.WAITING else 0
        candidates = rank_candidates(world, now, incident, capability, waited_ms)
        chosen, expected = (NOBODY, -1) if is_wait else (int(entry["unit"]), int(entry["value"]))
        yield Decision(now, slot, capability, chosen, expected, candidates)


def capability_of(inputs: RunInputs, incident: int, slot: int) -> int:
    """Return the capability bit of an incident's slot: the true kind's card, then the reported kind's."""
    cards, row = inputs.cards, inputs.demand.incidents[incident]
    start = int(cards.start[row["kind"]])
    n_true = int(cards.start[row["kind"] + 1]) - start
    place = start + slot if slot < n_true else int(cards.start[row["reported_kind"]]) + slot - n_true
    return int(cards.capability[place])
