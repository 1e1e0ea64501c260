"""Rare incidents by class, from planted samples: how soon they were met, how much sooner, and what was left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, is_clear, minutes, plain, share, signed_seconds
from sim.report.pictures.beside import Case, Level, beside
from sim.report.study import Pair, Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALL, _ONE, _TWO = "", "one_grade_3", "two_grade_3"
_DRAWN = (("critical", "p50"), ("critical", "p90"), ("full_alarm", "p90"))
_CLOCKS = ("arrival", "critical", "full_alarm")
_S_PER_MIN = 60.0
Key = tuple[str, str, str, str]


def make(context: Context) -> list[Block]:
    """Return the sentence, the picture, and the tables of levels, differences and reserve."""
    rows = _rows(context)
    told = _pairs(context, rows)
    return kept(
        *(Paragraph(text, "lead") for text in lead(context)),
        _picture(context, rows, told, "rare"),
        Paragraph(context.words["rare.text"], "note"),
        _levels(context, rows),
        _differences(context),
        _reserve(context, rows),
    )


def _rows(context: Context) -> dict[Key, Row]:
    """Return the rows by (arm, class, clock, metric)."""
    found = context.study.table("rare")
    told: list[Any] = [] if found is None else found.to_dict("records")
    return {(str(r["arm"]), str(r["cause"]), str(r["clock"]), str(r["metric"])): r for r in told}


def _pairs(context: Context, rows: dict[Key, Row]) -> list[tuple[Pair, str]]:
    """Return every compared pair with each class that both its schemes met; all together only if these are the same."""
    met = _classes(rows)
    found = []
    for pair in context.study.pairs():
        ours, theirs = met.get(pair.arm, []), met.get(pair.base, [])
        found += [(pair, cause) for cause in ours if cause in theirs and (cause != _ALL or set(ours) == set(theirs))]
    return found


def _classes(rows: dict[Key, Row]) -> dict[str, list[str]]:
    """Return the classes of each scheme, all together last, where they are several that a year brings."""
    met: dict[str, list[str]] = {}
    for arm, cause, clock, metric in rows:
        if (clock, metric) == ("arrival", "p50"):
            met.setdefault(arm, []).append(cause)
    for arm, causes in met.items():
        if sum(rows[arm, cause, "arrival", "p50"]["per_year"] > 0 for cause in causes if cause != _ALL) < 2:
            met[arm] = [cause for cause in causes if cause != _ALL]
    return met


def _name(context: Context, cause: str) -> Bi:
    return context.words["rare.all"] if cause == _ALL else context.words.known("cause", cause)


def lead(context: Context) -> list[Bi]:
    """Return how all classes together were met, and what two fires at once leave, where they were planted."""
    rows = _rows(context)
    told = _pairs(context, rows)
    return [text for text in (_sentence(context, rows, told), _left(context, rows, told)) if text is not None]


def _left(context: Context, rows: dict[Key, Row], told: list[tuple[Pair, str]]) -> Bi | None:
    """Return the reserve half an hour after one fire and after two at once, with each scheme."""
    pair = next((pair for pair, cause in told if cause == _TWO), None)
    if pair is None:
        return None
    parts = []
    for arm in (pair.arm, pair.base):
        one, two = (rows.get((arm, cause, "arrival", "p50")) for cause in (_ONE, _TWO))
        if one is None or two is None:
            return None
        values = {"ready": plain(two["ready_after"], 1), "least": count(two["ready_least"])}
        values |= {"kept": share(two["kept_after"]), "one_ready": plain(one["ready_after"], 1)}
        values |= {"one_kept": share(one["kept_after"]), "before": plain(two["ready_before"], 1)}
        parts.append(context.words("rare.left_with", arm=context.study.label(arm), **values))
    return context.words("rare.left", parts=join(parts, "；", "; "))


def _each(context: Context, rows: dict[Key, Row], told: list[tuple[Pair, str]]) -> Bi:
    """Return the median until critical needs were at work in base and arm, class by class, of the first pair."""
    first = told[0][0]
    classes = [cause for pair, cause in told if pair == first and cause != _ALL]
    ends = {
        cause: [minutes(rows[arm, cause, "critical", "p50"]["value"]) for arm in (first.base, first.arm)]
        for cause in classes
    }
    return join([_name(context, cause) + same(" " + " → ".join(pair)) for cause, pair in ends.items()])


def _sentence(context: Context, rows: dict[Key, Row], told: list[tuple[Pair, str]]) -> Bi | None:
    pair = next((pair for pair, cause in told if cause == _ALL), None)
    if pair is None:
        return None
    base, arm = names(context, pair)
    values: dict[str, object] = {"arm": arm, "base": base}
    for prefix, name in (("", pair.arm), ("base_", pair.base)):
        for metric in ("p50", "p90"):
            values[prefix + metric] = minutes(rows[name, _ALL, "critical", metric]["value"])
    values["per_year"] = plain(rows[pair.arm, _ALL, "critical", "p50"]["per_year"], 1)
    return context.words("rare.sentence", **values) + context.words("rare.by_class", classes=_each(context, rows, told))


def _picture(context: Context, rows: dict[Key, Row], told: list[tuple[Pair, str]], place: str) -> Picture | None:
    words = context.words

    def level(arm: str, cause: str, clock: str, metric: str) -> Level:
        row = rows[arm, cause, clock, metric]
        value, low, high = (float(row[key]) / _S_PER_MIN for key in ("value", "low", "high"))
        return Level(value, low, high)

    def draw(language: str) -> Figure | None:
        cases = [
            Case(
                _name(context, cause).of(language),
                tuple((level(pair.base, cause, *what), level(pair.arm, cause, *what)) for what in _DRAWN),
            )
            for pair, cause in told
        ]
        titles = [words[f"rare.{clock}_{metric}"].of(language) for clock, metric in _DRAWN]
        return beside(cases, titles, (words["rare.base"].of(language), words["rare.arm"].of(language)))

    lines = []
    for pair, cause in told:
        ends = {
            name: minutes(rows[each, cause, "critical", "p90"]["value"])
            for name, each in (("base", pair.base), ("arm", pair.arm))
        }
        lines.append(words("rare.alt_line", name=_name(context, cause), **ends))
    return picture(draw, words["rare.picture"], words("rare.alt", lines=join(lines)), place)


def _first_heads(context: Context) -> tuple[Head, ...]:
    words = context.words
    return (
        Head(words["rare.class"], is_number=False), Head(words["head.arm"], is_number=False),
        Head(words["rare.per_year"]), Head(words["rare.sample"]),
    )  # fmt: skip


def _first_cells(context: Context, row: Row) -> tuple[Cell, ...]:
    return (
        word(_name(context, str(row["cause"]))), word(context.study.label(str(row["arm"]))),
        number(row["per_year"] or None, lambda v: plain(v, 1)), number(row["n_planted"], count),
    )  # fmt: skip


def _by_class(rows: dict[Key, Row]) -> list[tuple[str, str]]:
    """Return (arm, class), the schemes of one class beneath each other."""
    met = _classes(rows)
    causes = dict.fromkeys(cause for own in met.values() for cause in own)
    return [(arm, cause) for cause in causes for arm, own in met.items() if cause in own]


def _levels(context: Context, rows: dict[Key, Row]) -> Grid:
    words = context.words
    columns = [(clock, metric) for clock in _CLOCKS for metric in ("p50", "p90")]
    heads = [*_first_heads(context)]
    for clock, metric in columns:
        heads.append(Head(words.known("rare.clock", clock) + same(f" {metric.upper()}"), words["rare.minutes"]))
    heads.append(Head(words["rare.never"], words["unit.percent"]))
    told = []
    for arm, cause in _by_class(rows):
        cells = [_level_cell(rows[arm, cause, *what]) for what in columns]
        never = rows[arm, cause, "full_alarm", "never"]
        cells.append(number(never["value"], share, never["low"], never["high"]))
        told.append((*_first_cells(context, never), *cells))
    notes = (words["rare.intervals"],)
    return Grid(words["rare.table"], tuple(heads), tuple(told), words["rare.denominator"], notes)


def _level_cell(row: Row) -> Cell:
    return number(row["value"], minutes, row["low"], row["high"])


def _differences(context: Context) -> Grid | None:
    words, study = context.words, context.study
    found = study.table("rare_pairs")
    if found is None:
        return None
    heads = (
        Head(words["rare.class"], is_number=False), Head(words["head.arm"], is_number=False),
        Head(words["rare.base"], is_number=False), Head(words["rare.clock"], is_number=False),
        Head(words["rare.mean_diff"], words["unit.s"]), Head(words["head.faster"], words["unit.percent"]),
        Head(words["head.slower"], words["unit.percent"]), Head(words["rare.pairs_n"]),
    )  # fmt: skip
    told = []
    for row in found.to_dict("records"):
        tone = "" if not is_clear(row["low"], row["high"]) else "gain" if row["diff_s"] < 0 else "loss"
        told.append((
            word(_name(context, row["cause"])), word(study.label(row["arm"])), word(study.label(row["base"])),
            word(words.known("rare.clock", row["clock"])),
            number(row["diff_s"], signed_seconds, row["low"], row["high"], tone=tone),
            number(row["share_faster"], share), number(row["share_slower"], share), number(row["n_pairs"], count),
        ))  # fmt: skip
    notes = (words["rare.intervals"],)
    return Grid(words["rare.pairs_table"], heads, tuple(told), words["rare.pairs_denominator"], notes)


def _reserve(context: Context, rows: dict[Key, Row]) -> Grid:
    words = context.words
    heads = (
        *_first_heads(context), Head(words["rare.ready_before"]), Head(words["rare.ready_after"]),
        Head(words["rare.ready_least"]), Head(words["rare.kept_after"], words["unit.percent"]),
    )  # fmt: skip
    told = []
    for arm, cause in _by_class(rows):
        row = rows[arm, cause, "arrival", "p50"]
        cells = [number(row[key], lambda v: plain(v, 1)) for key in ("ready_before", "ready_after")]
        cells += [number(row["ready_least"], count), number(row["kept_after"], share)]
        told.append((*_first_cells(context, row), *cells))
    return Grid(words["rare.reserve_table"], heads, tuple(told), words["rare.denominator"])


def front(context: Context, name: str) -> Picture | None:
    """Return the picture of the classes for page one."""
    rows = _rows(context)
    return _picture(context, rows, _pairs(context, rows), name)


SECTION = SectionEntry("rare", needs=("rare",), make=make, lead=lead, front=front)
