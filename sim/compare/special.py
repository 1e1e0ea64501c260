"""Special teams and aircraft side by side: what they were sent to, what only they met, and what an aircraft saves.

What an aircraft saves is told by pairing arms: within one run the vehicle that it spared was never sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.levels import stack
from sim.compare.parts import POOLED_YEAR, Arm, Replication, Tables
from sim.compare.planted import mean_and_half
from sim.compare.service import measured_years
from sim.compare.sooner import CLOCKS_MATCHED, Matched, Read, part, saved, saved_hours
from sim.metrics.special import Grounded
from sim.metrics.store import Columns, columns_of
from sim.units import MS_PER_S

ALL = ""
"""`kind` of a row about all kinds of incident for which aircraft are asked."""
WHY = {"no_hour": Grounded.NO_FLYING_HOUR, "none_there": Grounded.NONE_THERE, "all_out": Grounded.ALL_OUT}
Rows = list[dict[str, Any]]
_OF_TURNOUT = (
    "identity", "base", "type", "capability", "arrival_ms", "work_ms", "gather_ms", "is_first_arrival",
    "others_work_ms", "is_alone",
)  # fmt: skip
_OF_AIR = (
    "kind", "year", "grounded", "is_sent", "is_first_arrival", "is_first_work", "air_arrival_ms", "ground_arrival_ms",
    "air_work_ms", "ground_work_ms",
)  # fmt: skip
_AIR, _TEAM = "air", "team "
"""Names of the incidents for which aircraft are asked, and, with its own behind, of those at which a team was."""


def special_of_arm(arm: Arm, frame: Frame) -> Tables:
    """Return the rows of an arm in `turnouts`, `teams` and `air`, as far as it has any."""
    rows: dict[str, Rows] = {"turnouts": [], "teams": []}
    if arm.has("turnouts"):
        found, years = _turnouts(arm), float(measured_years(arm, frame)[0]) * len(arm.replications)
        rows |= {"turnouts": _turnout_rows(arm, found, years), "teams": _team_rows(arm, found, years)}
    rows["air"] = _air_rows(arm, frame) if arm.has("air") else []
    return {name: columns_of(told) for name, told in rows.items() if told}


def reads_of_special(arm: Arm) -> list[Read]:
    """Return what reads the incidents at which each team was, and those for which aircraft are asked."""
    reads: list[Read] = [lambda replication: _met(arm, replication)] if arm.has("turnouts") else []
    names = ("identity", "kind", "year", "is_sent")
    return [*reads, lambda replication: {_AIR: replication.read("air", names)}] if arm.has("air") else reads


def special_of_pair(arm: Arm, base: Arm, found: Mapping[str, Matched], frame: Frame) -> Tables:
    """Return the rows of two arms in `team_pairs` and `air_pairs`, from what `reads_of_special` found in both."""
    teams = sorted(name.removeprefix(_TEAM) for name in found if name.startswith(_TEAM))
    told = [_team_pair_row(arm, base, team, found[_TEAM + team]) for team in teams]
    rows = {"team_pairs": [row for row in told if row["n_incidents"]]}
    rows["air_pairs"] = _air_pair_rows(arm, base, found[_AIR], frame) if _AIR in found else []
    return {name: columns_of(told) for name, told in rows.items() if told}


def _met(arm: Arm, replication: Replication) -> dict[str, Columns]:
    """Return the incidents of a replication at which each team was, each once."""
    table = replication.read("turnouts", ("identity", "base", "type", "arrival_ms"))
    team, came = _teams(arm, table), table["arrival_ms"] >= 0
    teams = sorted(set(team.tolist()))
    return {_TEAM + one: {"identity": np.unique(table["identity"][(team == one) & came])} for one in teams}


def _teams(arm: Arm, table: Columns) -> NDArray[np.object_]:
    """Return the team of each turnout, its base where it is of none."""
    of = zip(table["base"].tolist(), table["type"].tolist(), strict=True)
    found: NDArray[np.object_] = np.array([arm.teams.get((str(b), str(t)), str(b)) for b, t in of], dtype=object)
    return found


@dataclass(frozen=True, slots=True)
class _Turnouts:
    """All turnouts of an arm, types of unit and teams as places in their names; incidents at which each team was."""

    table: Columns
    types: tuple[str, ...]
    teams: tuple[str, ...]
    n_met: dict[str, int]


def _turnouts(arm: Arm) -> _Turnouts:
    parts: list[Columns] = []
    types: dict[str, int] = {}
    teams: dict[str, int] = {}
    n_met: dict[str, int] = {}
    for replication in arm.replications:
        table = replication.read("turnouts", _OF_TURNOUT)
        team, came = _teams(arm, table), table["arrival_ms"] >= 0
        for one in set(team.tolist()):
            n_met[one] = n_met.get(one, 0) + len(np.unique(table["identity"][(team == one) & came]))
        table |= {"team": _places(team, teams), "type": _places(table["type"], types)}
        parts.append({name: values for name, values in table.items() if name not in ("base", "identity")})
    return _Turnouts(stack(parts), tuple(types), tuple(teams), n_met)


def _places(names: NDArray[np.object_], known: dict[str, int]) -> NDArray[np.int16]:
    """Return the place of each name among those known, to which new ones are added."""
    return np.array([known.setdefault(str(name), len(known)) for name in names.tolist()], dtype=np.int16)


def _turnout_rows(arm: Arm, found: _Turnouts, years: float) -> Rows:
    """Return what each type of unit of a base was sent for over the window, by capability (bit).

    per_year: dispatches a year; arrived_share: of them at the address and not turned back; of those that came,
    first_share (there before anybody else), only_share (no station unit ever worked for the same capability) and
    work_p50_s (median from the dispatch order to the work); is_alone: no station unit has the capability at all.
    """
    table, rows = found.table, []
    seen = set(zip(table["type"].tolist(), table["capability"].tolist(), strict=True))
    for kind, capability in sorted((found.types[place], capability) for place, capability in seen):
        own = (table["type"] == found.types.index(kind)) & (table["capability"] == capability)
        came = own & (table["arrival_ms"] >= 0)
        work_ms = table["work_ms"][came]
        rows.append(
            {
                "arm": arm.name,
                "type": kind,
                "capability": int(capability),
                "per_year": float(own.sum()) / years,
                "arrived_share": part(came, own),
                "first_share": part(came & table["is_first_arrival"], came),
                "only_share": part(came & (table["others_work_ms"] < 0), came),
                "work_p50_s": float(np.median(work_ms)) / MS_PER_S if len(work_ms) else float("nan"),
                "is_alone": bool(table["is_alone"][own].all()),
                "n_turnouts": int(own.sum()),
                "n_replications": len(arm.replications),
            }
        )
    return rows


def _team_rows(arm: Arm, found: _Turnouts, years: float) -> Rows:
    """Return what each team did over the window, whatever it was sent with and for.

    per_year: turnouts a year; incidents_per_year: incidents it was at; gather_p50_s: median from the dispatch until
    it left; arrived_share, first_share, only_share and work_p50_s as in `_turnout_rows`.
    """
    table, rows = found.table, []
    for one in sorted(found.teams):
        own = table["team"] == found.teams.index(one)
        came = own & (table["arrival_ms"] >= 0)
        row: dict[str, Any] = {"arm": arm.name, "team": one, "per_year": float(own.sum()) / years}
        row |= {"incidents_per_year": found.n_met[one] / years, "arrived_share": part(came, own)}
        row |= {"gather_p50_s": _median_s(table["gather_ms"][own]), "work_p50_s": _median_s(table["work_ms"][came])}
        row |= {"first_share": part(came & table["is_first_arrival"], came)}
        row |= {"only_share": part(came & (table["others_work_ms"] < 0), came)}
        rows.append(row | {"n_turnouts": int(own.sum()), "n_replications": len(arm.replications)})
    return rows


def _median_s(ms: NDArray[Any]) -> float:
    """Return the median of what happened, in seconds; NaN of nothing."""
    known = ms[ms >= 0]
    return float(np.median(known)) / MS_PER_S if len(known) else float("nan")


def _team_pair_row(arm: Arm, base: Arm, team: str, found: Matched) -> dict[str, Any]:
    """Return what became of the incidents at which a team was, against the same ones in the base, over the window.

    complete_share, base_complete_share: the whole first alarm came; by clock (critical, full_alarm) saved_s with low
    and high, the mean of base minus arm where both came, and share_faster, share_slower, what never came being longest.
    """
    own = np.ones(len(found.cluster), dtype=np.bool_)
    row: dict[str, Any] = {"arm": arm.name, "base": base.name, "team": team}
    for name, side in (("complete_share", found.ours), ("base_complete_share", found.theirs)):
        row[name] = part(np.isfinite(side["full_alarm"]), own)
    for clock in CLOCKS_MATCHED:
        row |= {f"{clock}_{name}": value for name, value in saved(found, clock, own).items()}
    return row | {"n_incidents": len(own), "n_pairs": found.n_pairs}


def _kinds(table: Columns, frame: Frame) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return all kinds together, then each, with which rows are of it."""
    found = [(ALL, np.ones(len(table["kind"]), dtype=np.bool_))]
    return found + [(frame.labels.kind_code[kind], table["kind"] == kind) for kind in np.unique(table["kind"])]


