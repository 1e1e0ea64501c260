"""Incidents in rail tunnels, and help from outside the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import minutes, plain, rate, share
from sim.report.pictures.beside import Case, Level, beside
from sim.report.rates import rates_picture
from sim.report.study import Pair, Row
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = ("critical_p50", "critical_p90", "full_alarm_p50")
_COLUMNS = ("arrival_p50", *_DRAWN, "full_alarm_p90")
_S_PER_MIN = 60.0
_OF_TUNNELS = frozenset({"rail", "fleet", "mutual_aid"})
"""Groups of settings that decide who comes into a tunnel, and how."""


def make(context: Context) -> list[Block]:
    """Return a sentence of each that there is, the pictures of tunnels and of help, and the tables."""
    tunnel = _tunnel(context)
    told = [pair for pair in context.study.pairs() if pair.arm in tunnel and pair.base in tunnel]
    return kept(
        *(Paragraph(text, "lead") for text in _sentences(context, tunnel, told)),
        _tunnel_picture(context, tunnel, told, "places-tunnel"),
        _help_picture(context),
        _tunnel_grid(context, tunnel),
        _help_grid(context),
    )


def _one(value: Any) -> str:
    return plain(value, 1)


def _rows(context: Context, table: str, **equal: object) -> list[Row]:
    found = context.study.table(table, **equal)
    rows: list[Any] = [] if found is None else found.to_dict("records")
    return rows


def _tunnel(context: Context) -> dict[str, dict[str, Row]]:
    """Return the milestones in tunnels by scheme and "clock_metric"."""
    found: dict[str, dict[str, Row]] = {}
    for row in _rows(context, "tunnel"):
        found.setdefault(str(row["arm"]), {})[f"{row['clock']}_{row['metric']}"] = row
    return found


def _sentences(context: Context, tunnel: dict[str, dict[str, Row]], told: list[Pair]) -> list[Bi]:
    """Return the main pair in tunnels, then help of the schemes of the main pair."""
    words, study, texts = context.words, context.study, []
    main = study.main()
    shown = study.arms() if main is None else [main.base, main.arm]
    texts += _tunnel_sentences(context, tunnel, told)[:1]
    for name in shown:
        arm = study.label(name)
        if sent := _rows(context, "help", arm=name):
            n = sum(float(row["per_run"]) for row in sent)
            came = sum(float(row["per_run"]) * float(row["arrived_share"]) for row in sent)
            texts.append(words("places.help", arm=arm, sent=rate(n), arrived=rate(came)))
    return texts


def _median(context: Context, value: Any) -> Bi:
    """Return a median in minutes for a sentence; one that never came in words."""
    if value == float("inf"):
        return context.words["places.never_half"]
    return context.words("places.in_minutes", minutes=minutes(value))


def _tunnel_sentences(context: Context, tunnel: dict[str, dict[str, Row]], told: list[Pair]) -> list[Bi]:
    """Return how soon work began and the first alarm was complete in tunnels, one sentence per compared pair."""
    texts = []
    for pair in told:
        base, arm = names(context, pair)
        values = {
            prefix + clock: _median(context, tunnel[name][f"{clock}_p50"]["value"])
            for prefix, name in (("", pair.arm), ("base_", pair.base))
            for clock in ("critical", "full_alarm")
        }
        per_year = _one(tunnel[pair.arm]["arrival_p50"]["per_year"])
        texts.append(context.words("places.tunnel", arm=arm, base=base, per_year=per_year, **values))
    return texts


def lead(context: Context) -> list[Bi]:
    """Return the sentences on tunnels for page one, where schemes differ in nothing but how these are reached."""
    tunnel, study = _tunnel(context), context.study
    main = study.main()
    if main is None or not study.differs_only_in(main, _OF_TUNNELS):
        return []
    return _tunnel_sentences(context, tunnel, _peers(context, tunnel))


def front(context: Context, name: str) -> Picture | None:
    """Return the picture of tunnels under the study's main schemes, for page one."""
    tunnel = _tunnel(context)
    return _tunnel_picture(context, tunnel, _peers(context, tunnel), name)


def _peers(context: Context, tunnel: dict[str, dict[str, Row]]) -> list[Pair]:
    return [pair for pair in context.study.peers() if pair.arm in tunnel and pair.base in tunnel]


def _tunnel_picture(context: Context, tunnel: dict[str, dict[str, Row]], told: list[Pair], name: str) -> Picture | None:
    words, study = context.words, context.study

    def level(arm: str, what: str) -> Level:
        value, low, high = (float(tunnel[arm][what][key]) / _S_PER_MIN for key in ("value", "low", "high"))
        return Level(value, low, high)

    def draw(language: str) -> Figure | None:
        cases = [
            Case(
                study.label(pair.arm).of(language),
                tuple((level(pair.base, what), level(pair.arm, what)) for what in _DRAWN),
            )
            for pair in told
        ]
        titles = [words[f"places.{what}"].of(language) for what in _DRAWN]
        return beside(cases, titles, (words["places.base"].of(language), words["places.arm"].of(language)))

    lines = [study.label(p.arm) + same(f" {minutes(tunnel[p.arm]['critical_p90']['value'])}") for p in told]
    return picture(draw, words["places.picture"], words("places.alt", lines=join(lines)), name)


def _help_picture(context: Context) -> Picture | None:
    words = context.words
    rates = [
        (
            join([context.study.label(row["arm"]), *_sent(context, row)]), float(row["per_run"]),
            float(row["arrived_share"]),
        )
        for row in _rows(context, "help")
    ]  # fmt: skip
    texts = (words["places.help_picture"], words["places.help_alt"])
    return rates_picture(rates, words["places.help_axis"], texts, "places-help")


def _sent(context: Context, row: Row) -> list[Bi]:
    """Return who sent, and what for."""
    return [context.study.name("base", row["post"]), context.study.name("capability", row["capability"])]


def _tunnel_grid(context: Context, tunnel: dict[str, dict[str, Row]]) -> Grid | None:
    words = context.words
    if not tunnel:
        return None
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["places.per_year"]),
        *(Head(words[f"places.{what}"], words["places.minutes"]) for what in _COLUMNS),
        Head(words["places.never"], words["unit.percent"]), Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = []
    for arm, rows in tunnel.items():
        never = rows["full_alarm_never"]
        cells = [number(row["value"], minutes, row["low"], row["high"]) for row in (rows[what] for what in _COLUMNS)]
        cells.append(number(never["value"], share, never["low"], never["high"]))
        last = counted(never["n_incidents"], never["n_replications"])
        told.append((word(context.study.label(arm)), number(never["per_year"], _one), *cells, last))
    notes = (words["places.intervals"],)
    return Grid(words["places.tunnel_table"], heads, tuple(told), words["places.denominator"], notes)


def _help_grid(context: Context) -> Grid | None:
    words, rows = context.words, _rows(context, "help")
    if not rows:
        return None
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["places.post"], is_number=False),
        Head(words["places.task"], is_number=False), Head(words["places.per_run"]),
        Head(words["places.arrived"], words["unit.percent"]), Head(words["places.arrival"], words["places.minutes"]),
        Head(words["places.sent"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(context.study.label(row["arm"])), *(word(text) for text in _sent(context, row)),
            number(row["per_run"], rate), number(row["arrived_share"], share), number(row["arrival_p50_s"], minutes),
            counted(row["n_sent"], row["n_replications"]),
        )
        for row in rows
    )  # fmt: skip
    return Grid(words["places.help_table"], heads, told, words["places.help_denominator"])


SECTION = SectionEntry("places", needs=(), make=make, lead=lead, any_of=("tunnel", "help"), front=front)
