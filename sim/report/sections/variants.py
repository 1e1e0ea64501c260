"""Other assumptions: travel worlds beside published figures, opening months, and every contrast with its standing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Facts, Grid, Head, Paragraph, counted, number, word
from sim.report.compared import bound_of, condition_name, diff_cell, level_cells, measure_of, metric_cell
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import diff_writer_of, is_missing, is_settled, p_value, points, small, without_scheme
from sim.report.pictures.marks import forest, mark_of
from sim.report.study import CLOCK, HEADLINE, Pair, Row, Study
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def make(context: Context) -> list[Block]:
    """Return the conditions like with like, travel worlds beside published figures, opening months, every contrast."""
    return kept(
        Paragraph(context.words["variants.arms"], "caption"),
        _arms(context),
        _conditions(context),
        Paragraph(context.words["variants.worlds_text"]),
        _worlds(context),
        _opening(context),
        *_primary(context),
        _interactions(context),
        _exploratory(context),
    )


def _arms(context: Context) -> Facts | None:
    """Return every scheme with the line that says what it is."""
    found = context.study.table("arms", "label_zh", "label_en", "first_line_zh", "first_line_en", "purpose")
    if found is None:
        return None
    rows = []
    for row in found.to_dict("records"):
        purpose = context.words.known("purpose", row["purpose"])
        text = Bi(str(row["first_line_zh"]), str(row["first_line_en"])).with_unit(purpose)
        rows.append((Bi(str(row["label_zh"]), str(row["label_en"])), text))
    return Facts(tuple(rows))


def _conditions(context: Context) -> Grid | None:
    """Return each condition's figures beside the main comparison over the same replications, and what it changes."""
    words, study = context.words, context.study
    pair = study.main()
    if pair is None:
        return None
    told = [(p, m) for p in study.repeats() for m in ("share_300", "p50", "p90")]
    found = [(p, m, study.contrast(p, m, study.year)) for p, m in told]
    rows = tuple(_condition(context, p, metric, row) for p, metric, row in found if row is not None)
    base, arm = names(context, pair)
    heads = (
        Head(words["head.condition"], is_number=False), Head(words["head.metric"], is_number=False),
        Head(base), Head(arm), Head(words["head.difference"]), Head(words["variants.main_there"]),
        Head(words["variants.change"]), Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    notes = (words["note.intervals"], words["variants.matched_note"])
    caption = words("variants.conditions", year=study.year)
    return Grid(caption, heads, rows, words["note.pooled_each"], notes) if rows else None


def _condition(context: Context, pair: Pair, metric: str, row: Row) -> tuple[Cell, ...]:
    there = context.study.matched(pair, metric, context.study.year)
    write = diff_writer_of(metric)
    beside = [number(None, write)] * 2
    if there is not None:
        beside = [
            number(there[key], write, there[low], there[high])
            for key, low, high in (("diff", "low", "high"), ("change", "change_low", "change_high"))
        ]
    return (
        word(condition_name(context, pair)), metric_cell(context, metric), *level_cells(context, pair, metric),
        diff_cell(metric, row), *beside, counted(row["n_incidents"], row["n_pairs"]),
    )  # fmt: skip


def _worlds(context: Context) -> Block:
    study, words = context.study, context.words
    found = study.table("travel_worlds", "travel", "benchmark", "model_value", "published_value", "source")
    if found is None:
        return context.missing("travel_worlds")
    heads = (
        Head(words["variants.travel"], is_number=False), Head(words["variants.benchmark"], is_number=False),
        Head(words["variants.model"]), Head(words["variants.published"]),
        Head(words["variants.source"], is_number=False),
    )  # fmt: skip
    rows = tuple(
        (
            word(words.known("travel", r["travel"])), word(_benchmark(context, r)), number(r["model_value"], small),
            number(r["published_value"], small), word(same(without_scheme(r["source"])), tone="source"),
        )
        for r in found.to_dict("records")
    )  # fmt: skip
    return Grid(words["variants.worlds_table"], heads, rows, words["variants.worlds_denominator"])


def _benchmark(context: Context, record: dict[Any, Any]) -> Bi:
    if record.get("doc_zh") and record.get("doc_en"):
        name = Bi(str(record["doc_zh"]), str(record["doc_en"]))
    else:
        name = context.words.known("benchmark", record["benchmark"])
    extra = [str(record[key]) for key in ("place", "unit") if record.get(key)]
    return name.with_unit(same(", ".join(extra))) if extra else name


def _opening(context: Context) -> Block | None:
    """Return the picture of the opening months: each variant against its base, beside the default month if it can."""
    study, words, main = context.study, context.words, context.study.main()
    pairs = [p for p in study.pairs() if p.purpose == "opening"]
    if not pairs or main is None:
        return None
    base = main.base if any(p.base == main.base for p in pairs) else pairs[0].base
    told = [p for p in (main, *pairs) if p.base == base]
    rows = [(p, year, _opened(study, p, main, pairs[0], year)) for year in study.years for p in told]
    known = [(p, year, row) for p, year, row in rows if row is not None]

    def draw(language: str) -> Figure | None:
        marks = [
            mark_of(f"{year}  {study.label(p.arm).of(language)}", r, "diff", 100, points(r["diff"]))
            for p, year, r in known
        ]
        return forest(marks, words["towns.bar"].of(language), points, better=1, line_in=0.19)

    caption = words("variants.opening", base=study.label(base))
    return picture(draw, caption, words("variants.opening_alt", n=len(known)), "opening")


def _opened(study: Study, pair: Pair, main: Pair, variant: Pair, year: int) -> Row | None:
    """Return a difference of a year; the main one over the replications of a variant, where these are known."""
    there = study.matched(variant, "share_300", year) if pair == main else None
    return there or study.contrast(pair, "share_300", year)


def _primary(context: Context) -> list[Block]:
    words = context.words
    found = context.study.table("contrasts", "p_adjusted", is_primary=True)
    if found is None:
        return [Paragraph(words["variants.no_primary"], "missing")]
    extra = (Head(words["variants.p"]), Head(words["variants.p_adjusted"]))
    return [_contrasts(context, found, words["variants.primary_table"], extra, is_primary=True)]


def _interactions(context: Context) -> Grid | None:
    """Return the declared differences of differences: what a change does where another holds, and elsewhere."""
    words, study = context.words, context.study
    found = study.table("interactions", "there", "elsewhere", "p_adjusted")
    if found is None:
        return None
    heads = (
        Head(words["variants.contrast"], is_number=False), Head(words["variants.beyond"], is_number=False),
        Head(words["head.year"], is_number=False), Head(words["head.metric"], is_number=False),
        Head(words["variants.there"]), Head(words["variants.elsewhere"]), Head(words["variants.interaction"]),
        Head(words["variants.p_adjusted"]), Head(words["variants.verdict"], is_number=False),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    rows = []
    for r in found.to_dict("records"):
        write = diff_writer_of(str(r["metric"]))
        pairs = ((r["arm"], r["base"]), (r["of_arm"], r["of_base"]))
        told = [words("variants.against", arm=study.label(a), base=study.label(b)) for a, b in pairs]
        diff = number(r["diff"], write, r["low"], r["high"], mc=(r["mc_low"], r["mc_high"]))
        rows.append(
            (
                *(word(text) for text in told), word(same(r["year"]) if r["year"] else words["year.all"]),
                word(measure_of(context, r)), number(r["there"], write), number(r["elsewhere"], write), diff,
                number(r["p_adjusted"], p_value), word(_verdict(context, r)), counted(r["n_incidents"], r["n_pairs"]),
            )
        )  # fmt: skip
    notes = (words["note.intervals"], words["variants.p_note"])
    return Grid(words["variants.interactions"], heads, tuple(rows), words["note.pooled_each"], notes)


def _verdict(context: Context, row: dict[Any, Any]) -> Bi:
    words = context.words
    if is_missing(row["diff"]):
        return words["variants.unknown"]
    verdict = words["variants.clear" if is_settled({**row, "is_primary": True}) else "variants.unclear"]
    return verdict.with_unit(words["variants.within"]) if row.get("is_equivalent") else verdict


def _exploratory(context: Context) -> Block | None:
    study, words = context.study, context.words
    wanted = {"is_primary": False, "scope": "city", "group": HEADLINE, "clock": CLOCK, "year": study.year}
    found = study.table("contrasts", **wanted)
    if found is None:
        return None
    found = found[found["metric"].isin(("share_300", "p50", "p90"))]
    caption = words("variants.exploratory_table", year=study.year)
    return None if found.empty else _contrasts(context, found, caption, (), is_primary=False)


def _contrasts(
    context: Context, found: pd.DataFrame, caption: Bi, extra: tuple[Head, ...], *, is_primary: bool
) -> Grid:
    words, study = context.words, context.study
    heads = (
        Head(words["variants.contrast"], is_number=False), Head(words["head.year"], is_number=False),
        Head(words["head.metric"], is_number=False), Head(words["head.difference"]), *extra,
        Head(words["variants.verdict"], is_number=False), Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    rows = []
    for r in found.to_dict("records"):
        metric = str(r["metric"])
        told = words("variants.against", arm=study.label(r["arm"]), base=study.label(r["base"]))
        year = same(r["year"]) if r["year"] else words["year.all"]
        cells = [word(told), word(year), word(measure_of(context, r))]
        is_sure = is_settled(r)
        better = 1 if metric.startswith("share") else -1
        tone = "" if not is_sure else "gain" if (r["diff"] > 0) == (better > 0) else "loss"
        mc = (r.get("mc_low"), r.get("mc_high"))
        cells.append(number(r["diff"], diff_writer_of(metric), r["low"], r["high"], mc=mc, tone=tone))
        cells += [number(r[name], p_value) for name in ("p_value", "p_adjusted")] if is_primary else []
        is_known = not is_missing(r["diff"])
        verdict = words["variants.clear" if is_sure else "variants.unclear" if is_known else "variants.unknown"]
        if is_known and not is_missing(r.get("equivalence")):
            key = "variants.equivalent" if r["is_equivalent"] else "variants.not_equivalent"
            verdict = verdict + words(key, bound=bound_of(context, metric, r["equivalence"]))
        verdict = verdict if is_primary else verdict.with_unit(words["variants.exploratory"])
        rows.append((*cells, word(verdict), counted(r["n_incidents"], r["n_pairs"])))
    notes = [words["note.intervals"], *((words["variants.p_note"],) if is_primary else ())]
    if "equivalence" in found and found["equivalence"].notna().any():
        notes.append(words["variants.equivalence_note"])
    return Grid(caption, heads, tuple(rows), words["note.pooled_each"], tuple(notes))


SECTION = SectionEntry("variants", needs=("contrasts",), make=make)
