"""The verdict: each figure at its threshold, and nothing passes for want of data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calibration.scores import FIGURES, CallWeighted, Evidence, Outcome, Share, Skill, judge

GOOD = Evidence(
    n_calls=5000,
    n_days=60,
    ks=0.02,
    ks_floor=0.009,
    p90_error_s=-12.0,
    p90_se_s=5.0,
    coverage=Share(0.9, 0.005, 0.89, 0.91, 5000, 60, 1.0),
    skill=Skill(0.04, 0.01, 0.07, 48.0, 50.0, 2.0, 3.0, 0.003, 5000, 60),
    stations=CallWeighted(12.0, 8.0, 14.0, 20, 4000),
    n_small=30,
    n_small_outside=3,
    elapsed_s=50.0,
    n_records=100_000,
)


def of(key, evidence):
    return next(each for each in judge(evidence).judgements if each.key == key)


def test_all_figures_reached_is_a_pass():
    verdict = judge(GOOD)
    assert {each.outcome for each in verdict.judgements} == {Outcome.PASS}
    assert verdict.outcome is Outcome.PASS
    assert verdict.sentence.en == "All 7 figures that apply are reached."


def test_without_evidence_nothing_passes():
    verdict = judge(Evidence())
    assert {each.outcome for each in verdict.judgements} == {Outcome.NOT_MEASURABLE}
    assert verdict.outcome is Outcome.NOT_MEASURABLE
    measured = judge(Evidence(n_calls=5000, n_days=60))
    assert {each.outcome for each in measured.judgements} == {Outcome.NOT_MEASURABLE}


@pytest.mark.parametrize("change", [{"n_calls": 999}, {"n_days": 9}])
def test_too_small_a_held_out_side_leaves_only_the_speed_to_judge(change):
    verdict = judge(replace(GOOD, **change))
    passed = [each.key for each in verdict.judgements if each.outcome is Outcome.PASS]
    assert passed == ["speed"]
    assert str(next(iter(change.values()))) in verdict.judgements[0].reason.en


@pytest.mark.parametrize(
    ("key", "change", "outcome"),
    [
        ("ks", {"ks": 0.03}, "pass"),
        ("ks", {"ks": 0.0301}, "fail"),
        ("ks", {"ks": 0.048, "ks_floor": 0.03}, "pass"),
        ("ks", {"ks": 0.0481, "ks_floor": 0.03}, "fail"),
        ("ks", {"ks": 0.06, "ks_floor": 0.06}, "not measurable"),
        ("ks", {"ks": 0.2, "ks_floor": 0.06}, "fail"),
        ("ks", {"ks": float("nan")}, "not measurable"),
        ("p90", {"p90_error_s": 20.0}, "fail"),
        ("p90", {"p90_error_s": -19.9}, "pass"),
        ("p90", {"p90_error_s": 29.0, "p90_se_s": 15.0}, "pass"),
        ("p90", {"p90_error_s": 29.0, "p90_se_s": 31.0}, "not measurable"),
        ("p90", {"p90_error_s": 1.0, "p90_se_s": 31.0}, "not measurable"),
        ("p90", {"p90_error_s": 80.0, "p90_se_s": 31.0}, "fail"),
        ("p90", {"p90_error_s": float("inf")}, "fail"),
        ("coverage", {"coverage": Share(0.93, 0.005, 0.92, 0.94, 5000, 60, 1.0)}, "pass"),
        ("coverage", {"coverage": Share(0.94, 0.005, 0.93, 0.95, 5000, 60, 1.0)}, "fail"),
        ("coverage", {"coverage": Share(0.90, 0.02, 0.86, 0.94, 5000, 60, 16.0)}, "not measurable"),
        ("skill", {"skill": replace(GOOD.skill, value=0.019)}, "fail"),
        ("skill", {"skill": replace(GOOD.skill, low=-0.001)}, "fail"),
        ("skill", {"skill": replace(GOOD.skill, low=float("nan"))}, "not measurable"),
        ("stations", {"stations": replace(GOOD.stations, value_s=18.0)}, "fail"),
        ("stations", {"stations": CallWeighted(22.0, 20.0, 30.0, 20, 4000)}, "not measurable"),
        ("stations", {"stations": CallWeighted(31.0, 20.0, 30.0, 20, 4000)}, "fail"),
        ("stations", {"stations": CallWeighted(float("nan"), float("nan"), float("nan"), 0, 0)}, "not measurable"),
        ("small_stations", {"n_small_outside": 4}, "pass"),  # binomial(30, 0.05): 4 at 95 %
        ("small_stations", {"n_small_outside": 5}, "fail"),
        ("speed", {"elapsed_s": 120.0}, "fail"),
        ("speed", {"elapsed_s": 230.0, "n_records": 200_000}, "pass"),
        ("speed", {"elapsed_s": 121.0, "n_records": 5000}, "fail"),
    ],
)
def test_each_figure_at_its_threshold(key, change, outcome):
    verdict = judge(replace(GOOD, **change))
    assert of(key, replace(GOOD, **change)).outcome == outcome
    assert verdict.outcome == outcome


@pytest.mark.parametrize("change", [{"n_small": 0, "n_small_outside": 0}, {"elapsed_s": 1.0, "n_records": 5000}])
def test_what_asks_about_nothing_does_not_stand_in_the_way(change):
    verdict = judge(replace(GOOD, **change))
    assert Outcome.NOT_APPLICABLE in {each.outcome for each in verdict.judgements}
    assert verdict.outcome is Outcome.PASS
    assert verdict.sentence.en == "All 6 figures that apply are reached."


def test_one_failure_fails_the_whole_even_beside_what_cannot_be_judged():
    verdict = judge(replace(GOOD, ks=0.2, skill=None))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.sentence.en == "Of the 7 figures that apply: 1 missed, 5 reached, 1 not to be judged."
    assert "1 项未达到" in verdict.sentence.zh


def test_every_reason_names_its_numbers_in_both_languages():
    assert of("ks", GOOD).reason.en == "KS distance 0.0200, limit 0.0300 (noise floor 0.0090)"
    assert of("stations", GOOD).reason.zh == "加权误差 12.0 秒，20 站、4000 起；完美模型约 8.0 秒"
    assert len({figure.key for figure in FIGURES}) == len(FIGURES) == 7
