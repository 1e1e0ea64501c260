"""Variance components, intervals, corrections: against theory and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.compare.bootstrap import day_weights
from sim.compare.guide import needed
from sim.compare.intervals import Boot, holm, p_value, spread_of


def nested(rng, n_worlds, per_world, siting_sd, mc_sd, n_figures):
    world = np.repeat(np.arange(n_worlds), per_world)
    values = 300 + siting_sd * rng.standard_normal((n_worlds, n_figures))[world]
    return values + mc_sd * rng.standard_normal((len(world), n_figures)), [f"w{w}" for w in world]


def test_siting_and_monte_carlo_variance_are_recovered_within_their_standard_errors():
    """Searle et al. 1992, ch. 3.6: var(MSW) = 2 s_e^4 / (N - W), and the estimator between worlds is unbiased."""
    rng = np.random.default_rng(7)
    n_figures, n_worlds, per_world, siting_sd, mc_sd = 2000, 20, 2, 3.0, 2.0
    values, worlds = nested(rng, n_worlds, per_world, siting_sd, mc_sd, n_figures)
    spread = spread_of(values, worlds)
    within = spread.mc_sd**2
    se_within = np.sqrt(2 * mc_sd**4 / (n_worlds * (per_world - 1)) / n_figures)
    assert abs(within.mean() - mc_sd**2) < 4 * se_within
    between_mean_square = per_world * siting_sd**2 + mc_sd**2
    variance = 2 / per_world**2 * (between_mean_square**2 / (n_worlds - 1) + mc_sd**4 / n_worlds)
    assert abs((spread.siting_sd**2).mean() - siting_sd**2) < 4 * np.sqrt(variance / n_figures) + 0.01


@pytest.mark.parametrize(("siting_sd", "per_world"), [(3.0, [2] * 12), (0.0, [2] * 12), (3.0, [1] * 10 + [2] * 6)])
def test_ninety_five_per_cent_intervals_cover_the_truth_about_as_often_as_they_say(siting_sd, per_world):
    rng = np.random.default_rng(11)
    n_figures = 4000
    values, worlds = nested(rng, len(per_world), per_world, siting_sd, 2.0, n_figures)
    spread = spread_of(values, worlds)
    covered = np.abs(values.mean(axis=0) - 300) <= spread.half_total
    se = np.sqrt(0.95 * 0.05 / n_figures)
    assert covered.mean() > 0.95 - 4 * se - 0.01  # the wider of two intervals: a little more than 95 % is meant
    assert covered.mean() < 0.985


def some_repeated(rng, n, siting_sd, n_figures, n_worlds=20):
    """Replications that take the worlds in turn, and the bootstrap's variance, all with Monte Carlo sd 2."""
    world = np.arange(n) % n_worlds
    values = 300 + siting_sd * rng.standard_normal((n_worlds, n_figures))[world]
    boot = Boot(4.0 * rng.chisquare(44, n_figures) / 44, 44.0)
    return values + 2.0 * rng.standard_normal((n, n_figures)), [f"w{w}" for w in world], boot


@pytest.mark.parametrize("has_boot", [True, False])
@pytest.mark.parametrize("siting_sd", [3.0, 0.0])
def test_one_replication_more_never_makes_an_interval_jump(siting_sd, has_boot):
    rng = np.random.default_rng(23)
    values, worlds, boot = some_repeated(rng, 30, siting_sd, 4000)
    halves = {}
    for n in (20, 21, 22, 25, 29, 30):
        spread = spread_of(values[:n], worlds[:n], boot if has_boot else None)
        halves[n] = (spread.half_total, spread.half_mc)
    for before, after in ((20, 21), (21, 22), (22, 25), (25, 29), (29, 30)):
        for one, (here, there) in enumerate(zip(halves[before], halves[after], strict=True)):
            if one and not has_boot:
                continue  # no Monte Carlo interval below ten degrees of freedom
            assert 0.8 < np.median(there / here) < 1.25
            # without a bootstrap the Monte Carlo interval comes in with its tenth degree of freedom: a larger step
            assert np.quantile(there / here, 0.9) < (1.25 if has_boot or after < 30 else 1.5)


@pytest.mark.parametrize("has_boot", [True, False])
@pytest.mark.parametrize("siting_sd", [3.0, 0.0])
@pytest.mark.parametrize("n", [20, 21, 22, 25, 29, 30, 40])
def test_intervals_cover_as_they_say_while_worlds_begin_to_repeat(n, siting_sd, has_boot):
    values, worlds, boot = some_repeated(np.random.default_rng(n), n, siting_sd, 6000)
    spread = spread_of(values, worlds, boot if has_boot else None)
    covered = np.abs(values.mean(axis=0) - 300) <= spread.half_total
    assert 0.93 < covered.mean() < 0.98


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=24),
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, 0.01, 1.0, 40.0]),
    st.floats(0, 3),
)
def test_a_p_value_is_below_five_per_cent_exactly_where_the_interval_leaves_zero_out(worlds, seed, boot, shift):
    rng = np.random.default_rng(seed)
    values = shift + rng.standard_normal((5, 40))[worlds] * rng.random(40) + rng.standard_normal((len(worlds), 40))
    given_boot = None if boot is None else Boot(np.full(40, boot), 44.0)
    spread = spread_of(values, [str(world) for world in worlds], given_boot)
    diff = values.mean(axis=0)
    p = p_value(diff, spread.se, spread.df)
    np.testing.assert_array_equal(np.isnan(p), np.isnan(spread.half_total))
    known = ~np.isnan(p) & (np.abs(p - 0.05) > 1e-9)
    np.testing.assert_array_equal((p < 0.05)[known], (np.abs(diff) > spread.half_total)[known])


