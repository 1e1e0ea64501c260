"""Page one: what was compared, and the answer in one picture and one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Facts, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import (
    count,
    diff_writer_of,
    interval,
    is_clear,
    is_missing,
    is_settled,
    points,
    share,
    signed_seconds,
    writer_of,
)
from sim.report.pictures.marks import Step, mark_of, steps
from sim.report.study import MAIN, Pair
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLD = ("share_300", "p50", "p90")


def make(context: Context) -> list[Block]:
    """Return page one."""
    pair, study, words = context.study.main(), context.study, context.words
    arms = count(len(study.arms()))
    if pair is None:
        intro = Paragraph(words("answer.intro_single", arms=arms))
        return kept(*_question(context), intro, _arms(context), Paragraph(words["missing.pair"], "missing"))
    base, arm = names(context, pair)
    return kept(
        *_question(context),
        *answer(context, pair),
        _picture(context, pair),
        Paragraph(words["answer.gloss"], "note"),
        Paragraph(words("answer.intro", arms=arms, arm=arm, base=base)),
        _staff(context, pair),
        _standing(context),
        _table(context, pair),
        Paragraph(words["answer.arms"], "caption"),
        _arms(context),
    )


def _question(context: Context) -> list[Block]:
    """Return the study's own question, where it states one."""
    told = context.study.note.get("study") or {}
    zh, en = told.get("question_zh"), told.get("question_en")
    return [Paragraph(Bi(str(zh), str(en)), "question")] if zh and en else []


# --- the sentence -----------------------------------------------------------------------------------------------------


def answer(context: Context, pair: Pair) -> list[Block]:
    """Return the answer as one sentence, and how it fares under the other conditions."""
    share_row = context.study.contrast(pair, "share_300", context.study.year)
    if share_row is None:
        return [context.missing("contrasts")]
    late_row = context.study.contrast(pair, "p90", context.study.year)
    text = _share_clause(context, pair, share_row)
    text = text + (context.words["answer.end"] if late_row is None else _late_clause(context, late_row))
    robust = _robust(context, pair, float(share_row["diff"]))
    return kept(Paragraph(text, "lead"), None if robust is None else Paragraph(robust))


def _share_clause(context: Context, pair: Pair, row: Any) -> Bi:
    study, year = context.study, context.study.year
    base, arm = names(context, pair)
    levels = [study.headline(name, "share_300", year) for name in (pair.base, pair.arm)]
    b, a = (None if level is None else level["value"] for level in levels)
    values: dict[str, object] = {
        "year": study.year, "arm": arm, "base": base, "a": share(a), "b": share(b), "s": points(row["diff"]),
        "why": _why(context, row),
    }  # fmt: skip
    return context.words(f"answer.share_{_case(row, better=1)}", **values, **_sizes(context, row, points))


def _why(context: Context, row: Any) -> Bi:
    """Return why a difference is not called clear."""
    if is_missing(row["low"]) or is_missing(row["high"]):
        return same("")
    return context.words["answer.not_corrected" if is_clear(row["low"], row["high"]) else "answer.holds_zero"]


def _late_clause(context: Context, row: Any) -> Bi:
    sizes = _sizes(context, row, signed_seconds)
    return context.words(f"answer.late_{_case(row, better=-1)}", s=signed_seconds(row["diff"]), **sizes)


def _case(row: Any, better: int) -> str:
    """Return better, worse or unclear."""
    if is_missing(row["diff"]) or not is_settled(row):
        return "unclear"
    return "better" if (row["diff"] > 0) == (better > 0) else "worse"


def _sizes(context: Context, row: Any, write: Any) -> dict[str, object]:
    """Return the difference and its interval: unsigned and in order of size where settled, signed otherwise."""
    diff, low, high = row["diff"], row["low"], row["high"]
    if is_missing(low) or is_missing(high):
        unknown = context.words["answer.no_interval"]
        return {"d": write(diff), "low": unknown, "high": unknown}
    if not is_settled(row):
        return {"d": write(diff), "low": write(low), "high": write(high)}
    ends = sorted((abs(low), abs(high)))
    return {key: write(abs(value)).lstrip("+") for key, value in zip(("d", "low", "high"), (diff, *ends), strict=True)}


def _robust(context: Context, pair: Pair, diff: float) -> Bi | None:
    """Return in how many of the other conditions the difference has the same sign and is clear."""
    others = [p for p in context.study.conditions() if p.purpose != MAIN]
    rows = [context.study.contrast(p, "share_300", context.study.year) for p in others]
    known = [row for row in rows if row is not None]
    if not known:
        return None
    alike = [row for row in known if (row["diff"] > 0) == (diff > 0)]
    n_same = sum(is_settled(row) for row in alike)
    key = "answer.robust_all" if n_same == len(known) else "answer.robust_some"
    return context.words(key, n=len(known), sign=len(alike), same=n_same)


# --- the picture ------------------------------------------------------------------------------------------------------


def _picture(context: Context, pair: Pair) -> Picture | None:
    study, words, year = context.study, context.words, context.study.year
    pairs = [p for p in study.conditions() if study.contrast(p, "share_300", year) is not None]
    if not pairs:
        return None
    base, arm = names(context, pair)
    if sum(p.purpose == MAIN for p in pairs) > 1:
        arm = words["head.arm"]

    def draw(language: str) -> Figure | None:
        titles = tuple(words[key].of(language) for key in ("answer.level", "answer.diff", "answer.late"))
        rows = [_step(context, p, language) for p in pairs]
        return steps(rows, (titles[0], titles[1], titles[2]), (base.of(language), arm.of(language)))

    lines = join([_alt_line(context, p) for p in pairs], "；", "; ")
    caption = words("answer.picture", year=year, arm=arm, base=base)
    return picture(draw, caption, words("answer.alt", lines=lines), "answer")


