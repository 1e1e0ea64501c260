"""The tables say what their sources say, and every fault in them is found in one pass."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sim.config import about_of, configs_root, leaves, read_about, read_yaml, states_number
from sim.demand.force import expected_vehicles
from sim.demand.kinds import load_demand_tables
from sim.errors import InputError, Problems


def _share(world, *families: str) -> float:
    kinds = world.tables.kinds
    return sum(int(n) for n, family in zip(kinds.share, kinds.family, strict=True) if family in families) / 1e5


def _yearly_share(world, year, days, families) -> float:
    """Part of the year's mean alarms of these families that falls on the chosen days."""
    intensity = world.intensity(year)
    rate = intensity.rate.sum(axis=0)
    chosen = [k for k, family in enumerate(world.tables.kinds.family) if family in families]
    by_day = (rate[chosen, None] * intensity.day[chosen]).sum(axis=0)
    return float(by_day[days].sum() / by_day.sum())


def test_families_have_the_shares_of_china_in_2025(world):
    counts = {"fire": 837, "rescue": 442, "social": 858 + 143, "false_alarm": 164}  # thousands, of 2,444
    for family, count in counts.items():
        assert _share(world, family) == pytest.approx(count / 2_444, abs=2e-5)
    assert _share(world, "medical") == 0


def test_fires_follow_the_published_hours(world):
    for kind, code in enumerate(world.tables.kinds.code):
        if code in ("home_fire", "factory_fire", "outdoor_fire"):
            weight = world.tables.hour[kind] / world.tables.hour[kind].sum()
            assert weight[10:22].sum() == pytest.approx(0.716, abs=0.0005)
            assert weight[18:20].sum() == pytest.approx(0.134, abs=0.0005)


def test_summer_takes_the_published_part_of_the_year(world, year):
    summer = (year.month >= 6) & (year.month <= 8)
    everything = ("fire", "rescue", "social", "false_alarm")
    assert _yearly_share(world, year, summer, everything) == pytest.approx(0.280, abs=0.01)
    assert _yearly_share(world, year, summer, ("rescue",)) == pytest.approx(0.290, abs=0.005)


def test_summer_takes_two_fifths_of_social_help(world, year):
    intensity = world.intensity(year)
    summer = (year.month >= 6) & (year.month <= 8)
    chosen = [world.tables.kinds.code.index(c) for c in ("wasp_nest", "animal", "door_opening", "social_other")]
    by_day = (intensity.rate.sum(axis=0)[chosen, None] * intensity.day[chosen]).sum(axis=0)
    assert by_day[summer].sum() / by_day.sum() == pytest.approx(0.418, abs=0.01)


def test_fires_and_rescues_are_the_published_part_of_night_alarms(world, year):
    intensity = world.intensity(year)
    night = [h for h in range(24) if h >= 22 or h < 8]
    at_night = (intensity.rate.sum(axis=0)[:, None] * intensity.hour)[:, night].sum(axis=1)
    assert at_night[world.tables.kinds.is_headline].sum() / at_night.sum() == pytest.approx(0.635, abs=0.03)


def test_run_cards_send_two_and_a_fifth_vehicles_to_the_mean_alarm(world):
    assert expected_vehicles(world.tables) == pytest.approx(2.20, abs=0.03)


def test_expected_vehicles_agree_with_a_drawn_replication(world, year):
    """The formula against counting, card by card: first alarm by what was told, plus what the truth adds."""
    rows = world.draw(year, is_surge_on=False).incidents
    names = ("kind", "grade", "reported_kind", "reported_grade")
    cards = world.tables.run_cards
    sent = []
    for kind, grade, told_kind, told_grade in zip(*(rows[name].tolist() for name in names), strict=True):
        first, true = Counter(cards.needs(told_kind, told_grade)), Counter(cards.needs(kind, grade))
        sent.append(sum(first.values()) + sum((true - first).values()))
    standard_error = np.std(sent) / np.sqrt(len(sent))
    assert np.mean(sent) == pytest.approx(expected_vehicles(world.tables), abs=3 * standard_error)


def test_every_kind_has_a_critical_first_need_and_grows_no_smaller(world):
    cards, kinds = world.tables.run_cards, world.tables.kinds
    for kind in range(kinds.n_kinds):
        assert cards.is_critical[cards.start[kind]]
        sizes = [len(cards.needs(kind, grade)) for grade in range(1, kinds.max_grade[kind] + 1)]
        assert sizes == sorted(sizes)
        assert sizes[0] >= 1


