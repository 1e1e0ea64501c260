"""Page one: what the change does, in sentences, a picture and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration.page.context import words
from calibration.page.replay.figures import Figures, edits_told
from calibration.page.replay.pictures import bars
from calibration.replay.compare import LEVELS, LIMITS_S, Change, Estimate, quantiles_of
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, number, word
from sim.report.context import kept
from sim.report.numbers import Write, count, interval, is_missing, plain, points, seconds, share, signed_seconds
from sim.report.svg import picture
from sim.report.texts import Bi, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def answer(figures: Figures) -> list[Block]:
    """Return the section."""
    return kept(
        *(Paragraph(text, "lead") for text in _sentences(figures)), Paragraph(_faith(figures)), _picture(figures),
        *(_grid(figures, name) for name in ("first", "second")),
    )  # fmt: skip


def _sentences(figures: Figures) -> list[Bi]:
    w, found = words(), figures.found
    times = w["replay.exact"] if found.is_exact else w("replay.times", n=found.wish.n_draws)
    what = {"days": count(figures.n_days), "calls": count(len(found.given.calls)), "times": times}
    if not figures.changes:
        return [w("replay.what_alone", **what)]
    first = figures.changes["first"]
    mean, minute, two, five = first.mean, *(first.later[limit] for limit in LIMITS_S)
    key = "replay.mean_sooner" if mean.value < 0 else "replay.mean_later"
    low, high = (mean.low, mean.high) if mean.value >= 0 else (-mean.high, -mean.low)
    told = interval(low, high, one_digit)
    texts = [
        w("replay.what", edits=edits_told(found), **what),
        w(
            key, mean=one_digit(abs(mean.value)), changed=share(first.changed.value),
            interval=Bi(f"（95% 区间 {told}）", f" (95 % interval {told})") if told else same(""),
        ),
        w(
            "replay.later", one=share(minute.value), two=share(two.value), five=share(five.value),
            sooner=share(first.sooner[LIMITS_S[0]].value),
        ),
    ]  # fmt: skip
    if first.n_lost or first.n_gained:
        texts.append(w("replay.lost", lost=count(first.n_lost), gained=count(first.n_gained)))
    return texts


def one_digit(value: object) -> str:
    """Return a number with one decimal."""
    return plain(value, 1)


def _faith(figures: Figures) -> Bi:
    w, arrivals = words(), figures.arrivals("first")
    recorded, before = (quantiles_of(arrivals[name])[0][1] for name in ("recorded", "before"))
    told = {"recorded": seconds(recorded), "before": seconds(before)}
    if is_missing(figures.same):
        return w("replay.faith_bare", **told)
    return w("replay.faith", same=share(figures.same), **told)


def _picture(figures: Figures) -> Picture | None:
    if not figures.changes:
        return None
    w, found = words(), figures.found
    assert found.after is not None
    before, after = found.before.played.first_s, found.after.played.first_s
    both = np.isfinite(before) & np.isfinite(after)
    change_min = (after[both].astype(np.float64) - before[both]) / 60.0

    def draw(language: str) -> Figure | None:
        labels = (w["replay.axis.change"].of(language), w["replay.axis.calls"].of(language))
        return bars(change_min, labels)

    return picture(draw, w["replay.bars"], w["replay.bars_alt"], "replay-bars")


def _grid(figures: Figures, name: str) -> Grid | None:
    """Return the table of one arrival, None where no call has it."""
    change = figures.changes.get(name)
    if change is None or not change.n:
        return None
    w = words()
    heads = (
        Head(w["head.figure"], is_number=False), Head(w["replay.before"]), Head(w["replay.after"]),
        Head(w["replay.change"]),
    )  # fmt: skip
    rows = _rows(figures, name, change)
    if name == "first":
        one, two = figures.not_nearest["before"], figures.not_nearest["after"]
        told = word(w["replay.figure.not_nearest"])
        rows.append((told, number(one, share), number(two, share), number(two - one, points)))
    denominator = w("replay.changes_of", n=count(change.n), draws=count(figures.found.wish.n_draws))
    return Grid(w("replay.changes", arrival=w[f"arrival.{name}"]), heads, tuple(rows), denominator)


def _nothing() -> Cell:
    return Cell(same(""))


def _rows(figures: Figures, name: str, change: Change) -> list[tuple[Cell, ...]]:
    w = words()
    arrivals = figures.arrivals(name)
    before, after = (quantiles_of(arrivals[side])[0] for side in ("before", "after"))
    mean = word(w["replay.figure.mean"])
    rows: list[tuple[Cell, ...]] = [(mean, _nothing(), _nothing(), _cell(change.mean, signed_seconds))]
    rows += [
        (
            word(w("replay.figure.p", level=f"{100 * level:.0f}")), number(one, seconds),
            number(two, seconds), number(two - one, signed_seconds),
        )
        for level, one, two in zip(LEVELS, before, after, strict=True)
    ]  # fmt: skip
    shares = [("changed", None, change.changed)]
    shares += [("later", limit, it) for limit, it in change.later.items()]  # type: ignore[misc]
    shares += [("sooner", limit, it) for limit, it in change.sooner.items()]  # type: ignore[misc]
    for kind, limit, it in shares:
        told = w(f"replay.figure.{kind}", n=limit // 60 if limit else "")
        rows.append((word(told), _nothing(), _nothing(), _cell(it, share)))
    return rows


def _cell(estimate: Estimate, write: Write) -> Cell:
    return number(estimate.value, write, estimate.low, estimate.high)