def _name(context: Context, pair: Pair) -> Bi:
    """Return what a line stands for: the main comparison, or the condition that differs from it."""
    is_main = pair == context.study.main() and context.study.is_repeated()
    return context.words["answer.main_name"] if is_main else pair.label


def _step(context: Context, pair: Pair, language: str) -> Step:
    study, year = context.study, context.study.year
    base, arm = (study.headline(name, "share_300", year) for name in (pair.base, pair.arm))
    marks = []
    for metric, factor, write in (("share_300", 100.0, points), ("p90", 1.0, signed_seconds)):
        row = study.contrast(pair, metric, year)
        mark = mark_of("", row, "diff", factor, "" if row is None else write(row["diff"]))
        marks.append(replace(mark, is_settled=row is not None and is_settled(row)))
    levels = [float("nan") if row is None else 100 * float(row["value"]) for row in (base, arm)]
    return Step(_name(context, pair).of(language), levels[0], levels[1], marks[0], marks[1])


def _alt_line(context: Context, pair: Pair) -> Bi:
    study, year = context.study, context.study.year
    row = study.contrast(pair, "share_300", year)
    levels = [study.headline(name, "share_300", year) for name in (pair.base, pair.arm)]
    b, a = (share(None if level is None else level["value"]) for level in levels)
    assert row is not None
    inner = interval(row["low"], row["high"], points)
    return context.words("answer.alt_line", name=_name(context, pair), a=a, b=b, d=points(row["diff"]), interval=inner)


# --- what stands beside it --------------------------------------------------------------------------------------------


def _table(context: Context, pair: Pair) -> Grid | None:
    """Return levels and paired differences of the told metrics under every condition."""
    words, year = context.words, context.study.year
    base, arm = names(context, pair)
    rows, found = [], None
    for p in context.study.conditions():
        for metric in TOLD:
            row = context.study.contrast(p, metric, year)
            if row is not None:
                found = row if found is None else found
                rows.append(_row(context, p, metric, row))
    if found is None:
        return None
    heads = (
        Head(words["head.condition"], is_number=False),
        Head(words["head.metric"], is_number=False),
        Head(base), Head(arm),
        Head(words["head.difference"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    notes = (words["note.intervals"],)
    return Grid(words("answer.table", year=year), heads, tuple(rows), words["note.pooled_each"], notes)


def _row(context: Context, pair: Pair, metric: str, row: Any) -> tuple[Cell, ...]:
    study, words = context.study, context.words
    unit = words["unit.percent" if metric.startswith("share") else "unit.s"]
    levels = [study.headline(name, metric, study.year) for name in (pair.base, pair.arm)]
    cells = []
    for level in levels:
        mc = None if level is None else (level.get("mc_low"), level.get("mc_high"))
        ends = (None, None) if level is None else (level["low"], level["high"])
        cells.append(number(None if level is None else level["value"], writer_of(metric), *ends, mc=mc))
    mc = (row.get("mc_low"), row.get("mc_high"))
    better = 1 if metric.startswith("share") else -1
    tone = {"better": "gain", "worse": "loss", "unclear": ""}[_case(row, better)]
    diff = number(row["diff"], diff_writer_of(metric), row["low"], row["high"], mc=mc, tone=tone)
    name = words[f"head.{metric}"].with_unit(unit)
    return (
        word(_name(context, pair)),
        word(name),
        *cells,
        diff,
        counted(row["n_incidents"], row["n_pairs"]),
    )


def _arms(context: Context) -> Facts | None:
    found = context.study.table("arms", "label_zh", "label_en", "first_line_zh", "first_line_en", "purpose")
    if found is None:
        return None
    rows = []
    for row in found.to_dict("records"):
        purpose = context.words.known("purpose", row["purpose"])
        text = Bi(str(row["first_line_zh"]), str(row["first_line_en"])).with_unit(purpose)
        rows.append((Bi(str(row["label_zh"]), str(row["label_en"])), text))
    return Facts(tuple(rows))


def _staff(context: Context, pair: Pair) -> Paragraph | None:
    """Return the sentence on staff, from the settings of the arms."""
    path = _staff_path(context, pair.arm)
    if (
        path is None
        or context.study.configs.get(pair.base, {}).get("staffing") != context.study.configs[pair.arm]["staffing"]
    ):
        return None
    others = [p for p in context.study.conditions() if p.purpose == "staffing"]
    constant = None if not others else _staff_path(context, others[0].arm)
    if constant is None:
        return Paragraph(context.words("answer.staff_alone", path=path))
    return Paragraph(context.words("answer.staff", path=path, constant=constant, label=others[0].label))


def _staff_path(context: Context, arm: str) -> Bi | None:
    """Return an arm's staff path: "0.26‰ → 0.40‰ (from 2024-01-01) → …", or None where its settings are not there."""
    staffing = context.study.configs.get(arm, {}).get("staffing")
    if not isinstance(staffing, dict) or "initial_permille" not in staffing:
        return None
    parts = [same(f"{staffing['initial_permille']:.2f}")]
    for step in staffing.get("steps") or ():
        date = context.words("answer.from_date", date=step["from_date"])
        parts.append(same(f"{step['permille']:.2f}").with_unit(date))
    return join(parts, " → ", " → ")


def _standing(context: Context) -> Paragraph:
    found, see = context.study.table("contrasts", "n_worlds"), context.see("assumptions")
    worlds = 0 if found is None else int(found["n_worlds"].max())
    if worlds > 1:
        return Paragraph(context.words("answer.standing", worlds=worlds, see=see), "note")
    return Paragraph(context.words("answer.standing_bare", see=see), "note")


SECTION = SectionEntry("answer", needs=(), make=make)
