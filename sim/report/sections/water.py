"""Water supply and micro-stations: what hydrants spare large fires, and where a village's people are first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.report.blocks import Block, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.compared import kind_name
from sim.report.context import Context, SectionEntry, kept
from sim.report.numbers import is_clear, is_missing, minutes, rate, share, signed_minutes
from sim.report.pictures.beside import Case, Level, beside
from sim.report.study import Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALL, _S_PER_MIN, _PERCENT = "", 60.0, 100.0
_OF_THIS = frozenset({"water_supply", "micro_stations"})
"""Groups of settings that this section is about."""
_CRITICAL = ("critical_p50", "critical_p90")
_SOON = ("stations_300_share", "any_300_share")


def make(context: Context) -> list[Block]:
    """Return water first, then the village's own people: sentences, pictures, tables."""
    return kept(
        *(Paragraph(text, "lead") for text in _water_sentences(context)),
        _water_picture(context, "water"),
        _pairs_grid(context),
        _water_grid(context),
        *(Paragraph(text, "lead") for text in _village_sentences(context)),
        _village_picture(context, "villages"),
        _village_grid(context),
    )


def lead(context: Context) -> list[Bi]:
    """Return the sentences for page one, where schemes differ in nothing but water and micro-stations."""
    main = context.study.main()
    is_about = main is not None and context.study.differs_only_in(main, _OF_THIS)
    return [*_water_sentences(context), *_village_sentences(context)] if is_about else []


def front(context: Context, name: str) -> Picture | None:
    """Return the picture for page one: what water schemes differ in, else the village's own people."""
    return _water_picture(context, name) or _village_picture(context, name)


# --- water ------------------------------------------------------------------------------------------------------------


def _pairs(context: Context) -> list[Row]:
    """Return the pairs whose supply of water differs, in the last year."""
    return [
        row
        for row in context.study.by_scheme("water_pairs", year=context.study.year)
        if row["far_share"] != row["base_far_share"]
    ]


def _water_sentences(context: Context) -> list[Bi]:
    """Return what the supply of water of each scheme saves, against that of its base; else what each has."""
    words, study = context.words, context.study
    pairs = _pairs(context)
    main = study.main()
    main_arms = study.arms() if main is None else [main.base, main.arm]
    if not pairs:
        rows = [row for row in context.study.by_scheme("water", year=study.year, kind=_ALL) if row["arm"] in main_arms]
        return [
            words(
                "water.has", year=study.year, arm=study.label(row["arm"]), per_year=rate(row["per_year"]),
                far=share(row["far_share"]), mean=minutes(row["mean_s"]), p50=minutes(row["critical_p50_s"]),
                p90=minutes(row["critical_p90_s"]),
            )
            for row in rows
        ]  # fmt: skip
    return [_saved(context, row) for row in pairs if row["arm"] in main_arms or study.purpose(row["arm"]) == "main"]


def _saved(context: Context, row: Row) -> Bi:
    words, study = context.words, context.study
    ends = [
        words["special.unknown"] if is_missing(row[end]) else same(signed_minutes(row[end])) for end in ("low", "high")
    ]
    return words(
        "water.saved", year=study.year, arm=study.label(row["arm"]), base=study.label(row["base"]),
        far=share(row["far_share"]), base_far=share(row["base_far_share"]),
        saved=signed_minutes(row["saved_s"]).lstrip("+"), low=ends[0], high=ends[1],
        hours=rate(row["saved_h_per_year"]),
    )  # fmt: skip


def _water_picture(context: Context, name: str) -> Picture | None:
    words, study = context.words, context.study
    rows = {row["arm"]: row for row in context.study.by_scheme("water", year=study.year, kind=_ALL)}
    told = [row for row in _pairs(context) if row["arm"] in rows and row["base"] in rows]

    def levels(arm: str) -> list[Level]:
        row = rows[arm]
        critical = [
            Level(*(float(row[f"{name}_{end}"]) / _S_PER_MIN for end in ("s", "low", "high"))) for name in _CRITICAL
        ]
        return [Level(_PERCENT * float(row["far_share"])), *critical]

    def draw(language: str) -> Figure | None:
        cases = [
            Case(study.label(row["arm"]).of(language), tuple(zip(levels(row["base"]), levels(row["arm"]), strict=True)))
            for row in told
        ]
        titles = [words[f"water.{name}_title"].of(language) for name in ("far", *_CRITICAL)]
        return beside(cases, titles, (words["places.base"].of(language), words["places.arm"].of(language)))

    lines = join([study.label(row["arm"]) + same(f" {signed_minutes(row['saved_s'])}") for row in told])
    caption = words("water.picture", year=study.year)
    return picture(draw, caption, words("water.alt", lines=lines), name)


