"""What is left of journeys after the curve and its effects: pairs of station and place, noise, expected drives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calibration.fit.noise import interpolate
from calibration.fit.travel import TravelFit
from calibration.ground import Zones
from calibration.model.noise import N_LEVELS, Noise, Pairs, fit_pairs, noise_of
from calibration.model.samples import Samples
from calibration.model.stages import LEAST_S
from calibration.scores import Known, Observed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
MOST_PLACES = 1_000_000
"""A pair of station and place is coded as station times this plus place."""
_ABSURD_SD = 5.0
_LEAST_FIRST = 500


def pairs_of(
    travel: TravelFit, seen: Observed, known: Known, samples: Samples, zones: Zones, rows: Ints
) -> tuple[tuple[Pairs, Pairs], Floats, Floats]:
    """Return what pairs of station and place add, and of each row (n,) the log residual before and after it."""
    expected, zone = travel.log_expected(known), samples.calls.zone[samples.responses.call[rows]]
    residual = np.log(np.maximum(seen.centre_s(), LEAST_S)) - expected
    kept = np.flatnonzero(np.abs(residual) <= _ABSURD_SD * travel.sd_of(expected))
    of_patch = known.labels["station"] * MOST_PLACES + known.labels["patch"]
    of_zone = known.labels["station"] * MOST_PLACES + zone
    by_patch = fit_pairs(residual[kept], of_patch[kept])
    left = residual - by_patch.of(of_patch)
    by_zone = fit_pairs(left[kept], of_zone[kept])
    left = left - by_zone.of(of_zone)
    return (by_patch, by_zone), residual, left


def noise_left(
    travel: TravelFit, pairs: tuple[Pairs, Pairs], seen: Observed, left: Floats, before: Floats, expected: Floats,
    is_first: Bools,
) -> Noise:  # fmt: skip
    """Return the noise of journeys by the unit of first choice, `is_first` (n,): the ones most often played.

    Of stations that come rarely the effect of the pair is not known, and stays in their residuals.
    """
    is_kept = np.abs(left) <= _ABSURD_SD * travel.sd_of(expected)
    few = np.flatnonzero(is_kept & is_first)
    few = few if len(few) >= _LEAST_FIRST else np.flatnonzero(is_kept)
    n_free = sum(_n_free(effect.tau, effect.se) for effect in travel.effects.values()) + sum(p.n_free for p in pairs)
    n_free *= len(few) / len(left)
    rounding = seen.rounding_variance_s2()[few] / np.maximum(seen.centre_s()[few], LEAST_S) ** 2
    if float((seen.resolution_s > 1.0).mean()) <= 0.5:
        return noise_of(left[few], expected[few], n_free, rounding, travel.common.share)
    # Residuals of whole minutes are mostly rounding, which the fit has taken out; pairs narrow what it found.
    return _narrowed(travel, before[is_kept], left[few], rounding, n_free)


def _narrowed(travel: TravelFit, before: Floats, after: Floats, rounding: Floats, n_free: float) -> Noise:
    """Return the noise of the travel fit, narrowed by what effects of pairs explain of it beyond rounding."""
    added = float(np.median(rounding))
    own = [max(float(np.median(np.abs(each - np.median(each)))) ** 2 * 2.198 - added, 1e-4) for each in (before, after)]
    widen = np.sqrt(len(after) / max(len(after) - n_free, 0.5 * len(after)))
    scale = min(float(np.sqrt(own[1] / own[0])) * widen, 1.0)
    levels = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
    quantiles = np.stack([interpolate(row, levels) for row in travel.noise_quantiles])
    share = float(np.clip(np.nan_to_num(travel.common.share), 0.0, 0.9))
    return Noise(travel.edges_s, scale * quantiles, share)


def _n_free(tau: float, se: Mapping[int, float]) -> float:
    """Return how many free numbers shrunk effects amount to: the sum of 1 - se^2 / tau^2."""
    if tau <= 0.0:
        return 0.0
    return float(np.sum(np.clip(1.0 - (np.array(list(se.values())) / tau) ** 2, 0.0, 1.0)))


def expected_drive(travel: TravelFit, pairs: tuple[Pairs, Pairs], zones: Zones, n_stations: int) -> Floats:
    """Return the expected travel from each station to each zone: (n_periods, n_stations, n_zones), s."""
    ways = zones.from_stations().astype(np.float64)
    log_s = travel.curve.log_s(travel.parameters, ways.ravel()).reshape(ways.shape)
    station, zone = np.arange(n_stations)[:, None], np.arange(zones.n_zones)[None, :]
    log_s = log_s + travel.effects["station"].of(np.arange(n_stations))[:, None]
    log_s = log_s + travel.effects["patch"].of(zones.patch)[None, :]
    of_pair = pairs[0].of(station * MOST_PLACES + zones.patch[zone]) + pairs[1].of(station * MOST_PLACES + zone)
    return np.exp(log_s + of_pair)
