"""A perfect model of a synthetic city reaches the figures by their scores: they ask for nothing that chance forbids.

The model draws other histories of the same calls from the city's own truth, queues and errors of dispatch included.
"""

from __future__ import annotations

import numpy as np
import pytest

from calibration.scores import (
    Known,
    coverage,
    crps,
    fit_regression,
    ks_distance,
    noise_floor,
    observed,
    pit_bounds,
    skill,
    steps_of,
    steps_of_records,
)
from tests.calibration.cities import compact, sprawl

pytestmark = pytest.mark.slow
N_HISTORIES = 60


@pytest.fixture(scope="module", params=["compact", "sprawl"])
def held_out(request):
    """Gives calls held out with their records, draws of the truth, and those of the regression fitted to the others."""
    make, otherwise = {"compact": (compact, {}), "sprawl": (sprawl, {"cancelled": 0.0})}[request.param]
    truth = make(None, 5_000, **otherwise)
    first_ms, call_ms = truth.history.arrival_ms[truth.first_row], truth.calls.call_ms
    cell_ms = truth.options.resolution_s * 1000
    value_s = (first_ms // cell_ms - call_ms // cell_ms) * (cell_ms / 1000.0)
    identity = np.arange(len(value_s), dtype=np.uint64)
    seen = observed(value_s, resolution_s=cell_ms / 1000.0, identity=identity)
    draws_s = np.column_stack([truth.again(seed).arrivals_s(call_ms, 0)[0] for seed in range(N_HISTORIES)])
    train, out = np.split(np.arange(len(value_s)), [int(0.6 * len(value_s))])
    nearest = truth.ways.straight_m.argmin(axis=1)
    known = Known(truth.ways.straight_m.min(axis=1), {"station": nearest, "hour": truth.call_hour})
    rival = fit_regression(seen.rows(train), known.rows(train)).draws_s(known.rows(out))
    return seen.rows(out), draws_s[out], rival, truth.call_day[out]


def test_its_distribution_lies_within_the_noise_floor(held_out):
    seen, draws_s, _, _ = held_out
    distance = ks_distance(steps_of_records(seen), steps_of(seen.written(draws_s)))
    assert distance <= max(1.6 * noise_floor(draws_s, seen).ks_at(), 0.03)


def test_its_intervals_of_ninety_per_cent_hold_ninety(held_out):
    seen, draws_s, _, _ = held_out
    assert 0.87 <= coverage(*pit_bounds(draws_s, seen)).value <= 0.93


def test_it_beats_what_is_known_at_the_call_by_far_more_than_two_per_cent(held_out):
    seen, draws_s, rival, day = held_out
    found = skill(crps(draws_s, seen), crps(rival, seen, is_fair=False), day)
    assert found.value > 0.1
    assert found.low > 0.02
