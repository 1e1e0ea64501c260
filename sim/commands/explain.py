"""`dgsim explain RUN_DIR INCIDENT`: who was considered for each need, who went, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from sim.commands.options import add_run_dir, parser_of

if TYPE_CHECKING:
    from sim.run.candidates import Candidate
    from sim.run.explain import Decision, Story

_N_SHOWN = 8


def command(argv: Sequence[str]) -> int:
    """Print the story of one incident; 2 where the run made again is not the one that was stored."""
    parser = parser_of("explain", "Tell one incident of a finished run: who was considered, who went, and why.")
    add_run_dir(parser)
    parser.add_argument("incident", metavar="INCIDENT", help="identity, or row of incidents.parquet counted from 0")
    parser.add_argument("--arm", default="", help="arm of a study (default: its first)")
    parser.add_argument("--replication", type=int, default=0, metavar="R", help="replication (default: 0)")
    parser.add_argument("--candidates", type=int, default=_N_SHOWN, metavar="N", help="candidates shown per need")
    parser.add_argument("--lang", choices=("zh", "en"), default="en", help="language of names")
    given = parser.parse_args(list(argv))
    from sim.run.explain import explain, find_arm

    arm, where = find_arm(given.run_dir, given.arm, given.replication)
    story = explain(where, given.replication, given.incident)
    print(f"{given.run_dir}, arm {arm}, replication {given.replication}")
    if story.difference:
        told = f"made again, this replication has {story.difference} than result.json says"
        print(f"NOT the stored run: {told}; what follows is the run made now (`dgsim verify` tells more)")
    for line in lines_of(story, given.lang, given.candidates):
        print(line)
    return 2 if story.difference else 0


def lines_of(story: Story, lang: str, n_shown: int) -> Iterator[str]:
    """Yield the story as lines of text."""
    inputs = story.inputs
    row = inputs.demand.incidents[story.incident]
    names = inputs.kinds.name_zh if lang == "zh" else inputs.kinds.name_en
    towns = inputs.city.towns.name_zh if lang == "zh" else inputs.city.towns.name_en
    yield (
        f"incident {int(row['identity'])} (row {story.incident} of the demand): {names[row['kind']]} "
        f"grade {row['grade']}, reported as {names[row['reported_kind']]} grade {row['reported_grade']}"
    )
    yield f"{_clock(story, int(row['call_ms']))} call from {towns[row['town']]}, cell {row['cell']}"
    decisions = {(d.time_ms, d.slot, d.chosen): d for d in story.decisions}
    for place in story.rows:
        entry = story.log.rows[place]
        yield f"{_clock(story, int(entry['time_ms']))} {_told(story, entry, lang)}"
        decision = decisions.get((int(entry["time_ms"]), int(entry["slot"]), int(entry["unit"])))
        if decision is not None and int(entry["kind"]) in (3, 4):
            yield from _candidate_lines(story, decision, lang, n_shown)


def _clock(story: Story, time_ms: int) -> str:
    start = datetime.combine(story.inputs.calendar.start, time())
    return (start + timedelta(milliseconds=time_ms)).strftime("%Y-%m-%d %H:%M:%S")


def _told(story: Story, entry: object, lang: str) -> str:
    """Return one row of the log in words."""
    from sim.engine.log import LogKind

    kind, value, unit = LogKind(int(entry["kind"])), int(entry["value"]), int(entry["unit"])  # type: ignore[index]
    slot = int(entry["slot"])  # type: ignore[index]
    who = unit_name(story, unit, lang) if unit >= 0 else ""
    kinds = story.inputs.kinds.name_zh if lang == "zh" else story.inputs.kinds.name_en
    found = kinds[value // 8] if kind == LogKind.REVEAL else ""
    village_s = (value - int(story.inputs.demand.incidents["call_ms"][story.incident])) / 1000
    told = {
        LogKind.VILLAGE: f"the village's own people will be there {village_s:.0f} s after the call",
        LogKind.CALL: "the call has been handled, the order to dispatch is due",
        LogKind.DISPATCH: f"need {slot}: {who} is sent, expected in {value / 1000:.0f} s",
        LogKind.WAIT: f"need {slot}: nobody can go, it waits",
        LogKind.ENROUTE: f"{who} leaves with {value} people",
        LogKind.ARRIVE: f"{who} arrives, at work {value / 1000:.0f} s later",
        LogKind.REVEAL: f"the first to arrive finds: {found}, grade {value % 8}",
        LogKind.TURN_BACK: f"{who} is not needed any more",
        LogKind.CLEAR: f"{who} is done after {value / 60_000:.1f} min at the scene",
        LogKind.ESCALATE: f"the incident has outgrown its grade: now {value}",
        LogKind.UNFILLED: f"need {slot} closes without having been served",
        LogKind.MET: "the critical task is met",
        LogKind.CLOSED: "the incident is over",
    }
    return told.get(kind, f"{kind.name} {who} {value}")


def unit_name(story: Story, unit: int, lang: str) -> str:
    """Return a unit's type, number and station in words."""
    fleet = story.inputs.fleet
    types = fleet.unit_types.name_zh if lang == "zh" else fleet.unit_types.name_en
    stations = fleet.stations.name_zh if lang == "zh" else fleet.stations.name_en
    station = int(fleet.units.station[unit])
    return f"unit {unit} ({types[fleet.units.type_id[unit]]} of {stations[station] or fleet.stations.name[station]})"


def _candidate_lines(story: Story, decision: Decision, lang: str, n_shown: int) -> Iterator[str]:
    """Yield the candidates up to `n_shown`: those that can go in the order of the rule, and nearer ones that cannot."""
    able = [c for c in decision.candidates if not c.why_not]
    limit = able[0].expected_ms if able else 1 << 62
    nearer = [c for c in decision.candidates if c.why_not and 0 <= c.expected_ms <= limit]
    shown = [*able[:n_shown], *nearer[:n_shown]]
    for candidate in shown:
        yield f"    {_candidate_line(story, decision, candidate, lang)}"
    n_more = len(decision.candidates) - len(shown)
    if n_more:
        yield f"    … and {n_more} others that have the capability, {len(able)} of all could go"


def _candidate_line(story: Story, decision: Decision, candidate: Candidate, lang: str) -> str:
    mark = "->" if candidate.unit == decision.chosen else "  "
    own = "" if candidate.is_own_town else ", another town's"
    reason = candidate.why_not or candidate.why_behind or "sent: first by the rule among those that can go"
    place = "" if candidate.why_not else f" {candidate.place},"
    name = unit_name(story, candidate.unit, lang)
    return f"{mark} {candidate.expected_ms / 1000:6.0f} s  {name}{own},{place} {reason}"
