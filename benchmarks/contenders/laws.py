"""What the chance of a city is, as one would write it down for a model of one's own: rates, shares and medians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.assemble import InputsBuilder
from sim.demand.intensity import Intensity
from sim.demand.kinds import RANK_WHOLE
from sim.demand.settings import DemandSettings
from sim.settings import Settings
from sim.units import MS_PER_MIN, MS_PER_S


@dataclass(frozen=True, slots=True)
class Surge:
    """A type of surge day: the chance that a day is one, `probability` (n_days,); its length, reach and spread of size;
    the alarms of each kind on a mean day of it, (n_kinds,).
    """

    probability: NDArray[np.float64]
    hours: float
    range_m: float
    size_cv: float
    alarms: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Laws:
    """All laws of the chance of a run, nothing drawn.

    `priority`: by kind, 1 is served first. `per_h`: (n_hours, n_kinds), ordinary alarms per hour in the mean. `day_cv`:
    spread of the city's factor of the day. `town_p`: by kind, (n_towns,). `cells`: by town. `cell_p`: by kind and town,
    of its cells. `grade_p`: by kind, from grade 1. `seat_m`, `cell_m`: (n, 2), x and y of the towns' seats and of the
    cells. `growth`: (n_days,), which surges follow too. Medians: ms, by kind (`scene_ms`: and grade), turnout by day
    and by night; `sigma`: spread of the logarithm of what is log-normal, by name. `handling_ms`: before the visual
    command centre.
    """

    priority: list[int]
    per_h: NDArray[np.float64]
    day_cv: float
    town_p: list[NDArray[np.float64]]
    cells: list[NDArray[np.int64]]
    cell_p: list[list[NDArray[np.float64]]]
    grade_p: list[NDArray[np.float64]]
    surges: list[Surge]
    seat_m: NDArray[np.int64]
    cell_m: NDArray[np.int64]
    growth: NDArray[np.float64]
    handling_ms: float
    turnout_ms: tuple[float, float]
    access_ms: list[float]
    scene_ms: list[list[float]]
    sigma: dict[str, float]

    @property
    def n_days(self) -> int:
        """Days of the run."""
        return len(self.per_h) // 24


def laws_of(settings: Settings, builder: InputsBuilder) -> Laws:
    """Return the laws of the runs of some settings.

    Raises
    ------
    ValueError
        If there is chance in them that is not written down here.
    """
    demand, times = settings.demand, settings.times
    if demand.town_day_cv or demand.town_factor or demand.kind_factor:
        raise ValueError("the contender does not know factors of single towns and kinds")
    if not demand.is_report_exact or times.scene_distribution != "lognormal":
        raise ValueError("the contender does not know mistaken reports and times on scene that are not log-normal")
    intensity = builder.intensity(settings)
    kinds = builder.demand_tables(settings).kinds
    codes = kinds.code
    sigmas = ("handling", "turnout", "travel_common", "travel_own", "access", "scene")
    return Laws(
        priority=np.asarray(kinds.priority).tolist(),
        per_h=_per_h(intensity),
        day_cv=demand.city_day_cv,
        town_p=[rate / max(rate.sum(), 1e-300) for rate in intensity.rate.T],
        cells=_by_town(intensity, intensity.places.cell.astype(np.int64)),
        cell_p=[_cell_p(intensity, kind) for kind in range(len(codes))],
        grade_p=[_grade_p(intensity, kind) for kind in range(len(codes))],
        surges=_surges(demand, intensity),
        seat_m=np.stack([intensity.seat_x_m, intensity.seat_y_m], axis=1),
        cell_m=np.stack([intensity.cell_x_m, intensity.cell_y_m], axis=1),
        growth=intensity.growth,
        handling_ms=times.handling_before_s * MS_PER_S,
        turnout_ms=(times.turnout_day_s * MS_PER_S, times.turnout_night_s * MS_PER_S),
        access_ms=[times.access_min[code] * times.access_factor * MS_PER_MIN for code in codes],
        scene_ms=[[x * times.scene_factor * MS_PER_MIN for x in times.scene_min[code]] for code in codes],
        sigma={name: getattr(times, f"{name}_sigma") for name in sigmas},
    )


def _per_h(intensity: Intensity) -> NDArray[np.float64]:
    by_day = intensity.rate.sum(axis=0)[:, None] * intensity.day  # (n_kinds, n_days)
    by_hour = by_day[:, :, None] * intensity.hour[:, None, :] / 24.0
    per_h: NDArray[np.float64] = by_hour.reshape(len(by_hour), -1).T
    return per_h


def _by_town(intensity: Intensity, values: NDArray[Any]) -> list[NDArray[Any]]:
    return np.split(values, intensity.places.cell_start[1:-1])


def _cell_p(intensity: Intensity, kind: int) -> list[NDArray[np.float64]]:
    places = intensity.places
    parts = [np.diff(of_town, prepend=0) for of_town in _by_town(intensity, places.threshold[places.pattern[kind]])]
    return [part / max(part.sum(), 1) for part in parts]


def _grade_p(intensity: Intensity, kind: int) -> NDArray[np.float64]:
    inner = intensity.reporting.grade[kind, : int(intensity.max_grade[kind]) - 1]
    return np.diff(np.concatenate([[0], inner, [RANK_WHOLE]])) / RANK_WHOLE


def _surges(demand: DemandSettings, intensity: Intensity) -> list[Surge]:
    types = intensity.surges
    return [
        Surge(
            types.probability[j], given.hours, given.range_km * 1_000.0, given.size_cv, types.kind_rate[j].astype(float)
        )
        for j, given in enumerate(demand.surges[code] for code in types.code)
    ]
