"""From records and draws to the verdict: the true model passes in a made-up city, plainly wrong ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.scores import (
    CallWeighted,
    Evidence,
    Known,
    Outcome,
    Rounding,
    block_codes,
    call_weighted,
    coverage,
    crps,
    fit_regression,
    group_errors,
    judge,
    ks_distance,
    noise_floor,
    observed,
    pit_bounds,
    quantile_rows,
    skill,
    steps_of,
    steps_of_records,
)

N, M = 4000, 60


def city(seed):
    """Calls of a city where a busy nearest station, which no rival knows of, doubles the way."""
    rng = np.random.default_rng(seed)
    dist_m, station = rng.gamma(3, 800, N), rng.integers(0, 24, N)
    way = np.where(rng.random(N) < 0.25, 2.0, 1.0)
    expected_s = 70 + dist_m / 9 * way + np.linspace(-25, 25, 24)[station]
    exact_s = expected_s * rng.lognormal(0, 0.2, N)
    stamped = observed(exact_s, resolution_s=60.0, rounding=Rounding.STAMPS, seed=seed)
    recorded_s = stamped.written(exact_s[:, None])[:, 0]
    return observed(recorded_s, resolution_s=60.0, rounding=Rounding.STAMPS), dist_m, station, expected_s


def evidence(draws_s, seen, rival_s, station, day):
    blocks = block_codes(day)
    errors = group_errors(draws_s, seen, station)
    small = errors.n < 100
    p90 = quantile_rows(draws_s, seen, blocks, levels=(0.9,))[0]
    stations: CallWeighted = call_weighted(errors)
    return Evidence(
        n_calls=N,
        n_days=int(blocks.max()) + 1,
        ks=ks_distance(steps_of(seen.written(draws_s)), steps_of_records(seen)),
        ks_floor=noise_floor(draws_s, seen).ks_at(),
        p90_error_s=p90.difference_s,
        p90_se_s=p90.se_difference_s,
        coverage=coverage(*pit_bounds(draws_s, seen), clusters=day),
        skill=skill(crps(draws_s, seen), rival_s, blocks),
        stations=stations,
        n_small=int(small.sum()),
        n_small_outside=int((np.abs(errors.error_s) > errors.limit_s)[small].sum()),
        elapsed_s=1.0,
        n_records=N,
    )


@pytest.fixture(scope="module")
def held_out():
    seen, dist_m, station, _ = city(1)
    rival = fit_regression(seen, Known(dist_m, {"station": station}))
    held, dist_m, station, expected_s = city(2)
    rival_s = crps(rival.draws_s(Known(dist_m, {"station": station})), held, is_fair=False)
    day = np.sort(np.random.default_rng(3).integers(0, 60, N))
    return held, expected_s, rival_s, station, day


def verdict_of(held_out, change):
    held, expected_s, rival_s, station, day = held_out
    noise = np.random.default_rng(4).lognormal(0, 0.2, (N, M))
    return judge(evidence(change(expected_s[:, None], noise, station), held, rival_s, station, day))


def test_the_true_model_passes(held_out):
    verdict = verdict_of(held_out, lambda expected, noise, station: expected * noise)
    assert verdict.outcome is Outcome.PASS, [each.reason.en for each in verdict.judgements]


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        (lambda expected, noise, station: expected * noise * 1.1, {"ks", "p90", "stations"}),
        (lambda expected, noise, station: expected * noise**0.5, {"coverage"}),
        (lambda expected, noise, station: (expected + (station % 2 * 60 - 30)[:, None]) * noise, {"stations"}),
        (lambda expected, noise, station: np.sort(expected * noise, axis=0), {"skill", "stations"}),
    ],
    ids=["late", "narrow", "wrong by station", "right on the whole, wrong by call"],
)
def test_a_wrong_model_fails_where_it_is_wrong(held_out, change, missed):
    verdict = verdict_of(held_out, change)
    failed = {each.key for each in verdict.judgements if each.outcome is Outcome.FAIL}
    assert verdict.outcome is Outcome.FAIL
    assert missed <= failed
