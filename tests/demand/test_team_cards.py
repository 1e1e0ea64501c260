"""Needs that special teams add to run cards: their places, and ranks that leave all other slots as they were."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.demand.team_cards import load_team_cards
from sim.demand.types import RunCards
from sim.errors import InputError
from sim.inputs import draw_slot_ranks, slot_starts, with_added_ranks

HEAD = "kind,need_no,capability,from_grade,is_critical,source,standing\n"
CARD_A = [(0, 1, True), (1, 1, False), (0, 3, False)]
CARD_B = [(1, 1, True)]


def tables() -> SimpleNamespace:
    needs = CARD_A + CARD_B
    cards = RunCards(
        start=np.array([0, 3, 4], dtype=np.int32),
        capability=np.array([need[0] for need in needs], dtype=np.int8),
        from_grade=np.array([need[1] for need in needs], dtype=np.int8),
        is_critical=np.array([need[2] for need in needs]),
    )
    kinds = SimpleNamespace(code=("a", "b"), n_kinds=2, max_grade=np.array([3, 2], dtype=np.int8))
    return SimpleNamespace(kinds=kinds, run_cards=cards, capability_bit={"water": 0, "rescue": 1, "forest": 10})


def write(folder: Path, *rows: str) -> Path:
    (folder / "team_cards.csv").write_text(HEAD + "".join(f"{row},test,assumed\n" for row in rows), encoding="utf-8")
    return folder


def test_added_needs_stand_behind_the_card_s_own_of_the_same_grade(tmp_path: Path) -> None:
    asked = load_team_cards(
        write(tmp_path, "a,0,forest,1,false", "a,1,rescue,3,true", "b,0,forest,2,false"), tables(), True
    )
    rows = zip(asked.cards.capability.tolist(), asked.cards.from_grade.tolist(), asked.is_added.tolist(), strict=True)
    assert list(rows) == [
        (0, 1, False), (1, 1, False), (10, 1, True), (0, 3, False), (1, 3, True),
        (1, 1, False), (10, 2, True),
    ]  # fmt: skip
    assert asked.cards.start.tolist() == [0, 5, 7]
    assert asked.cards.is_critical.tolist() == [True, False, False, False, True, True, False]


def test_nobody_who_asks_for_no_teams_needs_the_table(tmp_path: Path) -> None:
    asked = load_team_cards(tmp_path, given := tables(), False)
    assert asked.cards is given.run_cards
    assert not asked.is_added.any()


def test_the_slots_that_were_there_keep_their_ranks_reported_ones_too(tmp_path: Path) -> None:
    asked = load_team_cards(write(tmp_path, "a,0,forest,1,false", "b,0,forest,1,false"), tables(), True)
    incidents = np.zeros(3, dtype=[("identity", "<u8"), ("kind", "<i2"), ("reported_kind", "<i2")])
    incidents["identity"], incidents["kind"], incidents["reported_kind"] = [7, 8, 9], [0, 1, 0], [0, 0, 1]
    demand = SimpleNamespace(incidents=incidents)
    base = draw_slot_ranks(demand, tables().run_cards, 1, 2)
    ranks = with_added_ranks(base, demand, asked.cards, asked.is_added, 1, 2)
    assert slot_starts(demand, asked.cards).tolist() == [0, 4, 10, 16]
    # a: own, own, added, own; b: own, added. The second incident is a b told as an a, the third an a told as a b.
    own = [0, 1, 3, 4, 6, 7, 9, 10, 11, 13, 14]
    assert np.array_equal(ranks[own], base)
    added = ranks[[2, 5, 8, 12, 15]]
    assert len(np.unique(added)) == added.size
    assert not np.isin(added, base).any()


def test_unknown_names_and_grades_never_reached_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_team_cards(write(tmp_path, "c,0,forest,1,false", "a,0,forrest,1,false"), tables(), True)
    assert [(p.row, p.value) for p in caught.value.problems] == [(2, "c"), (3, "forrest")]
    with pytest.raises(InputError) as caught:
        load_team_cards(write(tmp_path, "b,0,forest,3,false"), tables(), True)
    assert [(p.row, p.value, p.mend) for p in caught.value.problems] == [(2, 3, "lower it")]
