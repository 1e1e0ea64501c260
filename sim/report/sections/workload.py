"""How busy stations are, who waited, what stayed unfilled, and stations that opened empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.blocks import Block, Grid, Head, Paragraph, counted, number, word
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import count, plain, rate, seconds, share, small
from sim.report.pictures.curves import Curve, sorted_lines
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_BUSIEST = 15


def make(context: Context) -> list[Block]:
    """Return the section."""
    return kept(*_stations(context), _queue(context), _breakdowns(context), _empty(context))


def _main_arms(context: Context) -> list[str]:
    pair = context.study.main()
    return [pair.base, pair.arm] if pair else context.study.arms()[:2]


def _stations(context: Context) -> list[Block]:
    study, words = context.study, context.words
    if study.table("workload", "utilisation") is None:
        return [context.missing("workload")]
    arms = [arm for arm in _main_arms(context) if study.table("workload", arm=arm, year=study.year) is not None]
    busy = {}
    for arm in arms:
        rows = study.table("workload", arm=arm, year=study.year)
        assert rows is not None
        values = rows["utilisation"].to_numpy(dtype=np.float64)
        busy[arm] = np.sort(values[np.isfinite(values)])[::-1]
    if not arms:
        return [context.missing("workload")]

    def draw(language: str) -> Figure | None:
        curves = []
        for arm, values in busy.items():
            x = np.arange(1, len(values) + 1, dtype=np.float64)
            curves.append(Curve(study.label(arm).of(language), x, 100 * values, 100 * values, 100 * values))
        return sorted_lines(curves, (words["workload.x"].of(language), words["workload.y"].of(language)))

    medians = [study.label(arm) + same(f" {share(float(np.median(v)))}%") for arm, v in busy.items() if len(v)]
    caption = words("workload.picture", year=study.year)
    found = picture(draw, caption, words("workload.alt", text=join(medians)), "workload")
    return kept(found, _busiest(context, arms[-1]))


def _busiest(context: Context, arm: str) -> Grid | None:
    study, words = context.study, context.words
    rows = study.table("workload", arm=arm, year=study.year)
    if rows is None:
        return None
    heads = (
        Head(words["workload.station"], is_number=False), Head(words["workload.dispatches"], words["unit.per_year"]),
        Head(words["workload.busy"], words["unit.hours"]), Head(words["workload.util"], words["unit.percent"]),
        Head(words["workload.crew"], words["unit.percent"]),
    )  # fmt: skip
    told = []
    for record in rows.sort_values("utilisation", ascending=False, kind="stable").head(_N_BUSIEST).to_dict("records"):
        cells = [number(record["n_dispatches"], count), number(record["busy_h"], count)]
        cells += [number(record["utilisation"], share), number(record["crew_busy_share"], share)]
        told.append((word(_station(context, record)), *cells))
    caption = words("workload.station_table", year=study.year, arm=study.label(arm))
    return Grid(caption, heads, tuple(told), context.per_replication(arm))


def _station(context: Context, record: dict[Any, Any]) -> Bi:
    """Return a station's name: its own where the city states it, else its town and its number there, from 1."""
    town, k = record.get("town"), record.get("k")
    if k is None:
        town, _, k = str(record.get("station", "")).rpartition("-")
    if not town or not str(k).isdigit():
        return same(record.get("station", "") or "–")
    stated = context.study.index.names.get(("station", f"{town}-{k}"))
    if stated is not None:
        return stated
    name = context.study.town(town)
    return Bi(f"{name.zh} {k}号站 {name.en}", f"{name.en} no. {k} {name.zh}")


def _queue(context: Context) -> Block:
    study, words = context.study, context.words
    found = study.table("queueing", year=study.year)
    if found is None:
        return context.missing("queueing")
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["workload.waited"], words["unit.per_year"]),
        Head(words["workload.wait"], words["unit.s"]), Head(words["workload.unfilled"], words["unit.per_year"]),
        Head(words["workload.escalations"], words["unit.per_year"]),
        Head(words["workload.all"], words["workload.per_year_replications"]),
    )  # fmt: skip
    order = {arm: i for i, arm in enumerate(study.arms())}
    records = sorted(found.to_dict("records"), key=lambda r: order.get(r["arm"], len(order)))
    rows = tuple(
        (
            word(study.label(r["arm"])), number(r["n_waited"], _one), number(r["mean_wait_s"], seconds),
            number(r["n_unfilled"], _one), number(r["n_escalations"], _one),
            counted(r.get("n_incidents"), r.get("n_replications")),
        )
        for r in records
    )  # fmt: skip
    caption = words("workload.queue_table", year=study.year)
    return Grid(caption, heads, rows, words["workload.queue_denominator"])


def _breakdowns(context: Context) -> Grid | None:
    """Return how often vehicles fail, where they do."""
    study, words = context.study, context.words
    found = study.table("breakdowns")
    if found is None:
        return None
    percent = words["unit.percent"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.type"], is_number=False),
        Head(words["workload.failures"], words["unit.per_year"]), Head(words["workload.per_unit_year"]),
        Head(words["workload.over_ten"], percent), Head(words["workload.age"], words["workload.years"]),
        Head(words["workload.down"], percent), Head(words["workload.failures"], words["unit.replications"]),
    )  # fmt: skip
    rows = tuple(
        (
            word(study.label(r["arm"])),
            word(study.name("unit_type", r["type"]) if r["type"] else words["workload.all_types"]),
            number(r["per_year"], rate), number(r["per_unit_year"], small), number(r["over_ten_share"], share),
            number(r["mean_age_years"], _one), number(r["down_share"], share),
            counted(r["n_failures"], r["n_replications"]),
        )
        for r in found.to_dict("records")
    )  # fmt: skip
    return Grid(words["workload.failures_table"], heads, rows, words["workload.failures_denominator"])


def _empty(context: Context) -> Block:
    study, words = context.study, context.words
    found = study.table("empty_stations", "arm", "station")
    if found is None:
        # A study without any such station has no such table; other tables about scenarios tell that it was looked for.
        is_told = "empty_stations" in study.tables or "indicators" in study.tables
        return Paragraph(words["workload.empty_none"]) if is_told else context.missing("empty_stations")
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["workload.station"], is_number=False),
        Head(words["workload.date"], is_number=False), Head(words["workload.reason"], is_number=False),
    )  # fmt: skip
    rows = tuple(
        (
            word(study.label(r["arm"])), word(_station(context, r)), word(same(r.get("date", ""))),
            word(words.known("reason", r.get("reason", ""))),
        )
        for r in found.to_dict("records")
    )  # fmt: skip
    return Grid(words["workload.empty_table"], heads, rows, words["workload.empty_denominator"])


def _one(value: Any) -> str:
    return plain(value, 1)


SECTION = SectionEntry("workload", needs=("workload",), make=make)
