"""What each special team did, and what the incidents it was at were like without it: part of the section `special`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.report.blocks import Cell, Grid, Head, Picture, counted, number, word
from sim.report.context import Context
from sim.report.numbers import is_clear, minutes, rate, share, signed_minutes
from sim.report.pictures.beside import Case, Level, beside
from sim.report.study import Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_S_PER_MIN, _PERCENT = 60.0, 100.0


def _main_rows(context: Context) -> list[Row]:
    """Return the teams of the main pair against its base; none where its arm has no teams."""
    main = context.study.main()
    return [] if main is None else context.study.by_scheme("team_pairs", arm=main.arm, base=main.base)


def _team(context: Context, row: Row) -> Bi:
    """Return what a team is called, the name of its base where it is of none."""
    return context.study.name("team" if _is_team(context, row) else "base", row["team"])


def _is_team(context: Context, row: Row) -> bool:
    """Return whether a row is of a special team, not of a base of aircraft alone."""
    return ("team", str(row["team"])) in context.study.index.names


def team_sentences(context: Context) -> list[Bi]:
    """Return how often the teams of the main pair's arm turned out, and what their incidents got without them."""
    pairs, study = _main_rows(context), context.study
    if not any(_is_team(context, row) for row in pairs):
        return []
    arm, base = (study.label(str(pairs[0][name])) for name in ("arm", "base"))
    did = context.study.by_scheme("teams", arm=pairs[0]["arm"])
    n = sum(int(row["n_incidents"]) for row in pairs)
    complete, before = (
        sum(float(row[name]) * int(row["n_incidents"]) for row in pairs) / n
        for name in ("complete_share", "base_complete_share")
    )
    told = {"turnouts": "per_year", "incidents": "incidents_per_year"}
    sums = {name: rate(sum(float(row[column]) for row in did)) for name, column in told.items()}
    return [
        context.words(
            "special.team_sentence", arm=arm, base=base, n=len(did), complete=share(complete),
            base_complete=share(before), **sums,
        )
    ]  # fmt: skip


def teams_picture(context: Context, name: str) -> Picture | None:
    """Return the picture of whole first alarms with and without each team of the main pair's arm."""
    words, rows = context.words, _main_rows(context)
    if not any(_is_team(context, row) for row in rows):
        return None

    def draw(language: str) -> Figure | None:
        cases = []
        for row in rows:
            levels = [Level(_PERCENT * float(row[name])) for name in ("base_complete_share", "complete_share")]
            cases.append(Case(_team(context, row).of(language), ((levels[0], levels[1]),)))
        sides = (words["places.base"].of(language), words["places.arm"].of(language))
        return beside(cases, [words["special.complete_title"].of(language)], sides)

    lines = join(
        [
            _team(context, row) + same(f" {share(row['base_complete_share'])} → {share(row['complete_share'])}")
            for row in rows
        ]
    )
    return picture(draw, words["special.teams_picture"], words("special.teams_alt", lines=lines), name)


def teams_grid(context: Context) -> Grid | None:
    """Return what each team of each scheme did."""
    words, rows = context.words, context.study.by_scheme("teams")
    if not rows:
        return None
    percent, minute, per_year = words["unit.percent"], words["special.minutes"], words["unit.per_year"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.team"], is_number=False),
        Head(words["special.turnouts"], per_year), Head(words["special.at_incidents"], per_year),
        Head(words["special.gather"], minute), Head(words["special.work_p50"], minute),
        Head(words["special.came"], percent), Head(words["special.first_arrival"], percent),
        Head(words["special.only"], percent), Head(words["special.turnouts"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(context.study.label(row["arm"])), word(_team(context, row)), number(row["per_year"], rate),
            number(row["incidents_per_year"], rate), number(row["gather_p50_s"], minutes),
            number(row["work_p50_s"], minutes),
            *(number(row[f"{name}_share"], share) for name in ("arrived", "first", "only")),
            counted(row["n_turnouts"], row["n_replications"]),
        )
        for row in rows
    )  # fmt: skip
    return Grid(words["special.teams_table"], heads, told, words["special.teams_denominator"])


def _sooner(row: Row, clock: str) -> Cell:
    ends = (row[f"{clock}_low"], row[f"{clock}_high"])
    tone = "" if not is_clear(*ends) else "gain" if row[f"{clock}_saved_s"] > 0 else "loss"
    return number(row[f"{clock}_saved_s"], signed_minutes, *ends, tone=tone)


def team_pairs_grid(context: Context) -> Grid | None:
    """Return what the incidents of each team got with it and without, for the main pair."""
    words, rows = context.words, _main_rows(context)
    if not rows:
        return None
    percent, minute = words["unit.percent"], words["special.minutes"]
    heads = (
        Head(words["special.team"], is_number=False), Head(words["special.base_complete"], percent),
        Head(words["special.complete"], percent), Head(words["special.critical_sooner"], minute),
        Head(words["special.alarm_sooner"], minute), Head(words["head.faster"], percent),
        Head(words["head.slower"], percent), Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(_team(context, row)), number(row["base_complete_share"], share), number(row["complete_share"], share),
            _sooner(row, "critical"), _sooner(row, "full_alarm"),
            number(row["full_alarm_share_faster"], share), number(row["full_alarm_share_slower"], share),
            counted(row["n_incidents"], row["n_pairs"]),
        )
        for row in rows
    )  # fmt: skip
    names = {name: context.study.label(str(rows[0][name])) for name in ("arm", "base")}
    caption = words("special.team_pairs_table", **names)
    return Grid(caption, heads, told, words["special.team_pairs_denominator"], (words["special.intervals"],))
