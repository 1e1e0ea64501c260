"""Gains and losses by town: a schematic map, the ranking with intervals, losers by name, and the table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, is_clear, is_missing, points, share, signed, signed_seconds, small
from sim.report.pictures.map import town_map
from sim.report.pictures.marks import forest, mark_of
from sim.report.study import CLOCK, HEADLINE, Pair
from sim.report.svg import picture
from sim.report.texts import Bi, join

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_N_WORST = 5
_SOURCES = ("certainty.chance", "certainty.siting")


@dataclass(frozen=True, slots=True)
class TownDiffs:
    """Differences by town of the five-minute share and of P90, largest gain of the share first."""

    share: pd.DataFrame
    p90: pd.DataFrame

    def tone(self, town: str) -> str:
        """Return gain, loss or "" for the five-minute share of a town."""
        return _tone(self.share.loc[town], 1)

    def losers(self) -> list[str]:
        """Return the towns clearly worse in either measure, worst share first."""
        return [t for t in reversed(self.share.index) if "loss" in (self.tone(t), _tone(_at(self.p90, t), -1))]


def _at(rows: pd.DataFrame, town: str) -> Any:
    return rows.loc[town] if town in rows.index else None


def _tone(row: Any, better: int) -> str:
    if row is None or not is_clear(row["low"], row["high"]):
        return ""
    return "gain" if (row["diff"] > 0) == (better > 0) else "loss"


def town_diffs(context: Context, pair: Pair) -> TownDiffs | None:
    """Return the differences by town of the year that page one speaks of, or None."""
    wanted = {"arm": pair.arm, "base": pair.base, "scope": "town", "group": HEADLINE, "clock": CLOCK}
    found = [
        context.study.table("contrasts", year=context.study.year, metric=metric, **wanted)
        for metric in ("share_300", "p90")
    ]
    if found[0] is None or found[1] is None:
        return None
    by_town = [rows.set_index("town") for rows in found if rows is not None]
    return TownDiffs(by_town[0].sort_values("diff", ascending=False, kind="stable"), by_town[1])


def make(context: Context) -> list[Block]:
    """Return the section."""
    pair = context.study.main()
    if pair is None:
        return [Paragraph(context.words["missing.pair"], "missing")]
    diffs = town_diffs(context, pair)
    if diffs is None:
        return [context.missing("contrasts")]
    return kept(
        *_sentences(context, pair, diffs),
        _map(context, pair, diffs),
        _forest(context, diffs),
        Paragraph(context.words("towns.many", n=len(diffs.share)), "note"),
        _grid(context, pair, diffs),
        _apart(context, pair, diffs),
    )


def _counts(diffs: TownDiffs) -> dict[str, int]:
    tones = [diffs.tone(town) for town in diffs.share.index]
    return {"n": len(tones), "better": tones.count("gain"), "worse": tones.count("loss"), "unclear": tones.count("")}


def _sentences(context: Context, pair: Pair, diffs: TownDiffs) -> list[Block]:
    words, study = context.words, context.study
    losers = diffs.losers()
    blocks: list[Block] = [Paragraph(words("towns.count", year=study.year, **_counts(diffs)), "lead2")]
    if losers:
        told = join([study.town(town) for town in losers])
        blocks.append(Paragraph(words("towns.losers", names=told), "warn"))
    else:
        blocks.append(Paragraph(words["towns.no_losers"]))
    dips = [t for t in reversed(diffs.share.index) if diffs.share.loc[t, "diff"] < 0 and t not in losers]
    if dips:
        blocks.append(Paragraph(words("towns.dips", names=join([study.town(town) for town in dips]))))
    worst = study.table("towns", arm=pair.arm, year=study.year, group=HEADLINE, clock=CLOCK, metric="share_300")
    if worst is not None:
        first = worst.sort_values("value", kind="stable").head(_N_WORST)
        told = join(
            [words("towns.worst_item", town=study.town(r["town"]), v=share(r["value"])) for _, r in first.iterrows()]
        )
        blocks.append(Paragraph(words("towns.worst", arm=study.label(pair.arm), names=told)))
    return blocks


def _map(context: Context, pair: Pair, diffs: TownDiffs) -> Block:
    words, study = context.words, context.study
    city = study.city
    if city is None:
        return Paragraph(words["missing.city"], "missing")
    values = {str(town): 100 * float(d) for town, d in diffs.share["diff"].items() if not is_missing(d)}
    scale = max([1.0, *(abs(v) for v in values.values())])
    notes = {town: signed(v, 1) for town, v in values.items()}

    def draw(language: str) -> Figure | None:
        labels = (words["towns.bar"].of(language), words["towns.schematic"].of(language))
        return town_map(city, values, notes, scale, labels, language)

    base, arm = names(context, pair)
    order = list(diffs.share.index)
    ends = {
        "best": study.town(order[0]), "best_d": notes.get(order[0], ""),
        "worst": study.town(order[-1]), "worst_d": notes.get(order[-1], ""),
    }  # fmt: skip
    caption = words("towns.picture", year=study.year, arm=arm, base=base)
    found = picture(draw, caption, words("towns.alt", **ends), "map")
    assert found is not None
    return found


def _forest(context: Context, diffs: TownDiffs) -> Picture | None:
    words, study = context.words, context.study

    def draw(language: str) -> Figure | None:
        marks = [
            replace(
                mark_of(study.town(town).of(language), row, "diff", 100, signed(100 * row["diff"], 1)),
                inner=(100 * row.get("mc_low", math.nan), 100 * row.get("mc_high", math.nan)),
            )
            for town, row in diffs.share.iterrows()
        ]
        return forest(marks, words["towns.bar"].of(language), points, better=1, line_in=0.19)

    return picture(draw, words["towns.forest"], words("towns.forest_alt", **_counts(diffs)), "towns")


def _grid(context: Context, pair: Pair, diffs: TownDiffs) -> Grid:
    words, study = context.words, context.study
    base, arm = names(context, pair)
    towns = study.table("towns", year=study.year, group=HEADLINE, clock=CLOCK)
    levels = {} if towns is None else {(r["arm"], r["town"], r["metric"]): r for r in towns.to_dict("records")}
    heads = [Head(words["head.town"], is_number=False), Head(words["head.residents"])]
    for metric in ("share_300", "p90"):
        unit = words["unit.percent" if metric == "share_300" else "unit.s"]
        title = words[f"head.{metric}"]
        heads += [
            Head(title + Bi(" ", " ") + words["note.without"], unit),
            Head(title + Bi(" ", " ") + words["note.with"], unit),
        ]
        heads.append(Head(words["head.difference"], words["unit.points" if metric == "share_300" else "unit.s"]))
    heads += [Head(words["head.faster"], words["unit.percent"]), Head(words["head.slower"], words["unit.percent"])]
    heads.append(Head(words["head.incidents"]))
    rows = tuple(_row(context, pair, diffs, levels, str(town)) for town in diffs.share.index)
    denominator = words("towns.denominator", pairs=count(diffs.share["n_pairs"].max()))
    caption = words("towns.table", year=study.year, base=base, arm=arm)
    return Grid(caption, tuple(heads), rows, denominator, (words["note.intervals"],))


def _row(context: Context, pair: Pair, diffs: TownDiffs, levels: dict[Any, Any], town: str) -> tuple[Cell, ...]:
    study = context.study
    cells = [word(study.town_both(town)), number(_residents(context, town), count)]
    for metric, rows, write, better in (("share_300", diffs.share, points, 1), ("p90", diffs.p90, signed_seconds, -1)):
        for arm in (pair.base, pair.arm):
            level = levels.get((arm, town, metric))
            cells.append(context.metric_cell(level, metric))
        row = _at(rows, town)
        if row is None:
            cells.append(number(None, write))
        else:
            mc = (row.get("mc_low"), row.get("mc_high"))
            cells.append(number(row["diff"], write, row["low"], row["high"], mc=mc, tone=_tone(row, better)))
    first = diffs.share.loc[town]
    cells += [number(first.get("share_faster"), share), number(first.get("share_slower"), share)]
    return (*cells, number(first["n_incidents"], count))


def _apart(context: Context, pair: Pair, diffs: TownDiffs) -> Grid | None:
    """Return each town's uncertainty of the five-minute share: chance and siting apart, of level and difference."""
    words, study = context.words, context.study
    found = study.table("towns", "mc_sd", "siting_sd", arm=pair.arm, year=study.year, metric="share_300")
    if found is None or not {"mc_sd", "siting_sd"} <= set(diffs.share):
        return None
    levels = found[(found["group"] == HEADLINE) & (found["clock"] == CLOCK)].set_index("town")
    arm = study.label(pair.arm)
    heads = [Head(words["head.town"], is_number=False)]
    for of in (words("towns.level_of", arm=arm), words["head.difference"]):
        heads += [Head(of + Bi("：", ": ") + words[key], words["unit.points"]) for key in _SOURCES]
        heads.append(Head(of + Bi("：", ": ") + words["towns.siting_part"], words["unit.percent"]))
    heads += [Head(words["towns.half"], words["unit.points"]), Head(words["head.incidents"])]
    rows = tuple(
        (
            word(study.town_both(town)), *_sources(levels.loc[town]), *_sources(diffs.share.loc[town]),
            number(50 * (diffs.share.loc[town, "high"] - diffs.share.loc[town, "low"]), small),
            number(diffs.share.loc[town, "n_incidents"], count),
        )
        for town in diffs.share.index
        if town in levels.index
    )  # fmt: skip
    denominator = words("towns.denominator", pairs=count(diffs.share["n_pairs"].max()))
    return Grid(words("towns.apart", year=study.year), tuple(heads), rows, denominator, (words["towns.apart_note"],))


def _sources(row: Any) -> list[Cell]:
    """Return the standard deviations of chance and of siting, and the part of siting in the sum of their squares."""
    chance, siting = float(row["mc_sd"]), float(row["siting_sd"])
    both = chance**2 + siting**2
    part = siting**2 / both if both > 0 else None
    return [number(100 * chance, small), number(100 * siting, small), number(part, share)]


def _residents(context: Context, town: str) -> int | None:
    city = context.study.city
    return int(city.towns.population[city.towns.code.index(town)]) if city and town in city.towns.code else None


SECTION = SectionEntry("towns", needs=("contrasts",), make=make)
