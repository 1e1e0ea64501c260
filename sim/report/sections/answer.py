"""Page one: what was compared, and the answer in one picture and one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Facts, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.compared import bound_of, case_of, condition_name, diff_cell, level_cells, metric_cell
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.declared import declared_besides, each_scheme, interactions_told
from sim.report.numbers import (
    count,
    interval,
    is_clear,
    is_missing,
    is_settled,
    points,
    share,
    signed_seconds,
)
from sim.report.pictures.marks import Ghost, Step, mark_of, steps
from sim.report.study import Pair, Study
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLD = ("share_300", "p50", "p90")
_BESIDE = ("share_300", "p90")
_MOST_TOLD = 6
_STATED = "stated"
"""Rule of `staffing` by which each station has people of its own."""
"""Of more schemes than these page one says less in words: its picture and its table have them all."""


def make(context: Context) -> list[Block]:
    """Return page one."""
    pair, study, words = context.study.main(), context.study, context.words
    arms = count(len(study.arms()))
    if pair is None:
        intro = Paragraph(words("answer.intro_single", arms=arms))
        return kept(*_question(context), intro, Paragraph(words["missing.pair"], "missing"))
    base, arm = names(context, pair)
    return kept(
        *_question(context),
        *_lead(context, pair),
        _compared(context, pair),
        _front(context) or _picture(context, pair),
        _table(context, pair),
        Paragraph(
            words(
                "answer.intro" if study.is_one_fate() else "answer.intro_apart",
                arms=arms,
                arm=arm,
                base=base,
                see=context.see("variants"),
            ),
            "note",
        ),
        _staff(context, pair),
        _standing(context),
    )


def _question(context: Context) -> list[Block]:
    """Return the study's own question, where it states one."""
    told = context.study.note.get("study") or {}
    zh, en = told.get("question_zh"), told.get("question_en")
    return [Paragraph(Bi(str(zh), str(en)), "question")] if zh and en else []


# --- the sentence -----------------------------------------------------------------------------------------------------


def _lead(context: Context, pair: Pair) -> list[Block]:
    """Return what the study is about first: a lever's own sentences, whether changes add up, then response times."""
    first = [*context.leads, interactions_told(context)]
    found: list[Block] = [Paragraph(text) for text in first if text is not None]
    found += [replace(b, style="text") if found and isinstance(b, Paragraph) else b for b in answer(context, pair)]
    found = [replace(b, style="lead") if i == 0 and isinstance(b, Paragraph) else b for i, b in enumerate(found)]
    declared = declared_besides(context, context.study.peers(), TOLD)
    return kept(*found, None if declared is None else Paragraph(declared))


def answer(context: Context, pair: Pair) -> list[Block]:
    """Return the answer as one sentence, and how it fares under the other conditions.

    Where several schemes are the study's main ones, the sentence tells them all.
    """
    several = context.study.peers()
    if len(several) > 1:
        metrics = _BESIDE if len(several) <= _MOST_TOLD else _BESIDE[:1]
        told = [*(each_scheme(context, several, metric) for metric in metrics), _worlds(context, pair)]
        return kept(*(Paragraph(text, "text" if i else "lead") for i, text in enumerate(told) if text is not None))
    share_row = context.study.contrast(pair, "share_300", context.study.year)
    if share_row is None:
        return [context.missing("contrasts")]
    late_row = context.study.contrast(pair, "p90", context.study.year)
    text = _share_clause(context, pair, share_row)
    text = text + (context.words["answer.end"] if late_row is None else _late_clause(context, late_row))
    robust = _robust(context, pair, float(share_row["diff"]))
    beside = (_equivalent(context, pair), robust, _worlds(context, pair))
    return [Paragraph(text, "lead"), *(Paragraph(told) for told in beside if told is not None)]


