"""Special teams and aircraft: what only they met; why no aircraft flew, what it saved and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.compared import kind_name
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import count, is_clear, is_missing, plain, rate, share, signed
from sim.report.pictures.marks import forest, mark_of
from sim.report.rates import rates_picture
from sim.report.sections.teams import team_pairs_grid, team_sentences, teams_grid, teams_picture
from sim.report.study import Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALL = ""
_S_PER_MIN = 60.0
_MOST_DRAWN = 40
_OF_THIS = frozenset({"teams", "aviation"})
"""Groups of settings that this section is about."""


def make(context: Context) -> list[Block]:
    """Return what aircraft saved and why they did not fly, then what teams and aircraft were sent to."""
    return kept(
        *(Paragraph(text, "lead") for text in (*team_sentences(context), *_sentences(context))),
        _saved_picture(context),
        teams_picture(context),
        _air_grid(context),
        _pairs_grid(context),
        teams_grid(context),
        team_pairs_grid(context),
        _turnouts_picture(context),
        _turnouts_grid(context),
    )


def _rows(context: Context, table: str, **equal: object) -> list[Row]:
    """Return the rows of a table, schemes in the study's order."""
    found = context.study.table(table, **equal)
    rows: list[Any] = [] if found is None else found.to_dict("records")
    order = {arm: place for place, arm in enumerate(context.study.arms())}
    return sorted(rows, key=lambda row: order.get(row["arm"], len(order)))


def _one(value: Any) -> str:
    return plain(value, 1)


def _minutes(value: Any) -> str:
    return signed(None if is_missing(value) else float(value) / _S_PER_MIN, 1)


def _sentences(context: Context) -> list[Bi]:
    """Return what became of the incidents that ask for aircraft, one sentence per scheme that has any."""
    words, year, told = context.words, context.study.year, []
    for row in _rows(context, "air", year=year, kind=_ALL):
        shares = {name: share(row[f"{name}_share"]) for name in ("no_hour", "none_there", "all_out")}
        counts = {name: rate(row[f"{name}_per_year"]) for name in ("asked", "sent")}
        arm, first = context.study.label(row["arm"]), rate(row["first_work_per_year"])
        text = words("special.air", year=year, arm=arm, first=first, **counts, **shares)
        for pair in _rows(context, "air_pairs", year=year, kind=_ALL, arm=row["arm"]):
            text = text + _saved(context, pair)
        told.append(text)
    return told


def _saved(context: Context, pair: Row) -> Bi:
    """Return how much sooner critical needs were at work, and what an hour saved costs.

    The cost is told only where flying hours are priced and the saving is clear.
    """
    words, study = context.words, context.study
    ends = (pair["low"], pair["high"])
    low, high = (words["special.unknown"] if is_missing(end) else same(_minutes(end)) for end in ends)
    hours = float(pair["saved_h_per_year"])
    told = {"saved": _minutes(pair["saved_s"]), "low": low, "high": high, "hours": _one(hours)}
    text = words("special.saved", base=study.label(pair["base"]), **told)
    value = study.row("value", arm=pair["arm"], base=pair["base"], year=study.year)
    money = study.row("money", arm=pair["arm"], item="flying_hour", year=study.year)  # else flying is not priced
    if value is None or money is None or not (pair["low"] > 0 and hours > 0 and value["annual_likely"] > 0):
        return text
    currency = words.known("money.currency", money["currency"])
    annual = float(value["annual_likely"])
    return text + words("special.cost", annual=count(annual), per_hour=count(annual / hours), currency=currency)


def _saved_picture(context: Context) -> Picture | None:
    words, study = context.words, context.study
    rows = [row for row in _rows(context, "air_pairs", year=study.year) if not is_missing(row["saved_s"])]
    if not rows:
        return None
    named = [study.label(row["arm"]) + Bi("，", ", ") + kind_name(context, row["kind"]) for row in rows]

    def draw(language: str) -> Figure | None:
        marks = [
            mark_of(name.of(language), row, "saved_s", 1 / _S_PER_MIN, _minutes(row["saved_s"]))
            for name, row in zip(named, rows, strict=True)
        ]
        return forest(marks[:_MOST_DRAWN], words["special.axis"].of(language), _one, better=1)

    lines = [name + same(f" {_minutes(row['saved_s'])}") for name, row in zip(named, rows, strict=True)]
    caption, alt = words("special.picture", year=study.year), words("special.alt", lines=join(lines))
    return picture(draw, caption, alt, "special-air")


def _turnouts_picture(context: Context) -> Picture | None:
    words = context.words
    rates = [
        (
            join([_unit(context, row), _task(context, row)]),
            float(row["per_year"]), float(row["only_share"]),
        )
        for row in _rows(context, "turnouts")
        if row["arm"] == _first_with(context, "turnouts")
    ]  # fmt: skip
    arm = context.study.label(_first_with(context, "turnouts"))
    texts = (words("special.turnouts_picture", arm=arm), words["special.turnouts_alt"])
    return rates_picture(rates, words["special.turnouts_axis"], texts, "special-turnouts")


def _first_with(context: Context, table: str) -> str:
    """Return the scheme whose teams are drawn: the main pair's, else the first that has any."""
    arms = [str(row["arm"]) for row in _rows(context, table)]
    main = context.study.main()
    return main.arm if main is not None and main.arm in arms else arms[0]


def _unit(context: Context, row: Row) -> Bi:
    return context.study.name("unit_type", row["type"])


def _task(context: Context, row: Row) -> Bi:
    return context.study.name("capability", row["capability"])


def _air_grid(context: Context) -> Grid | None:
    words, year = context.words, context.study.year
    rows = _rows(context, "air", year=year)
    if not rows:
        return None
    per_year, percent = words["unit.per_year"], words["unit.percent"]
    counts, shares = ("sent", "first_arrival", "first_work"), ("no_hour", "none_there", "all_out")
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.kind"], is_number=False),
        Head(words["special.asked"], per_year), *(Head(words[f"special.{name}"], percent) for name in shares),
        *(Head(words[f"special.{name}"], per_year) for name in counts),
    )  # fmt: skip
    told = tuple(
        (
            word(context.study.label(row["arm"])), word(kind_name(context, row["kind"])),
            number(row["asked_per_year"], _one), *(number(row[f"{name}_share"], share) for name in shares),
            *(number(row[f"{name}_per_year"], _one) for name in counts),
        )
        for row in rows
    )  # fmt: skip
    return Grid(words("special.air_table", year=year), heads, told, words["special.air_denominator"])


def _pairs_grid(context: Context) -> Grid | None:
    words, study = context.words, context.study
    rows = _rows(context, "air_pairs", year=study.year)
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
            number(row["saved_s"], _minutes, row["low"], row["high"], tone=tone),
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
            number(row["per_year"], _one),
            *(number(row[f"{name}_share"], share) for name in ("arrived", "first", "only")),
            number(row["work_p50_s"] / _S_PER_MIN, _one),
        )
        for row in _rows(context, "turnouts")
    )  # fmt: skip
    return Grid(words["special.turnouts_table"], heads, told, words["special.turnouts_denominator"])


def lead(context: Context) -> list[Bi]:
    """Return the sentences for page one, where schemes differ in nothing but teams or aircraft."""
    main = context.study.main()
    is_about = main is not None and context.study.differs_only_in(main, _OF_THIS)
    return [*team_sentences(context), *_sentences(context)] if is_about else []


SECTION = SectionEntry("special", needs=("turnouts",), make=make, lead=lead)
