"""How the answer fares when the assumptions vary together: in how many worlds it holds, and what could turn it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, diff_writer_of, is_missing, plain, share
from sim.report.pictures.tornado import Bar, tornado
from sim.report.study import Pair
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_METRIC = "share_300"
_TOLD = (_METRIC, "p90")


def make(context: Context) -> list[Block]:
    """Return the sentence, the picture of what moves the answer, and both tables."""
    pair = context.study.main()
    return kept(
        None if pair is None else _sentence(context, pair),
        Paragraph(context.words["sensitivity.text"], "note"),
        None if pair is None else _picture(context, pair),
        _robustness(context),
        None if pair is None else _factors(context, pair),
    )


def _sentence(context: Context, pair: Pair) -> Paragraph | None:
    study, words = context.study, context.words
    found = study.row("robustness", arm=pair.arm, base=pair.base, metric=_METRIC)
    if found is None:
        return None
    base, arm = names(context, pair)
    write = diff_writer_of(_METRIC)
    told = {"low": write(found["diff_p5"]), "median": write(found["diff_median"]), "high": write(found["diff_p95"])}
    n, held = count(found["n_worlds"]), share(found["share_better"])
    text = words("sensitivity.holds", arm=arm, base=base, n=n, share=held, **told)
    turning = study.table("sensitivity", arm=pair.arm, base=pair.base, metric=_METRIC, could_turn=True)
    if turning is None or turning.empty:
        return Paragraph(text + words["sensitivity.none_turns"], "lead")
    named = [Bi(str(row["label_zh"]), str(row["label_en"])) for row in turning.to_dict("records")]
    told_names = named[0]
    for name in named[1:]:
        told_names = told_names + Bi("、", ", ") + name
    return Paragraph(text + words("sensitivity.turns", names=told_names), "lead")


def _rows_of(context: Context, pair: Pair, metric: str) -> list[dict[str, Any]]:
    found = context.study.table("sensitivity", arm=pair.arm, base=pair.base, metric=metric)
    rows: list[Any] = [] if found is None else found.to_dict("records")
    return sorted(rows, key=lambda row: (-abs(row["correlation"]), row["key"]))


def _picture(context: Context, pair: Pair) -> Block | None:
    words, rows = context.words, _rows_of(context, pair, _METRIC)
    usual = context.study.row("robustness", arm=pair.arm, base=pair.base, metric=_METRIC)
    if usual is None or not rows:
        return None
    ordered = sorted(rows, key=lambda row: -abs(row["diff_high_third"] - row["diff_low_third"]))

    def draw(language: str) -> Figure | None:
        label = f"label_{language}"
        bars = [Bar(str(r[label]), 100 * r["diff_low_third"], 100 * r["diff_high_third"]) for r in ordered]
        ends = (words["sensitivity.low_end"].of(language), words["sensitivity.high_end"].of(language))
        axis = words["sensitivity.axis"].of(language)
        return tornado(bars, 100 * usual["diff_median"], ends, axis, lambda value: plain(value, 1))

    alt = words("sensitivity.alt", name=Bi(str(ordered[0]["label_zh"]), str(ordered[0]["label_en"])))
    return picture(draw, words["sensitivity.picture"], alt, "sensitivity")


def _robustness(context: Context) -> Grid | None:
    study, words = context.study, context.words
    found = study.table("robustness")
    if found is None:
        return None
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["head.metric"], is_number=False),
        Head(words["sensitivity.median"]), Head(words["sensitivity.difference"]),
        Head(words["sensitivity.better"], words["unit.percent"]),
        Head(words["sensitivity.best"], words["unit.percent"]), Head(words["sensitivity.rank"]),
    )  # fmt: skip
    rows = []
    for metric in _TOLD:
        write = diff_writer_of(metric)
        for row in found[found["metric"] == metric].to_dict("records"):
            level = (
                share(row["value_median"]) + " %" if metric.startswith("share") else plain(row["value_median"]) + " s"
            )
            has_base = not is_missing(row["share_better"])
            better = number(row["share_better"], share) if has_base else word(same("–"))
            rows.append((
                word(_pair_name(context, row)), word(words.known("metric", metric)), Cell(same(level)),
                number(row["diff_median"], write, row["diff_p5"], row["diff_p95"]), better,
                number(row["share_best"], share), number(row["mean_rank"], lambda v: plain(v, 1)),
            ))  # fmt: skip
    notes = (words["sensitivity.brackets"],)
    denominator = words("sensitivity.denominator", n=count(found["n_worlds"].iloc[0]))
    return Grid(words["sensitivity.table"], heads, tuple(rows), denominator, notes)


def _pair_name(context: Context, row: Any) -> Bi:
    """Return the arm's name, with that of its base where it is not the main pair's."""
    study, main = context.study, context.study.main()
    arm = study.label(row["arm"])
    if not row["base"] or main is None or row["base"] == main.base:
        return arm
    return join([arm, study.label(row["base"])], "对", " vs ")


def _factors(context: Context, pair: Pair) -> Grid | None:
    words, rows = context.words, _rows_of(context, pair, _METRIC)
    if not rows:
        return None
    heads = (
        Head(words["sensitivity.factor"], is_number=False), Head(words["sensitivity.range"], is_number=False),
        Head(words["sensitivity.correlation"]), Head(words["sensitivity.low_end"], words["unit.points"]),
        Head(words["sensitivity.high_end"], words["unit.points"]), Head(words["sensitivity.could"], is_number=False),
        Head(words["sensitivity.source"], is_number=False),
    )  # fmt: skip
    write = diff_writer_of(_METRIC)
    told = []
    for row in rows:
        yes = words["sensitivity.yes"] if row["could_turn"] else words["sensitivity.no"]
        told.append((
            word(Bi(str(row["label_zh"]), str(row["label_en"])).with_unit(same(row["key"]))), word(same(row["range"])),
            number(row["correlation"], lambda v: plain(v, 2), row["low"], row["high"]),
            number(row["diff_low_third"], write), number(row["diff_high_third"], write),
            word(yes, tone="loss" if row["could_turn"] else ""), word(same(row["source"])),
        ))  # fmt: skip
    base, arm = names(context, pair)
    caption = words("sensitivity.factors", arm=arm, base=base)
    denominator = words("sensitivity.denominator", n=count(rows[0]["n_worlds"]))
    return Grid(caption, heads, tuple(told), denominator, (words["sensitivity.method"],))


SECTION = SectionEntry("sensitivity", needs=("robustness", "sensitivity"), make=make)