def test_critical_needs_ask_only_for_what_ordinary_vehicles_have(world):
    ordinary = {"water", "foam", "aerial", "rescue", "rope", "boat"}
    of_bit = {bit: code for code, bit in world.tables.capability_bit.items()}
    cards = world.tables.run_cards
    assert {of_bit[int(bit)] for bit in cards.capability[cards.is_critical]} <= ordinary


@pytest.mark.parametrize("group", ["demand", "times"])
def test_every_number_of_the_settings_says_where_it_comes_from(group):
    for path in sorted((configs_root() / group).glob("*.yaml")):
        problems = Problems()
        content = read_yaml(path, problems)
        about = read_about(content, path.name, problems)
        problems.raise_if_any()
        silent = [
            key
            for key, value in leaves({k: v for k, v in content.items() if k != "about"})
            if states_number(value) and about_of(key, about) is None
        ]
        assert not silent


def _copy(world, folder: Path) -> Path:
    copy = folder / "city"
    copy.mkdir()
    for path in world.folder.glob("*.csv"):
        shutil.copy(path, copy / path.name)
    return copy


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_all_faults_of_all_tables_are_told_at_once(world, tmp_path):
    folder = _copy(world, tmp_path)
    _edit(folder / "kinds.csv", ",4800,fire,", ",4801,fire,")
    _edit(folder / "kinds.csv", "outdoor_fire,露天火灾,outdoor or rubbish fire,fire,2,3,15672,fire,", "outdoor_fire,露天火灾,outdoor or rubbish fire,fire,2,3,15672,fires,")  # fmt: skip  # noqa: E501
    _edit(folder / "grades.csv", "home_fire,2,10000,", "home_fire,2,-1,")
    _edit(folder / "run_cards.csv", "home_fire,2,rescue,", "home_fire,2,resque,")
    _edit(folder / "reports.csv", "false_alarm,home_fire,300", "false_alarm,home_fires,300")
    _edit(folder / "profiles.csv", "fire,hour,23,", "fire,hour,24,")
    _edit(folder / "exposure.csv", "rented_home_fire,population,800", "rented_home_fire,population,700")
    with pytest.raises(InputError) as caught:
        load_demand_tables(folder)
    text = str(caught.value)
    for part in (
        "must sum to 100000",
        "'fires'",
        "grades.csv row 3",
        "did you mean 'rescue'?",
        "did you mean 'home_fire'?",
        "'24' (key) must be 0 to 23 on axis 'hour'",
        "(share) of kind 'rented_home_fire' must sum to 1000",
    ):
        assert part in text, part
    assert "no row for 23" not in text, "the key that is wrong may have been meant for it"


def test_a_profile_with_a_gap_names_the_hour(world, tmp_path):
    folder = _copy(world, tmp_path)
    lines = (folder / "profiles.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("fire,hour,23,")]
    (folder / "profiles.csv").write_text("".join(kept), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_demand_tables(folder)
    assert str(caught.value) == "profiles.csv: hour profile 'fire' has no row for 23"


def test_a_missing_table_is_named(world, tmp_path):
    folder = _copy(world, tmp_path)
    (folder / "run_cards.csv").unlink()
    with pytest.raises(InputError, match=r"run_cards\.csv.*does not exist"):
        load_demand_tables(folder)


def test_a_gap_in_grades_and_an_uncritical_card_are_faults(world, tmp_path):
    folder = _copy(world, tmp_path)
    text = (folder / "grades.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "grades.csv").write_text("".join(r for r in text if not r.startswith("entrapment,2,")), encoding="utf-8")
    _edit(folder / "run_cards.csv", "animal,0,water,1,true", "animal,0,water,1,false")
    with pytest.raises(InputError) as caught:
        load_demand_tables(folder)
    assert "kind 'entrapment' needs one row for each grade [1, 2]" in str(caught.value)
    assert "kind 'animal' needs a critical first row" in str(caught.value)


def test_every_capability_that_a_card_asks_for_is_on_some_vehicle(world):
    with (world.folder / "unit_types.csv").open(encoding="utf-8") as file:
        held = {code for row in csv.DictReader(file) for code in row["capabilities"].split()}
    of_bit = {bit: code for code, bit in world.tables.capability_bit.items()}
    assert {of_bit[int(bit)] for bit in world.tables.run_cards.capability} <= held
