"""The hours of one replication's weather, and what they mean for roads and for flying.

Each day is drawn from its own ranks, keyed by the days since the city's epoch, so a date has the same weather whatever
the window and whatever the scenario. Nothing but products, quotients and square roots is used, which every machine
rounds alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, ranks4
from sim.compiled import compiled
from sim.units import MS_PER_H, q16
from sim.weather.climate import Climate
from sim.weather.settings import StormSettings, WeatherSettings

HOURS = 24
NO_STORM = -1
_WHOLE = 4294967296.0
_N_RANKS = 8
_WET, _DEPTH, _RAIN_LENGTH, _RAIN_START, _FOG, _GALE, _GALE_START, _SPARE = range(_N_RANKS)


@dataclass(frozen=True, slots=True)
class Weather:
    """The weather of every hour of a run: all arrays (n_hours,).

    `rain_mm_h`, `wind_m_s`, `visibility_km`: float64. `is_fog`, `is_daylight`: bool. `storm`: int8, type of surge day
    (position in the demand's settings), `NO_STORM` without. `is_grounded`: bool, too near a storm to fly.
    """

    rain_mm_h: NDArray[np.float64]
    wind_m_s: NDArray[np.float64]
    visibility_km: NDArray[np.float64]
    is_fog: NDArray[np.bool_]
    is_daylight: NDArray[np.bool_]
    storm: NDArray[np.int8]
    is_grounded: NDArray[np.bool_]


def draw_weather(
    climate: Climate,
    settings: WeatherSettings,
    month: NDArray[np.int8],
    first_day: int,
    storms: NDArray[np.void],
    storm_codes: Sequence[str],
    seed: int,
    replication: int,
) -> Weather:
    """Return the weather of one replication.

    Parameters
    ----------
    month
        (n_days,) of each day, 1 to 12; the weather has n_days x 24 hours.
    first_day
        Days from the city's epoch to the first of them.
    storms
        The demand's surge days; where two meet, the later row holds.
    storm_codes
        Code of each type of surge day; one without weather of its own leaves the hours as they are.
    """
    ranks = np.empty((len(month) + 1, _N_RANKS), dtype=np.int64)
    _fill_ranks(seed, replication, int(Stream.WEATHER), first_day - 1, ranks)
    uniform = (ranks.astype(np.float64) + 0.5) / _WHOLE
    at = np.asarray(month, dtype=np.int64) - 1
    hour = np.arange(HOURS)[None, :]
    own = uniform[1:]
    is_fog = (own[:, _FOG] < climate.fog[at])[:, None] & (hour >= settings.fog_from_h) & (hour < settings.fog_to_h)
    start = np.floor(own[:, _GALE_START] * (HOURS + 1 - settings.gale_hours))[:, None]
    is_gale = (own[:, _GALE] < climate.gale[at])[:, None] & (hour >= start) & (hour < start + settings.gale_hours)
    is_daylight = (hour >= climate.light_from_h[at][:, None]) & (hour < climate.light_to_h[at][:, None])
    weather = Weather(
        rain_mm_h=_ordinary_rain(climate, settings, at, uniform).reshape(-1),
        wind_m_s=np.where(is_gale, settings.gale_m_s, settings.fair_wind_m_s).reshape(-1),
        visibility_km=np.where(is_fog, settings.fog_visibility_km, settings.fair_visibility_km).reshape(-1),
        is_fog=is_fog.reshape(-1),
        is_daylight=is_daylight.reshape(-1),
        storm=np.full(len(month) * HOURS, NO_STORM, dtype=np.int8),
        is_grounded=np.zeros(len(month) * HOURS, dtype=np.bool_),
    )
    for row in storms:
        code = storm_codes[int(row["surge_type"])]
        if code in settings.storms:
            _lay_storm(weather, settings.storms[code], row)
    return weather


def _ordinary_rain(
    climate: Climate, settings: WeatherSettings, at: NDArray[np.int64], uniform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return rain outside storms, (n_days, 24) mm/h.

    A day is wet where the sum of its rank and the day's before is low: each day is wet with the climate's probability,
    and wet days keep together (two neighbours' sums correlate by one half). The depth of a wet day is Lomax with shape
    two, mean x ((1 - u)^(-1/2) - 1), whose mean is the climate's, cut at the most an ordinary day has.
    """
    both = uniform[1:, _WET] + uniform[:-1, _WET]  # triangular on 0 to 2: P(sum < x) = x^2 / 2 below 1
    share = climate.rain[at]
    limit = np.where(share <= 0.5, np.sqrt(2.0 * share), 2.0 - np.sqrt(2.0 * (1.0 - share)))
    own = uniform[1:]
    depth = climate.rain_mm[at] * (1.0 / np.sqrt(1.0 - own[:, _DEPTH]) - 1.0)
    depth = np.minimum(depth, settings.rain_day_mm_most)
    length = 1.0 + np.floor(own[:, _RAIN_LENGTH] * settings.rain_hours_most)
    start = np.floor(own[:, _RAIN_START] * (HOURS + 1 - length))
    hour = np.arange(HOURS)[None, :]
    is_raining = (both < limit)[:, None] & (hour >= start[:, None]) & (hour < (start + length)[:, None])
    rain: NDArray[np.float64] = np.where(is_raining, (depth / length)[:, None], 0.0)
    return rain


def _lay_storm(weather: Weather, storm: StormSettings, row: np.void) -> None:
    """Write a storm over the hours it touches, and the hours in which nothing flies before and after it."""
    begin, end = int(row["begin_ms"]), int(row["end_ms"])
    hours = slice(begin // MS_PER_H, -(-end // MS_PER_H))
    weather.rain_mm_h[hours] = np.maximum(weather.rain_mm_h[hours], storm.rain_mm_h)
    weather.wind_m_s[hours] = np.maximum(weather.wind_m_s[hours], storm.wind_m_s)
    weather.visibility_km[hours] = np.minimum(weather.visibility_km[hours], storm.visibility_km)
    weather.storm[hours] = row["surge_type"]
    first = begin - int(storm.grounded_before_h * MS_PER_H)
    last = end + int(storm.grounded_after_h * MS_PER_H)
    if storm.grounded_before_h > 0 or storm.grounded_after_h > 0:
        weather.is_grounded[max(first // MS_PER_H, 0) : -(-last // MS_PER_H)] = True


def road_factor_q16(weather: Weather, settings: WeatherSettings, storm_codes: Sequence[str]) -> NDArray[np.int32]:
    """Return (n_hours,) int32: driving time over that of dry roads, in 1/65536; the worst cause of each hour counts."""
    lost = np.where(weather.is_fog, settings.fog_speed_lost, 0.0)
    for band in settings.rain_bands:
        lost = np.where(weather.rain_mm_h >= band.from_mm_h, np.maximum(lost, band.speed_lost), lost)
    for number, code in enumerate(storm_codes):
        if code in settings.storms:
            in_it = weather.storm == number
            lost = np.where(in_it, np.maximum(lost, settings.storms[code].speed_lost), lost)
    values, place = np.unique(lost, return_inverse=True)
    return np.array([q16(1.0 / (1.0 - value)) for value in values.tolist()], dtype=np.int32)[place]


def flying_hours(weather: Weather, settings: WeatherSettings, *, is_flown_at_night: bool = False) -> NDArray[np.int8]:
    """Return (n_hours,) int8: daylight, sight enough, not too much wind and rain, and no storm that grounds.

    `is_flown_at_night`: darkness does not count.
    """
    is_light = weather.is_daylight | is_flown_at_night
    can_see = is_light & (weather.visibility_km >= settings.fly_visibility_km)
    is_calm = (weather.wind_m_s <= settings.fly_wind_m_s) & (weather.rain_mm_h <= settings.fly_rain_mm_h)
    return (can_see & is_calm & ~weather.is_grounded).astype(np.int8)


@compiled
def _fill_ranks(seed, replication, stream, first_day, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n_days, 8) int64 with the ranks of the days from `first_day` on."""
    for i in range(out.shape[0]):
        day = np.int64(first_day + i)
        for block in range(2):
            r0, r1, r2, r3 = ranks4(seed, replication, stream, day, block)
            out[i, 4 * block], out[i, 4 * block + 1] = np.int64(r0), np.int64(r1)
            out[i, 4 * block + 2], out[i, 4 * block + 3] = np.int64(r2), np.int64(r3)