def _pairs_grid(context: Context) -> Grid | None:
    words, study = context.words, context.study
    rows = _pairs(context)
    if not rows:
        return None
    percent = words["unit.percent"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.against"], is_number=False),
        Head(words["water.far_there"], percent), Head(words["water.far"], percent),
        Head(words["special.sooner"], words["special.minutes"]), Head(words["head.faster"], percent),
        Head(words["head.slower"], percent), Head(words["special.hours_saved"], words["unit.hours"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = []
    for row in rows:
        tone = "" if not is_clear(row["low"], row["high"]) else "gain" if row["saved_s"] > 0 else "loss"
        told.append((
            word(study.label(row["arm"])), word(study.label(row["base"])), number(row["base_far_share"], share),
            number(row["far_share"], share), number(row["saved_s"], signed_minutes, row["low"], row["high"], tone=tone),
            number(row["share_faster"], share), number(row["share_slower"], share),
            number(row["saved_h_per_year"], rate), counted(row["n_incidents"], row["n_pairs"]),
        ))  # fmt: skip
    caption = words("water.pairs_table", year=study.year)
    return Grid(caption, heads, tuple(told), words["water.pairs_denominator"], (words["special.intervals"],))


def _water_grid(context: Context) -> Grid | None:
    words, study = context.words, context.study
    rows = context.study.by_scheme("water", year=study.year)
    if not rows:
        return None
    minute = words["special.minutes"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["special.kind"], is_number=False),
        Head(words["water.fires"], words["unit.per_year"]), Head(words["water.far"], words["unit.percent"]),
        Head(words["water.wait"], minute), *(Head(words[f"water.{name}"], minute) for name in _CRITICAL),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(study.label(row["arm"])), word(kind_name(context, row["kind"])), number(row["per_year"], rate),
            number(row["far_share"], share), number(row["mean_s"], minutes),
            *(number(row[f"{c}_s"], minutes, row[f"{c}_low"], row[f"{c}_high"]) for c in _CRITICAL),
            counted(row["n_incidents"], row["n_replications"]),
        )
        for row in rows
    )  # fmt: skip
    caption = words("water.table", year=study.year)
    return Grid(caption, heads, told, words["water.denominator"], (words["places.intervals"],))


# --- the village's own people -----------------------------------------------------------------------------------------


def _village_sentences(context: Context) -> list[Bi]:
    """Return what the village's own people do in each scheme; one sentence where all of them have the same."""
    words, study, told = context.words, context.study, []
    seen = set()
    for row in context.study.by_scheme("villages"):
        values: dict[str, object] = {
            "per_year": rate(row["per_year"]), "came": share(row["came_share"]), "first": share(row["first_share"]),
            "before": minutes(row["before_s"]), "stations": share(row["stations_300_share"]),
            "any": share(row["any_300_share"]),
        }  # fmt: skip
        if tuple(values.values()) in seen:
            continue
        seen.add(tuple(values.values()))
        told.append(words("water.village", arm=study.label(row["arm"]), **values))
    return told


def _village_picture(context: Context, name: str) -> Picture | None:
    words, rows = context.words, context.study.by_scheme("villages")

    def draw(language: str) -> Figure | None:
        cases = []
        for row in rows:
            stations, anybody = (Level(_PERCENT * float(row[name])) for name in _SOON)
            cases.append(Case(context.study.label(row["arm"]).of(language), ((stations, anybody),)))
        sides = (words["water.stations_300"].of(language), words["water.any_300"].of(language))
        return beside(cases, [words["water.soon_title"].of(language)], sides)

    lines = join([context.study.label(row["arm"]) + same(f" {share(row['any_300_share'])}%") for row in rows])
    return picture(draw, words["water.village_picture"], words("water.village_alt", lines=lines), name)


def _village_grid(context: Context) -> Grid | None:
    words, rows = context.words, context.study.by_scheme("villages")
    if not rows:
        return None
    percent = words["unit.percent"]
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["water.all"], words["unit.per_year"]),
        Head(words["water.came"], percent), Head(words["water.first"], percent),
        Head(words["water.before"], words["special.minutes"]), Head(words["water.stations_300"], percent),
        Head(words["water.any_300"], percent), Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(context.study.label(row["arm"])), number(row["all_per_year"], rate), number(row["came_share"], share),
            number(row["first_share"], share), number(row["before_s"], minutes),
            *(number(row[name], share) for name in _SOON), counted(row["n_incidents"], row["n_replications"]),
        )
        for row in rows
    )  # fmt: skip
    return Grid(words["water.village_table"], heads, told, words["water.village_denominator"])


SECTION = SectionEntry("water", needs=(), make=make, lead=lead, any_of=("water", "villages"), front=front)
