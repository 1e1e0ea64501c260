"""What the schemes cost, beside the minutes they bring, and which of them no other beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry, kept, names
from sim.report.numbers import count, is_missing, is_settled, plain, points, share, signed_seconds, small
from sim.report.pictures.frontier import Dot, frontier
from sim.report.study import MAIN, Pair
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MILLION = 1e6
_WINDOW = 0
_FEW = 2
_RANGE = ("low", "likely", "high")
FLOWN = ("flying_hour", "own_flying_hour")
"""Items of the table `money` whose quantity is hours flown."""
FIELD = ("air_field", "air_field_upkeep")


def make(context: Context) -> list[Block]:
    """Return cost beside minutes: the sentence, the picture, the pairs, and what the money goes into."""
    pair = context.study.main()
    return kept(
        None if pair is None else _sentence(context, pair),
        _picture(context),
        _indistinct(context),
        _frontier(context),
        Paragraph(context.words["money.text"], "note"),
        _pairs(context),
        _aircraft(context),
        None if pair is None else _items(context, pair),
    )


def _millions(value: Any) -> str:
    return plain(None if is_missing(value) else float(value) / _MILLION, 1)


def _told(value: Any) -> Bi:
    """Return money for a sentence: in hundred millions in Chinese, in millions in English."""
    return Bi(plain(float(value) / (100 * _MILLION), 2) + " 亿", plain(float(value) / _MILLION, 0) + " million")


def _ranged(row: Any, name: str, write: Any) -> Cell:
    """Return a cell of the likely value with its low and high beneath."""
    low, likely, high = (row[f"{name}_{part}"] for part in _RANGE)
    return number(likely, write, low, high)


def _is_gained(row: Any, gain: str) -> bool:
    """Return whether a gain is clear: its interval lies above nothing."""
    return bool(row[f"{gain}_low"] > 0)


def _per_gain(row: Any, name: str, gain: str, write: Any) -> Cell:
    """Return a cell of the cost per gain, a dash where the gain is not clear."""
    return _ranged(row, name, write) if _is_gained(row, gain) else number(None, write)


def currency_of(context: Context) -> Bi:
    """Return the name of the currency of all prices."""
    found = context.study.table("money", "currency")
    code = "CNY" if found is None else str(found["currency"].iloc[0])
    return context.words.known("money.currency", code)


def _sentence(context: Context, pair: Pair) -> Paragraph | None:
    study, words = context.study, context.words
    whole = study.row("value", arm=pair.arm, base=pair.base, year=_WINDOW)
    last = study.row("value", arm=pair.arm, base=pair.base, year=study.year)
    if whole is None or last is None:
        return None
    base, arm = names(context, pair)
    told = {"arm": arm, "base": base, "year": study.year, "currency": currency_of(context)}
    told |= {f"outlay_{part}": _told(whole[f"outlay_{part}"]) for part in _RANGE}
    told |= {f"annual_{part}": _told(last[f"annual_{part}"]) for part in _RANGE}
    priced = [whole[f"outlay_{part}"] for part in _RANGE] + [last[f"annual_{part}"] for part in _RANGE]
    if not any(priced):
        return Paragraph(words("money.costs_nothing", arm=arm, base=base), "lead")
    text = words("money.costs", **told)
    if not is_missing(last["per_resident_likely"]):
        given = {part: small(last[f"per_resident_{part}"]) for part in _RANGE}
        text = text + words("money.per_resident", people=plain(round(last["residents_newly_300"], -3)), **told, **given)
    if not is_missing(last["per_p90_minute_likely"]) and _is_gained(last, "p90_saved_s"):
        told_minute: dict[str, Bi] = {part: _told(last[f"per_p90_minute_{part}"]) for part in _RANGE}
        text = text + words("money.per_minute", **told, **told_minute)
    return Paragraph(text, "lead")


def _frontier_rows(context: Context) -> list[Any]:
    """Return the rows of the table `frontier` about the share within five minutes in the year of page one."""
    found = context.study.table("frontier", year=context.study.year, metric="share_300")
    if found is None:
        return []
    comparable = _comparable(context)
    return [row for row in found.to_dict("records") if row["arm"] in comparable]


def _picture(context: Context) -> Block | None:
    study, words, rows = context.study, context.words, _frontier_rows(context)
    if not rows:
        return None

    def draw(language: str) -> Figure | None:
        dots = [
            Dot(
                study.label(r["arm"]).of(language),
                r["annual_likely"] / _MILLION,
                100 * r["value"],
                r["is_on_frontier"],
                study.purpose(r["arm"]) == MAIN,
            )
            for r in rows
        ]
        unit = words("money.annual_axis", currency=currency_of(context), year=study.year).of(language)
        return frontier(dots, unit, words["head.share_300"].of(language) + " (%)")

    best = [study.label(row["arm"]) for row in rows if row["is_on_frontier"]]
    separator = Bi("、", ", ")
    told = best[0]
    for name in best[1:]:
        told = told + separator + name
    return picture(draw, words["money.picture"], words("money.alt", names=told), "money")


def _indistinct(context: Context) -> Paragraph | None:
    """Return the warning that no scheme of the picture differs clearly from the base in what it reaches."""
    study, main = context.study, context.study.main()
    shown = {row["arm"] for row in _frontier_rows(context)}
    if main is None or len(shown) < _FEW:
        return None
    pairs = [pair for pair in study.pairs() if pair.base == main.base and pair.arm in shown]
    rows = [row for pair in pairs if (row := study.contrast(pair, "share_300", study.year)) is not None]
    if not rows or any(is_settled(row) for row in rows):
        return None
    return Paragraph(context.words("money.indistinct", base=study.label(main.base)), "warn")


def _frontier(context: Context) -> Grid | None:
    """Return which schemes no other beats, and in which share of the plausible worlds that holds."""
    study, words = context.study, context.words
    rows = sorted(_frontier_rows(context), key=lambda row: row["annual_likely"])
    if not rows:
        return None
    has_worlds = any(not is_missing(row.get("share_worlds")) for row in rows)
    heads = (
        Head(words["head.arm"], is_number=False),
        Head(words["money.annual"], words("money.million", currency=currency_of(context))),
        Head(words["head.share_300"], words["unit.percent"]), Head(words["money.beaten_by"], is_number=False),
        *((Head(words["money.worlds_unbeaten"], words["unit.percent"]),) if has_worlds else ()),
    )  # fmt: skip
    cells = []
    for row in rows:
        by = words["money.not_beaten"] if row["is_on_frontier"] else study.label(row["beaten_by"])
        held = (number(row["share_worlds"], share),) if has_worlds else ()
        likely = number(row["annual_likely"], _millions)
        cells.append((word(study.label(row["arm"])), likely, number(row["value"], share), word(by), *held))
    note = words["note.one_world"]
    if has_worlds:
        note = words("money.in_worlds", n=count(max(row["n_worlds"] for row in rows)))
    denominator = words("money.denominator", year=study.year)
    return Grid(words("money.frontier", year=study.year), heads, tuple(cells), denominator, (note,))


def _comparable(context: Context) -> set[str]:
    """Return the schemes under the conditions of the study's main pair: those that have a value against its base."""
    pair = context.study.main()
    value = context.study.table("value", "arm", "base")
    if pair is None or value is None:
        return set(context.study.arms())
    found = {pair.base}
    pairs = set(zip(value["arm"].tolist(), value["base"].tolist(), strict=True))
    while more := {a for x, y in pairs for a in (x, y) if {x, y} & found} - found:
        found |= more
    return found


