"""Kinds of incident: how soon each is reached, and what the main comparison changes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.compared import Levels, detail_cells, detail_heads, detail_levels
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, points, seconds, signed_seconds
from sim.report.pictures.marks import Step, mark_of, steps
from sim.report.study import CLOCK, Pair
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEADLINE_FAMILIES = ("fire", "rescue")
_DRAWN = 1000
"""Incidents, pooled over the replications, from which a kind is drawn; every kind is in the table."""


def make(context: Context) -> list[Block]:
    """Return the section."""
    pair, study = context.study.main(), context.study
    assert pair is not None
    wanted: dict[str, object] = {"year": study.year, "grade": 0}
    levels = detail_levels(study, "kinds", "kind", clock=CLOCK, **wanted)
    critical = detail_levels(study, "kinds", "kind", clock="critical", **wanted)
    diffs = detail_levels(study, "kind_contrasts", "kind", arm=pair.arm, base=pair.base, year=study.year)
    kinds = [kind for kind in dict.fromkeys(key[1] for key in levels) if _is_whole(pair, kind, levels)]
    if not kinds:
        return [context.missing("kinds")]
    drawn = [kind for kind in kinds if _is_drawn(context, pair, kind, levels, diffs)]
    drawn.sort(key=lambda kind: -float(diffs[pair.arm, kind, "share_300"]["diff"]))
    return kept(
        _sentence(context, pair, drawn, diffs),
        _picture(context, pair, drawn, levels, diffs),
        _grid(context, pair, kinds, (levels, critical), diffs),
    )


def _is_whole(pair: Pair, kind: str, levels: Levels) -> bool:
    return all((arm, kind, metric) in levels for arm in (pair.base, pair.arm) for metric in ("share_300", "p90"))


def _is_drawn(context: Context, pair: Pair, kind: str, levels: Levels, diffs: Levels) -> bool:
    """Return whether a kind is a fire or rescue (all, where families are not known) with enough incidents."""
    family = _family(context, kind)
    is_many = levels[pair.arm, kind, "share_300"]["n_incidents"] >= _DRAWN
    return is_many and family in (*_HEADLINE_FAMILIES, "") and (pair.arm, kind, "share_300") in diffs


def _name(context: Context, kind: str) -> Bi:
    row = context.study.row("kind_names", kind=kind)
    return same(kind) if row is None else Bi(str(row["name_zh"]), str(row["name_en"]))


def _family(context: Context, kind: str) -> str:
    row = context.study.row("kind_names", kind=kind)
    return "" if row is None else str(row["family"])


def _sentence(context: Context, pair: Pair, kinds: list[str], diffs: Levels) -> Paragraph | None:
    """Return which of the kinds drawn, largest gain first, gain most and least."""
    if len(kinds) < 2:
        return None
    best, worst = (diffs[pair.arm, kind, "share_300"]["diff"] for kind in (kinds[0], kinds[-1]))
    text = context.words(
        "kinds.text", year=context.study.year, best=_name(context, kinds[0]), b=points(best),
        worst=_name(context, kinds[-1]), w=points(worst),
    )  # fmt: skip
    return Paragraph(text)


def _picture(context: Context, pair: Pair, kinds: list[str], levels: Levels, diffs: Levels) -> Picture | None:
    words, study = context.words, context.study
    base, arm = names(context, pair)
    if not kinds:
        return None

    def draw(language: str) -> Figure | None:
        titles = tuple(words[key].of(language) for key in ("answer.level", "answer.diff", "answer.late"))
        rows = [_step(pair, kind, _name(context, kind).of(language), levels, diffs) for kind in kinds]
        return steps(rows, (titles[0], titles[1], titles[2]), (base.of(language), arm.of(language)), line_in=0.27)

    ends = join(
        [
            _name(context, kind) + same(" " + points(diffs[pair.arm, kind, "share_300"]["diff"]))
            for kind in dict.fromkeys((kinds[0], kinds[-1]))
        ],
        "；",
        "; ",
    )
    caption = words("kinds.picture", year=study.year, arm=arm, base=base, least=count(_DRAWN))
    return picture(draw, caption, words("kinds.alt", n=len(kinds), ends=ends), "kinds")


def _step(pair: Pair, kind: str, name: str, levels: Levels, diffs: Levels) -> Step:
    before, after = (100 * float(levels[arm, kind, "share_300"]["value"]) for arm in (pair.base, pair.arm))
    row, late = diffs[pair.arm, kind, "share_300"], diffs.get((pair.arm, kind, "p90"))
    return Step(
        name,
        before,
        after,
        mark_of("", row, "diff", 100, points(row["diff"])),
        mark_of("", late, "diff", 1, "" if late is None else signed_seconds(late["diff"])),
    )


def _grid(context: Context, pair: Pair, kinds: list[str], levels: tuple[Levels, Levels], diffs: Levels) -> Grid:
    words, study = context.words, context.study
    base, arm = names(context, pair)
    heads = (
        Head(words["kinds.kind"], is_number=False), *detail_heads(context),
        Head(words["kinds.critical"] + same(" ") + words["note.without"], words["unit.s"]),
        Head(words["kinds.critical"] + same(" ") + words["note.with"], words["unit.s"]),
        Head(words["head.incidents"]),
    )  # fmt: skip
    rows = tuple(_row(context, pair, kind, levels, diffs) for kind in kinds)
    caption = words("kinds.table", year=study.year, base=base, arm=arm)
    notes = (words["note.interval_short"], words["note.detail"], words["kinds.critical_note"])
    return Grid(caption, heads, rows, words["kinds.denominator"], notes)


def _row(context: Context, pair: Pair, kind: str, levels: tuple[Levels, Levels], diffs: Levels) -> tuple[Cell, ...]:
    arrival, critical = levels
    name, family = _name(context, kind), _family(context, kind)
    told = name.with_unit(context.words.known("family", family)) if family else name
    late: list[Any] = [critical.get((arm, kind, "p90")) for arm in (pair.base, pair.arm)]
    return (
        word(told), *detail_cells(pair, kind, arrival, diffs),
        *(number(None, seconds) if row is None else number(row["value"], seconds) for row in late),
        number(arrival[pair.arm, kind, "share_300"]["n_incidents"], count),
    )  # fmt: skip


SECTION = SectionEntry("kinds", needs=("kinds", "contrasts"), make=make)
