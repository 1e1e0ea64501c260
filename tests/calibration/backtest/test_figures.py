"""The figures to reach, on cities whose truth the model does not share: dense with rush hours, and on two rivers."""

from __future__ import annotations

import pytest

from calibration.backtest.run import backtest, prepare
from calibration.backtest.split import by_date, by_place
from calibration.scores import Outcome
from tests.calibration.cities import compact, sprawl

pytestmark = pytest.mark.slow


def whole(folder, city, n_calls=12_000, split=by_date, n_draws=60, **options):
    """The backtest of a city that is made for it."""
    truth = city(folder, n_calls, **options)
    prepared = prepare(truth.city_folder, truth.records_folder, told=lambda _: None)
    chosen = by_place(prepared.samples, prepared.zones) if split is by_place else split(prepared.samples)
    return backtest(prepared, chosen, n_draws=n_draws, told=lambda _: None)


def missed(found):
    return {each.key: each.reason.en for each in found.verdict.judgements if each.outcome is Outcome.FAIL}


@pytest.mark.parametrize(
    ("city", "options"),
    [
        (compact, {}),
        (compact, {"resolution_s": 60}),
        (sprawl, {}),
        (sprawl, {"has_responses": True}),
    ],
    ids=["every stamp", "whole minutes", "first arrivals in minutes", "every unit in minutes"],
)
def test_every_figure_is_reached_on_calls_not_seen(tmp_path, city, options):
    found = whole(tmp_path / "town", city, seed=31, **options)
    misses = missed(found)
    misses.pop("speed", None)  # of the machine and what else it does
    assert not misses


def test_a_city_with_shared_congestion_is_said_to_have_it(tmp_path):
    found = whole(tmp_path / "town", compact, 6_000, seed=32, congestion_sd=0.25, n_draws=20)
    assert any("durations of a day go together" in reason for reason in found.fitted.travel.reasons)


def test_dispatch_from_anywhere_is_said_to_look_random(tmp_path):
    found = whole(tmp_path / "town", compact, 6_000, seed=33, wrong_station=0.2, n_draws=20)
    assert found.fitted.passed is not None
    assert any("dispatch looks random" in reason for reason in found.fitted.passed.reasons)


def test_by_place_the_scored_calls_are_all_in_places_not_fitted(tmp_path):
    found = whole(tmp_path / "town", compact, 6_000, split=by_place, seed=34, n_draws=20)
    calls, patch = found.prepared.samples.calls, found.prepared.zones.patch
    fitted = set(patch[calls.zone[found.split.is_fitted & (calls.zone >= 0)]].tolist())
    assert not fitted & set(patch[calls.zone[found.scored]].tolist())
    assert found.first[1].usual.low > 0.0


def test_drawn_calls_are_as_many_as_recorded_and_as_long(tmp_path):
    found = whole(tmp_path / "town", compact, 12_000, seed=35, n_draws=40).generative
    low, high = found.n_calls.min(), found.n_calls.max()
    assert 0.85 * low < found.n_recorded < 1.15 * high
    assert found.ks < max(0.03, 2.0 * found.ks_floor)
