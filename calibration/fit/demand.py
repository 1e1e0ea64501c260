"""How many calls, where, of which kind and when: rates per hour by place, kind, hour, weekday, month and year.

    rate[place, kind, day, hour] = shape[day, hour] * own[kind][day, hour] * share[kind][place]

`shape` is one model of all calls (`rates`); `own` is what a kind does otherwise, fitted with the shape as offset and
shrunk towards none, so that a kind with few calls follows the day of all calls; `share` are a kind's places, shrunk
towards those of all kinds (`places`). Which effects the shape and each kind have is decided by the log score of days
held out in blocks, not by habit. That places do not change with the hour is an assumption, and tested (`misfit`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.fit.demand_misfit import Misfit, misfits
from calibration.fit.exposure import Days, Ints, counts_by_hour
from calibration.fit.places import PlaceShares, fit_places
from calibration.fit.rates import BLOCKS, Rates, fit_rates, log_score
from calibration.scores.keyed import Floats

_N_FOLDS = 5
_BLOCK_DAYS = 7
_LEAST_DAYS = {"drift": 548, "month": 330, "weekday": 21, "off_hour": 21, "hour": 2}
"""Assumed: days from first to last that a block needs. Drift and season are told apart by months seen twice."""
_KIND_CHOICES = ((), ("hour",), ("hour", "off_hour"), ("month", "weekday", "hour", "off_hour"), BLOCKS)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was tried and chosen: mean log score per day held out of each set of blocks, higher is better."""

    blocks: tuple[str, ...]
    scores: Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Demand:
    """Fitted demand; make one with `fit_demand`.

    shape, own: models of all calls, and of each kind beside it (a kind's level is its share). shares: by place.
    choices: by "all" and kind. tests: misfits with p-values. said: what is not identified, in words. n_outside: calls
    outside the time observed, not counted.
    """

    kinds: tuple[str, ...]
    places: tuple[str, ...]
    shape: Rates
    own: Mapping[str, Rates]
    shares: PlaceShares
    choices: Mapping[str, Choice]
    tests: tuple[Misfit, ...]
    said: tuple[str, ...]
    n_outside: int

    def rate_per_h(self, days: Days) -> Floats:
        """Return calls per hour by kind, place, day and hour: (n_kinds, n_places, n_days, 24) float64."""
        shape = self.shape.log_rate(days)
        of_kind = np.stack([np.exp(shape + self.own[kind].log_rate(days)) for kind in self.kinds])
        rate: Floats = self.shares.share[:, :, None, None] * of_kind[:, None]
        return rate

    def params(self) -> dict[str, Any]:
        """Return all estimates with standard errors as plain lists and numbers, ready to be written as YAML."""
        return {
            "calls": self.shape.n_calls,
            "days": self.shape.n_days,
            "hours_observed": self.shape.exposure_h,
            "calls_outside": self.n_outside,
            "all_calls": _series(self.shape),
            "kinds": {kind: _series(self.own[kind]) for kind in self.kinds},
            "places": list(self.places),
            "place_shares": {
                kind: {"value": self.shares.share[row].tolist(), "se": self.shares.se[row].tolist()}
                for row, kind in enumerate(self.kinds)
            },
            "misfit": [{"test": t.name, "statistic": t.statistic, "p_value": t.p_value} for t in self.tests],
            "not_identified": list(self.said),
        }


def _series(rates: Rates) -> dict[str, Any]:
    """Return the estimates of one series: level and effects on the log scale."""
    found: dict[str, Any] = {
        "calls": rates.n_calls,
        "log_level": {"value": float(rates.coefficients[0]), "se": float(np.sqrt(rates.covariance[0, 0]))},
        "day_cv2": {"value": rates.day_cv2, "se": rates.day_cv2_se, "p_value_of_none": rates.day_cv2_p},
    }
    for block in rates.blocks:
        value, se = rates.effect(block)
        found[block] = {"value": value.tolist(), "se": se.tolist()}
    return found