def _equivalent(context: Context, pair: Pair) -> Bi | None:
    """Return which measures are the same as far as matters, by the bounds declared before the run."""
    found = [(m, context.study.contrast(pair, m, context.study.year)) for m in TOLD]
    same_by = [_bounded(context, metric, row) for metric, row in found if row is not None and row.get("is_equivalent")]
    return context.words("answer.equivalent", measures=join(same_by)) if same_by else None


def _bounded(context: Context, metric: str, row: Any) -> Bi:
    return context.words[f"head.{metric}"].with_unit(bound_of(context, metric, row["equivalence"]))


def _worlds(context: Context, pair: Pair) -> Bi | None:
    """Return in how many plausible worlds the arm is better, where the study has any."""
    found = context.study.row("robustness", arm=pair.arm, base=pair.base, metric="share_300")
    if found is None or is_missing(found["share_better"]):
        return None
    n = int(found["n_worlds"])
    held, see = count(round(n * float(found["share_better"]))), context.see("sensitivity")
    base, arm = names(context, pair)
    text = context.words("answer.worlds", n=count(n), held=held, arm=arm, base=base, see=see)
    others = [one for one in context.study.pairs() if (one.arm, one.base) != (pair.arm, pair.base)]
    told = [text_of for one in others if (text_of := _in_worlds(context, one)) is not None]
    return text + context.words("answer.worlds_others", others=join(told, "；", "; ")) if told else text


def _in_worlds(context: Context, pair: Pair) -> Bi | None:
    """Return in how many plausible worlds another pair's arm is better, in a few words."""
    found = context.study.row("robustness", arm=pair.arm, base=pair.base, metric="share_300")
    if found is None or is_missing(found["share_better"]):
        return None
    n, (base, arm) = int(found["n_worlds"]), names(context, pair)
    return context.words("answer.worlds_other", arm=arm, base=base, held=count(round(n * found["share_better"])))


def _share_clause(context: Context, pair: Pair, row: Any) -> Bi:
    study, year = context.study, context.study.year
    base, arm = names(context, pair)
    levels = [study.headline(name, "share_300", year) for name in (pair.base, pair.arm)]
    b, a = (None if level is None else level["value"] for level in levels)
    values: dict[str, object] = {
        "year": study.year, "arm": arm, "base": base, "a": share(a), "b": share(b), "s": points(row["diff"]),
        "why": _why(context, row),
    }  # fmt: skip
    return context.words(f"answer.share_{case_of(row, better=1)}", **values, **_sizes(context, row, points))


def _why(context: Context, row: Any) -> Bi:
    """Return why a difference is not called clear."""
    if is_missing(row["low"]) or is_missing(row["high"]):
        return same("")
    return context.words["answer.not_corrected" if is_clear(row["low"], row["high"]) else "answer.holds_zero"]


def _late_clause(context: Context, row: Any) -> Bi:
    if is_missing(row["diff"]):
        return context.words["answer.late_endless"]
    sizes = _sizes(context, row, signed_seconds)
    return context.words(f"answer.late_{case_of(row, better=-1)}", s=signed_seconds(row["diff"]), **sizes)


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
    others = context.study.repeats()
    rows = [context.study.contrast(p, "share_300", context.study.year) for p in others]
    known = [row for row in rows if row is not None and not is_missing(row["diff"])]
    if not known:
        return None
    alike = [row for row in known if (row["diff"] > 0) == (diff > 0)]
    n_same = sum(is_settled(row) for row in alike)
    key = "answer.robust_all" if n_same == len(known) else "answer.robust_some"
    where = context.words["answer.in_picture"] if _front(context) is None else context.see("variants")
    return context.words(key, n=len(known), sign=len(alike), same=n_same, where=where)


# --- the picture ------------------------------------------------------------------------------------------------------


def _front(context: Context) -> Picture | None:
    """Return the picture of the section that the study is about, None where it is about response times alone."""
    return None if context.front is None else context.front(context, "answer")


