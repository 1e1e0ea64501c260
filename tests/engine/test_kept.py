"""A rule broken on purpose is caught by the random cities, shrunk to a small one and kept; what is kept is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from sim.engine import events
from sim.engine.model import CityModel, Happening
from sim.engine.world import N_WAITING
from tests.engine.conftest import TinyCity
from tests.engine.kept import city_of, hunt, keep, kept_cases, text_of
from tests.engine.random_cities import cities, cities_with_levers


def ties_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of events of one kind at one instant, the one of the highest entity comes first."""

    def plan(self: CityModel, time_ms: int, key: int) -> None:
        packed = key - events.FIRST_KEY
        entity = (packed >> events.ENTITY_SHIFT) & events.ENTITY_MASK
        happening = Happening(self._handlers[packed >> events.KIND_SHIFT], entity, packed & events.MISSION_MASK)
        last_first = key + ((events.ENTITY_MASK - 2 * entity) << events.ENTITY_SHIFT)
        self.env.schedule(happening, last_first, time_ms - self.env.now)

    monkeypatch.setattr(CityModel, "_plan", plan)


def waits_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit that has handed over its patient leaves those who wait to the next event."""
    handed_over = CityModel._handed_over

    def broken(self: CityModel, event: Happening) -> None:
        n_waiting, self.arrays.counts[2] = int(self.arrays.counts[N_WAITING]), 0
        handed_over(self, event)
        self.arrays.counts[N_WAITING] = n_waiting

    monkeypatch.setattr(CityModel, "_handed_over", broken)


def both(city: TinyCity) -> None:
    city.run("both")


@pytest.mark.parametrize(
    ("broken", "strategy"),
    [(ties_reversed, cities), pytest.param(waits_forgotten, cities_with_levers, marks=pytest.mark.slow)],
)
def test_a_rule_broken_in_one_engine_is_found_shrunk_kept_and_played_again(
    tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken, strategy
) -> None:
    with monkeypatch.context() as patched:
        broken(patched)
        found = hunt(strategy(tiny), both, n_cases=300, seed_number=1)
        assert found is not None
        path = keep(found.text, f"{found.error}", tmp_path)
        city = city_of(kept_cases(tmp_path)[path.stem])
        with pytest.raises(type(found.error)) as again:
            both(city)
        assert str(again.value) == str(found.error), "the file alone shows it again"
    assert len(city.incidents) <= 4
    assert len(city.units) <= 2
    both(city)


@settings(max_examples=25)
@given(city=cities_with_levers(TinyCity))
def test_a_kept_case_is_the_whole_city(city: TinyCity) -> None:
    again = city_of("# a remark\n" + text_of(city))
    assert text_of(again) == text_of(city)
    assert again.run("kernel").digest() == city.run("kernel").digest()
