"""Where the durations of a replay come from, and the rules that it follows."""

from __future__ import annotations

from calibration.page.context import words
from calibration.page.replay.figures import Figures
from calibration.page.said import said
from calibration.replay.given import Durations, Share, Stage
from sim.report.blocks import Block, Cell, Facts, Grid, Head, number, word
from sim.report.context import kept
from sim.report.numbers import count, plain, share
from sim.report.texts import Bi, same
from sim.units import Q16

_BY_MATRIX = (Stage.TRAVEL, Stage.TRANSPORT)


def origin(figures: Figures) -> list[Block]:
    """Return the section."""
    return kept(_grid(figures), _rules(figures), _said(figures))


def _grid(figures: Figures) -> Grid:
    w = words()
    heads = (
        Head(w["replay.stage"], is_number=False), Head(w["replay.needed"]), Head(w["replay.recorded"]),
        Head(w["replay.recorded"], w["unit.percent"]), Head(w["replay.rest"], is_number=False),
    )  # fmt: skip
    rows = tuple(
        (
            word(w[f"replay.stage.{stage.value}"]), number(it.n, count), number(it.n_recorded, count),
            number(it.n_recorded / it.n if it.n else None, share), _rest(figures, stage, it),
        )
        for stage, it in figures.found.given.shares.items()
    )  # fmt: skip
    return Grid(w["replay.stages"], heads, rows, w["replay.stages_of"])


def _rest(figures: Figures, stage: Stage, it: Share) -> Cell:
    """Return what fills what is not on record; drives have a filler always, for units of other stations."""
    exact = figures.found.is_exact
    key = "fitted"
    if stage in _BY_MATRIX and exact:
        key = "matrix"
    elif it.n == it.n_recorded and stage is not Stage.TRAVEL:
        key = "none"
    elif stage is Stage.TRANSPORT:
        key = "expected"
    elif it.assumed:
        key = f"assumed_{stage.value}"
    return word(words()[f"replay.rest.{key}"])


def _rules(figures: Figures) -> Facts:
    w, found = words(), figures.found
    rules: list[Bi] = [w["replay.rule.travel"]]
    if found.passed is not None and found.wish.durations is Durations.BOTH:
        rules.append(w("replay.rule.passed", n=count((found.passed > 0).sum())))
    if found.wish.edits.add or found.wish.edits.move:
        rules.append(w["replay.rule.moved"])
    policy = found.before.cast.policy
    speed, ready = plain(Q16 / policy.home_factor_q16, 2), plain(policy.make_ready_ms / 1000.0)
    rules += [w["replay.rule.waves"], w("replay.rule.start", speed=speed, ready=ready)]
    rules.append(w["replay.rule.sent_on" if policy.is_sent_on else "replay.rule.not_sent_on"])
    return Facts(tuple((w["replay.rule"] if not at else same(""), rule) for at, rule in enumerate(rules)))


def _said(figures: Figures) -> Facts | None:
    texts = [*figures.found.prepared.samples.said, *figures.found.given.said]
    if not texts:
        return None
    head = words()["replay.said"]
    return Facts(tuple((head if not at else same(""), said(text)) for at, text in enumerate(texts)))