def _picture(context: Context, pair: Pair) -> Picture | None:
    study, words, year = context.study, context.words, context.study.year
    rows = {p: study.contrast(p, "share_300", year) for p in study.conditions()}
    pairs = [p for p, row in rows.items() if row is not None and not is_missing(row["diff"])]
    if not pairs:
        return None
    base, arm = _sides(context, pair)

    def draw(language: str) -> Figure | None:
        titles = tuple(words[key].of(language) for key in ("answer.level", "answer.diff", "answer.late"))
        rows = [_step(context, p, language) for p in pairs]
        line_in = 0.36 if len(rows) <= _MOST_TOLD else 0.27
        return steps(rows, (titles[0], titles[1], titles[2]), (base.of(language), arm.of(language)), line_in)

    lines = join([_alt_line(context, p) for p in pairs], "；", "; ")
    caption = words("answer.picture", year=year, arm=arm, base=base)
    if any(_ghost(study, p) is not None for p in pairs):
        caption = caption + words["answer.picture_ghost"]
    return picture(draw, caption, words("answer.alt", lines=lines), "answer")


def _sides(context: Context, pair: Pair) -> tuple[Bi, Bi]:
    """Return what stands on either side of the main pairs: both names, or what several have in common."""
    peers = context.study.peers()
    if len(peers) < 2:
        return names(context, pair)
    if all(context.study.is_condition(p) for p in peers):
        arm, base = context.study.apart(pair)
        return base, arm
    if all(p.base == pair.base for p in peers):
        return context.study.label(pair.base), context.words["head.arm"]
    return context.words["special.against"], context.words["head.arm"]


def _step(context: Context, pair: Pair, language: str) -> Step:
    study, year = context.study, context.study.year
    base, arm = (study.headline(name, "share_300", year) for name in (pair.base, pair.arm))
    marks = []
    for metric, factor, write in (("share_300", 100.0, points), ("p90", 1.0, signed_seconds)):
        row = study.contrast(pair, metric, year)
        mark = mark_of("", row, "diff", factor, "" if row is None else write(row["diff"]))
        marks.append(replace(mark, is_settled=row is not None and is_settled(row)))
    levels = [float("nan") if row is None else 100 * float(row["value"]) for row in (base, arm)]
    return Step(
        condition_name(context, pair).of(language), levels[0], levels[1], marks[0], marks[1], _ghost(study, pair)
    )


def _ghost(study: Study, pair: Pair) -> Ghost | None:
    """Return the main comparison on the replications of a condition, where these are not all that the main one has."""
    main, year = study.main(), study.year
    share_row, late_row = (study.matched(pair, metric, year) for metric in ("share_300", "p90"))
    of_main = None if main is None else study.contrast(main, "share_300", year)
    if share_row is None or late_row is None or of_main is None or share_row["n_pairs"] == of_main["n_pairs"]:
        return None
    percent = [100 * float(share_row[name]) for name in ("base_value", "arm_value", "diff")]
    return Ghost(percent[0], percent[1], percent[2], float(late_row["diff"]))


def _alt_line(context: Context, pair: Pair) -> Bi:
    study, year = context.study, context.study.year
    row = study.contrast(pair, "share_300", year)
    levels = [study.headline(name, "share_300", year) for name in (pair.base, pair.arm)]
    b, a = (share(None if level is None else level["value"]) for level in levels)
    assert row is not None
    inner = interval(row["low"], row["high"], points)
    return context.words(
        "answer.alt_line", name=condition_name(context, pair), a=a, b=b, d=points(row["diff"]), interval=inner
    )


# --- what stands beside it --------------------------------------------------------------------------------------------


