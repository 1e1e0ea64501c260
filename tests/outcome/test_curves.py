"""The curves of deaths and losses, and the table of weights, by hand."""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest

from sim.compose import compose
from sim.errors import InputError
from sim.outcome import OutcomeSettings, death_risk, load_fire_weights, loss_share

SETTINGS = OutcomeSettings(
    "test", "", "", "curves", deaths_per_100k=[0.1, 0.2, 0.2], fall_per_min=[0.02, 0.04, 0.08], without_service=1.6,
    reference_min=10, loss_per_fire=[1, 2, 3], loss_power=[0.5, 1, 2], before_call_min=4, full_loss_min=16,
)  # fmt: skip


def test_at_the_reference_response_the_risk_is_what_a_fire_service_leaves_of_it() -> None:
    assert death_risk(np.array([10.0]), 0.04, SETTINGS) == pytest.approx(1 / 1.6)
    assert death_risk(np.array([np.inf]), 0.04, SETTINGS) == 1.0


def test_there_a_minute_less_saves_the_published_share() -> None:
    """tau = 0.6 / 0.04 = 15 min; r(9.9) = 1 - 0.375 exp(0.1 / 15)."""
    risk = death_risk(np.array([9.9, 10.0]), 0.04, SETTINGS)
    assert risk[0] == pytest.approx(1 - 0.375 * exp(0.1 / 15), rel=1e-12)
    assert (risk[1] - risk[0]) / 0.1 / risk[1] == pytest.approx(0.04, rel=0.01)


def test_early_minutes_save_more_than_late_ones_and_no_risk_is_negative() -> None:
    risk = death_risk(np.array([0.0, 5.0, 10.0, 15.0, 20.0]), 0.04, SETTINGS)
    assert (np.diff(risk) > 0).all()
    assert (np.diff(np.diff(risk)) < 0).all()
    assert death_risk(np.array([0.0]), 0.5, SETTINGS) == 0.0


@pytest.mark.parametrize(("power", "expected"), [(1.0, [0.2, 0.5, 1.0, 1.0]), (2.0, [0.04, 0.25, 1.0, 1.0])])
def test_loss_grows_with_a_power_of_the_time_since_ignition_until_all_is_lost(
    power: float, expected: list[float]
) -> None:
    assert loss_share(np.array([0.0, 6.0, 16.0, np.inf]), power, SETTINGS) == pytest.approx(expected)


HEAD = "kind,deaths,loss,source,standing\n"
KINDS, FAMILIES = ("home", "crash", "shop"), ("fire", "rescue", "fire")


def test_weights_stand_by_kind_and_what_is_no_fire_has_none(tmp_path: Path) -> None:
    (tmp_path / "fire_outcomes.csv").write_text(HEAD + "shop,2,10,test,assumed\nhome,1,3,test,assumed\n")
    found = load_fire_weights(tmp_path, KINDS, FAMILIES)
    assert found.deaths.tolist() == [1, 0, 2]
    assert found.loss.tolist() == [3, 0, 10]
    assert found.is_fire.tolist() == [True, False, True]


def test_every_fault_of_the_weights_is_told_together(tmp_path: Path) -> None:
    rows = "crash,2,10,test,assumed\nhom,1,3,test,assumed\nshop,1,-3,test,assumed\n"
    (tmp_path / "fire_outcomes.csv").write_text(HEAD + rows)
    with pytest.raises(InputError) as caught:
        load_fire_weights(tmp_path, KINDS, FAMILIES)
    told = [str(problem) for problem in caught.value.problems]
    parts = ("row 4: '-3' (loss)", "row 2: 'crash' (kind)", "row 3: 'hom' (kind)", "has no row for home; give")
    assert [part for part in parts if any(part in text for text in told)] == list(parts)
    assert len(told) == len(parts)


def test_curves_that_do_not_depend_on_time_are_refused_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        compose(["outcome.rule=curves", "outcome.loss_power=[2,1,0]", "outcome.deaths_per_100k=[1]"])
    told = " ".join(str(problem) for problem in caught.value.problems)
    for key in ("deaths_per_100k", "loss_power", "without_service", "fall_per_min", "full_loss_min"):
        assert f"(outcome.{key})" in told


def test_the_estimate_is_no_part_of_what_is_simulated() -> None:
    off, on = (compose([f"outcome={name}"]).settings.what() for name in ("none", "published"))
    assert off == on
