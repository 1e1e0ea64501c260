"""Aircraft: their field, their hours, their days off, and settings that contradict themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.errors import InputError
from sim.fleet import ChangeKind
from sim.fleet.aviation import AviationSettings, check, load_air_base
from sim.fleet.bases import with_bases
from sim.fleet.flying import FlyingWindows, days_off, flying_hours, load_flying_windows, load_tasks
from sim.units import MS_PER_DAY
from tests.fleet.conftest import BITS, UNIT_TYPES, TinyWorld

FIELDS = """base,name_zh,name_en,lat,lon,source,standing
inside,内,Inside,0.4,0,test,assumed
outside,外,Outside,0,-9,test,assumed
"""
TYPES = f"""{UNIT_TYPES.splitlines()[0]}
hoist,机,hoist,false,rope,3,4,test,assumed,air,0,20,8,360,3,200,6,t,assumed
cart,车,cart,true,rope,3,4,test,assumed,road,0,,,,3,,,t,assumed
"""
OWN = AviationSettings("own", "", "", "own", "inside", {"hoist": 2}, "2022-03-01", "2023-01-01", 5.0, 2.5)
WINDOWS = FlyingWindows(np.full(12, 7), np.full(12, 17), np.zeros(12))


def city() -> SimpleNamespace:
    """Cells 1 km apart on a line east from the origin; a degree is a kilometre."""
    plane = SimpleNamespace(xy_m=lambda lat, lon: (round(1000 * lon), round(1000 * lat)))
    return SimpleNamespace(
        plane=plane, cells=SimpleNamespace(x_m=np.arange(40) * 1000, y_m=np.zeros(40, int)), cell_m=1000
    )


def load(world: TinyWorld, settings: AviationSettings, **texts: str) -> Any:
    for name, text in ({"air_bases": FIELDS, "aircraft_types": TYPES} | texts).items():
        (world.folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return load_air_base(world.folder, city(), world.fleet().unit_types, BITS | {"rope": 4}, settings)


def test_aircraft_launch_after_clearance_and_each_has_a_crew(tiny: TinyWorld) -> None:
    own = tiny.fleet()
    types, bases = load(tiny, OWN)
    fleet = with_bases(own, types, bases)
    assert (bases[0].cell, bases[0].people) == (0, ((date(2022, 3, 1), 8),))
    traits = fleet.units.traits[own.units.n_units :]
    # launch 5 min and clearance 2.5 min; refuelling 20 min
    assert traits["callout_ms"].tolist() == [450_000, 450_000]
    assert traits["ready_ms"].tolist() == [1_200_000, 1_200_000]


def test_a_field_outside_the_city_costs_the_way_to_its_nearest_cell_both_ways(tiny: TinyWorld) -> None:
    _, inside = load(tiny, OWN)
    _, outside = load(tiny, replace(OWN, base="outside"))
    # 9 km at 360 km/h, which is 100 m/s: 90 s
    assert outside[0].units[0].callout_ms - inside[0].units[0].callout_ms == 90_000
    assert (inside[0].units[0].ready_ms, outside[0].units[0].ready_ms) == (0, 90_000)


def test_unknown_fields_and_types_and_types_that_do_not_fly_are_told_together(tiny: TinyWorld) -> None:
    with pytest.raises(InputError) as caught:
        load(tiny, replace(OWN, base="within", aircraft={"hoist": 1, "cart": 1, "hoists": 1}))
    assert [(p.value, p.rule.split(")")[0]) for p in caught.value.problems] == [
        ("within", "(aviation.base"), ("cart", "(mode"), ("hoists", "(aviation.aircraft"),
    ]  # fmt: skip


def test_a_city_without_aircraft_needs_no_tables(tiny: TinyWorld) -> None:
    types = tiny.fleet().unit_types
    none = AviationSettings("none", "", "")
    assert load_air_base(tiny.folder, city(), types, BITS, none) == (types, ())


def test_a_base_without_a_mode_and_every_other_contradiction_are_told_together() -> None:
    def told(**values: object) -> list[str]:
        try:
            check(values, "here")
        except InputError as error:
            return [p.rule.split(")")[0].removeprefix("(aviation.") for p in error.problems]
        return []

    own = {"mode": "own", "base": "a", "aircraft": {"b": 1}, "crewed": "2023-01-01", "complete": "2023-01-01"}
    assert told() == told(**own) == []
    assert told(base="a") == ["base"]
    assert told(mode="own", base="a") == ["aircraft", "crewed", "complete"]
    bad = {"crewed": "2025-12-31", "complete": "2023-12-31", "duty_from_h": 18, "duty_to_h": 8, "partner_share": 0.5}
    assert told(**(own | bad)) == ["complete", "duty_to_h", "partner_share"]
    assert told(**(own | {"crewed": "2025-02-30"})) == ["crewed"]


def hours(settings: AviationSettings, windows: FlyingWindows = WINDOWS, seed: int = 1, **weather: Any) -> np.ndarray:
    given = weather.get("weather")
    return flying_hours(windows, settings, date(2022, 1, 1), 24 * 60, (seed, 0), given).reshape(60, 24)


def test_aircraft_fly_in_daylight_while_a_crew_is_on_duty() -> None:
    by_day = replace(OWN, duty_from_h=9, duty_to_h=20)
    assert np.flatnonzero(hours(OWN)[0]).tolist() == list(range(7, 17))
    assert np.flatnonzero(hours(by_day)[0]).tolist() == list(range(9, 17))
    assert np.flatnonzero(hours(replace(by_day, is_flown_at_night=True))[0]).tolist() == list(range(9, 20))


def test_daylight_is_that_of_the_month() -> None:
    february = replace(WINDOWS, from_h=np.where(np.arange(12) == 1, 8, 7))
    lit = hours(OWN, february)[:, 7]
    assert lit[:31].all()
    assert not lit[31:59].any()  # February 2022
    assert lit[59]


def test_bad_weather_takes_half_days_and_more_of_them_only_add() -> None:
    some, more = (hours(OWN, replace(WINDOWS, no_fly_share=np.full(12, share))) for share in (0.3, 0.6))
    morning, afternoon = some[:, 7:12], some[:, 12:17]
    assert set(morning.sum(axis=1)) == {0, 5}
    assert set(afternoon.sum(axis=1)) == {0, 5}
    assert not np.any(more & ~some)
    lost = 1 - np.mean([morning[:, 0], afternoon[:, 0]])
    assert 0.15 < lost < 0.45  # 120 half days at 0.3: six standard errors are 0.25
    assert not np.array_equal(some, hours(OWN, replace(WINDOWS, no_fly_share=np.full(12, 0.3)), seed=2))


def test_where_the_weather_is_known_it_takes_the_place_of_the_draw() -> None:
    given = np.ones(24 * 60, np.int8)
    given[:36] = 0
    flown = hours(OWN, replace(WINDOWS, no_fly_share=np.ones(12)), weather=given)
    assert np.flatnonzero(flown.reshape(-1)[:48]).tolist() == list(range(36, 41))  # noon to five of the second day
    assert not hours(OWN, weather=np.zeros(24 * 60, np.int8)).any()  # known to be bad throughout


def calendar(n_days: int = 400) -> SimpleNamespace:
    return SimpleNamespace(start=date(2022, 1, 1), n_days=n_days)


def off(settings: AviationSettings, aircraft: tuple[int, ...] = (7,), n_days: int = 400) -> np.ndarray:
    """Return (n_aircraft, n_days) whether each is out, by replaying the rows."""
    rows = sorted(days_off(settings, aircraft, calendar(n_days), (1, 0)))
    out = np.zeros((len(aircraft), n_days), dtype=bool)
    for time_ms, kind, unit, _ in rows:
        assert time_ms % MS_PER_DAY == 0
        assert kind in (ChangeKind.UNIT_FAILS, ChangeKind.UNIT_MENDED)
        out[aircraft.index(unit), time_ms // MS_PER_DAY :] = kind == ChangeKind.UNIT_FAILS
    return out


def test_training_days_end_on_the_day_the_force_is_complete() -> None:
    training = off(replace(OWN, training_days_per_month=30.0))[0]
    assert training[:365].sum() > 350  # 30 of 30.44 days a month
    assert not training[365:].any()


def test_serviced_days_are_each_aircraft_s_own_and_a_partner_adds_more() -> None:
    serviced = off(replace(OWN, servicing_days_per_month=6.0), (7, 9))
    assert not np.array_equal(serviced[0], serviced[1])
    assert np.all((serviced.sum(axis=1) > 40) & (serviced.sum(axis=1) < 120))  # mean 79, six deviations are 48
    shared = off(replace(OWN, mode="shared", servicing_days_per_month=6.0, partner_share=0.5))[0]
    assert np.all(shared[serviced[0]])
    assert shared.sum() > serviced[0].sum()
    assert not off(OWN).any()


def test_tasks_are_masks_of_the_kinds_and_names_are_checked(tmp_path: Path) -> None:
    head = "kind,capability,source,standing\n"
    (tmp_path / "air_tasks.csv").write_text(head + "hill,rope,t,assumed\nhill,boat,t,assumed\n", encoding="utf-8")
    assert load_tasks(tmp_path / "air_tasks.csv", ("home", "hill"), {"rope": 4, "boat": 5}) == (0, 48)
    with pytest.raises(InputError) as caught:
        load_tasks(tmp_path / "air_tasks.csv", ("home", "hills"), {"rope": 4, "boats": 5})
    assert [(p.row, p.value, p.mend) for p in caught.value.problems] == [
        (2, "hill", "did you mean 'hills'?"),
        (3, "boat", "did you mean 'boats'?"),
    ]


def test_windows_need_every_month_and_days_that_end_after_they_begin(tmp_path: Path) -> None:
    head = "month,from_h,to_h,source,standing,no_fly_share,weather_source,weather_standing\n"
    rows = [f"{month},7,{17 if month != 3 else 7},t,assumed,0.1,t,assumed\n" for month in range(1, 12)]
    (tmp_path / "flying_windows.csv").write_text(head + "".join(rows), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_flying_windows(tmp_path)
    assert [(p.row, p.value) for p in caught.value.problems] == [(None, [12]), (4, 7)]
