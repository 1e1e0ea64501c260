"""What one change does where another holds, over what it does where it does not, against numbers put in by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtr, stdtrit

from sim.compare import Contrast, compare_arms
from sim.errors import InputError

WORLDS = ["w0", "w1", "w2", "w3", "w4"]
SAVED_S = {"none": 0, "plan": 20, "none_more": 5, "plan_more": 32}
"""So the plan saves 27 s with more people and 20 s without: seven more, give or take what `EXTRA_S` adds."""
EXTRA_S = (-2, -1, 0, 1, 2)
"""What plan_more saves besides, by replication."""
PLAN = Contrast("plan", "plan", "none", "mean")
TOGETHER = Contrast("together", "plan_more", "none_more", "mean", equivalence=10.0, of_arm="plan", of_base="none")


@pytest.fixture(scope="module")
def study(tmp_path_factory, study_in):
    return study_in(tmp_path_factory.mktemp("interactions"))


@pytest.fixture(scope="module")
def arms(study, random_incidents):
    def sooner(name):
        def make(number):
            table = random_incidents(np.random.default_rng(number), n=300)
            saved_s = SAVED_S[name] + (EXTRA_S[number] if name == "plan_more" else 0)
            for clock in ("first_arrival_ms", "first_critical_ms", "full_alarm_ms"):
                table[clock] = np.where(table[clock] >= 0, table[clock] - saved_s * 1000, table[clock])
            static_s = 4 if name == "plan_more" else 0
            table["static_arrival_ms"] = table["static_arrival_ms"] - static_s * 1000
            return table

        return make

    return {name: study.add(name, sooner(name), WORLDS) for name in SAVED_S}


def compared(study, arms, *contrasts):
    return compare_arms(list(arms.values()), contrasts, study.labels, study.folder)


@pytest.fixture(scope="module")
def tables(study, arms):
    return compared(study, arms, PLAN, TOGETHER)


def only(table):
    assert {len(values) for values in table.values()} == {1}
    return {name: values[0] for name, values in table.items()}


def test_the_difference_of_differences_and_its_interval_are_those_worked_out_by_hand(tables):
    row = only(tables["interactions"])
    assert (row["arm"], row["base"], row["of_arm"], row["of_base"]) == ("plan_more", "none_more", "plan", "none")
    assert (row["there"], row["elsewhere"], row["diff"]) == pytest.approx((-27, -20, -7))
    se = np.sqrt(2.5 / 5)  # -9, -8, -7, -6, -5 in five worlds: variance 2.5, four degrees of freedom
    half = stdtrit(4, 0.975) * se
    assert (row["low"], row["high"]) == pytest.approx((-7 - half, -7 + half))
    assert row["p_value"] == pytest.approx(2 * stdtr(4, -7 / se))
    assert (row["mc_low"], row["mc_high"]) == pytest.approx((-7, -7)), "the same shift for every incident and day"
    assert (row["static_diff"], row["congestion_diff"]) == pytest.approx((-4, -3))
    assert (row["n_pairs"], row["n_worlds"]) == (5, 5)
    assert row["is_equivalent"], "within ten seconds on both sides"


def test_it_is_corrected_together_with_the_declared_contrasts_and_is_none_of_them(tables):
    contrasts, row = tables["contrasts"], only(tables["interactions"])
    primary = contrasts["is_primary"]
    assert contrasts["contrast"][primary].tolist() == ["plan"]
    assert contrasts["p_adjusted"][primary] == pytest.approx(0)  # twenty seconds in every replication
    assert row["p_adjusted"] == pytest.approx(row["p_value"])  # the larger of the two, so times one
    assert "together" not in contrasts["contrast"]


@pytest.mark.parametrize(
    ("group", "clock", "metric", "year"), [("fire", "critical", "share_300", 2023), ("all", "full_alarm", "p90", 0)]
)
def test_any_group_clock_metric_and_year_is_the_one_difference_less_the_other(study, arms, group, clock, metric, year):
    what = {"group": group, "clock": clock, "metric": metric, "year": year}
    found = compared(study, arms, replace(TOGETHER, **what))
    row, table = only(found["interactions"]), found["contrasts"]
    rows = np.logical_and.reduce([table[name] == value for name, value in {**what, "scope": "city"}.items()])
    diff = dict(zip(zip(table["arm"][rows], table["base"][rows], strict=True), table["diff"][rows], strict=True))
    assert row["diff"] == pytest.approx(diff["plan_more", "none_more"] - diff["plan", "none"], nan_ok=True)
    assert not table["is_primary"].any()
    assert np.isnan(row["static_diff"])


def test_where_the_four_arms_share_no_replication_it_stays_asked_without_figures(study, arms):
    first, last = (
        replace(arms["plan"], replications=arms["plan"].replications[:2]),
        replace(arms["plan_more"], replications=arms["plan_more"].replications[2:]),
    )
    tables = compared(study, arms | {"plan": first, "plan_more": last}, PLAN, TOGETHER)
    row = only(tables["interactions"])
    assert (row["n_pairs"], row["n_incidents"]) == (0, 0)
    assert np.isnan([row[name] for name in ("diff", "low", "p_value", "p_adjusted")]).all()
    assert not row["is_equivalent"]


def test_only_replications_of_all_four_arms_count(study, arms):
    some = replace(arms["plan"], replications=arms["plan"].replications[3:])
    row = only(compared(study, arms | {"plan": some}, TOGETHER)["interactions"])
    assert (row["n_pairs"], row["there"], row["diff"]) == (2, pytest.approx(-28.5), pytest.approx(-8.5))


def test_an_interaction_of_unknown_or_the_same_arms_is_refused_with_all_its_faults(study, arms):
    wrong = replace(TOGETHER, id="wrong", of_arm="plam", of_base="")
    itself = replace(TOGETHER, id="itself", of_arm="plan_more", of_base="none_more")
    with pytest.raises(InputError) as caught:
        compared(study, arms, wrong, itself)
    told = str(caught.value)
    assert "contrast wrong: of_arm: 'plam' is not one of this comparison; did you mean 'plan'?" in told
    assert "contrast wrong: of_base" in told
    assert "contrast itself: 'plan_more' takes a difference from itself" in told
