"""How sure the results are: chance against siting, and how many replications are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Grid, Head, Paragraph, counted, number, word
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import count, is_missing, small
from sim.report.pictures.curves import grouped_bars
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def make(context: Context) -> list[Block]:
    """Return chance against siting, and how many replications are enough."""
    return kept(Paragraph(_text(context)), *_spread(context), _guide(context))


def _text(context: Context) -> Bi:
    return context.words("certainty.text", variants=context.see("variants"), assumptions=context.see("assumptions"))


def _spread(context: Context) -> list[Block]:
    study, words = context.study, context.words
    pair = study.main()
    arms = [pair.base, pair.arm] if pair else study.arms()[:1]
    found = [
        (arm, metric, study.headline(arm, metric, study.year))
        for metric in ("share_300", "p50", "p90", "mean")
        for arm in arms
    ]
    rows = [(a, m, r) for a, m, r in found if r is not None and "siting_sd" in r and not is_missing(r["value"])]
    if not rows:
        return [context.missing("headline")]
    shares = [entry for entry in rows if entry[1].startswith("share")]
    times = [entry for entry in rows if not entry[1].startswith("share")]

    def name(entry: tuple[str, str, Any]) -> Bi:
        return context.words[f"head.{entry[1]}"] + same(" · ") + study.label(entry[0])

    def draw(language: str) -> Figure | None:
        size = max(len(shares), len(times))
        blank = [("", float("nan"), float("nan"))] * (size - len(shares))
        bars = [(name(e).of(language), 100 * e[2]["mc_sd"], 100 * e[2]["siting_sd"]) for e in shares] + blank
        bars += [(name(e).of(language), e[2]["mc_sd"], e[2]["siting_sd"]) for e in times]
        series = [
            (words["certainty.chance"].of(language), [b[1] for b in bars]),
            (words["certainty.siting"].of(language), [b[2] for b in bars]),
        ]
        titles = [words["unit.points"].of(language), words["unit.s"].of(language)]
        return grouped_bars([b[0] for b in bars], series, titles, size)

    text = join(
        [name(e) + same(f" {small(_scaled(e, 'mc_sd'))} / {small(_scaled(e, 'siting_sd'))}") for e in rows], "；", "; "
    )
    caption = words("certainty.picture", year=study.year)
    heads = (
        Head(words["head.metric"], is_number=False), Head(words["head.arm"], is_number=False),
        Head(words["certainty.low_mc"]), Head(words["certainty.low_siting"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(words[f"head.{m}"].with_unit(words["unit.points" if m.startswith("share") else "unit.s"])),
            word(study.label(a)), number(_scaled((a, m, r), "mc_sd"), small),
            number(_scaled((a, m, r), "siting_sd"), small), counted(r["n_incidents"], r["n_replications"]),
        )
        for a, m, r in rows
    )  # fmt: skip
    grid = Grid(words("certainty.sd_table", year=study.year), heads, told, words["note.pooled_each"])
    return kept(picture(draw, caption, words("certainty.alt", text=text), "certainty"), grid)


def _scaled(entry: tuple[str, str, Any], column: str) -> float:
    return float(entry[2][column]) * (100 if entry[1].startswith("share") else 1)


def _guide(context: Context) -> Block:
    """Return how many replications would do, for the main pair's figures and every declared contrast."""
    words, study = context.words, context.study
    found = study.table(
        "replication_guide", "arm", "base", "metric", "n_now", "half_width_now", "target", "n_for_half_width"
    )
    if found is None:
        return context.missing("replication_guide")
    pair = study.main()
    told = {pair.arm, pair.base} if pair else set(study.arms()[:2])
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["head.metric"], is_number=False),
        Head(words["head.year"], is_number=False), Head(words["certainty.now"]), Head(words["certainty.half"]),
        Head(words["certainty.target"]), Head(words["certainty.needed"]),
    )  # fmt: skip
    rows = []
    for r in found.to_dict("records"):
        if not r["base"] and r["arm"] not in told:
            continue
        arm, metric = study.label(str(r["arm"])), str(r["metric"])
        name = words("variants.against", arm=arm, base=study.label(str(r["base"]))) if r["base"] else arm
        factor, unit = (100, "unit.points") if metric.startswith("share") else (1, "unit.s")
        needed = word(words["certainty.many"]) if r["n_for_half_width"] < 0 else number(r["n_for_half_width"], count)
        year = same(r["year"]) if r.get("year") else words["year.all"]
        cells = [word(name), word(words.known("metric", metric).with_unit(words[unit])), word(year)]
        widths = [number(_times(r[column], factor), small) for column in ("half_width_now", "target")]
        rows.append((*cells, number(r["n_now"], count), *widths, needed))
    return Grid(words["certainty.guide_table"], heads, tuple(rows), words["certainty.guide_denominator"])


def _times(value: Any, factor: float) -> float | None:
    return None if is_missing(value) else float(value) * factor


SECTION = SectionEntry("certainty", needs=("headline",), make=make)
