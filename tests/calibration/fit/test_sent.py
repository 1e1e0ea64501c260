"""Units sent: patterns as they were counted, drawn in their shares; what is assumed is said."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.sent import MOST_UNITS, Responses, fit_ends, fit_sent
from tests.calibration.cities import compact

ENGINE, LADDER = 0, 1


def responses(*rows):
    """Rows of incident, type, dispatch_s, and what became of the unit: "there", "back" or "lost"."""
    incident, kind_of_unit, dispatch_s, fate = (np.array(column) for column in zip(*rows, strict=True))
    return Responses(incident, kind_of_unit, dispatch_s.astype(float), fate == "back", fate == "there")


def calls(n):
    return np.zeros(n, np.int64), np.arange(n) // 10


def test_a_pattern_is_who_came_and_was_sent_within_ten_minutes_in_any_order():
    sent = responses(
        (0, LADDER, 60, "there"),
        (0, ENGINE, 660, "there"),  # ten minutes after the first: with it
        (1, ENGINE, 30, "there"),
        (1, LADDER, 631, "there"),  # later
        (2, ENGINE, 30, "there"),
        (2, LADDER, 30, "back"),
        (2, LADDER, 30, "lost"),
        (3, ENGINE, 30, "back"),
    )
    found = fit_sent(*calls(4), 1, sent)
    assert found.patterns == ((ENGINE,), (ENGINE, LADDER))
    assert found.count.tolist() == [[2, 1]]
    assert found.mean_units[0] == pytest.approx(4 / 3)
    assert found.cancelled[0].value == 2 / 8
    assert found.no_arrival[0].value == 1 / 6
    assert found.later[0].value == 1 / 5


def test_a_thin_kind_is_filled_up_to_thirty_with_all_calls_and_says_so():
    kind = np.array([0] * 60 + [1] * 10)
    sent = responses(*[(i, ENGINE, 0, "there") for i in range(60)], *[(i, LADDER, 0, "there") for i in range(60, 70)])
    found = fit_sent(kind, np.arange(70), 2, sent)
    assert found.is_thin.tolist() == [False, True]
    np.testing.assert_allclose(found.share, [[1, 0], [20 / 30 * 6 / 7, 10 / 30 + 20 / 30 / 7], [6 / 7, 1 / 7]])
    assert found.said == ("kind 1: 10 calls with units, filled up to 30 with all calls",)


def test_mean_units_have_their_error_by_days():
    # Ten days of ten calls: all of two units on five of them, of one on the others; sums by day are 10 x 0.5.
    rows = [(i, ENGINE, 0, "there") for i in range(100)]
    rows += [(i, ENGINE, 0, "there") for i in range(100) if i // 10 % 2]
    found = fit_sent(*calls(100), 1, responses(*rows))
    assert found.mean_units[0] == 1.5
    assert found.mean_units_se[0] == pytest.approx(np.sqrt(10 / 9 * 10 * 5.0**2) / 100)


def test_draws_have_the_shares_counted_and_more_units_with_a_larger_uniform():
    rows = [(i, ENGINE, 0, "there") for i in range(100)]
    rows += [(i, LADDER, 0, "there") for i in range(25)]
    found = fit_sent(*calls(100), 1, responses(*rows))
    at, patterns = found.draw_patterns(np.zeros(1000, np.int64), (np.arange(1000) + 0.5) / 1000)
    assert patterns == ((ENGINE,), (ENGINE, LADDER))
    assert np.bincount(at).tolist() == [750, 250]
    assert (np.diff(at) >= 0).all()


def test_a_kind_never_met_is_drawn_from_all_calls_and_extreme_uniforms_stay_within():
    rows = [(i, ENGINE if i < 30 else LADDER, 0, "there") for i in range(60)]
    found = fit_sent(np.repeat([0, 1], 30), np.arange(60), 2, responses(*rows))
    almost_one = np.nextafter(1.0, 0.0)
    at, _ = found.draw_patterns(np.array([0, 0, 1, 1, -1, -1, 7]), np.array([0, almost_one] * 3 + [almost_one]))
    assert at.tolist() == [0, 0, 1, 1, 0, 1, 1]


def test_without_units_recorded_one_goes_and_that_is_said_to_be_assumed():
    found = fit_sent(*calls(40), 1)
    assert (found.patterns, found.mean_units.tolist(), found.mean_units_se.tolist()) == (((0,),), [1.0], [0.0])
    assert "assumed" in found.said[0]


def test_unknown_types_and_dispatch_times_are_filled_in_and_counted():
    sent = responses((0, LADDER, 0, "there"), (1, LADDER, np.nan, "there"), (1, -1, 9e3, "there"))
    found = fit_sent(*calls(2), 1, sent)
    assert found.patterns == ((LADDER,), (LADDER, LADDER))
    assert found.said[:2] == (
        "1 of 3 units have no type: taken as the most frequent one",
        "1 units arrived without a dispatch time: taken as sent with the first",
    )


def test_more_than_twelve_at_once_are_cut_to_the_first_sent():
    sent = responses(*[(0, ENGINE if second < MOST_UNITS else LADDER, second, "there") for second in range(20)])
    found = fit_sent(*calls(1), 1, sent)
    assert found.patterns == ((ENGINE,) * MOST_UNITS,)
    assert "1 calls had more than 12 units" in found.said[0]


def test_ends_of_calls_add_up_and_the_first_that_is_true_counts():
    flags = {
        "cancelled": np.array([True, True, False, False, False]),
        "walk_in": np.array([False, True, True, False, False]),
        "arrived": np.array([False, True, False, False, True]),
    }
    ends = fit_ends(np.zeros(5, np.int64), np.arange(5), 1, **flags)
    found = (ends.cancelled, ends.walk_in, ends.never_reached, ends.reached)
    assert [share[0].value for share in found] == [0.4, 0.2, 0.2, 0.2]
    assert ends.walk_in[0].se == pytest.approx(np.sqrt(5 / 4 * (0.8**2 + 4 * 0.2**2)) / 5)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((5, ENGINE, 0, "there"), "belongs to none of the 2 calls"),
        ((0, -2, 0, "there"), "below -1"),
        ((0, ENGINE, 0, "back"), "no unit ever arrived"),
    ],
)
def test_responses_that_do_not_fit_are_refused_in_words(row, words):
    with pytest.raises(ValueError, match=words):
        fit_sent(*calls(2), 1, responses(row))


def test_the_patterns_of_a_synthetic_city_come_back_within_their_errors():
    truth = compact(None, n_calls=6_000, seed=3, days=200)
    history, kind = truth.history, truth.calls.kind
    dispatch_s = (history.dispatch_ms - truth.calls.call_ms[history.call]) / 1000
    here = np.ones(len(history), bool)
    sent = Responses(history.call, history.type, dispatch_s, ~here, here)
    found = fit_sent(kind, truth.call_day, len(truth.world.kinds), sent)
    for code, known in enumerate(truth.world.kinds):
        n = found.count[code].sum()
        of_pattern = dict(zip(found.patterns, found.share[code], strict=True))
        for share, units in known.patterns:
            error = np.sqrt(share * (1 - share) / n)
            assert of_pattern[tuple(sorted(units))] == pytest.approx(share, abs=4 * error + 0.01)
        mean = sum(share * len(units) for share, units in known.patterns)
        assert found.mean_units[code] == pytest.approx(mean, abs=4 * found.mean_units_se[code] + 0.01)
