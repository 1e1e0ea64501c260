"""The bank of durations: which table is due, what it gives, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sim.chance import look_up
from sim.config import configs_root
from sim.demand.build import read_settings
from sim.demand.durations import build_durations
from sim.demand.quantiles import QuantileStore
from sim.demand.settings import TimesSettings
from sim.demand.types import BY_AIR
from sim.errors import InputError, nearest_name

HALF = 1 << 31


@pytest.fixture(scope="module")
def times():
    return read_settings(configs_root() / "times" / "default.yaml", "times", TimesSettings)


@pytest.fixture(scope="module")
def bank(world, times):
    return build_durations(world.tables.kinds, times, world.store)


def _median_ms(bank, number):
    return int(look_up(bank.values[int(number)], HALF))


def test_medians_are_those_of_the_settings(bank, world):
    """A log-normal table's entry at one half is the mean of a bin 1/1024 wide beside the median."""
    kind = world.tables.kinds.code.index
    assert [_median_ms(bank, n) for n in bank.handling] == pytest.approx([75_000, 50_000], rel=0.002)
    assert [_median_ms(bank, n) for n in bank.turnout] == pytest.approx([45_000, 60_000], rel=0.002)
    assert _median_ms(bank, bank.access[kind("home_fire")]) == pytest.approx(210_000, rel=0.002)
    assert _median_ms(bank, bank.scene[kind("factory_fire"), 1]) == pytest.approx(180 * 60_000, rel=0.002)
    assert _median_ms(bank, bank.latent[kind("home_fire"), 1]) == pytest.approx(30 * 60_000, rel=0.003)


def test_tables_stand_for_every_grade_a_kind_can_have(bank, world):
    for kind, top in enumerate(world.tables.kinds.max_grade):
        assert np.all(bank.scene[kind, 1 : top + 1] >= 0)
        assert np.all(bank.scene[kind, top + 1 :] == -1)
        assert np.all(bank.latent[kind, top:] == -1)
    assert np.all(bank.latent[[f == "social" for f in world.tables.kinds.family]] == -1)


def test_an_aircraft_has_its_own_table_at_the_kinds_named_and_every_other_keeps_its_place(world, times, bank):
    kind = world.tables.kinds.code.index("mountain_rescue")
    store = QuantileStore(dict(world.store.stored))
    with_air = build_durations(world.tables.kinds, times, store, {"mountain_rescue": 21.0})
    assert with_air.names == (*bank.names, "lognormal_ms median=1260000 sigma=0.5")
    assert np.flatnonzero(with_air.scene[:, BY_AIR] >= 0).tolist() == [kind]
    assert _median_ms(with_air, with_air.scene[kind, BY_AIR]) == pytest.approx(21 * 60_000, rel=0.002)
    assert np.array_equal(with_air.scene[:, 1:], bank.scene[:, 1:])
    assert (bank.scene[:, BY_AIR] == -1).all()


def test_an_aircraft_s_time_at_a_kind_that_is_not_known_is_refused_with_the_nearest(world, times):
    with pytest.raises(InputError) as caught:
        build_durations(world.tables.kinds, times, world.store, {"mountain_rescues": 21.0})
    assert [(p.where, p.mend) for p in caught.value.problems] == [
        ("aviation.scene_min.mountain_rescues", nearest_name("mountain_rescues", world.tables.kinds.code))
    ]


def test_only_fires_last_longer_for_a_late_arrival(bank, world):
    is_fire = np.array(world.tables.kinds.family) == "fire"
    assert np.all(bank.scene_slope_q16[is_fire] == round(0.03 * 65_536))
    assert np.all(bank.scene_slope_q16[~is_fire] == 0)
    assert bank.scene_delay_cap_ms == 900_000


def test_changing_one_median_makes_one_new_table_and_leaves_the_others(world, times, bank):
    slower = dataclasses.replace(times, turnout_night_s=70.0)
    store = QuantileStore(dict(world.store.stored))
    changed = build_durations(world.tables.kinds, slower, store)
    assert list(store.made) == ["lognormal_ms median=70000 sigma=0.3"]
    same = [i for i, (a, b) in enumerate(zip(changed.names, bank.names, strict=True)) if a == b]
    assert len(same) == len(bank.names) - 1
    assert np.array_equal(changed.values[same], bank.values[same])


def test_an_exponential_time_on_scene_keeps_its_median_and_changes_nothing_else(world, times, bank):
    memoryless = dataclasses.replace(times, scene_distribution="exponential", scene_sigma=0.0)
    store = QuantileStore(dict(world.store.stored))
    changed = build_durations(world.tables.kinds, memoryless, store)
    kind = world.tables.kinds.code.index("home_fire")
    assert changed.names[changed.scene[kind, 1]] == "exponential_ms median=3600000"
    assert _median_ms(changed, changed.scene[kind, 1]) == pytest.approx(3_600_000, rel=0.002)
    assert all(name.startswith("exponential_ms") for name in store.made)
    kept = [name for name in changed.names if not name.startswith("exponential_ms")]
    assert kept == [name for i, name in enumerate(bank.names) if i not in set(bank.scene.ravel().tolist())]


def test_a_spread_beside_the_exponential_law_is_refused_for_it_says_nothing(world, times):
    with pytest.raises(InputError, match=r"times\.scene_sigma: 0\.5 says nothing beside .*; set it to 0"):
        build_durations(world.tables.kinds, dataclasses.replace(times, scene_distribution="exponential"), world.store)


def test_all_faults_of_the_times_are_told_at_once(world, times):
    access = {code: v for code, v in times.access_min.items() if code != "animal"} | {"animals": 3.0}
    bad = dataclasses.replace(
        times,
        access_min=access,
        scene_min={**times.scene_min, "home_fire": [60.0, 90.0]},
        latent_min={**times.latent_min, "animal": [30.0], "home_fire": [30.0, -0.5, 60.0, 90.0]},
        scene_delay_per_min={"fires": 0.1},
    )
    with pytest.raises(InputError) as caught:
        build_durations(world.tables.kinds, bad, world.store)
    text = str(caught.value)
    for part in (
        "times.access_min.animal: is missing",
        "did you mean 'animal'?",
        "times.scene_min.home_fire: 2 needs 5 medians",
        "times.latent_min.animal: 1 needs 0 medians",
        "times.latent_min.home_fire: -0.5 of grade 2",
        "did you mean 'fire'?",
    ):
        assert part in text, part
