"""`write_city`: all files of a city folder from a fitted model, in an order that says what each is made of."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from calibration.backtest.run import Prepared
from calibration.city.areas import areas_of, write_areas
from calibration.city.demand import Calls, calls_of, write_kinds, write_profiles
from calibration.city.lost import not_carried
from calibration.city.places import (
    TRAVEL_FILE,
    driving_s,
    places_of,
    type_codes,
    write_cells,
    write_driving,
    write_stations,
    write_units,
)
from calibration.city.sending import grades_of, write_sending
from calibration.city.source import ASSUMED, FITTED, Source
from calibration.city.times import Times, times_of
from calibration.model.fitted import Fitted
from calibration.model.generate import Generator
from calibration.page.context import day_of
from sim.city.schemas import CitySettings
from sim.city.settings import read_settings
from sim.errors import Problems

_COUNTRY = "CN"
"""Assumed where no city.yaml says whose holidays are kept; rates and profiles know no holiday."""


def write_city(folder: Path, fitted: Fitted, generator: Generator, prepared: Prepared) -> tuple[str, ...]:
    """Fill an empty folder with a city as fitted; return in words what of the fit it does not hold.

    Raises
    ------
    InputError
        If the city's own `city.yaml` is wrong.
    """
    source = Source(prepared.records.digest, day_of(fitted.first_day), day_of(fitted.last_day))
    every = prepared.samples.calls
    used = (every.day >= fitted.first_day) & (every.day <= fitted.last_day) & every.is_response
    times = times_of(fitted, every.rows(np.flatnonzero(used)))
    calls, places = calls_of(fitted, generator), places_of(fitted, generator)
    grades, types = grades_of(fitted, calls), type_codes(fitted)
    areas = areas_of(fitted.ground, fitted.zones.x_m[places.zone], fitted.zones.y_m[places.zone])
    lost = not_carried(fitted, generator, prepared, grades, calls, has_areas=areas is not None)
    _write_settings(folder, fitted, prepared, calls)
    write_stations(folder, fitted, source)
    write_units(folder, fitted, source)
    if areas is not None:
        write_areas(folder, areas, fitted.ground.folder, source)
    write_cells(folder, fitted, places, areas, source)
    write_kinds(folder, calls, np.array([len(own.share) for own in grades]), source)
    write_profiles(folder, calls, source)
    write_sending(folder, calls, grades, types, source)
    write_driving(folder, fitted, driving_s(fitted, places, times))
    common = types[int(np.bincount(fitted.fleet.type).argmax())]
    choices = _choices(fitted, calls, [len(own.share) for own in grades], times, common, source)
    _write_yaml(folder / "choices.yaml", choices, f"What holds in this city, fitted to {source}.")
    (folder / "README.txt").write_text(_readme(source, lost), encoding="utf-8", newline="\n")
    return lost


def _write_yaml(path: Path, content: dict[str, Any], first_line: str) -> None:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    path.write_text(f"# {first_line}\n{text}", encoding="utf-8", newline="\n")


def _write_settings(folder: Path, fitted: Fitted, prepared: Prepared, calls: Calls) -> None:
    """Write `city.yaml`: names and holidays of the given folder, its plane, and the records' time zone."""
    ground, problems = fitted.ground, Problems()
    has_own = (ground.folder / "city.yaml").is_file()
    given: CitySettings | None = read_settings(ground.folder, problems) if has_own else None
    problems.raise_if_any()
    name = ground.folder.resolve().name
    known = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_") or "city"
    epoch = min(date(calls.year - 1, 1, 1), day_of(fitted.first_day))
    if given is not None:
        epoch = min(epoch, date.fromisoformat(given.epoch))
    plane = ground.plane
    content: dict[str, Any] = {
        "id": given.id if given else known,
        "name_zh": (given.name_zh if given else "") or name,
        "name_en": (given.name_en if given else "") or name,
        "plane": {
            "lat0": plane.lat0, "lon0": plane.lon0, "m_per_deg_lat": plane.m_per_deg_lat,
            "m_per_deg_lon": plane.m_per_deg_lon,
        },
        "crs": "plane",
        "epoch": epoch.isoformat(),
        "utc_offset_h": float(prepared.records.incidents["offset_s"].median()) / 3600.0,
        "holidays_country": (given.holidays_country if given else "") or _COUNTRY,
        "population_year": calls.year,
    }  # fmt: skip
    side_m = fitted.zones.side_m or (given.cell_m if given else 0)
    if side_m:
        content["cell_m"] = side_m
    _write_yaml(
        folder / "city.yaml", content, "Names, holidays and plane as given; all coordinates are metres of the plane."
    )


