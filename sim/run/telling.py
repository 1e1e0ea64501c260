"""The story of an incident in words: every sentence is a phrase of `words/`, filled here and put in order.

Knows no rule: reasons come from `candidates.py` as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sim.engine.log import LogKind
from sim.report.texts import Bi, same
from sim.run.phrases import phrase
from sim.units import MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    from sim.run.candidates import Candidate
    from sim.run.explain import Decision, Story

_NOTHING = same("")


def lines_of(story: Story, n_shown: int) -> Iterator[Bi]:
    """Yield the story as lines of text, with up to `n_shown` candidates of either sort per need."""
    row = story.inputs.demand.incidents[story.incident]
    yield phrase(
        "head.incident", identity=int(row["identity"]), row=story.incident,
        kind=_kind_name(story, int(row["kind"])), grade=row["grade"],
        reported_kind=_kind_name(story, int(row["reported_kind"])), reported_grade=row["reported_grade"],
    )  # fmt: skip
    clock = _clock(story, int(row["call_ms"]))
    yield phrase("head.call", clock=clock, town=_town_name(story, int(row["town"])), cell=row["cell"])
    decisions = {(d.time_ms, d.slot, d.chosen): d for d in story.decisions}
    for place in story.rows:
        entry = story.log.rows[place]
        yield same(f"{_clock(story, int(entry['time_ms']))} ") + _told(story, entry)
        decision = decisions.get((int(entry["time_ms"]), int(entry["slot"]), int(entry["unit"])))
        if decision is not None and int(entry["kind"]) in (LogKind.DISPATCH, LogKind.WAIT):
            for line in _candidate_lines(story, decision, n_shown):
                yield same("    ") + line


def _clock(story: Story, time_ms: int) -> str:
    start = datetime.combine(story.inputs.calendar.start, time())
    return (start + timedelta(milliseconds=time_ms)).strftime("%Y-%m-%d %H:%M:%S")


def _kind_name(story: Story, kind: int) -> Bi:
    kinds = story.inputs.kinds
    return Bi(kinds.name_zh[kind], kinds.name_en[kind])


def _town_name(story: Story, town: int) -> Bi:
    towns = story.inputs.city.towns
    return Bi(towns.name_zh[town], towns.name_en[town])


def _told(story: Story, entry: Any) -> Bi:
    """Return one row of the log in words; each phrase takes of these values what it needs."""
    kind, value, unit = LogKind(int(entry["kind"])), int(entry["value"]), int(entry["unit"])
    call_ms = int(story.inputs.demand.incidents["call_ms"][story.incident])
    is_reveal, is_met = kind == LogKind.REVEAL, kind == LogKind.MET
    return phrase(
        f"told.{kind.name.lower()}", slot=int(entry["slot"]), value=value,
        unit=unit_name(story, unit) if unit >= 0 else _NOTHING,
        seconds=value / MS_PER_S, minutes=value / MS_PER_MIN, village_s=(value - call_ms) / MS_PER_S,
        found=_kind_name(story, value // 8) if is_reveal else _NOTHING, found_grade=value % 8,
        at_work=_clock(story, value) if is_met else "",
    )  # fmt: skip


def unit_name(story: Story, unit: int) -> Bi:
    """Return a unit's type, number and station in words."""
    fleet = story.inputs.fleet
    types, stations = fleet.unit_types, fleet.stations
    station, kind = int(fleet.units.station[unit]), int(fleet.units.type_id[unit])
    of = Bi(*(names[station] or stations.name[station] for names in (stations.name_zh, stations.name_en)))
    return phrase("unit.name", unit=unit, type=Bi(types.name_zh[kind], types.name_en[kind]), station=of)


def _candidate_lines(story: Story, decision: Decision, n_shown: int) -> Iterator[Bi]:
    """Yield the candidates up to `n_shown`: those that can go in the order of the rule, and nearer ones that cannot."""
    able = [c for c in decision.candidates if not c.why_not]
    limit = able[0].expected_ms if able else 1 << 62
    nearer = [c for c in decision.candidates if c.why_not and 0 <= c.expected_ms <= limit]
    shown = [*able[:n_shown], *nearer[:n_shown]]
    for candidate in shown:
        yield _candidate_line(story, decision, candidate)
    n_more = len(decision.candidates) - len(shown)
    if n_more:
        yield phrase("unit.others", n=n_more, n_able=len(able))


def _candidate_line(story: Story, decision: Decision, candidate: Candidate) -> Bi:
    return phrase(
        "unit.line", mark="->" if candidate.unit == decision.chosen else "  ",
        seconds=candidate.expected_ms / MS_PER_S, unit=unit_name(story, candidate.unit),
        own=_NOTHING if candidate.is_own_town else phrase("unit.another_town"),
        where=_NOTHING if candidate.why_not else phrase("unit.where", place=candidate.place),
        reason=candidate.why_not or candidate.why_behind or phrase("unit.sent"),
    )  # fmt: skip
