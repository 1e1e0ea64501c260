"""Plausible worlds: what moves a difference, and in how many worlds it holds, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from sim.compare import Factor, PlausibleArm, plausible_tables
from sim.compare.plausible import partial_rank_correlations

FACTORS = [
    Factor("travel.local_kmh", "车速", "speed", "20 … 40", (), "test"),
    Factor("siting.world", "站址", "siting", "0, 1", ("0", "1"), "test"),
]
N = 9


def worlds(study, random_incidents, saved_ms, declared=()):
    """Write a base and an arm in N worlds: in the world at speed v the arm saves `saved_ms(v)` of every response."""
    arms = []
    for world in range(N):
        speed = 20 + 2.5 * world
        values = {"travel.local_kmh": str(speed), "siting.world": str(world % 2)}

        def incidents(_, world=world):
            table = random_incidents(np.random.default_rng(world))
            table["first_arrival_ms"] = np.full(len(table["identity"]), 400_000)
            return table

        def faster(_, world=world, speed=speed):
            table = incidents(None, world)
            table["first_arrival_ms"] = table["first_arrival_ms"] - int(saved_ms(speed))
            return table

        for name, make in (("nothing", incidents), ("plan", faster)):
            arm = study.add(f"{name}--w{world:04d}", make, [f"world_{world}"])
            arms.append(PlausibleArm(arm, name, world, values))
    return plausible_tables(arms, FACTORS, {"nothing": "", "plan": "nothing"}, study.labels, declared)


def row(table, **equal):
    chosen = np.ones(len(table["arm"]), dtype=bool)
    for name, value in equal.items():
        chosen &= table[name] == value
    (at,) = np.flatnonzero(chosen)
    return {name: values[at] for name, values in table.items()}


def test_a_plan_that_always_saves_holds_in_every_world_and_no_assumption_can_turn_it(study, random_incidents):
    tables = worlds(study, random_incidents, lambda speed: 10_000 * speed / 2.5)
    found = row(tables["robustness"], arm="plan", metric="p50")
    assert (found["share_better"], found["share_best"], found["mean_rank"]) == (1.0, 1.0, 1.0)
    assert found["diff_median"] == pytest.approx(-(30 / 2.5) * 10, abs=0.01)
    speed = row(tables["sensitivity"], arm="plan", metric="p50", key="travel.local_kmh")
    assert speed["correlation"] == pytest.approx(-1.0)  # the faster the roads, the more it saves
    assert speed["diff_low_third"] == pytest.approx(-np.mean([80, 90, 100]), abs=0.01)
    assert speed["diff_high_third"] == pytest.approx(-np.mean([140, 150, 160]), abs=0.01)
    assert not speed["could_turn"]


def test_an_assumption_at_one_end_of_which_the_plan_loses_is_one_that_could_turn_the_answer(study, random_incidents):
    tables = worlds(study, random_incidents, lambda speed: 10_000 * (speed - 26) / 2.5)
    found = row(tables["robustness"], arm="plan", metric="p50")
    assert found["share_better"] == pytest.approx(6 / 9)  # slower at 20, 22.5 and 25
    speed = row(tables["sensitivity"], arm="plan", metric="p50", key="travel.local_kmh")
    assert speed["could_turn"]
    assert row(tables["robustness"], arm="nothing", base="", metric="p50")["share_best"] == pytest.approx(3 / 9)


def test_a_pair_that_the_study_declares_has_its_own_share_of_worlds_and_what_moves_it(study, random_incidents):
    declared = [("nothing", "plan"), ("nothing", "plan"), ("plan", "nothing"), ("nothing", "elsewhere")]
    tables = worlds(study, random_incidents, lambda speed: 10_000 * (speed - 26) / 2.5, declared)
    pairs = zip(tables["robustness"]["arm"], tables["robustness"]["base"], strict=True)
    assert list(pairs) == [("nothing", ""), ("plan", "nothing"), ("nothing", "plan")] * 3
    assert row(tables["robustness"], arm="nothing", base="plan", metric="p50")["share_better"] == pytest.approx(3 / 9)
    moved = {"metric": "p50", "key": "travel.local_kmh"}
    there = row(tables["sensitivity"], arm="plan", base="nothing", **moved)
    back = row(tables["sensitivity"], arm="nothing", base="plan", **moved)
    assert back["correlation"] == pytest.approx(-there["correlation"])


def test_every_world_is_told_with_its_values(study, random_incidents):
    tables = worlds(study, random_incidents, lambda speed: 1000)
    assert len(tables["plausible"]["arm"]) == N * 2 * 3
    assert tables["plausible_values"]["value"].tolist()[:4] == ["20.0", "0", "22.5", "1"]
    base = tables["plausible"]["arm"] == "nothing"
    assert np.isnan(tables["plausible"]["diff"][base]).all()


def test_partial_rank_correlation_frees_a_factor_of_what_comes_with_another():
    rng = np.random.default_rng(5)
    first = rng.random(400)
    second = first + 0.3 * rng.random(400)  # comes with the first, does nothing itself
    response = np.exp(3 * first)
    found, half = partial_rank_correlations(np.column_stack([first, second]), response)
    assert found[0] == pytest.approx(1.0, abs=1e-6)
    assert abs(np.corrcoef(second, response)[0, 1]) > 0.8  # by itself it would seem to matter
    assert abs(found[1]) < 0.15
    assert half == pytest.approx(1.96 / np.sqrt(400 - 2 - 2), abs=1e-4)


def test_too_few_worlds_have_no_interval():
    assert partial_rank_correlations(np.eye(4)[:, :3], np.arange(4.0))[1] == np.inf
