"""The table of what the place adds: one row per incident to which it adds something."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from sim.metrics import incident_table, scenes_table
from sim.metrics.scenes import is_plain


def test_rows_are_the_measured_incidents_to_which_the_place_adds_something(city, log_of):
    for at_s in (0, 10, 20, 30):
        city.incident(at_s)
    city.calendar.measure_from_ms = 5_000  # the first is not measured
    inputs = city.inputs()
    n = 4
    inputs.scenes = SimpleNamespace(
        portal_cell=np.array([[1, 2], [-1, -1], [3, 4], [-1, -1]], np.int32),
        track_m=np.array([[5, 6], [0, 0], [700, 800], [0, 0]], np.int32),
        power_off_ms=np.array([9, 0, 600_000, 0], np.int64), water_delay_ms=np.array([0, 360_000, 0, 0], np.int32),
        village_ms=np.full(n, -1, np.int64), supply_grade=np.array([2], np.int8),
    )  # fmt: skip
    incidents = incident_table(inputs, log_of(), np.full(n, -1))
    table = scenes_table(inputs, incidents)
    assert table["identity"].tolist() == [101, 102]
    assert table["water_delay_ms"].tolist() == [360_000, 0]
    assert table["portal_a"].tolist() == [-1, 3]
    assert (table["track_a_m"].tolist(), table["track_b_m"].tolist()) == ([0, 700], [0, 800])
    assert table["power_off_ms"].tolist() == [0, 600_000]
    assert table["village_ms"].tolist() == [-1, -1]
    assert not is_plain(inputs)


def test_a_fire_that_needs_a_supply_at_its_first_alarm_is_told_with_a_hydrant_near(city, log_of):
    """Supply from grade 2 on: the fire of grade 1 has nothing to tell, and that of grade 2 no delay."""
    for at_s, grade in ((0, 1), (10, 2)):
        city.incident(at_s, grade=grade)
    inputs = city.inputs()
    inputs.scenes = SimpleNamespace(
        portal_cell=np.full((2, 2), -1, np.int32), track_m=np.zeros((2, 2), np.int32),
        power_off_ms=np.zeros(2, np.int64), water_delay_ms=np.zeros(2, np.int32), village_ms=np.full(2, -1, np.int64),
        supply_grade=np.array([2], np.int8),
    )  # fmt: skip
    table = scenes_table(inputs, incident_table(inputs, log_of(), np.full(2, -1)))
    assert (table["grade"].tolist(), table["needs_water"].tolist()) == ([2], [True])
    assert table["water_delay_ms"].tolist() == [0]


def test_a_delay_of_water_that_no_kind_waits_for_is_not_told(city, log_of):
    city.incident(0)
    inputs = city.inputs()
    inputs.scenes = SimpleNamespace(
        portal_cell=np.full((1, 2), -1, np.int32), track_m=np.zeros((1, 2), np.int32),
        power_off_ms=np.zeros(1, np.int64), water_delay_ms=np.array([360_000], np.int32),
        village_ms=np.array([150_000]), supply_grade=np.array([0], np.int8),
    )  # fmt: skip
    incidents = incident_table(inputs, log_of(), np.array([-1]))
    table = scenes_table(inputs, incidents)
    assert table["water_delay_ms"].tolist() == [0]
    assert table["village_ms"].tolist() == [150_000]