def _pairs(context: Context) -> Grid | None:
    study, words = context.study, context.words
    found = study.table("value", year=study.year)
    if found is None:
        return None
    currency = currency_of(context)
    million = words("money.million", currency=currency)
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["money.against"], is_number=False),
        Head(words["money.outlay"], million), Head(words["money.annual"], million),
        Head(words["money.residents"], words["unit.people"]), Head(words["head.share_300"], words["unit.points"]),
        Head(words["head.p90"], words["unit.s"]), Head(words["money.per_resident_head"], currency),
        Head(words["money.per_minute_head"], million),
        *((Head(words["sensitivity.better"], words["unit.percent"]),) if "robustness" in study.tables else ()),
    )  # fmt: skip
    rows = []
    for row in found.to_dict("records"):
        whole = study.row("value", arm=row["arm"], base=row["base"], year=_WINDOW)
        outlay = number(None, plain) if whole is None else _ranged(whole, "outlay", _millions)
        gain = number(row["share_300_gain_likely"], points, row["share_300_gain_low"], row["share_300_gain_high"])
        p90 = number(-row["p90_saved_s_likely"], signed_seconds, -row["p90_saved_s_high"], -row["p90_saved_s_low"])
        rows.append((
            word(study.label(row["arm"])), word(study.label(row["base"])), outlay, _ranged(row, "annual", _millions),
            number(row["residents_newly_300"], plain), gain, p90, _ranged(row, "per_resident", small),
            _per_gain(row, "per_p90_minute", "p90_saved_s", _millions), *_held(context, row),
        ))  # fmt: skip
    caption, denominator = words("money.table", year=study.year), words("money.denominator", year=study.year)
    return Grid(caption, heads, tuple(rows), denominator, (words["money.ranges"], words["money.no_ratio"]))


