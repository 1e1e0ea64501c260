"""Settings that break rules: every fault in one message that names place, value and mend."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import pytest

from sim.config import Group, checked, configs_root, read_yaml
from sim.demand.exposure import build_places
from sim.demand.intensity import prepare_demand
from sim.errors import InputError, Problems


def test_a_rate_above_its_ceiling_names_town_kind_rate_and_mend(world, year):
    with pytest.raises(InputError) as caught:
        world.intensity(year, town_factor={"humen": 40.0}, kind_factor={"animal": 1.0})
    text = str(caught.value)
    assert "ceilings.csv ordinary town 'humen' kind 'animal'" in text
    assert "above its ceiling" in text
    assert "lower the rate, or raise the ceiling" in text
    assert "town 'changan'" not in text


def test_a_surge_above_its_ceiling_is_told_too(world, year):
    surges = copy.deepcopy(world.settings.surges)
    surges["rainstorm"].alarms = 5_000.0
    with pytest.raises(InputError, match=r"surge town '.*' kind 'flood_rescue'"):
        world.intensity(year, surges=surges)


def test_a_town_without_a_ceiling_cannot_have_a_rate(world, year):
    ceilings = {key: v for key, v in world.tables.ceilings.items() if key != ("ordinary", "shilong", "home_fire")}
    tables = dataclasses.replace(world.tables, ceilings={**ceilings, ("ordinary", "shilongg", "home_fire"): 3.0})
    with pytest.raises(InputError, match=r"'shilongg'.*did you mean 'shilong'"):
        prepare_demand(world.city, tables, world.settings, year, world.store)
    tables = dataclasses.replace(world.tables, ceilings=ceilings)
    with pytest.raises(InputError, match=r"town 'shilong' kind 'home_fire': rate may reach .* above its ceiling 0"):
        prepare_demand(world.city, tables, world.settings, year, world.store)


def test_negative_missing_and_unknown_rates_are_told_at_once(world, year):
    surges = copy.deepcopy(world.settings.surges)
    surges["typhoon"].kind_share = {"flood_rescue": 0.6, "flod_rescue": 0.1}
    surges["rainstorm"].month_weight = [1.0] * 11
    with pytest.raises(InputError) as caught:
        world.intensity(
            year,
            town_factor={"humen": -1.0, "humenn": 1.0},
            kind_factor={"home_fire": math.nan},
            extra_alarms_per_year={"joint_medical": None},
            alarms_per_year=-16_000.0,
            reference_year=2022,
            surges=surges,
        )
    text = str(caught.value)
    for part in (
        "demand.town_factor.humen: -1.0",
        "did you mean 'humen'?",
        "demand.kind_factor.home_fire: nan",
        "demand.extra_alarms_per_year.joint_medical: must be a number",
        "demand.alarms_per_year: -16000.0",
        "reference year 2023",
        "did you mean 'flood_rescue'?",
        "demand.surges.typhoon.kind_share",
        "must sum to 1",
        "demand.surges.rainstorm.month_weight",
    ):
        assert part in text, part


def test_a_run_before_the_epoch_is_refused(world):
    with pytest.raises(InputError, match="before the city's epoch"):
        world.intensity(world.calendar("2019-06-01", "2019-07-01"))


def test_a_holiday_nobody_knows_is_named(world, year):
    holiday = ({"National Dai": 1.5}, *world.tables.holiday[1:])
    tables = dataclasses.replace(world.tables, holiday=holiday)
    with pytest.raises(InputError, match=r"'National Dai'.*did you mean 'National Day'"):
        prepare_demand(world.city, tables, world.settings, year, world.store)


def test_a_driver_the_city_does_not_have_is_named(world):
    exposure = ((("site:moutain", 1000),), (("population", 1000),), *world.tables.exposure[2:])
    tables = dataclasses.replace(world.tables, exposure=exposure)
    with pytest.raises(InputError, match=r"'site:moutain'.*did you mean 'site:mountain'"):
        build_places(world.city, tables)


def test_the_schema_refuses_unknown_keys_and_wrong_ranges_together():
    problems = Problems()
    values = read_yaml(configs_root() / "demand" / "default.yaml", problems)
    values = {**values, "alarms_per_year": -1, "growth": 0.1}
    values["surges"] = {**values["surges"], "rainstorm": {**values["surges"]["rainstorm"], "hours": 30}}
    checked(Group("demand", "sim.demand.settings:DemandSettings"), values, {"": "default.yaml"}, problems)
    text = "\n".join(str(problem) for problem in problems.found)
    assert "demand.alarms_per_year" in text
    assert "(demand.growth) is not a setting" in text
    assert "demand.surges.rainstorm.hours" in text


def test_the_highest_rate_of_a_run_stays_under_every_ceiling_with_room(world):
    """Headroom: the defaults of 2022-2026 fill at most two fifths of any ceiling."""
    from sim.demand.intensity import highest_rates, highest_surge_rates

    intensity = world.intensity(world.calendar("2022-01-01", "2027-01-01", 14, 14))
    for highest, counts in (
        (highest_rates(intensity), intensity.counts),
        (highest_surge_rates(intensity), intensity.surge_counts),
    ):
        with np.errstate(invalid="ignore"):
            filled = np.where(counts.per_day > 0, highest / counts.per_day, 0.0)
        assert filled.max() <= 0.45