def _choices(
    fitted: Fitted, calls: Calls, n_grades: list[int], times: Times, common: str, source: Source
) -> dict[str, Any]:
    """Return `choices.yaml` with source and standing of each value."""
    scene = {
        code: [_round(times.scene_min[kind])] * n
        for code, kind, n in zip(calls.code, calls.kind, n_grades, strict=True)
    }
    known = _About(source)
    has = {"handling": fitted.handling, "turnout": fitted.turnout, "scene": fitted.scene}
    of = {name: FITTED if fit is not None else ASSUMED for name, fit in has.items()}
    home = FITTED if fitted.returning.n_ways else ASSUMED
    hours = times.hours
    return {
        "schedule": {
            "choice": "none", "command_centre_from": "",
            "about": known(command_centre_from=(ASSUMED, "calls are handled alike at all times")),
        },
        "siting": "stated",
        "staffing": "stated",
        "dispatch": {
            "choice": "nearest", "is_escalation_on": False, "is_scene_delay_on": False,
            "is_sent_on": fitted.returning.is_sent_on, "cover_capability": common,
            "about": known(
                is_escalation_on=(ASSUMED, "what was sent is taken as what was needed"),
                is_scene_delay_on=(ASSUMED, "times on scene are as recorded"),
                is_sent_on=(
                    FITTED if fitted.returning.n_expected > 0.0 else ASSUMED,
                    "whether units were dispatched on their way home",
                ),
                cover_capability=(ASSUMED, "the commonest type of unit; used where cover is weighed or told"),
            ),
        },
        "travel": {
            "choice": "matrix", "name": "fitted", "label_zh": "按记录拟合", "label_en": "Fitted to records",
            "matrix": TRAVEL_FILE, "matrix_unit": "s", "matrix_from": "stations",
            "night_hours": list(hours.night), "workday_peak_hours": list(hours.workday_peak),
            "weekend_peak_hours": list(hours.weekend_peak),
            "about": known(
                matrix=(FITTED, "driving from each station to each cell, with the noise's median in it"),
                night_hours=(FITTED, "hours driven fastest"), workday_peak_hours=(FITTED, "hours driven slowest"),
                weekend_peak_hours=(FITTED, "hours driven slowest"),
            ),
        },
        "window": {
            "choice": "one_week", "measure_from": f"{calls.year}-01-01", "measure_to": f"{calls.year + 1}-01-01",
            "about": known(
                measure_from=(ASSUMED, "the year that the number of calls is of"),
                measure_to=(ASSUMED, "the year that the number of calls is of"),
            ),
        },
        "demand": {
            "reference_year": calls.year, "alarms_per_year": _round(calls.per_year),
            "growth_per_year": _round(calls.growth), "city_day_cv": _round(calls.day_cv), "town_day_cv": 0.0,
            "is_surge_on": False, "is_report_exact": True, "surges": {}, "kind_factor": {},
            "extra_alarms_per_year": {},
            "about": known(
                reference_year=(FITTED, "the year in which the middle of the last year of records lies"),
                alarms_per_year=(FITTED, "calls with a place to which somebody was driven"),
                growth_per_year=(FITTED, "drift of the rate of calls, nought where the log is too short to tell"),
                city_day_cv=(FITTED, "spread of days beyond chance"),
                town_day_cv=(ASSUMED, "none: areas are not told apart in the fit"),
                is_report_exact=(ASSUMED, "what was sent is all that is known of what callers told"),
            ),
        },
        "times": {
            "handling_before_s": _round(times.handling.median_s), "handling_after_s": _round(times.handling.median_s),
            "handling_sigma": _round(times.handling.sigma), "turnout_day_s": _round(times.turnout_day.median_s),
            "turnout_night_s": _round(times.turnout_night.median_s), "turnout_sigma": _round(times.turnout_sigma),
            "night_from_h": times.night[0], "night_to_h": times.night[1],
            "travel_common_sigma": _round(times.common_sigma), "travel_own_sigma": _round(times.own_sigma),
            "access_sigma": 0.0, "scene_sigma": _round(times.scene_sigma),
            "scene_delay_per_min": {}, "make_ready_min": _round(times.ready_min),
            "home_speed_factor": _round(times.home_speed), "access_min": dict.fromkeys(calls.code, 0.0),
            "scene_min": scene, "latent_min": {},
            "about": known(
                handling_before_s=(of["handling"], "median from the call to the first dispatch; nought if not told"),
                handling_after_s=(of["handling"], "as handling_before_s"),
                handling_sigma=(of["handling"], "10th to 90th percentile, all kinds and hours together"),
                turnout_day_s=(of["turnout"], "median of all stations by day; nought where it is part of travel"),
                turnout_night_s=(of["turnout"], "median of all stations by night"),
                turnout_sigma=(of["turnout"], "10th to 90th percentile, all stations together"),
                night_from_h=(of["turnout"], "the stretch of hours whose turnout differs most from the rest"),
                night_to_h=(of["turnout"], "the stretch of hours whose turnout differs most from the rest"),
                travel_common_sigma=(FITTED, "what units of one call share of the noise of travel"),
                travel_own_sigma=(FITTED, "the rest of it: 10th to 90th percentile, all lengths together"),
                access_sigma=(ASSUMED, "access is part of the time on scene"),
                access_min=(ASSUMED, "the least allowed: access is part of the time on scene"),
                scene_sigma=(of["scene"], "10th to 90th percentile of a kind"),
                scene_min=(of["scene"], "median from arrival to clear by kind, all grades alike; 30 min if not told"),
                scene_delay_per_min=(ASSUMED, "none: times on scene are as recorded"),
                latent_min=(ASSUMED, "nothing grows: what was sent is taken as what was needed"),
                make_ready_min=(home, "what ways home have on top of driving"),
                home_speed_factor=(home, "driving expected over the recorded ways home"),
            ),
        },
    }  # fmt: skip


def _round(value: float) -> float:
    return round(float(value), 5)


class _About:
    """Makes `about` maps: key -> standing and source that name the records."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __call__(self, **known: tuple[str, str]) -> dict[str, dict[str, str]]:
        return {
            key: {"standing": standing, "source": f"{self._source}: {why}"} for key, (standing, why) in known.items()
        }


def _readme(source: Source, lost: tuple[str, ...]) -> str:
    told = "\n".join(f"- {each}" for each in lost)
    return f"""A city fitted to {source}.

The column `population` of cells.csv holds calls, not residents: each cell's weight in millionths of all calls, because
that is what spreads calls in a run. What a report says of residents is of calls here.

Not carried over from the fit:
{told}
"""
