"""Plausible worlds of a study: how they are drawn, and what arms they make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.compose.plausible import FactorSettings, PlausibleSettings, strata, worlds_of
from sim.compose.study import study_work
from sim.errors import InputError
from sim.run.work import PLAUSIBLE


def factor(key, **given):
    return FactorSettings(key, "", "", "test", **given)


def drawn_from(*factors, n=16):
    return PlausibleSettings(n, list(factors))


def test_every_factor_has_one_value_in_each_stratum_of_its_range():
    points = strata(drawn_from(factor("a.x", low=0, high=1), factor("a.y", low=0, high=1)), seed=7)
    assert np.sort(np.floor(points * 16), axis=0).tolist() == [[i, i] for i in range(16)]
    assert not np.array_equal(points[:, 0], points[:, 1])


def test_a_further_factor_leaves_the_values_of_the_others_as_they_were():
    one = worlds_of(drawn_from(factor("a.x", low=2, high=4)), seed=7)
    two = worlds_of(drawn_from(factor("b.z", choices=["p", "q"]), factor("a.x", low=2, high=4)), seed=7)
    assert [world["a.x"] for world in one] == [world["a.x"] for world in two]
    assert all(2 <= world["a.x"] <= 4 for world in one)
    assert sorted(world["b.z"] for world in two) == 8 * ["p"] + 8 * ["q"]
    assert worlds_of(drawn_from(factor("a.x", low=2, high=4)), seed=8) != one


STUDY = """
name: tiny
label_zh: a
label_en: a
question_zh: a
question_en: a
base: nothing
common: [window=one_week, schedule.is_outside_run_allowed=true]
arms:
  - {name: nothing, label_zh: a, label_en: a, purpose: main, first_line_zh: a, first_line_en: a, n_replications: 2,
     overrides: [schedule=none, schedule.is_outside_run_allowed=true]}
  - {name: plan, label_zh: a, label_en: a, purpose: main, first_line_zh: a, first_line_en: a, n_replications: 2,
     overrides: [schedule=plan, schedule.is_outside_run_allowed=true]}
  - {name: norm, label_zh: a, label_en: a, purpose: travel, first_line_zh: a, first_line_en: a, n_replications: 2,
     overrides: [travel=norm]}
plausible:
  n_worlds: 4
  factors:
"""


SCENE = "    - {key: times.scene_factor, label_zh: a, label_en: a, low: 0.5, high: 2, source: t}\n"


def work_of(tmp_path: Path, factors: str):
    path = tmp_path / "tiny.yaml"
    path.write_text(STUDY + factors, encoding="utf-8")
    return study_work(str(path))


def test_only_the_main_arms_stand_in_each_world_beside_their_own_base_and_differ_in_the_factors_alone(tmp_path):
    work = work_of(
        tmp_path, "    - {key: times.scene_factor, label_zh: a, label_en: a, low: 0.5, high: 2, source: t}\n"
    )
    arms = {arm.name: arm for arm in work.arms if arm.purpose == PLAUSIBLE}
    assert list(arms) == [f"{name}--w{world:04d}" for world in range(4) for name in ("nothing", "plan")]
    assert {name: arm.base for name, arm in arms.items()} == {
        name: "" if name.startswith("nothing") else name.replace("plan", "nothing") for name in arms
    }
    for world in range(4):
        base, plan = arms[f"nothing--w{world:04d}"].settings, arms[f"plan--w{world:04d}"].settings
        assert base.times.scene_factor == plan.times.scene_factor
        assert plan.run.n_replications == 1
        usual = work.arm("plan").settings.what()
        other = plan.what()
        other["times"] = other["times"] | {"scene_factor": usual["times"]["scene_factor"]}
        assert other == usual
    factors = [arms[f"plan--w{world:04d}"].settings.times.scene_factor for world in range(4)]
    assert len(set(factors)) == 4
    assert len({arm.key for arm in arms.values()}) == 8


def test_faults_of_factors_are_told_together(tmp_path):
    bad = """    - {key: times.scene_factor, label_zh: a, label_en: a, low: 2, high: 1, source: t}
    - {key: times.access_factor, label_zh: a, label_en: a, low: 2, source: t}
    - {key: siting.world, label_zh: a, label_en: a, low: 0, high: 3, choices: [1], source: t}
    - {key: times.scene_factor, label_zh: a, label_en: a, choices: [1, 2], source: t}
"""
    with pytest.raises(InputError) as error:
        work_of(tmp_path, bad)
    text = str(error.value)
    assert "'times.scene_factor' (plausible.factors.0) has a low end that is not below its high end" in text
    assert "'times.access_factor' (plausible.factors.1) needs a range or a list of choices" in text
    assert "'siting.world' (plausible.factors.2) needs a range or a list of choices" in text
    assert "'times.scene_factor' (plausible.factors.3) varies already; keep one of them" in text


def test_an_unknown_key_or_a_value_out_of_its_bounds_is_named_with_its_world(tmp_path):
    with pytest.raises(InputError, match=r"tiny.yaml plausible world 0: \(times.scene_factr\) is not a setting"):
        work_of(tmp_path, "    - {key: times.scene_factr, label_zh: a, label_en: a, low: 0.5, high: 2, source: t}\n")
    with pytest.raises(InputError, match=r"plausible world \d: .*staffing.present_share"):
        work_of(tmp_path, "    - {key: staffing.present_share, label_zh: a, label_en: a, low: 2, high: 3, source: t}\n")
