"""The two cities in numbers, all invented: what is true in them, apart from chance.

`compact` is a dense town of 12 x 12 km with rush hours. `sprawl` is 60 x 40 km of towns on two rivers that four
bridges cross, with long ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .chance import Purpose, generator

Floats = NDArray[np.float64]

ENGINE, LADDER = 0, 1
TYPES = ("engine", "ladder")
RIVERS_X_M = (30_500.0, 46_500.0)
"""Where the rivers of the sprawling city run, through two of its towns, on the average: each swings by 2 km."""
BRIDGES_Y_M = ((17_500.0, 29_000.0), (8_000.0, 27_000.0))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of incident.

    share: of all calls. patterns: probability and the types of unit sent. handling, scene: median s and s.d. of its
    logarithm. evening: how far its hours lean to the evening, log. spread: share of its calls that lie anywhere.
    """

    code: str
    share: float
    patterns: tuple[tuple[float, tuple[int, ...]], ...]
    handling_s: float
    handling_sd: float
    scene_s: float
    scene_sd: float
    evening: float
    spread: float


KINDS = (
    Kind(
        "building_fire", 0.12, ((0.6, (0, 0, 1)), (0.25, (0, 0)), (0.15, (0, 0, 0, 1))), 75, 0.35, 2100, 0.6, 0.2, 0.1
    ),
    Kind("outdoor_fire", 0.13, ((0.8, (0,)), (0.2, (0, 0))), 70, 0.45, 1300, 0.6, 0.4, 0.6),
    Kind("alarm", 0.35, ((0.7, (0,)), (0.3, (0, 1))), 50, 0.30, 540, 0.5, -0.2, 0.05),
    Kind("road_rescue", 0.15, ((0.5, (0, 0)), (0.5, (0,))), 85, 0.40, 1700, 0.5, 0.1, 0.5),
    Kind("assistance", 0.25, ((1.0, (0,)),), 95, 0.50, 1080, 0.7, 0.0, 0.2),
)


class Shape(IntEnum):
    """Which city it is."""

    COMPACT = 0
    SPRAWL = 1


@dataclass(frozen=True, slots=True)
class Options:
    """What may be otherwise; each changes one thing.

    resolution_s: 1 or 60, stamps are cut. has_responses: one row per unit as well. has_stations: the records name them.
    marks: "all"; "arrival": of the first arriving alone; "call_to_arrival": its duration alone, without station.
    noise: "normal" or "heavy" (Student's t of two degrees). wrong_station: share of units sent from anywhere.
    congestion_sd: of the log factor of all ways in an hour, AR(1) from hour to hour. opens_late: `late_station`
    opens in the middle of the log. one_way: a rush hour slows the ways into town in the morning, out of it in the
    evening; else all alike. cancelled, unrecorded: shares of calls called off, of arrivals that nobody wrote down.
    """

    resolution_s: int
    has_responses: bool
    has_stations: bool
    marks: str
    noise: str
    wrong_station: float
    congestion_sd: float
    opens_late: bool
    one_way: bool
    cancelled: float
    unrecorded: float


