"""What one more station in each town would give, ranked with intervals, against the plan's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import count, is_missing, plain, points, share
from sim.report.pictures.marks import mark_of, ranking
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_TOP = 10
_FIRM = 0.9
"""Share of the plausible worlds from which on a town counts as surely among the leaders."""


def make(context: Context) -> list[Block]:
    """Return the section."""
    found = _rows(context)
    if found is None:
        return [context.missing("one_more")]
    words, study = context.words, context.study
    arm = str(found["arm"].iloc[0]) if "arm" in found else ""
    base = study.label(arm) if arm else words["one_more.base_unknown"]
    return kept(
        Paragraph(words("one_more.text", base=base)),
        _agreement(context, found),
        _worlds(context, found),
        _picture(context, found),
        _grid(context, found),
    )


def _rows(context: Context) -> pd.DataFrame | None:
    """Return the ranking of one arm in the year of page one, of the whole table where it tells no years apart."""
    found = context.study.table("one_more", "town", "rank", "gain_share_300", "low", "high")
    if found is None:
        return None
    if "year" in found:
        years = found["year"].unique().tolist()
        found = found[found["year"] == (context.study.year if context.study.year in years else years[0])]
    if "arm" in found:
        pair = context.study.main()
        arms = found["arm"].unique().tolist()
        found = found[found["arm"] == (pair.base if pair and pair.base in arms else arms[0])]
    return found.sort_values("rank", kind="stable")


def _planned(found: pd.DataFrame) -> list[int]:
    years = found["plan_year"] if "plan_year" in found else [0] * len(found)
    return [0 if is_missing(year) else int(year) for year in years]


def _agreement(context: Context, found: pd.DataFrame) -> Paragraph | None:
    if "plan_year" not in found:
        return None
    years = _planned(found)[:_TOP]
    parts = [
        context.words("one_more.year_count", year=year or context.words["one_more.never"], n=years.count(year))
        for year in sorted(set(years), key=lambda y: (y == 0, y))
    ]
    return Paragraph(context.words("one_more.agree", k=len(years), years=join(parts)))


def _in_worlds(context: Context, found: pd.DataFrame) -> dict[str, Any]:
    """Return how each town's place fares in the plausible worlds, by town; {} where the study has none."""
    table = context.study.table("one_more_worlds", arm=str(found["arm"].iloc[0]) if "arm" in found else "")
    rows: list[Any] = [] if table is None else table.to_dict("records")
    return {str(row["town"]): row for row in rows}


def _worlds(context: Context, found: pd.DataFrame) -> Paragraph:
    """Return in how many plausible worlds the head of the ranking holds, or that it rests on one world."""
    worlds = _in_worlds(context, found)
    leaders = [worlds[town] for town in found["town"].tolist()[:_TOP] if town in worlds]
    if not leaders:
        return Paragraph(context.words["note.one_world"], "note")
    firm = sum(row["share_leading"] >= _FIRM for row in leaders)
    told = {"first": context.study.town(leaders[0]["town"]), "share": share(leaders[0]["share_first"])}
    n, of = count(leaders[0]["n_worlds"]), count(len(leaders))
    return Paragraph(context.words("one_more.worlds", n=n, k=of, firm=count(firm), **told))


def _picture(context: Context, found: pd.DataFrame) -> Block | None:
    words, study = context.words, context.study
    records = found.to_dict("records")

    def draw(language: str) -> Figure | None:
        marks = [mark_of(study.town(r["town"]).of(language), r, "gain_share_300", 100) for r in records]
        titles = (words["one_more.left"].of(language), words["one_more.right"].of(language))
        return ranking(marks, _planned(found), titles, lambda v: plain(v, 2))

    first = join([study.town(r["town"]) for r in records[:3]])
    return picture(draw, words["one_more.picture"], words("one_more.alt", names=first), "one-more")


def _grid(context: Context, found: pd.DataFrame) -> Grid:
    words, study = context.words, context.study
    heads: tuple[Head, ...] = (
        Head(words["one_more.rank"]), Head(words["head.town"], is_number=False), Head(words["head.residents"]),
        Head(words["one_more.gain"], words["unit.points"]), Head(words["one_more.gain600"], words["unit.points"]),
        Head(words["one_more.mean_s"], words["unit.s"]), Head(words["one_more.plan"]),
    )  # fmt: skip
    worlds = _in_worlds(context, found)
    if worlds:
        more = (Head(words["one_more.leading"], words["unit.percent"]), Head(words["one_more.rank_in_worlds"]))
        heads = (*heads, *more)
    rows = []
    for record, planned in zip(found.to_dict("records"), _planned(found), strict=True):
        gain = number(record["gain_share_300"], _points2, record["low"], record["high"])
        year = number(planned or None, lambda v: f"{v:.0f}" if v else context.words["one_more.never"].en)
        year = year if planned else word(words["one_more.never"])
        gains = (number(record.get("gain_share_600"), _points2), number(record.get("gain_mean_s"), _plain2))
        town = (word(study.town_both(record["town"])), number(record.get("residents"), count))
        held = _place_in_worlds(worlds.get(record["town"])) if worlds else ()
        rows.append((number(record["rank"], count), *town, gain, *gains, year, *held))
    n = _n(found)
    denominator = words("one_more.denominator", n=n)
    notes = (words["note.interval_short"], *((words["one_more.in_worlds"],) if worlds else ()))
    return Grid(words["one_more.table"], heads, tuple(rows), denominator, notes)


def _place_in_worlds(row: Any) -> tuple[Cell, Cell]:
    """Return the share of the worlds in which a town is among the leaders, and its rank in them."""
    if row is None:
        return number(None, count), number(None, count)
    return number(row["share_leading"], share), number(row["rank_median"], _rank, row["rank_p5"], row["rank_p95"])


def _rank(value: Any) -> str:
    return plain(value, 1)


def _n(found: pd.DataFrame) -> Bi:
    """Return the counts in brackets, where the table holds them."""
    if "n_incidents" not in found or "n_replications" not in found:
        return same("")
    n, r = count(found["n_incidents"].iloc[0]), count(found["n_replications"].iloc[0])
    return Bi(f"（{n} 起，{r} 次重复合计）", f" ({n} incidents pooled over {r} replications)")


def _points2(value: object) -> str:
    return (
        points(value)
        if is_missing(value)
        else ("+" if float(str(value)) > 0 else "") + plain(100 * float(str(value)), 2)
    )


def _plain2(value: object) -> str:
    return plain(value, 2)


SECTION = SectionEntry("one_more", needs=("one_more",), make=make)
