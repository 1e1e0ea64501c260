"""Weather by the hour: keyed by date, true to its climate, tied to the storms that bring alarms."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.config import configs_root
from sim.demand.types import SURGE_DTYPE
from sim.errors import InputError
from sim.units import MS_PER_H
from sim.weather.climate import Climate, load_climate
from sim.weather.settings import RainBand, StormSettings, WeatherSettings
from sim.weather.timeline import Weather, draw_weather, flying_hours, road_factor_q16

SEED = 7
WEEK = ("window=one_week", "schedule.is_outside_run_allowed=true")
STORM = StormSettings(20.0, 30.0, 1.0, 0.5, grounded_before_h=2, grounded_after_h=1)


@pytest.fixture(scope="module")
def builder() -> InputsBuilder:
    return InputsBuilder()


@pytest.fixture(scope="module")
def climate() -> Climate:
    return load_climate(configs_root() / "city" / "dongguan")


@pytest.fixture(scope="module")
def timeline() -> WeatherSettings:
    return compose(["weather=timeline"]).settings.weather


def _storms(*windows: tuple[int, float, float]) -> np.ndarray:
    rows = np.zeros(len(windows), dtype=SURGE_DTYPE)
    for row, (kind, begin_h, end_h) in zip(rows, windows, strict=True):
        row["surge_type"], row["begin_ms"], row["end_ms"] = kind, begin_h * MS_PER_H, end_h * MS_PER_H
    return rows


def _dry_july(n_days: int = 3, **changes: object) -> tuple[Climate, WeatherSettings, np.ndarray]:
    zeros, whole = np.zeros(12), np.ones(12, dtype=np.int64)
    climate = Climate(zeros, zeros, zeros, zeros, 6 * whole, 19 * whole)
    settings = WeatherSettings("tiny", "小", "tiny", "timeline", fly_visibility_km=2, fly_wind_m_s=15, fly_rain_mm_h=4)
    return climate, dataclasses.replace(settings, **changes), np.full(n_days, 7, dtype=np.int8)


def _drawn(
    climate: Climate, settings: WeatherSettings, month: np.ndarray, storms: np.ndarray, first: int = 0
) -> Weather:
    return draw_weather(climate, settings, month, first, storms, ("typhoon", "rainstorm"), SEED, 0)


def test_a_city_without_rain_has_dry_roads_and_flies_through_its_daylight():
    climate, settings, month = _dry_july()
    weather = _drawn(climate, settings, month, _storms())
    assert set(road_factor_q16(weather, settings, ()).tolist()) == {65_536}
    assert flying_hours(weather, settings).reshape(3, 24).tolist() == [[0] * 6 + [1] * 13 + [0] * 5] * 3
    assert flying_hours(weather, settings, is_flown_at_night=True).all()


def test_a_typhoon_slows_every_hour_it_touches_and_grounds_two_hours_before_to_one_after():
    climate, settings, month = _dry_july(storms={"typhoon": STORM})
    weather = _drawn(climate, settings, month, _storms((0, 24 + 9.5, 24 + 13)))
    road = road_factor_q16(weather, settings, ("typhoon", "rainstorm"))
    assert np.flatnonzero(road > 65_536).tolist() == [33, 34, 35, 36]
    assert set(road[33:37].tolist()) == {131_072}  # half the speed is lost: twice the time
    flying = np.flatnonzero(flying_hours(weather, settings)[24:48]).tolist()
    assert flying == [6, *range(14, 19)]  # grounded from 7:30 to 14:00


def test_a_storm_that_the_settings_do_not_describe_leaves_the_hours_as_they_are():
    climate, settings, month = _dry_july(storms={"typhoon": STORM})
    with_it, without = (_drawn(climate, settings, month, storms) for storms in (_storms((1, 9, 12)), _storms()))
    for name in Weather.__dataclass_fields__:
        assert np.array_equal(getattr(with_it, name), getattr(without, name))


def test_of_two_bands_of_rain_the_heavier_counts():
    climate, settings, month = _dry_july(
        1,
        storms={"typhoon": dataclasses.replace(STORM, speed_lost=0.0)},
        rain_bands=[RainBand(1, 0.1), RainBand(20, 0.2)],
    )
    road = road_factor_q16(_drawn(climate, settings, month, _storms((0, 3, 4))), settings, ("typhoon",))
    assert np.flatnonzero(road > 65_536).tolist() == [3]
    assert road[3] == 81_920


def test_a_date_has_the_same_weather_whatever_day_the_run_begins_on(climate, timeline):
    month = np.full(60, 6, dtype=np.int8)
    whole, later = (
        _drawn(climate, timeline, month, _storms(), 1_000),
        _drawn(climate, timeline, month[:40], _storms(), 1_020),
    )
    assert np.array_equal(whole.rain_mm_h[20 * 24 :], later.rain_mm_h)
    assert np.array_equal(whole.is_fog[20 * 24 :], later.is_fog)
    assert np.array_equal(whole.wind_m_s[20 * 24 :], later.wind_m_s)


def test_as_many_days_are_wet_as_the_climate_says_and_they_keep_together(climate, timeline):
    """14 of 30 days: standard error of the share over 20,000 days, correlated over two days, below 0.0045."""
    rain = _drawn(climate, timeline, np.full(20_000, 4, dtype=np.int8), _storms()).rain_mm_h.reshape(-1, 24)
    is_wet = rain.any(axis=1)
    assert is_wet.mean() == pytest.approx(14 / 30, abs=0.018)
    assert is_wet[1:][is_wet[:-1]].mean() > is_wet.mean() + 0.1
    assert (rain > 0).sum(axis=1)[is_wet].mean() == pytest.approx(5.0, abs=0.1)  # 1 to 9 hours
    assert rain.sum(axis=1).max() <= 50.0 + 1e-9


def test_the_rain_of_wet_days_has_the_mean_that_the_cut_leaves_of_the_climates(climate, timeline):
    """A Lomax depth with shape two and mean s, cut at c, has the mean s c / (s + c); 5 standard errors of 12 mm."""
    rain = _drawn(climate, timeline, np.full(20_000, 6, dtype=np.int8), _storms()).rain_mm_h.reshape(-1, 24)
    depth = rain.sum(axis=1)[rain.any(axis=1)]
    mean = 376 / 19
    assert depth.mean() == pytest.approx(mean * 50 / (mean + 50), abs=5 * 17 / np.sqrt(len(depth)))


def test_daylight_lies_within_sunrise_and_sunset_of_every_day_of_the_month(climate):
    """NOAA's solar equations at 22.95 N, 113.85 E, UTC+8; flying windows without a weather are the same hours."""
    g = 2 * np.pi / 365 * np.arange(365)
    equation = 229.18 * (
        0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g) - 0.040849 * np.sin(2 * g)
    )
    declination = (
        0.006918 - 0.399912 * np.cos(g) + 0.070257 * np.sin(g) - 0.006758 * np.cos(2 * g) + 0.000907 * np.sin(2 * g)
        - 0.002697 * np.cos(3 * g) + 0.00148 * np.sin(3 * g)
    )  # fmt: skip
    place = np.radians(22.95)
    cosine = np.cos(np.radians(90.833)) / (np.cos(place) * np.cos(declination))
    half_h = np.degrees(np.arccos(cosine - np.tan(place) * np.tan(declination))) / 15
    noon_h = (720 - 4 * 113.85 - equation) / 60 + 8
    month = (np.datetime64("2026-01-01") + np.arange(365)).astype("datetime64[M]").astype(int) % 12
    windows = pd.read_csv(configs_root() / "city" / "dongguan" / "flying_windows.csv")
    for m in range(12):
        light = (np.ceil((noon_h - half_h)[month == m].max()), np.floor((noon_h + half_h)[month == m].min()))
        assert (climate.light_from_h[m], climate.light_to_h[m]) == light
        assert tuple(windows.loc[windows["month"] == m + 1, ["from_h", "to_h"]].iloc[0]) == light


