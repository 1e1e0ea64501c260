"""What is measured of one prediction: marginals, calls, groups, and the rivals' scores beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.ground import Ground, Zones
from calibration.model.samples import Samples
from calibration.model.stages import way_of
from calibration.scores import (
    Brier,
    Floor,
    GroupErrors,
    Known,
    Observed,
    PitHistogram,
    QuantileRow,
    Share,
    Skill,
    block_codes,
    brier,
    coverage,
    crps,
    fit_climatology,
    fit_regression,
    group_errors,
    ks_distance,
    noise_floor,
    pit,
    pit_bounds,
    pit_histogram,
    quantile_rows,
    skill,
    steps_of,
    steps_of_records,
    wasserstein_s,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEVELS = (0.1, 0.5, 0.9, 0.95)
MINUTES = (4, 5, 6, 8, 10, 15)
_N_CURVE = 400


@dataclass(frozen=True, slots=True)
class Curves:
    """Distribution functions for pictures: `at_s` (k,), `recorded`, `predicted` (k,), `low`, `high` (k,) the middle
    95 % of simulated histories."""

    at_s: Floats
    recorded: Floats
    predicted: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Marginal:
    """How the distribution of all held-out calls together is met: n calls on n_days, quantiles, distances, floor."""

    n: int
    n_days: int
    rows: tuple[QuantileRow, ...]
    ks: float
    wasserstein_s: float
    floor: Floor
    curves: Curves


@dataclass(frozen=True, slots=True)
class ByCall:
    """How single calls are met.

    crps_s: mean. usual, by_kind, regression: skill over what is usual, what is usual for the kind at the hour, and the
    regression on distance. briers: by chosen minutes. stations, hours: errors of medians; n_small, n_small_outside:
    stations with fewer calls than are judged, and those beyond their own limit.
    """

    crps_s: float
    usual: Skill
    by_kind: Skill
    regression: Skill
    pit: PitHistogram
    coverage: Share
    briers: tuple[Brier, ...]
    stations: GroupErrors
    served: GroupErrors | None
    hours: GroupErrors


@dataclass(frozen=True, slots=True)
class Rivals:
    """CRPS of the rivals on the scored calls: (n,) each, s."""

    usual: Floats
    by_kind: Floats
    regression: Floats


def marginal(draws_s: NDArray[np.float32], seen: Observed, day: Ints) -> Marginal:
    """Return how the pool of draws (n, m), whole histories in columns, meets the records (n,)."""
    draws = np.asarray(draws_s, dtype=np.float64)
    recorded, pooled = steps_of_records(seen), steps_of(seen.written(draws))
    blocks = block_codes(day)
    return Marginal(
        len(seen), int(blocks.max()) + 1, tuple(quantile_rows(draws, seen, blocks, levels=LEVELS)),
        ks_distance(recorded, pooled), wasserstein_s(recorded, pooled),
        noise_floor(draws, seen, is_joint=draws.shape[1] >= 40), _curves(draws, seen),
    )  # fmt: skip


def _curves(draws: Floats, seen: Observed) -> Curves:
    written = seen.written(draws)
    top = float(np.quantile(written[np.isfinite(written)], 0.995))
    at_s = np.linspace(0.0, top, _N_CURVE)
    each = np.stack([np.searchsorted(np.sort(column), at_s, side="right") / len(column) for column in written.T])
    low, high = np.quantile(each, [0.025, 0.975], axis=0)
    return Curves(at_s, steps_of_records(seen).value(at_s), each.mean(axis=0), low, high)


def by_call(
    draws_s: NDArray[np.float32], seen: Observed, rivals: Rivals, day: Ints, station: Ints, served: Ints, hour: Ints
) -> ByCall:
    """Return how the draws of each call (n, m) meet its record; `station`, `served` (-1: not on record), `hour`
    (n,) group the calls."""
    draws = np.asarray(draws_s, dtype=np.float64)
    blocks, own, known = block_codes(day), crps(draws, seen), np.flatnonzero(served >= 0)
    low, high = pit_bounds(draws, seen)
    return ByCall(
        float(own.mean()), skill(own, rivals.usual, blocks), skill(own, rivals.by_kind, blocks),
        skill(own, rivals.regression, blocks), pit_histogram(pit(low, high, seen)), coverage(low, high, clusters=day),
        tuple(brier(draws, seen, 60.0 * minutes) for minutes in MINUTES),
        group_errors(draws, seen, station),
        group_errors(draws[known], seen.rows(known), served[known]) if len(known) else None,
        group_errors(draws, seen, hour),
    )  # fmt: skip


def rivals_of(
    samples: Samples, ground: Ground, zones: Zones, fitted: NDArray[np.int64], scored: NDArray[np.int64],
    *, is_second: bool = False,
) -> Rivals:  # fmt: skip
    """Return the rivals, fitted to the calls at `fitted`, and their scores of those at `scored`."""
    train, held = samples.first(fitted, is_second=is_second), samples.first(scored, is_second=is_second)
    kind, hour = samples.calls.kind, samples.calls.hour
    usual = fit_climatology(train)
    of_kind = fit_climatology(train, (kind[fitted], hour[fitted]))
    nearest, distance = nearest_stations(samples, ground, zones, np.concatenate([fitted, scored]))
    n = len(fitted)
    labels = {"station": nearest, "hour": hour[np.concatenate([fitted, scored])]}
    regression = fit_regression(train, Known(distance[:n], {name: of[:n] for name, of in labels.items()}))
    known = Known(distance[n:], {name: of[n:] for name, of in labels.items()})
    return Rivals(
        crps(usual.draws_s((), len(scored)), held, is_fair=False),
        crps(of_kind.draws_s((kind[scored], hour[scored]), len(scored)), held, is_fair=False),
        crps(regression.draws_s(known), held, is_fair=False),
    )


def nearest_stations(samples: Samples, ground: Ground, zones: Zones, call: Ints) -> tuple[Ints, Floats]:
    """Return the nearest open station of each call, and the way from it: two (n,)."""
    calls = samples.calls
    ways = zones.from_stations()[0]
    days, at = np.unique(calls.day[call], return_inverse=True)
    regimes, regime = np.unique(ground.is_open(days.astype("datetime64[D]")), axis=0, return_inverse=True)
    nearest = np.empty(len(call), dtype=np.int64)
    for number, opened in enumerate(regimes):
        own = regime.ravel()[at] == number
        nearest[own] = np.where(opened[:, None], ways, np.inf).argmin(axis=0)[calls.zone[call[own]]]
    return nearest, way_of(zones, nearest, calls, call)
