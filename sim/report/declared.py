"""Comparisons in words, grouped by what became of them: better, worse, the same as far as matters, or not clear.

Page one tells several schemes with it in one sentence, and what was declared before the run beside its main figures.
Next: `sections/answer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sim.report.compared import bound_of, case_of, measure_of
from sim.report.context import Context
from sim.report.numbers import diff_writer_of, interval, is_missing
from sim.report.study import CLOCK, HEADLINE, Pair, Row
from sim.report.texts import Bi, join, same

VERDICTS = ("better", "worse", "same", "unclear", "unknown")
"""In the order in which they are told."""


def verdict_of(row: Row) -> str:
    """Return what became of a difference; the same where its interval lies within the bound declared for it."""
    if is_missing(row["diff"]):
        return "unknown"
    if row.get("is_equivalent"):
        return "same"
    return case_of(row, 1 if str(row["metric"]).startswith("share") else -1)


def grouped(context: Context, rows: Sequence[Row], tell: Callable[[Row], Bi]) -> Bi:
    """Return rows as one text: each verdict that there is with its rows, told by `tell`."""
    told = []
    for verdict in VERDICTS:
        own = [tell(row) for row in rows if verdict_of(row) == verdict]
        if own:
            told.append(context.words(f"verdict.{verdict}", items=join(own, "；", "; ")))
    return join(told, "。", ". ")


def sized(context: Context, row: Row) -> Bi:
    """Return a difference with its interval, "+1.2 [0.8, 1.6]", and its bound where it is the same within one."""
    write = diff_writer_of(str(row["metric"]))
    text = same(f" {write(row['diff'])} {interval(row['low'], row['high'], write)}".rstrip())
    if verdict_of(row) == "same":
        return text + context.words("answer.within", bound=bound_of(context, str(row["metric"]), row["equivalence"]))
    return text


def versus(context: Context, row: Row, usual_base: str) -> Bi:
    """Return which scheme a row is about, and against which where it is not the usual one."""
    arm, base = context.study.label(str(row["arm"])), context.study.label(str(row["base"]))
    if row["base"] == usual_base:
        return Bi(f"“{arm.zh}”", f'"{arm.en}"')
    return context.words("answer.item_against", arm=arm, base=base)


def each_scheme(context: Context, pairs: Sequence[Pair], metric: str) -> Bi | None:
    """Return how every scheme fares in one measure, against the study's base; None where none is known."""
    study = context.study
    rows = [row for pair in pairs if (row := study.contrast(pair, metric, study.year)) is not None]
    if not rows:
        return None
    usual = pairs[0].base
    text = grouped(context, rows, lambda row: versus(context, row, usual) + sized(context, row))
    measure = context.words[f"metric.{metric}"].with_unit(_unit(context, metric))
    return context.words("answer.each", year=study.year, measure=measure, base=study.label(usual), text=text)


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
    usual = shown[0].base if shown else ""

    def tell(row: Row) -> Bi:
        return versus(context, row, usual) + Bi("，", ", ") + measure_of(context, dict(row)) + sized(context, row)

    return context.words("answer.declared", base=context.study.label(usual), text=grouped(context, rows, tell))


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
        "diff": sized(context, first), "see": context.see("variants"), "n": len(rows), "same": counts["same"],
        "clear": counts["better"] + counts["worse"], "unclear": counts["unclear"] + counts["unknown"],
    }  # fmt: skip
    return context.words("answer.interactions", **told)
