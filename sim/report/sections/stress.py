"""Days of stress: who waited, what stayed unfilled, who came to help, and when the city was ready again."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import Write, count, plain, rate, share
from sim.report.pictures.beside import Case, Level, beside
from sim.report.study import Pair, Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = ("n_waited", "n_unfilled", "n_help", "back_h")
_LEAD: tuple[tuple[str, str, Write], ...] = (
    ("waited", "n_waited", rate), ("unfilled", "n_unfilled", rate), ("kept", "kept_lowest", share),
    ("back", "back_h", rate),
)  # fmt: skip
Key = tuple[str, str, str]


def make(context: Context) -> list[Block]:
    """Return a sentence per day, the picture, what the measures mean, and the table."""
    rows, days = _rows(context), _days(context)
    return kept(
        *(Paragraph(_sentence(context, rows, pair, causes), "lead") for pair, causes in days),
        _picture(context, rows, days, "stress"),
        Paragraph(context.words["stress.text"], "note"),
        _grid(context, rows),
    )


def _one(value: Any) -> str:
    return plain(value, 1)


def _rows(context: Context) -> dict[Key, Row]:
    """Return the rows by (arm, causes of the day, metric)."""
    found = context.study.table("stress")
    told: list[Any] = [] if found is None else found.to_dict("records")
    return {(str(row["arm"]), str(row["causes"]), str(row["metric"])): row for row in told}


def _days(context: Context) -> list[tuple[Pair, str]]:
    """Return every compared pair and the day that both its schemes went through."""
    told = dict.fromkeys((arm, causes) for arm, causes, _ in _rows(context))
    pairs = context.study.pairs()
    return [(pair, causes) for pair in pairs for arm, causes in told if arm == pair.arm and (pair.base, causes) in told]


def _day(context: Context, arm: str, causes: str) -> Bi:
    """Return what the scheme's settings call the day, else the names of what was planted."""
    planted = context.study.configs.get(arm, {}).get("planted") or {}
    zh, en = planted.get("label_zh"), planted.get("label_en")
    return Bi(str(zh), str(en)) if zh and en else same(causes)


def _sentence(context: Context, rows: dict[Key, Row], pair: Pair, causes: str) -> Bi:
    base, arm = names(context, pair)
    told: dict[str, object] = {"day": _day(context, pair.arm, causes), "arm": arm, "base": base}
    for prefix, name in (("", pair.arm), ("base_", pair.base)):
        for key in ("n_waited", "n_unfilled", "n_help", "back_h"):
            told[prefix + key.removeprefix("n_").removesuffix("_h")] = _one(rows[name, causes, key]["value"])
        told[f"{prefix}kept"] = share(rows[name, causes, "kept_lowest"]["value"])
    return context.words("stress.sentence", **told)


def _picture(context: Context, rows: dict[Key, Row], days: list[tuple[Pair, str]], name: str) -> Picture | None:
    words, study = context.words, context.study
    is_several = len({frozenset(study.differing(pair)) for pair, _ in days}) > 1

    def level(arm: str, causes: str, metric: str) -> Level:
        row = rows[arm, causes, metric]
        return Level(float(row["value"]), float(row["low"]), float(row["high"]))

    def draw(language: str) -> Figure | None:
        cases = [
            Case(
                (study.label(pair.arm) if is_several else _day(context, pair.arm, causes)).of(language),
                tuple((level(pair.base, causes, metric), level(pair.arm, causes, metric)) for metric in _DRAWN),
            )
            for pair, causes in days
        ]
        titles = [words[f"stress.{metric}"].of(language) for metric in _DRAWN[:-1]]
        titles.append(words["stress.back_h"].with_unit(words["stress.hours"]).of(language))
        return beside(cases, titles, (words["stress.base"].of(language), words["stress.arm"].of(language)))

    lines = [
        words(
            "stress.alt_line", day=_day(context, pair.arm, causes),
            base=_one(rows[pair.base, causes, "back_h"]["value"]), arm=_one(rows[pair.arm, causes, "back_h"]["value"]),
        )
        for pair, causes in days
    ]  # fmt: skip
    return picture(draw, words["stress.picture"], words("stress.alt", lines=join(lines)), name)


def _grid(context: Context, rows: dict[Key, Row]) -> Grid:
    words, study = context.words, context.study
    columns: tuple[tuple[str, Bi | None, Write], ...] = (
        ("n_incidents", None, _one), ("n_waited", None, _one), ("longest_wait_s", words["unit.s"], count),
        ("n_never_met", None, _one), ("n_unfilled", None, _one), ("n_help", None, _one),
        ("share_300", words["unit.percent"], share), ("kept_lowest", words["unit.percent"], share),
        ("back_h", words["stress.hours"], _one), ("not_back", words["unit.percent"], share),
    )  # fmt: skip
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["stress.day"], is_number=False),
        *(Head(words[f"stress.{metric}"], unit) for metric, unit, _ in columns),
    )  # fmt: skip
    told = []
    for arm, causes in dict.fromkeys((arm, causes) for arm, causes, _ in rows):
        cells = []
        for metric, _, write in columns:
            row = rows[arm, causes, metric]
            cells.append(number(row["value"], write, row["low"], row["high"]))
        told.append((word(study.label(arm)), word(_day(context, arm, causes)), *cells))
    n = count(max(row["n_replications"] for row in rows.values()))
    notes = (words["stress.intervals"],)
    return Grid(words["stress.table"], heads, tuple(told), words("stress.denominator", n=n), notes)


def lead(context: Context) -> list[Bi]:
    """Return what the days did to base and arm, one after the other, a sentence for each change of schemes."""
    rows, days = _rows(context), _days(context)
    groups: dict[frozenset[str], list[tuple[Pair, str]]] = {}
    for pair, causes in days:
        groups.setdefault(frozenset(context.study.differing(pair)), []).append((pair, causes))
    return [
        _changes(context, rows, own, "stress.lead_day" if i == 0 else "stress.lead_short")
        for i, own in enumerate(groups.values())
    ]


def _changes(context: Context, rows: dict[Key, Row], days: list[tuple[Pair, str]], key: str) -> Bi:
    """Return what one change of schemes does on each of its days."""
    words, parts = context.words, []
    for pair, causes in days:
        told: dict[str, object] = {"day": _day(context, pair.arm, causes)}
        for name, metric, write in _LEAD:
            told[name] = same(
                "{} → {}".format(*(write(rows[a, causes, metric]["value"]) for a in (pair.base, pair.arm)))
            )
        parts.append(words(key, **told))
    base, arm = (_scheme([context.study.label(getattr(pair, side)) for pair, _ in days]) for side in ("base", "arm"))
    return words("stress.lead", base=base, arm=arm, days=join(parts, "；", "; "))


def _scheme(names: list[Bi]) -> Bi:
    """Return what names of one scheme on several days begin with; a name by itself without its day in brackets."""
    zh, en = (_beginning([name.of(language) for name in names]) for language in ("zh", "en"))
    return Bi(zh, en)


def _beginning(names: list[str]) -> str:
    told = commonprefix([name.replace("（", " (") for name in names])  # noqa: RUF071 - names, no paths
    return told.partition(" (")[0].rstrip(" ,，") or names[0]


def front(context: Context, name: str) -> Picture | None:
    """Return the picture for page one: the days of the first change of schemes."""
    days, study = _days(context), context.study
    own = [day for day in days if study.differing(day[0]) == study.differing(days[0][0])]
    return _picture(context, _rows(context), own, name)


SECTION = SectionEntry("stress", needs=("stress",), make=make, lead=lead, front=front)
