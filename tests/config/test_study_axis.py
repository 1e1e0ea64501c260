"""The axis of a study: which arms are on it, and what makes it no line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.compose.study import study_work
from sim.errors import InputError

STUDY = """
name: tiny
label_zh: a
label_en: a
question_zh: a
question_en: a
base: a20
common: [window=one_week, schedule.is_outside_run_allowed=true, staffing=constant]
arms:
"""
ARM = """  - {{name: {name}, label_zh: a, label_en: a, purpose: main, first_line_zh: a, first_line_en: a,
     n_replications: 1, {more}}}
"""
SWEEP = "sweep: {{key: {key}, label_zh: a, label_en: a, measures: [{{metric: share_300}}]{more}}}\n"
ARMS = {f"a{n}": f"overrides: [staffing.initial_permille=0.{n}]" for n in (20, 30, 40)} | {
    "late": "overrides: [staffing.initial_permille=0.50, dispatch=own_town_first]",
    "full": "overrides: [staffing=grade_1_everywhere]",
}


def work_of(folder: Path, arms: dict[str, str], key: str = "staffing.initial_permille", more: str = "") -> Any:
    path = folder / "tiny.yaml"
    listed = "".join(ARM.format(name=name, more=own) for name, own in arms.items())
    path.write_text(STUDY + listed + SWEEP.format(key=key, more=more), encoding="utf-8")
    return study_work(str(path))


def test_arms_that_override_the_key_alone_are_on_the_axis_beside_the_base_they_share(tmp_path: Path) -> None:
    told = work_of(tmp_path, ARMS, more=", marks: [a30, full]").study["sweep"]
    assert told["arms"] == ["a20", "a30", "a40"]
    assert (told["base"], told["marks"]) == ("a20", ["a30", "full"])
    assert told["measures"] == [{"metric": "share_300", "clock": "arrival", "equivalence": 0.0}]


def test_an_axis_changes_no_arm(tmp_path: Path) -> None:
    work = work_of(tmp_path, ARMS)
    path = tmp_path / "tiny.yaml"
    path.write_text(path.read_text(encoding="utf-8").partition("sweep:")[0], encoding="utf-8")
    bare = study_work(str(path))
    assert bare.arms == work.arms
    assert "sweep" not in bare.study, "the note of a study without an axis is what it was"


def test_arms_and_marks_that_are_none_and_an_axis_of_two_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        work_of(tmp_path, ARMS, more=", arms: [a20, a3O], marks: [ful, a20, a20]")
    told = str(caught.value)
    assert "tiny.yaml: 'a3O' (sweep.arms.1) is not an arm; did you mean 'a30'?" in told
    assert "'ful' (sweep.marks.0) is not an arm; did you mean 'full'?" in told
    assert "'a20' (sweep.marks.2) stands there already" in told
    assert "(sweep.key) is swept by 1 arms, which is no line" in told


def test_arms_that_differ_elsewhere_have_one_value_or_another_base_are_told_at_once(tmp_path: Path) -> None:
    arms = ARMS | {"twin": ARMS["a30"], "other": "base: a30, overrides: [staffing.initial_permille=0.60]"}
    with pytest.raises(InputError) as caught:
        work_of(tmp_path, arms, more=", arms: [a20, a30, a40, late, twin, other]")
    told = str(caught.value)
    assert "(sweep) arm late differs from a20 in dispatch." in told
    assert "(sweep) arms a30 and twin have one value" in told
    assert "'a30' (sweep) arm other is compared with another arm than a30; compare all of the axis with a20" in told


def test_a_setting_that_is_no_number_is_no_axis(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        work_of(tmp_path, ARMS, key="staffing.sharing", more=", arms: [a20, a30, a40]")
    assert "(sweep.key) staffing.sharing is no number in arm a20" in str(caught.value)
