"""No key of a lever is there for nothing: changing any of them changes what goes into a run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.config import known_keys
from sim.errors import Problems
from sim.inputs import digest_of
from sim.settings import GROUPS, Settings, settings_from

LABELS = ("name", "label_zh", "label_en")
Part = Callable[[InputsBuilder, Settings], object]


def changes(b: InputsBuilder, s: Settings) -> object:
    return b._rows(s, 0), b.fleet(s, 0).units.traits, b.asked_cards(s).cards.capability


def air(b: InputsBuilder, s: Settings) -> object:
    is_flyable = b._sky(s, 0, 24 * b.calendar(s).n_days).is_flyable
    return is_flyable, b.durations(s), *changes(b, s)  # type: ignore[misc]


def help_(b: InputsBuilder, s: Settings) -> object:
    return b.policy(s), b.fleet(s, 0).stations.help_grade


def scenes(b: InputsBuilder, s: Settings) -> object:
    return b._scenes(s, 0)


WEEK = ("window=one_week", "schedule.is_outside_run_allowed=true")
YEAR = ("window=first_full_year", "schedule.is_outside_run_allowed=true")
LEVERS: dict[str, tuple[tuple[str, ...], Part]] = {
    "roster": ((*WEEK, "roster=with_absences"), lambda b, s: b.roster(s, 0)),
    "teams": (("teams=plan",), changes),
    "aviation": (("aviation=shared",), air),
    "dispatch": ((*WEEK, "dispatch=keep_cover"), lambda b, s: [b.policy(s), b.own_rule(s)]),
    "move_up": ((*WEEK, "move_up=best_cover"), lambda b, s: b.policy(s)),
    "relief": ((*WEEK, "relief=after_long_jobs"), lambda b, s: b.policy(s)),
    "mutual_aid": ((*WEEK, "mutual_aid=neighbours"), help_),
    "water_supply": ((*YEAR, "water_supply=plan"), scenes),
    "rail": ((*YEAR, "rail=along_the_track"), scenes),
    "micro_stations": ((*YEAR, "micro_stations=one_three_five"), scenes),
    "vehicles": ((*YEAR, "vehicles=replaced_after_ten"), changes),
    "planted": ((*YEAR, "planted=compound"), lambda b, s: b.demand(s, 0).incidents),
    "weather": ((*YEAR, "weather=timeline"), lambda b, s: b._weather(s, 0, 24 * b.calendar(s).n_days)),
}
NEW: dict[str, list[dict[str, Any]]] = {  # key -> what it is changed to, and before, what must hold for it to matter
    "roster.n_crews": [
        {},
        {"n_crews": 2, "shifts": [{"crew": c, "day": 1, "from_h": 8, "hours": 24, "share": 1.0} for c in (1, 2)]},
    ],
    "roster.cycle_days": [
        {},
        {"cycle_days": 2, "shifts": [{"crew": 1, "day": 1, "from_h": 9, "hours": 48, "share": 1.0}]},
    ],
    "roster.shifts": [{}, {"shifts": [{"crew": 1, "day": 1, "from_h": 8, "hours": 24, "share": 0.5}]}],
    "roster.leavers_per_year": [{}, {"leavers_per_year": {"government": 0.9}}],
    "teams.is_asked_for": [{}, {"is_asked_for": False}],
    "teams.people": [{}, {"people": "on_top"}],
    "teams.teams": [{}, {"teams": {"forest": {"crewed": "2022-10-01", "complete": "2024-12-31"}}}],
    "aviation.mode": [{"partner_share": 0.0}, {"mode": "own", "partner_share": 0.0}],
    "aviation.base": [{}, {"base": "songshanhu"}],
    "aviation.aircraft": [{}, {"aircraft": {"helicopter_landing": 1}}],
    "aviation.crewed": [{}, {"crewed": "2023-06-01"}],
    "aviation.complete": [{}, {"complete": "2024-06-01"}],
    "aviation.scene_min": [{}, {"scene_min": {"mountain_rescue": 50.0}}],
    "aviation.is_flown_at_night": [{"duty_to_h": 24}, {"duty_to_h": 24, "is_flown_at_night": True}],
    "dispatch.rule": [{}, {"rule": "nearest"}],
    "dispatch.own_rule": [{}, {"own_rule": "tests.engine.own_rules:Nearest"}],
    "dispatch.cover_capability": [{}, {"cover_capability": "rescue"}],
    "move_up.rule": [{}, {"rule": "nearest"}],
    "mutual_aid.senders": [{}, {"senders": "neighbours_and_province"}],
    "water_supply.hydrants_now": [{}, {"hydrants_now": 30_000}],
    "rail.kinds": [{}, {"kinds": []}],
    "rail.track_over_straight": [{"between_share": 1.0}, {"between_share": 1.0, "track_over_straight": 1.5}],
    "micro_stations.families": [{}, {"families": ["rescue"]}],
    "micro_stations.stations": [{}, {"stations": 9_000}],
    "micro_stations.reach_m": [{}, {"reach_m": 900}],
    "vehicles.rule": [{}, {"rule": "none"}],
    "vehicles.ages_on": [{}, {"ages_on": "2019-12-31"}],
    "vehicles.age_share": [{}, {"age_share": [1.0]}],
    "vehicles.replace_most": [{}, {"replace_most": 1}],
    "planted.events": [{}, {"events": []}],
    "planted.series": [{}, {"series": [{"name": "forest", "kinds": ["forest_fire"]}]}],
    "planted.every_days": [
        {"series": [{"name": "forest", "kinds": ["forest_fire"]}]},
        {"series": [{"name": "forest", "kinds": ["forest_fire"]}], "every_days": 9},
    ],
    "weather.rule": [{}, {"rule": "none"}],
    "weather.fair_visibility_km": [{}, {"fair_visibility_km": 1.0}],
    "weather.fair_wind_m_s": [{}, {"fair_wind_m_s": 40.0}],
    "weather.fog_visibility_km": [{}, {"fog_visibility_km": 20.0}],
    "weather.fly_visibility_km": [{}, {"fly_visibility_km": 0.1}],
    "weather.fly_wind_m_s": [{}, {"fly_wind_m_s": 20.0}],
    "weather.gale_m_s": [{}, {"gale_m_s": 1.0}],
    "weather.rain_bands": [{}, {"rain_bands": [{"from_mm_h": 1.0, "speed_lost": 0.1}]}],
    "weather.rain_day_mm_most": [{}, {"rain_day_mm_most": 5.0}],
    "weather.storms": [{}, {"storms": {}}],
}
KEYS = [
    f"{g.name}.{key}" for g in GROUPS if g.name in LEVERS for key in known_keys(g.load_schema()) if key not in LABELS
]


def other(value: Any) -> Any:
    """Return another value of a switch or a number."""
    if isinstance(value, bool):
        return not value
    assert isinstance(value, int | float), "say in NEW what to change it to"
    return value + 1 if isinstance(value, int) else value / 2 + 0.25 * (value == 0)


@cache
def composed(group: str) -> dict[str, Any]:
    """Return the settings under which every key of a lever counts."""
    return compose(["siting=one_world", *LEVERS[group][0]]).settings.as_map()


@pytest.fixture(scope="module")
def builder() -> InputsBuilder:
    return InputsBuilder()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_a_lever_changes_what_goes_into_a_run(key: str, builder: InputsBuilder) -> None:
    group, name = key.split(".")
    part, content = LEVERS[group][1], composed(group)
    before, after = NEW[key] if key in NEW else ({}, {name: other(content[group][name])})
    made = []
    for given in (before, after):
        problems, changed = Problems(), copy.deepcopy(content)
        changed[group] |= given
        settings = settings_from(changed, {}, problems)
        assert settings is not None, problems.found
        made.append(digest_of(part(builder, settings)))
    assert made[0] != made[1]
