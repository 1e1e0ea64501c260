"""Incidents put in by hand: they are there as told, and nothing that is drawn moves."""

from __future__ import annotations

import numpy as np
import pytest

from sim.demand.draw import split_identity
from sim.demand.planted import PlantedIncident, PlantedSettings, with_planted
from sim.errors import InputError
from sim.units import MS_PER_DAY, MS_PER_MIN

CHANCE = (20_220_101, 0)


def planted(world, calendar, *incidents, chance=CHANCE):
    intensity = world.intensity(calendar)
    drawn = world.draw(calendar, replication=chance[1])
    settings = PlantedSettings(
        name="test", label_zh="", label_en="", incidents=[PlantedIncident(*incident) for incident in incidents]
    )
    kinds = world.tables.kinds
    return drawn, with_planted(drawn, intensity, calendar, world.city.towns.code, kinds, settings, chance)


@pytest.fixture(scope="module")
def week(world):
    return world.calendar("2026-04-06", "2026-04-13", warm_up_days=2)


def test_a_planted_incident_is_as_told_and_what_is_drawn_stays_bit_for_bit(world, week):
    drawn, both = planted(world, week, ("2026-04-09", "04:31", "zhongtang", "warehouse_fire", 5, 4))
    is_planted = split_identity(both.incidents["identity"]).process == 2
    assert both.incidents[~is_planted].tobytes() == drawn.incidents.tobytes()
    assert np.all(np.diff(both.incidents["call_ms"]) >= 0)
    (row,) = both.incidents[is_planted]
    assert row["call_ms"] == 5 * MS_PER_DAY + (4 * 60 + 31) * MS_PER_MIN  # two days of warm-up, then 6 to 8 April
    kinds = world.tables.kinds.code
    assert (kinds[row["kind"]], kinds[row["reported_kind"]]) == ("warehouse_fire", "warehouse_fire")
    assert (row["grade"], row["reported_grade"]) == (5, 4)
    assert world.city.towns.code[row["town"]] == "zhongtang"
    assert world.city.cells.town[row["cell"]] == row["town"]


def test_two_alike_on_a_day_have_chance_of_their_own_and_another_replication_another_place(world, week):
    one = ("2026-04-09", "04:31", "zhongtang", "warehouse_fire", 3, 3)
    rows, others = (
        demand.incidents[split_identity(demand.incidents["identity"]).process == 2]
        for demand in (planted(world, week, one, one, chance=(CHANCE[0], r))[1] for r in (0, 1))
    )
    assert split_identity(rows["identity"]).number.tolist() == [0, 1]
    assert rows["rank_travel"][0] != rows["rank_travel"][1]
    assert rows["identity"].tolist() == others["identity"].tolist()
    assert not set(rows["rank_handling"].tolist()) & set(others["rank_handling"].tolist())


def test_nothing_planted_is_the_same_demand(world, week):
    drawn, same = planted(world, week)
    assert same is drawn


def test_all_that_is_wrong_is_told_together(world, week):
    with pytest.raises(InputError) as caught:
        planted(
            world, week, ("2026-05-09", "04:31", "zhongtang", "warehouse_fire", 5, 5),
            ("2026-04-31", "04:31", "zhongtan", "warehous_fire", 5, 5),
            ("2026-04-09", "04:31", "zhongtang", "vehicle_fire", 3, 5),
        )  # fmt: skip
    text = str(caught.value)
    assert "incidents.0: '2026-05-09' (date) is not in the measured days, 2026-04-06 to 2026-04-12" in text
    assert "incidents.1: '2026-04-31' (date) is not a day" in text
    assert "incidents.1: 'zhongtan' (town) is not in towns.csv; did you mean 'zhongtang'?" in text
    assert "incidents.1: 'warehous_fire' (kind) is not in kinds.csv; did you mean 'warehouse_fire'?" in text
    assert "incidents.2: 5 (grade) is above the highest of 'vehicle_fire', 3" in text
    assert len(caught.value.problems) == 5
