"""Which station is sent, how often it is not the nearest and why; units sent by kind; how many calls come."""

from __future__ import annotations

import numpy as np

from calibration.fit.demand import Demand
from calibration.model.fitted import Fitted
from calibration.page.context import words
from calibration.scores import Share
from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, number, word
from sim.report.numbers import count, plain, share
from sim.report.texts import Bi, join, same

_Z = 1.96


def sending(fitted: Fitted) -> list[Block]:
    """Return the section on stations."""
    w, order, passed = words(), fitted.order, fitted.passed
    if order is None or passed is None:
        return [Paragraph(w["sending.none"])]
    heads = (Head(w["head.measure"], is_number=False), Head(w["sending.share"], w["unit.percent"]))
    why = (
        ("busy", passed.nearest_busy), ("not_busy", passed.nearest_not_busy), ("unknown", passed.nearest_unknown),
        ("affected", order.affected), ("contradicted", passed.contradicted),
    )  # fmt: skip
    rows = [_share(w[f"sending.{name}"], of) for name, of in why if of.n and (name != "unknown" or of.value > 0.0)]
    for place, (value, se) in enumerate(zip(passed.shares, passed.se, strict=True)):
        n = str(place) if place < len(passed.shares) - 1 else f"{place}+"
        low, high = max(value - _Z * se, 0.0), min(value + _Z * se, 1.0)
        rows.append((word(w("sending.passed", n=n)), number(value, share, low, high)))
    grid = Grid(w["sending.table"], heads, tuple(rows), w("sending.denominator", n=count(passed.n)))
    return [Paragraph(w("sending.text", share=share(passed.not_nearest.value))), grid]


def _share(name: Bi, of: Share) -> tuple[Cell, ...]:
    return (word(name), number(of.value, share, of.low, of.high))


def units_sent(fitted: Fitted) -> list[Block]:
    """Return the section on units sent by kind."""
    w, sent, types = words(), fitted.sent, fitted.fleet.types
    heads = (
        Head(w["units.kind"], is_number=False), Head(w["units.mean"]), Head(w["units.most"], is_number=False),
        Head(w["units.share"], w["unit.percent"]), Head(w["units.reached"], w["unit.percent"]),
        Head(w["units.calls"]),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for row, kind in enumerate(fitted.kinds):
        most = int(sent.share[row].argmax())
        mean, se, reached = sent.mean_units[row], sent.mean_units_se[row], fitted.ends.reached[row]
        rows.append(
            (
                word(same(kind)), number(mean, _two, mean - _Z * se, mean + _Z * se),
                word(same(" + ".join(types[code] for code in sent.patterns[most]))),
                number(sent.share[row, most], share), number(reached.value, share, reached.low, reached.high),
                number(reached.n, count),
            )
        )  # fmt: skip
    return [Grid(w["units.table"], heads, tuple(rows), w["units.denominator"])]


def demand_table(demand: Demand) -> list[Block]:
    """Return the section on how many calls of each kind come."""
    w, shape = words(), demand.shape
    heads = (
        Head(w["units.kind"], is_number=False), Head(w["demand.per_day"]), Head(w["units.calls"]),
        Head(w["demand.own"], is_number=False),
    )  # fmt: skip
    n_days = max(shape.n_days, 1)
    rows = [
        (
            word(same(kind)), number(own.n_calls / n_days, _two), number(own.n_calls, count),
            word(join([w[f"demand.{block}"] for block in own.blocks]) if own.blocks else w["demand.as_all"]),
        )
        for kind, own in demand.own.items()
    ]  # fmt: skip
    of_all = join([w[f"demand.{block}"] for block in shape.blocks]) if shape.blocks else w["demand.none"]
    told = w("demand.text", effects=of_all, cv=plain(100 * np.sqrt(shape.day_cv2), 0))
    grid = Grid(
        w["demand.table"], heads, tuple(rows), w("demand.denominator", n=count(shape.n_calls), days=count(n_days))
    )
    return [Paragraph(told), grid]


def _two(value: float) -> str:
    return plain(value, 2)
