"""Special teams and aircraft: what only they met; why no aircraft flew, what it saved and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.compare.money import ratio
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.compared import kind_name
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import count, is_clear, is_missing, plain, rate, share, signed_minutes
from sim.report.pictures.marks import forest, mark_of
from sim.report.rates import rates_picture
from sim.report.sections.money import FLOWN, currency_of
from sim.report.sections.teams import team_pairs_grid, team_sentences, teams_grid, teams_picture
from sim.report.study import Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALL = ""
_RANGE, _ENDS = ("low", "likely", "high"), ("low", "high")
_REASONS = ("no_hour", "none_there", "all_out")
_S_PER_MIN = 60.0
_MOST_DRAWN = 40
_MOST_KINDS = 2
_OF_THIS = frozenset({"teams", "aviation"})
"""Groups of settings that this section is about."""


def make(context: Context) -> list[Block]:
    """Return what aircraft saved and why they did not fly, then what teams and aircraft were sent to."""
    return kept(
        *(Paragraph(text, "lead") for text in (*team_sentences(context), *_sentences(context))),
        _saved_picture(context, "special-air"),
        _first_grid(context),
        teams_picture(context, "special-teams"),
        _air_grid(context),
        _pairs_grid(context),
        teams_grid(context),
        team_pairs_grid(context),
        _turnouts_picture(context),
        _turnouts_grid(context),
    )


def _one(value: Any) -> str:
    return plain(value, 1)


def _sentences(context: Context) -> list[Bi]:
    """Return what became of the incidents that ask for aircraft, one sentence per scheme that has any."""
    words, year, told = context.words, context.study.year, []
    for row in context.study.by_scheme("air", year=year, kind=_ALL):
        shares = {name: share(row[f"{name}_share"]) for name in ("no_hour", "none_there", "all_out")}
        counts = {name: rate(row[f"{name}_per_year"]) for name in ("asked", "sent")}
        arm, first = context.study.label(row["arm"]), rate(row["first_work_per_year"])
        text = words("special.air", year=year, arm=arm, first=first, **counts, **shares)
        if not is_missing(row["arrival_lead_s"]):
            came, lead = rate(row["first_arrival_per_year"]), _one(float(row["arrival_lead_s"]) / _S_PER_MIN)
            text = text + words("special.first", n=came, lead=lead, alone=share(row["first_arrival_alone_share"]))
        for pair in context.study.by_scheme("air_pairs", year=year, kind=_ALL, arm=row["arm"]):
            text = text + _saved(context, pair) + _above_all(context, pair)
        told.append(text)
    return told


def _above_all(context: Context, pair: Row) -> Bi:
    """Return the kinds of incident at which an aircraft saves most hours, where that is clear; nothing without any."""
    rows = context.study.by_scheme("air_pairs", year=context.study.year, arm=pair["arm"], base=pair["base"])
    clear = [row for row in rows if row["kind"] != _ALL and row["low"] > 0]
    named = [
        context.words(
            "special.one_kind", kind=kind_name(context, row["kind"]),
            saved=signed_minutes(row["saved_s"]).removeprefix("+"), low=signed_minutes(row["low"]),
            high=signed_minutes(row["high"]), hours=_one(row["saved_h_per_year"]),
        )
        for row in sorted(clear, key=lambda row: -row["saved_h_per_year"])[:_MOST_KINDS]
    ]  # fmt: skip
    return context.words("special.above_all", kinds=join(named, "；", "; ")) if named else same("")


def _saved(context: Context, pair: Row) -> Bi:
    """Return how much sooner critical needs were at work, what an hour saved costs, and what all incidents gain."""
    words = context.words
    text = words("special.saved", base=context.study.label(pair["base"]), **_sooner(context, pair))
    value = _value(context, pair)
    if value is None:
        return text
    if prices := _prices(context, pair):
        text = text + words("special.cost", annual=count(value["annual_likely"]), **prices)
    if is_missing(value["hours_saved_likely"]):
        return text
    hours = {part: rate(value[f"hours_saved_{part}"]) for part in _RANGE}
    return text + words("special.all_incidents", see=context.see("money"), **hours)


def _sooner(context: Context, pair: Row) -> dict[str, object]:
    """Return how much sooner critical needs were at work, with its interval, and the hours a year, for a sentence."""
    ends = {
        name: context.words["special.unknown"] if is_missing(pair[name]) else signed_minutes(pair[name])
        for name in _ENDS
    }
    return {"saved": signed_minutes(pair["saved_s"]).removeprefix("+"), "hours": _one(pair["saved_h_per_year"]), **ends}


def _prices(context: Context, pair: Row) -> dict[str, object]:
    """Return what an hour saved costs, for a sentence; nothing where `_per_hour` has none."""
    per_hour = _per_hour(context, pair)
    if per_hour is None:
        return {}
    cheapest = _end(context, per_hour[0], pair["saved_h_high"])
    dearest = _end(context, per_hour[2], pair["saved_h_low"])
    likely, currency = count(per_hour[1]), currency_of(context)
    return {"per_hour": likely, "cheapest": cheapest, "dearest": dearest, "currency": currency}


def _short(context: Context, pair: Row) -> Bi:
    """Return a further scheme's aircraft in one line, for page one."""
    words, year = context.words, context.study.year
    row = context.study.by_scheme("air", year=year, kind=_ALL, arm=pair["arm"])[0]
    not_flown = share(sum(float(row[f"{name}_share"]) for name in _REASONS))
    told = {"arm": context.study.label(row["arm"]), "none": not_flown, "sent": rate(row["sent_per_year"])}
    text = words("special.short", first=rate(row["first_work_per_year"]), **told, **_sooner(context, pair))
    prices = _prices(context, pair)
    return text + (words("special.short_cost", **prices) if prices else same("")) + words["special.short_end"]