def _years(table: Columns, frame: Frame) -> list[tuple[int, int, NDArray[np.bool_]]]:
    """Return (place in the frame, year, which rows are of it), the whole window first."""
    every = np.ones(len(table["year"]), dtype=np.bool_)
    return [(i, y, every if y == POOLED_YEAR else table["year"] == y) for i, y in enumerate(frame.all_years)]


def _air_rows(arm: Arm, frame: Frame) -> Rows:
    """Return for which incidents aircraft are asked, and what became of it, by year (0: the window) and kind.

    asked_per_year; of these no_hour_share, none_there_share and all_out_share (`Grounded`); sent_per_year, and
    first_arrival_per_year and first_work_per_year, those where the aircraft came, or worked, before any vehicle; by how
    much and how often no vehicle came: `_leads`.
    """
    table, cluster = _clustered(arm, "air", _OF_AIR)
    n, measured, rows = len(arm.replications), measured_years(arm, frame), []
    for place, year, of_year in _years(table, frame):
        for kind, of_kind in _kinds(table, frame):
            own = of_year & of_kind
            if not own.any():
                continue
            row: dict[str, Any] = {"arm": arm.name, "year": year, "kind": kind}
            counted = {"asked": own, "sent": own & table["is_sent"]}
            counted |= {name: own & table[f"is_{name}"] for name in ("first_arrival", "first_work")}
            row |= {f"{name}_per_year": float(of.sum()) / n / measured[place] for name, of in counted.items()}
            row |= {f"{name}_share": part(own & (table["grounded"] == why), own) for name, why in WHY.items()}
            row |= _leads(table, own, cluster, n)
            rows.append(row | {"n_incidents": int(own.sum()), "n_replications": n})
    return rows