def _held(context: Context, row: Any) -> tuple[Cell, ...]:
    """Return in which share of the plausible worlds the arm reaches more; no cell where the study has none."""
    if "robustness" not in context.study.tables:
        return ()
    found = context.study.row("robustness", arm=row["arm"], base=row["base"], metric="share_300")
    return (number(None if found is None else found["share_better"], share),)


def _aircraft(context: Context) -> Grid | None:
    """Return what aircraft cost, by the hour flown and by the incident-hour saved; None where none is flown."""
    study, words = context.study, context.words
    money = study.table("money", "length", year=study.year)
    value = study.table("value", "hours_saved_likely", year=study.year)
    if money is None or value is None:
        return None
    hours = money[money["item"].isin(FLOWN)]
    rows = []
    for row in value.to_dict("records"):
        of = hours[hours["arm"] == row["arm"]]
        if of.empty or row["base"] in set(hours["arm"]):
            continue
        flown, length = float(of["quantity"].sum()), float(of["length"].iloc[0])
        whole = money[(money["arm"] == row["arm"]) & (money["of"].isin(of["of"]) | money["item"].isin(FIELD))]
        cost = {part: float(whole[f"annual_{part}"].sum()) for part in _RANGE}
        by_hour = {part: cost[part] * length / flown for part in _RANGE}
        rows.append((
            word(study.label(row["arm"])), word(study.label(row["base"])), number(flown / length, plain),
            number(cost["likely"], _millions, cost["low"], cost["high"]),
            number(by_hour["likely"], plain, by_hour["low"], by_hour["high"]),
            _ranged(row, "hours_saved", plain), _per_gain(row, "per_hour_saved", "hours_saved", plain),
        ))  # fmt: skip
    currency = currency_of(context)
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["money.against"], is_number=False),
        Head(words["money.flown"], words["unit.hours"]),
        Head(words["money.aircraft_cost"], words("money.million", currency=currency)),
        Head(words["money.per_flown"], currency), Head(words["money.hours_saved"], words["unit.hours"]),
        Head(words["money.per_saved"], currency),
    )  # fmt: skip
    notes = (words["money.ranges"], words["money.no_ratio"])
    caption, denominator = words("money.aircraft", year=study.year), words["money.aircraft_denominator"]
    return Grid(caption, heads, tuple(rows), denominator, notes) if rows else None


def _items(context: Context, pair: Pair) -> Grid | None:
    study, words = context.study, context.words
    found = study.table("money")
    if found is None:
        return None
    base, arm = names(context, pair)
    million, colon = words("money.million", currency=currency_of(context)), Bi("：", ": ")
    heads = [Head(words["money.item"], is_number=False)]
    for kind in ("outlay", "annual"):
        heads += [Head(words[f"money.{kind}"] + colon + name, million) for name in (base, arm)]
    rows = []
    for item in dict.fromkeys(found["item"].tolist()):
        cells = [word(words.known("money.item", item))]
        for kind, year in (("outlay", _WINDOW), ("annual", study.year)):
            cells += [_summed(found, name, str(item), kind, year) for name in (pair.base, pair.arm)]
        rows.append(tuple(cells))
    caption = words("money.items", year=study.year)
    return Grid(
        caption, tuple(heads), tuple(rows), words("money.denominator", year=study.year), (words["money.ranges"],)
    )


def _summed(found: pd.DataFrame, arm: str, item: str, kind: str, year: int) -> Cell:
    of = found[(found["arm"] == arm) & (found["item"] == item) & (found["year"] == year)]
    low, likely, high = (float(of[f"{kind}_{part}"].sum()) for part in _RANGE)
    return number(likely, _millions, low, high) if likely else word(same("–"))


SECTION = SectionEntry("money", needs=("money", "value"), make=make)