def _value(context: Context, pair: Row) -> Any:
    """Return what a pair costs and gains; None where flying hours are not priced."""
    study = context.study
    flown = [study.row("money", arm=pair["arm"], item=item, year=study.year) for item in FLOWN]
    if all(row is None for row in flown):
        return None
    return study.row("value", arm=pair["arm"], base=pair["base"], year=study.year)


def _per_hour(context: Context, pair: Row) -> tuple[float, float, float] | None:
    """Return (low, likely, high) of the cost of an hour saved at incidents that ask for aircraft; high NaN: no end.

    None where flying hours are not priced, the saving is not clear, or nothing more is spent.
    """
    value = _value(context, pair)
    if value is None or not pair["low"] > 0:
        return None
    cost = np.array([value[f"annual_{part}"] for part in _RANGE], dtype=float)
    hours = np.array([pair[f"saved_h_{part}"] for part in ("low", "per_year", "high")], dtype=float)
    low, likely, high = ratio(cost, hours)
    return None if is_missing(likely) else (float(low), float(likely), float(high))


def _end(context: Context, per_hour: float, hours: Any) -> Bi:
    """Return an end of the cost of an hour: not known where the hours are not, without end where there may be none."""
    if is_missing(hours):
        return context.words["special.unknown"]
    return context.words["money.unbounded"] if is_missing(per_hour) else same(count(per_hour))


def _first_grid(context: Context) -> Grid | None:
    """Return where the aircraft came first and by how much, what that saves and what an hour of it costs, together."""
    words, year = context.words, context.study.year
    rows = context.study.by_scheme("air", year=year)
    if not rows:
        return None
    per_year, minutes, percent = words["unit.per_year"], words["special.minutes"], words["unit.percent"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.kind"], is_number=False),
        Head(words["special.not_flown"], percent), Head(words["special.sent"], per_year),
        Head(words["special.first_arrival"], per_year), Head(words["special.ahead"], minutes),
        Head(words["special.first_work"], per_year), Head(words["special.ahead"], minutes),
        Head(words["special.sooner"], minutes), Head(words["special.hours_saved"], words["unit.hours"]),
        Head(words["special.per_hour"], currency_of(context)),
    )  # fmt: skip
    told = tuple(_first_row(context, row) for row in rows)
    notes = (words["special.intervals"], words["special.first_note"])
    caption = words("special.first_table", year=year)
    return Grid(caption, heads, told, words["special.air_denominator"], notes)


