"""Where the effect comes from: the static and the congestion part of each difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.report.blocks import Block, Grid, Head, Paragraph, counted, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import diff_writer_of, points, share
from sim.report.pictures.curves import parts
from sim.report.svg import picture
from sim.report.texts import same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOLD = (("share_300", 100.0), ("p90", 1.0))


def make(context: Context) -> list[Block]:
    """Return the section."""
    pair, study, words = context.study.main(), context.study, context.words
    if pair is None:
        return [Paragraph(words["missing.pair"], "missing")]
    if study.table("contrasts", "static_diff", "congestion_diff") is None:
        return [context.missing("contrasts")]
    base, arm = names(context, pair)
    rows = {(m, y): study.contrast(pair, m, y) for m, _ in _TOLD for y in study.years}
    if any(row is None for row in rows.values()):
        return [context.missing("contrasts")]

    def draw(language: str) -> Figure | None:
        titles, values = [], []
        for metric, factor in _TOLD:
            unit = words["unit.points" if metric == "share_300" else "unit.s"]
            titles.append(words[f"metric.{metric}"].with_unit(unit).of(language))
            found = [rows[metric, year] for year in study.years]
            values.append([(factor * r["static_diff"], factor * r["congestion_diff"]) for r in found if r is not None])
        labels = tuple(words[key].of(language) for key in ("parts.static", "parts.congestion", "parts.total"))
        return parts(titles, [str(year) for year in study.years], values, (labels[0], labels[1], labels[2]))

    last = rows["share_300", study.year]
    assert last is not None
    alt = words(
        "parts.alt",
        year=study.year,
        d=points(last["diff"]),
        s=points(last["static_diff"]),
        c=points(last["congestion_diff"]),
    )
    caption = words("parts.picture", arm=arm, base=base)
    return kept(Paragraph(words["parts.text"]), picture(draw, caption, alt, "parts"), _grid(context))


def _grid(context: Context) -> Grid | None:
    words, study, pair = context.words, context.study, context.study.main()
    assert pair is not None
    heads = (
        Head(words["head.year"], is_number=False), Head(words["head.metric"], is_number=False),
        Head(words["head.difference"]), Head(words["parts.static"]), Head(words["parts.congestion"]),
        Head(words["head.faster"], words["unit.percent"]), Head(words["head.slower"], words["unit.percent"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    rows = []
    for year in (*study.years, 0):
        for metric in ("share_300", "p50", "p90", "mean"):
            row = study.contrast(pair, metric, year)
            if row is None:
                continue
            write = diff_writer_of(metric)
            unit = words["unit.points" if metric == "share_300" else "unit.s"]
            name = words[f"metric.{metric}"]
            cells = [number(row["diff"], write, row["low"], row["high"])]
            cells += [number(row[part], write) for part in ("static_diff", "congestion_diff")]
            cells += [number(row[c], share) for c in ("share_faster", "share_slower")]
            cells.append(counted(row["n_incidents"], row["n_pairs"]))
            told = name.with_unit(unit)
            rows.append((word(same(year) if year else words["year.all"]), word(told), *cells))
    notes = (words["note.interval_short"],)
    return Grid(words["parts.table"], heads, tuple(rows), words["note.pooled_each"], notes) if rows else None


SECTION = SectionEntry("parts", needs=("contrasts",), make=make)