def test_components_by_hand():
    values = np.array([[10.0], [14.0], [20.0], [20.0]])  # world means 12 and 20, mean 16
    spread = spread_of(values, ["a", "a", "b", "b"])
    assert spread.mc_sd[0] ** 2 == pytest.approx((4 + 4 + 0 + 0) / 2)
    assert spread.siting_sd[0] ** 2 == pytest.approx((2 * 2 * 16 - 4) / 2)
    assert spread.df[0] == 1
    assert spread.se[0] ** 2 == pytest.approx(2 * (8**2 + 8**2) / 16)
    assert np.isnan(spread.half_mc[0])  # two degrees of freedom say next to nothing
    helped = spread_of(values, ["a", "a", "b", "b"], Boot(np.array([9.0]), 40.0))
    assert helped.mc_sd[0] ** 2 == pytest.approx((2 * 4 + 32 * 9) / 34)
    assert helped.half_mc[0] == pytest.approx(2.032245 * np.sqrt((2 * 4 + 32 * 9) / 34 / 4))  # t with 34 degrees


def test_with_one_world_the_interval_is_monte_carlo_only_and_siting_is_not_told():
    spread = spread_of(np.array([[1.0], [2.0], [4.0]]), ["a", "a", "a"])
    assert spread.half_total[0] == spread.half_mc[0]
    assert np.isnan(spread.siting_sd[0])


def test_without_repeated_worlds_the_bootstrap_gives_the_variance_within():
    values = np.array([[1.0], [2.0], [6.0]])
    bare = spread_of(values, ["a", "b", "c"])
    assert np.isnan([bare.half_mc[0], bare.mc_sd[0], bare.siting_sd[0]]).all()
    helped = spread_of(values, ["a", "b", "c"], Boot(np.array([1.0]), 33.0))
    assert helped.mc_sd[0] == 1.0
    assert helped.siting_sd[0] ** 2 == pytest.approx(7 - 1)
    assert helped.half_total[0] == bare.half_total[0]


def test_a_missing_figure_is_left_out_and_an_endless_one_has_no_interval():
    values = np.array([[1.0, 1.0], [np.nan, np.inf], [3.0, 3.0], [5.0, 5.0]])
    spread = spread_of(values, ["a", "b", "c", "d"])
    assert spread.half_total[0] == spread_of(values[[0, 2, 3], :1], ["a", "c", "d"]).half_total[0]
    assert np.isnan(spread.half_total[1])


def test_one_replication_has_no_interval_at_all():
    assert np.isnan(spread_of(np.array([[1.0]]), ["a"]).half_total[0])


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, made monotone
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])).tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_never_lowers_and_never_exceeds_bonferroni(raw):
    p = np.array(raw)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(len(p) * p, 1)).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted <= 1).all()


def test_a_hypothesis_without_a_p_value_still_counts_as_asked():
    adjusted = holm(np.array([0.01, np.nan]))
    assert adjusted[0] == 0.02
    assert np.isnan(adjusted[1])


def test_a_difference_without_scatter_is_certain():
    told = p_value(np.array([0.0, 2.0, 1.0]), np.array([0.0, 0.0, 1.0]), np.array([5.0, 5.0, 5.0]))
    assert told[:2].tolist() == [1.0, 0.0]
    assert told[2] == pytest.approx(0.3632174567)  # two-sided t with five degrees of freedom


def test_the_guide_finds_the_least_number_of_replications():
    n = int(needed(10.0, 2.0))
    from scipy.stats import t

    assert t.ppf(0.975, n - 1) * 10 / np.sqrt(n) <= 2.0 < t.ppf(0.975, n - 2) * 10 / np.sqrt(n - 1)
    assert np.isnan([needed(1e9, 1.0), needed(float("nan"), 1.0)]).all()


def test_bootstrap_days_are_as_many_as_there_are_in_each_year_and_keyed_by_replication():
    day_year = np.repeat([1, 2], [365, 100])
    weights = day_weights(day_year, number=3, n_draws=50)
    assert (weights[:, :365].sum(axis=1) == 365).all()
    assert (weights[:, 365:].sum(axis=1) == 100).all()
    assert (weights == day_weights(day_year, number=3, n_draws=50)).all()
    assert (weights != day_weights(day_year, number=4, n_draws=50)).any()
    # drawn with replacement: the count of a day is close to Poisson(1), so its variance is close to 1 - 1/365
    se = np.sqrt(2 / (50 * 365))
    assert abs(weights[:, :365].var() - (1 - 1 / 365)) < 4 * se * 1.3