def _table(context: Context, pair: Pair) -> Grid | None:
    """Return levels and paired differences of the told metrics: the main pair and others of purpose main."""
    words, study = context.words, context.study
    base, arm = _sides(context, pair)
    pairs = context.study.peers()
    told = [(p, m, study.contrast(p, m, study.year)) for p in pairs for m in TOLD]
    rows = [(p, m, row) for p, m, row in told if row is not None]
    if not rows:
        return None
    if len(pairs) > 1:
        return _one_line_each(context, {(p, metric): row for p, metric, row in rows})
    heads = (
        Head(words["head.metric"], is_number=False),
        Head(base), Head(arm), Head(words["head.difference"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    cells = tuple(
        (
            metric_cell(context, metric),
            *level_cells(context, p, metric), diff_cell(metric, row), counted(row["n_incidents"], row["n_pairs"]),
        )
        for p, metric, row in rows
    )  # fmt: skip
    notes = (words["answer.gloss"], words["note.intervals"])
    return Grid(words("answer.table", year=study.year), heads, cells, words["note.pooled_each"], notes)


def _one_line_each(context: Context, rows: dict[tuple[Pair, str], Any]) -> Grid:
    """Return the table of many schemes: a line for each, with the share and P90 side by side."""
    words = context.words
    heads = [Head(words["head.condition"], is_number=False)]
    for metric in _BESIDE:
        unit = "unit.percent" if metric.startswith("share") else "unit.s"
        name, step = words[f"head.{metric}"] + same(" "), "unit.points" if metric.startswith("share") else "unit.s"
        heads += [Head(name + words["note.without"], words[unit]), Head(name + words["note.with"], words[unit])]
        heads.append(Head(words["head.difference"], words[step]))
    heads.append(Head(words["head.incidents"], words["unit.replications"]))
    told = []
    for pair in dict.fromkeys(pair for pair, _ in rows):
        cells = [word(condition_name(context, pair))]
        for metric in _BESIDE:
            row = rows.get((pair, metric))
            diff = number(None, points) if row is None else diff_cell(metric, row)
            cells += [replace(cell, interval="", monte_carlo="") for cell in level_cells(context, pair, metric)]
            cells.append(replace(diff, monte_carlo=""))
        row = next(row for (p, _), row in rows.items() if p == pair)
        told.append((*cells, counted(row["n_incidents"], row["n_pairs"])))
    notes = (words["answer.gloss"], words["note.interval_short"])
    caption = words("answer.table", year=context.study.year)
    return Grid(caption, tuple(heads), tuple(told), words["note.pooled_each"], notes)


def _compared(context: Context, pair: Pair) -> Facts | None:
    """Return the schemes of the main comparison and others of purpose main, each with the line that tells it."""
    study = context.study
    others = [p.arm for p in study.peers()]
    rows = {arm: study.index.arms.get(arm, {}) for arm in dict.fromkeys((pair.base, pair.arm, *others))}
    told = {
        arm: Bi(str(row["first_line_zh"]), str(row["first_line_en"]))
        for arm, row in rows.items()
        if "first_line_zh" in row
    }
    facts = tuple((study.label(arm), line) for arm, line in told.items() if line.zh and line.en)
    return Facts(facts) if 0 < len(facts) <= _MOST_TOLD else None


def _staff(context: Context, pair: Pair) -> Paragraph | None:
    """Return the sentence on staff, from the settings of the arms."""
    path, differing = _staff_path(context, pair.arm), context.study.differing(pair)
    if (
        path is None
        or (differing and "schedule" not in differing)
        or context.study.configs.get(pair.base, {}).get("staffing") != context.study.configs[pair.arm]["staffing"]
    ):
        return None
    others = [p for p in context.study.conditions() if p.purpose == "staffing"]
    constant = None if not others else _staff_path(context, others[0].arm)
    if constant is None:
        return Paragraph(context.words("answer.staff_alone", path=path), "note")
    return Paragraph(context.words("answer.staff", path=path, constant=constant, label=others[0].label), "note")


def _staff_path(context: Context, arm: str) -> Bi | None:
    """Return an arm's staff path: "0.26‰ → 0.40‰ (from 2024-01-01) → …", or None where no ratio says it."""
    staffing = context.study.configs.get(arm, {}).get("staffing")
    if not isinstance(staffing, dict) or "initial_permille" not in staffing or staffing.get("rule") == _STATED:
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