def _clustered(arm: Arm, name: str, columns: Sequence[str]) -> tuple[Columns, NDArray[np.int64]]:
    """Return a table's rows of all replications behind each other, and the place of each row's replication."""
    parts = [replication.read(name, columns) for replication in arm.replications]
    lengths = [len(next(iter(part.values()))) for part in parts]
    return stack(parts), np.repeat(np.arange(len(parts)), lengths)


def _leads(table: Columns, own: NDArray[np.bool_], cluster: NDArray[np.int64], n: int) -> dict[str, float]:
    """Return by how much the aircraft that were first at the address, and first at work, were ahead of any vehicle.

    arrival_lead_s, work_lead_s: mean seconds where a vehicle came (worked) too, with _low and _high (95 %, replications
    as clusters); first_arrival_alone_share, first_work_alone_share: of those first, where no vehicle ever did.
    """
    found: dict[str, float] = {}
    for what in ("arrival", "work"):
        is_first, ground = own & table[f"is_first_{what}"], table[f"ground_{what}_ms"]
        both = is_first & (ground >= 0)
        ahead_s = (ground - table[f"air_{what}_ms"])[both] / MS_PER_S
        sums = [np.bincount(cluster[both], weights, n) for weights in (ahead_s, np.ones(len(ahead_s)))]
        mean, half = mean_and_half(sums[0].astype(np.float64), sums[1].astype(np.float64))
        found |= {f"{what}_lead_s": mean, f"{what}_lead_low": mean - half, f"{what}_lead_high": mean + half}
        found[f"first_{what}_alone_share"] = part(is_first & (ground < 0), is_first)
    return found


def _air_pair_rows(arm: Arm, base: Arm, found: Matched, frame: Frame) -> Rows:
    """Return by how much critical needs were at work sooner in the arm than in its base, by year and kind.

    Of the incidents to which the arm sent an aircraft: saved_s (mean of base minus arm where both came; positive is
    sooner) with low and high (95 %, replications as clusters), share_faster and share_slower (what never came being
    longest), n_sent. Of all for which aircraft are asked: saved_h_per_year, hours saved together where both came, with
    saved_h_low and saved_h_high (95 %, between replications).
    """
    measured, rows = measured_years(arm, frame), []
    for place, year, of_year in _years(found.table, frame):
        for kind, of_kind in _kinds(found.table, frame):
            own = of_year & of_kind
            sent = own & found.table["is_sent"]
            if not sent.any():
                continue
            hours = saved_hours(found, "critical", own) / float(measured[place])
            a_year, half_h = mean_and_half(hours, np.ones(found.n_pairs))
            row: dict[str, Any] = {"arm": arm.name, "base": base.name, "year": year, "kind": kind}
            row |= saved(found, "critical", sent) | {"saved_h_per_year": a_year}
            row |= {"saved_h_low": a_year - half_h, "saved_h_high": a_year + half_h}
            rows.append(row | {"n_sent": int(sent.sum()), "n_pairs": found.n_pairs})
    return rows