def _first_row(context: Context, row: Row) -> tuple[Cell, ...]:
    not_flown = sum(float(row[f"{name}_share"]) for name in _REASONS)
    pairs = context.study.by_scheme("air_pairs", year=context.study.year, kind=row["kind"], arm=row["arm"])
    pair = pairs[0] if pairs else None
    per_hour = None if pair is None or row["kind"] != _ALL else _per_hour(context, pair)
    nothing = number(None, _one)
    return (
        word(context.study.label(row["arm"])), word(kind_name(context, row["kind"])), number(not_flown, share),
        number(row["sent_per_year"], rate),
        number(row["first_arrival_per_year"], rate), _lead(row, "arrival"),
        number(row["first_work_per_year"], rate), _lead(row, "work"),
        nothing if pair is None else number(pair["saved_s"], signed_minutes, pair["low"], pair["high"]),
        nothing if pair is None else number(pair["saved_h_per_year"], _one, pair["saved_h_low"], pair["saved_h_high"]),
        nothing if per_hour is None else number(per_hour[1], count, per_hour[0], per_hour[2]),
    )  # fmt: skip


def _lead(row: Row, what: str) -> Cell:
    return number(row[f"{what}_lead_s"], signed_minutes, row[f"{what}_lead_low"], row[f"{what}_lead_high"])


def _saved_picture(context: Context, place: str, *, is_short: bool = False) -> Picture | None:
    """Return how much sooner critical needs were at work; `is_short` leaves out kinds at which nothing changed."""
    words, study = context.words, context.study
    rows = [row for row in context.study.by_scheme("air_pairs", year=study.year) if not is_missing(row["saved_s"])]
    rows = [
        row
        for row in rows
        if not is_short or row["kind"] == _ALL or signed_minutes(row["saved_s"]) != signed_minutes(0)
    ]
    if not rows:
        return None
    named = [study.label(row["arm"]) + Bi("，", ", ") + kind_name(context, row["kind"]) for row in rows]

    def draw(language: str) -> Figure | None:
        marks = [
            mark_of(name.of(language), row, "saved_s", 1 / _S_PER_MIN, signed_minutes(row["saved_s"]))
            for name, row in zip(named, rows, strict=True)
        ]
        return forest(marks[:_MOST_DRAWN], words["special.axis"].of(language), _one, better=1)

    lines = [name + same(f" {signed_minutes(row['saved_s'])}") for name, row in zip(named, rows, strict=True)]
    caption, alt = words("special.picture", year=study.year), words("special.alt", lines=join(lines))
    return picture(draw, caption, alt, place)


def _turnouts_picture(context: Context) -> Picture | None:
    words = context.words
    rates = [
        (
            join([_unit(context, row), _task(context, row)]),
            float(row["per_year"]), float(row["only_share"]),
        )
        for row in context.study.by_scheme("turnouts")
        if row["arm"] == _first_with(context, "turnouts")
    ]  # fmt: skip
    arm = context.study.label(_first_with(context, "turnouts"))
    texts = (words("special.turnouts_picture", arm=arm), words["special.turnouts_alt"])
    return rates_picture(rates, words["special.turnouts_axis"], texts, "special-turnouts")


def _first_with(context: Context, table: str) -> str:
    """Return the scheme whose teams are drawn: the main pair's, else the first that has any."""
    arms = [str(row["arm"]) for row in context.study.by_scheme(table)]
    main = context.study.main()
    return main.arm if main is not None and main.arm in arms else arms[0]


def _unit(context: Context, row: Row) -> Bi:
    return context.study.name("unit_type", row["type"])


def _task(context: Context, row: Row) -> Bi:
    return context.study.name("capability", row["capability"])