@dataclass(frozen=True, slots=True)
class World:
    """What is true of a city; make one with `world_of`.

    Arrays by station: xy_m (n, 2), drive_effect and turnout_effect (n,) log factors, engines and ladders (n,). By
    patch (row-major, `patch_m` a side): place_effect (n,) log; preference (n_patches, n_stations) log factor that the
    district map puts on each way; detour (n_patches, n_stations) log factor of the road between. hour_drive (2, 24)
    log factor of ways on workdays and days off, hour_turnout (24,), hour_calls (24,), weekday_calls (7,), month_calls
    (12,) log. noise_sd: s.d. of log travel of short and of long ways. towns (n_towns, 4): x, y, s.d. (m), weight.
    """

    shape: Shape
    name: str
    time_zone: str
    crs: str
    origin: tuple[float, float]
    size_m: tuple[float, float]
    patch_m: float
    speed_ms: float
    pull_ms2: float
    tilt_rad: float
    xy_m: Floats
    engines: NDArray[np.int64]
    ladders: NDArray[np.int64]
    drive_effect: Floats
    turnout_effect: Floats
    place_effect: Floats
    preference: Floats
    detour: Floats
    hour_drive: Floats
    hour_turnout: Floats
    hour_calls: Floats
    weekday_calls: Floats
    month_calls: Floats
    towns: Floats
    kinds: tuple[Kind, ...] = KINDS
    turnout_s: float = 75.0
    turnout_sd: float = 0.30
    noise_sd: tuple[float, float] = (0.30, 0.18)
    common_share: float = 0.2
    passed_over: float = 0.04
    drift_per_year: float = 0.03
    day_cv2: float = 0.05
    ready_s: float = 180.0

    @property
    def n_stations(self) -> int:
        """Number of stations."""
        return len(self.xy_m)

    @property
    def late_station(self) -> int:
        """The station that may open late: the one nearest to the middle of the largest town."""
        middle = self.towns[int(self.towns[:, 3].argmax()), :2]
        return int(np.linalg.norm(self.xy_m - middle, axis=1).argmin())

    @property
    def n_patches(self) -> tuple[int, int]:
        """Patches from west to east and from south to north."""
        return int(self.size_m[0] // self.patch_m), int(self.size_m[1] // self.patch_m)

    def patch_of(self, xy_m: Floats) -> NDArray[np.int64]:
        """Return the patch of each point (n, 2): (n,) int64."""
        n_x, n_y = self.n_patches
        column = np.clip(xy_m[:, 0] // self.patch_m, 0, n_x - 1).astype(np.int64)
        row = np.clip(xy_m[:, 1] // self.patch_m, 0, n_y - 1).astype(np.int64)
        return row * n_x + column

    def patch_middle_m(self) -> Floats:
        """Return the middle of each patch: (n_patches, 2), m."""
        n_x, n_y = self.n_patches
        patch = np.arange(n_x * n_y)
        return (np.column_stack([patch % n_x, patch // n_x]) + 0.5) * self.patch_m

    def noise_sd_of(self, expected_s: Floats) -> Floats:
        """Return the s.d. of log travel of ways that take so long: the larger up to 60 s, the smaller from 360 s on."""
        short, long = self.noise_sd
        return short + (long - short) * np.clip((expected_s - 60.0) / 300.0, 0.0, 1.0)

    def curve_s(self, road_m: Floats) -> Floats:
        """Return seconds of a way: an even pull-away and braking, 2 sqrt(d / c), or cruising where v is reached."""
        speed, pull = self.speed_ms, self.pull_ms2
        return np.where(road_m <= speed**2 / pull, 2.0 * np.sqrt(road_m / pull), speed / pull + road_m / speed)


def world_of(shape: Shape, seed: int) -> World:
    """Return the city of a seed: its stations and effects are drawn, the rest is the same in all."""
    is_compact = shape is Shape.COMPACT
    rng = generator(seed, Purpose.WORLD)
    size_m = (12_000.0, 12_000.0) if is_compact else (60_000.0, 40_000.0)
    patch_m = 1_000.0 if is_compact else 2_000.0
    n_patches = int(size_m[0] // patch_m) * int(size_m[1] // patch_m)
    towns = _towns(shape, rng)
    xy_m = _stations(shape, towns, size_m, rng)
    n = len(xy_m)
    return World(
        shape=shape,
        name=shape.name.lower(),
        time_zone="Asia/Shanghai" if is_compact else "Europe/Berlin",
        crs="wgs84" if is_compact else "epsg:25833",
        origin=(30.0, 112.0) if is_compact else (370_000.0, 5_800_000.0),
        size_m=size_m,
        patch_m=patch_m,
        speed_ms=11.0 if is_compact else 16.0,
        pull_ms2=0.30 if is_compact else 0.25,
        tilt_rad=0.35,
        xy_m=xy_m,
        engines=1 + (rng.random(n) < (0.6 if is_compact else 0.4)).astype(np.int64),
        ladders=(rng.permutation(n) < n * 4 // 10).astype(np.int64),
        drive_effect=_centred(rng.normal(0.0, 0.08, n)),
        turnout_effect=_centred(rng.normal(0.0, 0.10, n)),
        place_effect=_centred(rng.normal(0.0, 0.08, n_patches)),
        preference=rng.normal(0.0, 0.10, (n_patches, n)),
        detour=rng.normal(0.0, 0.04, (n_patches, n)),
        hour_drive=_rush(1.4 if is_compact else 1.2),
        hour_turnout=_centred(0.35 * _night()),
        hour_calls=_centred(0.6 * np.sin(2.0 * np.pi * (np.arange(24) - 9.0) / 24.0)),
        weekday_calls=_centred(np.array([0.03, 0.0, 0.0, 0.02, 0.08, 0.02, -0.12])),
        month_calls=0.12 * np.cos(2.0 * np.pi * (np.arange(12) - 6.0) / 12.0),
        towns=towns,
    )


def _centred(values: Floats) -> Floats:
    return values - values.mean()


def _night() -> Floats:
    """Return 1 from 23 to 6 o'clock, less on either side of it, 0 by day."""
    hour = np.arange(24)
    return np.clip(1.0 - (np.abs((hour - 2.5 + 12.0) % 24.0 - 12.0) - 3.5) / 2.0, 0.0, 1.0)


def _rush(most: float) -> Floats:
    """Return log factors (2, 24): up to `most` at 8 and 18 h on workdays, and -0.08 at night on all days."""
    hour = np.arange(24.0)
    peak = np.exp(-0.5 * ((hour - 8.0) / 1.2) ** 2) + np.exp(-0.5 * ((hour - 18.0) / 1.2) ** 2)
    night = -0.08 * _night()
    return np.stack([np.log(most) * peak + night, night])


def _towns(shape: Shape, rng: np.random.Generator) -> Floats:
    if shape is Shape.COMPACT:
        return np.array(
            [
                [6_000, 6_000, 1_800, 0.5],
                [3_000, 8_500, 1_200, 0.2],
                [9_000, 3_500, 1_400, 0.2],
                [9_500, 9_500, 900, 0.1],
            ]
        )
    x = np.array([8_000, 12_000, 27_000, 31_000, 34_000, 47_000, 52_000, 55_000]) + rng.normal(0, 800, 8)
    y = np.array([12_000, 30_000, 8_000, 22_000, 34_000, 12_000, 25_000, 35_000]) + rng.normal(0, 800, 8)
    return np.column_stack([x, y, [2_500, 1_800, 1_500, 4_000, 1_800, 2_500, 2_000, 1_500], _town_weights()])


def _town_weights() -> Floats:
    weight = np.array([0.14, 0.08, 0.08, 0.34, 0.08, 0.14, 0.08, 0.06])
    return weight / weight.sum()


def _stations(shape: Shape, towns: Floats, size_m: tuple[float, float], rng: np.random.Generator) -> Floats:
    if shape is Shape.COMPACT:
        grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
        return np.clip((grid + 0.5) * 3_000.0 + rng.normal(0.0, 500.0, (16, 2)), 100.0, 11_900.0)
    per_town = np.maximum(1, np.rint(16 * towns[:, 3])).astype(np.int64)
    town = np.repeat(np.arange(len(towns)), per_town)
    chosen = list(towns[town, :2] + rng.normal(0.0, 1.0, (len(town), 2)) * towns[town, 2, None])
    candidates = rng.uniform(0.0, 1.0, (4_000, 2)) * np.array(size_m)
    while len(chosen) < 30:  # the rest where a station is furthest
        apart = np.linalg.norm(candidates[:, None] - np.array(chosen)[None], axis=2).min(axis=1)
        chosen.append(candidates[int(apart.argmax())])
    return np.clip(np.array(chosen), 100.0, np.array(size_m) - 100.0)
