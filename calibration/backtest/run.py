"""From records to a judged prediction: read, place, split, fit, predict with given calls and with drawn ones, score.

Steps of `backtest`: `prepare` (records, ground, zones, samples) -> a split -> `fit_model` -> `settle` -> `predict` on
the held-out calls -> scores -> `judge`. A second prediction draws its calls too (`model/generate.py`) and is compared
as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.generative import Generative, generative
from calibration.backtest.load import Load, load_of
from calibration.backtest.scores import ByCall, Marginal, by_call, marginal, nearest_stations, rivals_of
from calibration.backtest.split import Split
from calibration.ground import Ground, Zones, lay_zones, read_ground
from calibration.ground.points import Placed, place_calls
from calibration.model.fitted import Fitted, fit_model
from calibration.model.predict import Predicted, predict
from calibration.model.samples import Samples, first_arrived, take_samples
from calibration.model.settle import settle
from calibration.model.trace import player_of
from calibration.records import Records, read_records
from calibration.scores import Evidence, Verdict, call_weighted, judge
from calibration.scores.verdict import STATION_CALLS
from sim.errors import InputError, Problem

Told = Callable[[str], None]
LEAST_SCORED = 20
MOST_HISTORIES = 40


@dataclass(frozen=True, slots=True)
class Prepared:
    """Records with their ground, and what they can tell; `elapsed_s`: wall time of it all."""

    records: Records
    ground: Ground
    placed: Placed
    zones: Zones
    samples: Samples
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a backtest found.

    `scored`: positions of the calls scored, in the samples' order. `first`: the first arrival, by all calls together
    and by call; `second` likewise, None where fewer than `LEAST_SCORED` calls have one. `predicted`: the draws, rows as
    the calls played. `row`: (n_scored,) which row of it each scored call is. `load`: how busy, None if not on record.
    """

    prepared: Prepared
    split: Split
    fitted: Fitted
    predicted: Predicted
    scored: NDArray[np.int64]
    row: NDArray[np.int64]
    first: tuple[Marginal, ByCall]
    second: tuple[Marginal, ByCall] | None
    load: Load | None
    generative: Generative
    verdict: Verdict
    fit_s: float


def prepare(
    city: Path, records: Path, overrides: tuple[str, ...] = (), time_zone: str = "", told: Told = print
) -> Prepared:
    """Return the records of a folder with the city they are of.

    Raises
    ------
    InputError
        With everything wrong with either folder, or if no call can be placed.
    """
    begin = time.perf_counter()
    told("city")
    ground = read_ground(city, overrides)
    told("records")
    read = read_records(records, time_zone)
    placed = place_calls(read, ground)
    zones, zone = lay_zones(ground, placed.x_m, placed.y_m)
    samples = take_samples(read, ground, zones, zone, placed.said)
    return Prepared(read, ground, placed, zones, samples, time.perf_counter() - begin)