def fit_demand(call_ms: Ints, kind: NDArray[Any], place: NDArray[Any], days: Days, zone: str) -> Demand:
    """Return the demand of calls at `call_ms` (n,) UTC, with kind and place (n,) names, over the days observed.

    Every call counts: cancelled ones and walk-ins are demand too.

    Raises
    ------
    ValueError
        If lengths differ, a name is missing, or no call lies in the time observed.
    """
    if not len(call_ms) == len(kind) == len(place):
        raise ValueError(f"{len(call_ms)} calls, {len(kind)} kinds, {len(place)} places: one of each per call")
    kinds, kind_code = np.unique(np.asarray(kind, dtype=str), return_inverse=True)
    places, place_code = np.unique(np.asarray(place, dtype=str), return_inverse=True)
    if any(name in ("", "nan", "None", "<NA>") for name in (*kinds.tolist(), *places.tolist())):
        raise ValueError("a kind or place is missing: give such calls a name of their own, such as 'unknown'")
    _, is_out = counts_by_hour(call_ms, days, zone)
    call_ms, kind_code, place_code = call_ms[~is_out], kind_code[~is_out], place_code[~is_out]
    if len(call_ms) == 0:
        raise ValueError("no call lies in the time observed")
    counts = np.stack([counts_by_hour(call_ms[kind_code == k], days, zone)[0] for k in range(len(kinds))])
    present = np.flatnonzero(counts.sum(axis=(1, 2)) > 0.0)
    possible, said = identified(days)
    choice = choose_shape(counts.sum(axis=0), days, possible)
    shape = fit_rates(counts.sum(axis=0), days, choice.blocks)
    offset = shape.log_rate(days)
    choices, own = {"all": choice}, {}
    for k in present:
        name = str(kinds[k])
        sets = [tuple(b for b in blocks if b in possible) for blocks in _KIND_CHOICES]
        choices[name] = choose(counts[k], days, list(dict.fromkeys(sets)), offset=offset)
        own[name] = fit_rates(counts[k], days, choices[name].blocks, offset=offset)
    table = np.zeros((len(kinds), len(places)))
    np.add.at(table, (kind_code, place_code), 1.0)
    tests = misfits(counts.sum(axis=0), days, shape, _place_hour_table(call_ms, place_code, len(places), days, zone))
    return Demand(
        tuple(str(kinds[k]) for k in present),
        tuple(str(name) for name in places),
        shape,
        own,
        fit_places(table[present]),
        choices,
        tests,
        said,
        int(is_out.sum()),
    )


def _place_hour_table(call_ms: Ints, place: NDArray[Any], n_places: int, days: Days, zone: str) -> Floats:
    """Return calls by place and hour of the day, (n_places, 24)."""
    table = np.empty((n_places, 24))
    for number in range(n_places):
        table[number] = counts_by_hour(call_ms[place == number], days, zone)[0].sum(axis=0)
    return table


def identified(days: Days) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which blocks the days can show, and in words which they cannot and why."""
    span = int(days.day[-1] - days.day[0]) + 1
    blocks = [block for block in BLOCKS if span >= _LEAST_DAYS[block]]
    said = [
        f"{block}: {span} days from first to last, {_LEAST_DAYS[block]} needed; taken as none"
        for block in BLOCKS
        if block not in blocks
    ]
    kinds_of_day = {"weekday": (days.weekday, 7), "month": (days.month, 12)}
    for block, (label, n) in kinds_of_day.items():
        missing = sorted(set(range(n)) - set(label.tolist()))
        if block in blocks and missing:
            said.append(f"{block}: {len(missing)} of {n} never observed; smoothed over from their neighbours")
    hours = np.flatnonzero(days.exposure_h.sum(axis=0) <= 0.0)
    if len(hours):
        said.append(f"hour: {len(hours)} of 24 never observed; smoothed over from their neighbours")
    if "off_hour" in blocks and days.is_off.all() | (~days.is_off).all():
        blocks.remove("off_hour")
        said.append("off_hour: workdays or days off were never observed; taken as none")
    return tuple(blocks), tuple(said)


def choose_shape(counts: Floats, days: Days, possible: Sequence[str]) -> Choice:
    """Return the blocks from which none can be left out without a worse score on days held out."""
    blocks = tuple(possible)
    scores = {blocks: held_out_score(counts, days, blocks)}
    for block in ("off_hour", "drift", "month", "weekday", "hour"):
        less = tuple(b for b in blocks if b != block)
        if block in blocks:
            scores[less] = held_out_score(counts, days, less)
            blocks = less if scores[less] >= scores[blocks] else blocks
    return Choice(blocks, scores)


def choose(counts: Floats, days: Days, sets: Sequence[tuple[str, ...]], *, offset: Floats | None = None) -> Choice:
    """Return the set of blocks with the best score on days held out; the first, on a tie."""
    scores = {blocks: held_out_score(counts, days, blocks, offset=offset) for blocks in sets}
    return Choice(max(scores, key=lambda blocks: scores[blocks]), scores)


def held_out_score(counts: Floats, days: Days, blocks: Sequence[str], *, offset: Floats | None = None) -> float:
    """Return the mean log probability per day of days held out, whole weeks in turn in five folds; NaN-free.

    A fold whose other days have no call is left out; with fewer than two weeks there is nothing to hold out, and the
    score is nought for every set.
    """
    fold = (days.day - days.day[0]) // _BLOCK_DAYS % _N_FOLDS
    total, n_days = 0.0, 0
    for number in range(_N_FOLDS):
        out, kept = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if len(out) == 0 or len(kept) == 0 or not counts[kept].sum() > 0.0:
            continue
        known = None if offset is None else offset[kept]
        model = fit_rates(counts[kept], days.rows(kept), blocks, offset=known)
        held = None if offset is None else offset[out]
        total += float(log_score(model, counts[out], days.rows(out), offset=held).sum())
        n_days += len(out)
    return total / n_days if n_days else 0.0