def _air_grid(context: Context) -> Grid | None:
    words, year = context.words, context.study.year
    rows = context.study.by_scheme("air", year=year)
    if not rows:
        return None
    per_year, percent = words["unit.per_year"], words["unit.percent"]
    alone = ("first_arrival", "first_work")
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.kind"], is_number=False),
        Head(words["special.asked"], per_year), *(Head(words[f"special.{name}"], percent) for name in _REASONS),
        Head(words["special.sent"], per_year), *(Head(words[f"special.{name}_alone"], percent) for name in alone),
    )  # fmt: skip
    told = tuple(
        (
            word(context.study.label(row["arm"])), word(kind_name(context, row["kind"])),
            number(row["asked_per_year"], rate), *(number(row[f"{name}_share"], share) for name in _REASONS),
            number(row["sent_per_year"], rate), *(number(row[f"{name}_alone_share"], share) for name in alone),
        )
        for row in rows
    )  # fmt: skip
    return Grid(words("special.air_table", year=year), heads, told, words["special.air_denominator"])


def _pairs_grid(context: Context) -> Grid | None:
    words, study = context.words, context.study
    rows = context.study.by_scheme("air_pairs", year=study.year)
    if not rows:
        return None
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.against"], is_number=False),
        Head(words["special.kind"], is_number=False), Head(words["special.sooner"], words["special.minutes"]),
        Head(words["head.faster"], words["unit.percent"]), Head(words["head.slower"], words["unit.percent"]),
        Head(words["special.hours_saved"], words["unit.hours"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = []
    for row in rows:
        tone = "" if not is_clear(row["low"], row["high"]) else "gain" if row["saved_s"] > 0 else "loss"
        told.append((
            word(study.label(row["arm"])), word(study.label(row["base"])), word(kind_name(context, row["kind"])),
            number(row["saved_s"], signed_minutes, row["low"], row["high"], tone=tone),
            number(row["share_faster"], share), number(row["share_slower"], share),
            number(row["saved_h_per_year"], _one), counted(row["n_sent"], row["n_pairs"]),
        ))  # fmt: skip
    notes = (words["special.intervals"],)
    caption = words("special.pairs_table", year=study.year)
    return Grid(caption, heads, tuple(told), words["special.pairs_denominator"], notes)


def _turnouts_grid(context: Context) -> Grid:
    words = context.words
    percent = words["unit.percent"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.type"], is_number=False),
        Head(words["special.task"], is_number=False), Head(words["special.turnouts"], words["unit.per_year"]),
        Head(words["special.came"], percent), Head(words["special.first_arrival"], percent),
        Head(words["special.only"], percent), Head(words["special.work_p50"], words["special.minutes"]),
    )  # fmt: skip
    told = tuple(
        (
            word(context.study.label(row["arm"])), word(_unit(context, row)), word(_task(context, row)),
            number(row["per_year"], rate),
            *(number(row[f"{name}_share"], share) for name in ("arrived", "first", "only")),
            number(row["work_p50_s"] / _S_PER_MIN, _one),
        )
        for row in context.study.by_scheme("turnouts")
    )  # fmt: skip
    return Grid(words["special.turnouts_table"], heads, told, words["special.turnouts_denominator"])


def lead(context: Context) -> list[Bi]:
    """Return the sentences for page one, where schemes differ in nothing but teams or aircraft."""
    main = context.study.main()
    is_about = main is not None and context.study.differs_only_in(main, _OF_THIS)
    if not is_about:
        return []
    pairs = context.study.by_scheme("air_pairs", year=context.study.year, kind=_ALL)
    return [
        *team_sentences(context),
        *_sentences(context)[:1],
        *(_short(context, pair) for pair in pairs if pair["arm"] != pairs[0]["arm"]),
    ]


def front(context: Context, name: str) -> Picture | None:
    """Return the picture for page one: what aircraft save, else whole first alarms with and without teams."""
    return _saved_picture(context, name, is_short=True) or teams_picture(context, name)


SECTION = SectionEntry("special", needs=("turnouts",), make=make, lead=lead, front=front)
