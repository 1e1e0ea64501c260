"""A city of one station, every duration constant: what comes out is what anybody can reckon by hand."""

from __future__ import annotations

import numpy as np

from sim.assemble import build_inputs
from sim.compose import compose
from sim.engine import simulate
from sim.engine.log import LogKind

CITY = {
    "areas__csv": None,
    "cells__csv": "cell_id,crs,x_m,y_m,area_m2,population\n0,plane,0,0,1000000,0\n1,plane,3000,0,1000000,10\n",
    "stations__csv": "station,crs,x_m,y_m\nonly,plane,0,0\n",
    "units__csv": "unit,station,type,crew_min,crew_preferred,capabilities\nU,only,pumper,4,6,water rescue aerial\n",
    "unit_types__csv": None,
    "exposure__csv": None,
}
KINDS = ("building_fire", "outdoor_fire", "vehicle_fire", "road_rescue", "other_rescue", "social_help", "false_alarm")
CONSTANT = [
    *(f"times.{name}_sigma=0" for name in ("handling", "turnout", "travel_common", "travel_own", "access", "scene")),
    "times.latent_sigma=0", "times.handling_before_s=60", "times.turnout_day_s=50", "times.turnout_night_s=80",
    "travel.local_kmh=36", "travel.detour=1.4", "travel.night_factor=1", "travel.peak_factor=1",
    "travel.acceleration_ms2=0.4", "demand.alarms_per_year=300", "demand.city_day_cv=0",
    "window.measure_to='2026-03-01'",
]  # fmt: skip


def test_the_first_unit_arrives_after_turnout_and_drive_to_the_millisecond(make_city):
    folder = make_city(**{key: text for key, text in CITY.items() if key != "exposure__csv"})
    rows = [f"{kind},population,1000,test,assumed" for kind in KINDS]
    (folder / "exposure.csv").write_text("\n".join(["kind,driver,share,source,standing", *rows, ""]))
    inputs = build_inputs(compose([f"city.folder='{folder}'", *CONSTANT]).settings, 0)
    assert set(inputs.demand.incidents["cell"].tolist()) == {1}
    log = simulate(inputs, "both")
    kind, time, incident = log.column("kind"), log.column("time_ms"), log.column("incident")
    first, alone = {}, 0
    for at in range(len(kind)):
        if kind[at] in (LogKind.CALL, LogKind.DISPATCH, LogKind.ARRIVE):
            first.setdefault((int(incident[at]), int(kind[at])), int(time[at]))
    for number in range(len(inputs.demand.incidents)):
        called, sent, there = (first.get((number, int(k))) for k in (LogKind.CALL, LogKind.DISPATCH, LogKind.ARRIVE))
        if called is None or there is None or sent != called:
            continue  # it waited for the only unit, or nobody came
        assert called - int(inputs.demand.incidents["call_ms"][number]) == 60_000
        is_night = inputs.is_night_of_hour[called // 3_600_000]
        assert there - called == (80_000 if is_night else 50_000) + 448_889
        alone += 1
    assert alone > 20
    assert np.count_nonzero(kind == LogKind.CALL) == len(inputs.demand.incidents)