def backtest(
    prepared: Prepared, split: Split, *, n_draws: int = 200, seed: int = 0, told: Told = print,
    drawn: Callable[[int], None] = lambda _: None,
) -> Backtest:  # fmt: skip
    """Return the fit to one side of the split, its prediction of the other, scores and verdict.

    `told` hears of each step, `drawn` of how many draws are done.

    Raises
    ------
    InputError
        If one side is too small to fit or to score.
    """
    samples, ground, zones = prepared.samples, prepared.ground, prepared.zones
    scored = np.flatnonzero(split.is_scored & samples.calls.is_response & np.isfinite(samples.first_s))
    if len(scored) < LEAST_SCORED:
        rule = f"{len(scored)} held-out calls have a recorded arrival; {LEAST_SCORED} are needed to score"
        raise InputError([Problem("records", rule, mend="give a longer log, or hold out more of it")])
    begin = time.perf_counter()
    fitted = fit_model(samples, ground, zones, split.is_fitted, seed=seed, told=told)
    told("playing the calls fitted")
    fitted = settle(fitted, samples, split.is_fitted, seed=seed)
    fit_s = time.perf_counter() - begin
    calls = samples.calls.rows(np.flatnonzero(split.is_played))
    player = player_of(fitted, calls)
    told(f"predicting {len(player.calls)} calls {n_draws} times")
    predicted = predict(player, n_draws, seed=seed, told=drawn)
    told(f"scoring {len(scored)} calls")
    place = np.full(len(samples.calls), -1, dtype=np.int64)
    place[predicted.identity.astype(np.int64)] = np.arange(len(predicted.identity))
    first = _scores(prepared, split, predicted.first_s, place, scored, is_second=False)
    with_second = scored[
        np.isfinite(samples.second_s[scored]) & ~np.isnan(predicted.second_s[place[scored]]).all(axis=1)
    ]
    second = None
    if len(with_second) >= LEAST_SCORED:
        second = _scores(prepared, split, predicted.second_s, place, with_second, is_second=True)
    verdict = judge(_evidence(prepared, first, fit_s))
    load = load_of(samples, split, fitted, predicted)
    told("drawing calls")
    call_ms = prepared.records.incidents["call_ms"].to_numpy(np.int64)
    zone = prepared.records.time_zone
    made_up = generative(
        samples, split, fitted, zones, call_ms, zone, n_histories=min(n_draws, MOST_HISTORIES), seed=seed
    )
    return Backtest(
        prepared, split, fitted, predicted, scored, place[scored], first, second, load, made_up, verdict,
        prepared.elapsed_s + fit_s,
    )  # fmt: skip


def _scores(
    prepared: Prepared, split: Split, draws: NDArray[np.float32], place: NDArray[np.int64],
    scored: NDArray[np.int64], *, is_second: bool,
) -> tuple[Marginal, ByCall]:  # fmt: skip
    samples, ground, zones = prepared.samples, prepared.ground, prepared.zones
    known_s = samples.second_s if is_second else samples.first_s
    fitted = np.flatnonzero(split.is_fitted & samples.calls.is_response & np.isfinite(known_s))
    seen = samples.first(scored, is_second=is_second)
    rivals = rivals_of(samples, ground, zones, fitted, scored, is_second=is_second)
    nearest, _ = nearest_stations(samples, ground, zones, scored)
    own = filled(draws[place[scored]])
    served = first_arrived(samples)[scored]
    day, hour = samples.calls.day[scored], samples.calls.hour[scored]
    return marginal(own, seen, day), by_call(own, seen, rivals, day, nearest, served, hour)


def filled(draws: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return draws without NaN: where a history sent one unit only, its second is that of another history."""
    is_none = np.isnan(draws)
    if not is_none.any():
        return draws
    out = draws.copy()
    for row in np.flatnonzero(is_none.any(axis=1)):
        known = np.flatnonzero(~is_none[row])
        missing = np.flatnonzero(is_none[row])
        out[row, missing] = draws[row, known[np.arange(len(missing)) % len(known)]]
    return out


def _evidence(prepared: Prepared, first: tuple[Marginal, ByCall], fit_s: float) -> Evidence:
    whole, calls = first
    p90 = next(row for row in whole.rows if row.level == 0.9)
    small = calls.stations.n < STATION_CALLS
    return Evidence(
        n_calls=whole.n, n_days=whole.n_days, ks=whole.ks, ks_floor=whole.floor.ks_at(),
        p90_error_s=p90.difference_s, p90_se_s=p90.se_difference_s, coverage=calls.coverage, skill=calls.regression,
        stations=call_weighted(calls.stations), n_small=int(small.sum()),
        n_small_outside=int((np.abs(calls.stations.error_s) > calls.stations.limit_s)[small].sum()),
        elapsed_s=prepared.elapsed_s + fit_s, n_records=len(prepared.records.incidents),
    )  # fmt: skip
