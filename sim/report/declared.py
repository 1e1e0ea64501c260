"""Comparisons in words, grouped by what became of them: better, worse, the same as far as matters, or not clear.

Page one tells several schemes with it in one sentence, and what was declared before the run beside its main figures.
Next: `sections/answer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sim.report.compared import bound_of, case_of, measure_of
from sim.report.context import Context
from sim.report.numbers import diff_writer_of, interval, is_clear, is_missing
from sim.report.study import CLOCK, HEADLINE, Pair, Row
from sim.report.texts import Bi, join, same

_MOST_WITH_INTERVALS = 4
VERDICTS = ("better", "worse", "same", "unclear", "tiny", "none", "unknown")
"""In the order in which they are told."""


def verdict_of(row: Row) -> str:
    """Return what became of a difference; the same where its interval lies within the bound declared for it.

    Tiny: it and both ends of its interval are written as nothing.
    """
    if is_missing(row["diff"]):
        return "unknown"
    if row["diff"] == row["low"] == row["high"] == 0:
        return "none"
    if row.get("is_equivalent"):
        return "same"
    write = diff_writer_of(str(row["metric"]))
    if not any(write(row[name]).strip("+−-0.") for name in ("diff", "low", "high")):
        return "tiny"
    return case_of(row, 1 if str(row["metric"]).startswith("share") else -1)


def grouped(context: Context, rows: Sequence[Row], tell: Callable[[Row], Bi]) -> Bi:
    """Return rows as one text: each verdict that there is with its rows, told by `tell`."""
    told = []
    for verdict in VERDICTS:
        own = [tell(row) for row in rows if verdict_of(row) == verdict]
        if own:
            told.append(_bounds(context, rows, verdict) + join(own, "；", "; "))
    return join(told, "。", ". ")


def _bounds(context: Context, rows: Sequence[Row], verdict: str) -> Bi:
    """Return what a verdict is called, with the bounds declared where it is that of being the same within them."""
    name = context.words[f"verdict.{verdict}"]
    own = [row for row in rows if verdict == "same" and verdict_of(row) == verdict]
    bounds = dict.fromkeys(bound_of(context, str(row["metric"]), row["equivalence"]) for row in own)
    return (name.with_unit(join(list(bounds))) if bounds else name) + Bi("：", ": ")


def sized(context: Context, row: Row, *, is_bare: bool = False) -> Bi:
    """Return a difference with its interval, "+1.2 [0.8, 1.6]", or bare; nothing where there is none at all."""
    if verdict_of(row) == "none":
        return same("")
    write = diff_writer_of(str(row["metric"]))
    inner = "" if is_bare else interval(row["low"], row["high"], write)
    text = same(f" {write(row['diff'])} {inner}".rstrip())
    if verdict_of(row) == "unclear" and is_clear(row["low"], row["high"]):
        return text + context.words["answer.corrected"]
    return text


def versus(context: Context, row: Row, usual: Pair | None) -> Bi:
    """Return which comparison a row is about: by its condition or scheme, and the base where it is not the usual."""
    study = context.study
    pair = next((p for p in study.conditions() if (p.arm, p.base) == (row["arm"], row["base"])), None)
    if pair is not None and study.is_condition(pair):
        return pair.label
    arm, base = study.label(str(row["arm"])), study.label(str(row["base"]))
    if usual is not None and row["base"] == usual.base:
        return Bi(f"“{arm.zh}”", f'"{arm.en}"')
    return context.words("answer.item_against", arm=arm, base=base)


def each_scheme(context: Context, pairs: Sequence[Pair], metric: str) -> Bi | None:
    """Return how every scheme fares in one measure, against the study's base; None where none is known."""
    study = context.study
    rows = [row for pair in pairs if (row := study.contrast(pair, metric, study.year)) is not None]
    rows = [row for row in rows if metric.startswith("share") or not is_missing(row["diff"])]
    if not rows:
        return None
    usual, is_bare = pairs[0], len(rows) > _MOST_WITH_INTERVALS  # the table beneath has them

    def tell(row: Row) -> Bi:
        return versus(context, row, usual) + sized(context, row, is_bare=is_bare)

    text = grouped(context, rows, tell)
    measure = context.words[f"metric.{metric}"].with_unit(_unit(context, metric))
    return context.words("answer.each", year=study.year, measure=measure, base=study.apart(usual)[1], text=text)


def _unit(context: Context, metric: str) -> Bi:
    return context.words["unit.points" if metric.startswith("share") else "unit.s"]


def declared_besides(context: Context, shown: Sequence[Pair], metrics: Sequence[str]) -> Bi | None:
    """Return the declared comparisons that page one does not show already, in words; None without any.

    `shown`, `metrics`: the pairs and measures of the headline whose differences of the last year stand in its table.
    """
    found = context.study.table("contrasts", "p_adjusted", is_primary=True)
    seen = {(pair.arm, pair.base) for pair in shown}
    rows: list[Any] = [] if found is None else found.to_dict("records")
    rows = [row for row in rows if not _is_shown(context, row, seen, metrics)]
    if not rows:
        return None
    usual = context.study.main()
    base = same("") if usual is None else context.study.apart(usual)[1]

    def tell(row: Row) -> Bi:
        return (
            versus(context, row, usual)
            + Bi("，", ", ")
            + measure_of(context, dict(row))
            + _of_year(context, row)
            + sized(context, row, is_bare=len(rows) > _MOST_WITH_INTERVALS)
        )

    return context.words("answer.declared", base=base, text=grouped(context, rows, tell))


def _of_year(context: Context, row: Row) -> Bi:
    """Return which years a comparison is of, where that is not the year of page one."""
    if row["year"] == context.study.year:
        return same("")
    return Bi("，", ", ") + (context.words["year.all"] if row["year"] == 0 else same(row["year"]))


def _is_shown(context: Context, row: Row, seen: set[tuple[str, str]], metrics: Sequence[str]) -> bool:
    is_headline = (row["group"], row["clock"], row["year"]) == (HEADLINE, CLOCK, context.study.year)
    return is_headline and (row["arm"], row["base"]) in seen and row["metric"] in metrics


def interactions_told(context: Context) -> Bi | None:
    """Return whether changes add up, by the declared differences of differences; None without any."""
    found = context.study.table("interactions", "there", "elsewhere", "p_adjusted")
    if found is None:
        return None
    rows: list[Any] = [{**row, "is_primary": True} for row in found.to_dict("records")]
    counts = {verdict: sum(verdict_of(row) == verdict for row in rows) for verdict in VERDICTS}
    first = rows[0]
    write, study = diff_writer_of(str(first["metric"])), context.study
    told: dict[str, object] = {
        "arm": study.label(first["arm"]), "base": study.label(first["base"]), "of_arm": study.label(first["of_arm"]),
        "of_base": study.label(first["of_base"]), "measure": measure_of(context, first),
        "there": same(write(first["there"])), "elsewhere": same(write(first["elsewhere"])),
        "diff": sized(context, first), "see": context.see("variants"), "n": len(rows),
        "same": counts["same"] + counts["none"], "clear": counts["better"] + counts["worse"],
        "unclear": counts["unclear"] + counts["tiny"] + counts["unknown"],
    }  # fmt: skip
    return context.words("answer.interactions", **told)