def test_weather_changes_the_sky_and_no_other_part_of_the_inputs(builder):
    off, on = (
        builder.build(compose([*WEEK, f"weather={name}"]).settings, 4).digests() for name in ("none", "timeline")
    )
    assert {part for part in on if on[part] != off[part]} == {"sky"}


def test_the_same_sky_stands_over_every_scenario(builder):
    skies = {
        builder.build(compose([*WEEK, "weather=timeline", *scenario]).settings, 4).digests()["sky"]
        for scenario in (["schedule=none"], ["schedule=plan"], ["travel=norm"], ["dispatch=own_town_first"])
    }
    assert len(skies) == 1


def test_no_hour_of_a_typhoon_is_flyable_and_every_one_is_slow(builder):
    settings = compose(["weather=timeline", "window=plan_period"]).settings
    inputs = builder.build(settings, 0)
    days = inputs.demand.surge_days
    typhoons = days[days["surge_type"] == list(settings.demand.surges).index("typhoon")]
    assert len(typhoons) > 2
    for row in typhoons:
        hours = slice(int(row["begin_ms"]) // MS_PER_H, -(-int(row["end_ms"]) // MS_PER_H))
        assert not inputs.sky.is_flyable[hours].any()
        assert set(inputs.sky.road_q16[hours].tolist()) == {100_825}  # 65536 / 0.65


def test_a_city_without_a_climate_says_what_to_write(tmp_path: Path):
    with pytest.raises(InputError, match=r"climate\.csv.*weather=none"):
        load_climate(tmp_path)


def test_every_fault_of_a_climate_is_told_together(tmp_path: Path, climate):
    text = (configs_root() / "city" / "dongguan" / "climate.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    february = lines[2].split(",")
    february[1:3] = "29.5", "51"
    july = lines[7].replace(",6,19,", ",19,6,")
    (tmp_path / "climate.csv").write_text(
        "\n".join([*lines[:2], ",".join(february), *lines[3:7], july, *lines[8:]]) + "\n"
    )
    with pytest.raises(InputError) as caught:
        load_climate(tmp_path)
    assert [(p.row, str(p.value)) for p in caught.value.problems] == [(3, "29.5"), (8, "6")]


def test_a_storm_that_is_no_surge_day_is_refused_with_the_nearest_type(builder):
    settings = compose([*WEEK, "weather=timeline"]).settings
    storms = {"typhon": settings.weather.storms["typhoon"]}
    other = dataclasses.replace(settings, weather=dataclasses.replace(settings.weather, storms=storms))
    with pytest.raises(InputError, match=r"storms\.typhon.*typhoon"):
        builder.build(other, 0)


def test_fog_that_ends_before_it_begins_and_bands_out_of_order_are_refused():
    with pytest.raises(InputError) as caught:
        compose(["weather=timeline", "weather.fog_from_h=12", "weather.rain_bands.0.from_mm_h=9"])
    assert [problem.value for problem in caught.value.problems] == [9, [9.0, 6.4]]
