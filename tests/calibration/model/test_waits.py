"""Calls that waited for a unit, from a log of five calls and one unit."""

from __future__ import annotations

from dataclasses import replace

from calibration.ground import lay_zones, read_ground
from calibration.ground.points import place_calls
from calibration.model.fleet import fleet_of
from calibration.model.samples import take_samples
from calibration.model.waits import sent_late_for_want, waited_for_unit
from calibration.records import read_records

STAMP = "2025-03-04 {}"
OUTS = [  # call, dispatch, arrival, clear
    ("08:00:00", "08:01:00", "08:05:00", "08:30:00"),
    ("08:10:00", "08:30:05", "08:35:00", "08:50:00"),  # all out as it came in
    ("09:00:00", "09:01:00", "09:05:00", "09:30:00"),
    ("09:00:30", "09:30:10", "09:35:00", "09:40:00"),  # the one before took the last unit while it was handled
    ("10:00:00", "10:03:00", "10:05:00", "10:30:00"),  # long, but nobody was out
]


def samples_of(folder, units):
    (folder / "stations.csv").write_text("station,lat,lon\nA,40.0,10.0\n")
    (folder / "units.csv").write_text("unit,station,type\n" + "".join(f"{name},A,engine\n" for name in units))
    calls = "".join(f"{i},{STAMP.format(out[0])},40.01,10.0\n" for i, out in enumerate(OUTS))
    sent = "".join(f"{i},E1,A,engine,{','.join(STAMP.format(t) for t in out[1:])}\n" for i, out in enumerate(OUTS))
    (folder / "incidents.csv").write_text("id,call,lat,lon\n" + calls)
    (folder / "responses.csv").write_text("incident_id,unit,station,type,dispatch,arrival,clear\n" + sent)
    (folder / "records.yaml").write_text("time_zone: Europe/Berlin\n")
    ground, records = read_ground(folder), read_records(folder)
    placed = place_calls(records, ground)
    zones, zone = lay_zones(ground, placed.x_m, placed.y_m)
    samples = take_samples(records, ground, zones, zone)
    fleet = fleet_of(ground, samples.responses, samples.calls.local_ms / 1000.0, has_every_unit=True)
    return samples, fleet


def test_calls_that_came_in_or_were_overtaken_while_all_were_out_waited(tmp_path):
    samples, fleet = samples_of(tmp_path, ["E1"])
    assert waited_for_unit(samples, fleet, 1).tolist() == [False, True, False, True, False]


def test_with_a_unit_to_spare_nobody_waited(tmp_path):
    samples, fleet = samples_of(tmp_path, ["E1", "E2"])
    assert not waited_for_unit(samples, fleet, 1).any()
    assert not sent_late_for_want(samples, fleet, 1).any()


def test_a_unit_that_left_as_the_only_one_came_free_was_sent_late_for_want_of_it(tmp_path):
    samples, fleet = samples_of(tmp_path, ["E1"])
    assert sent_late_for_want(samples, fleet, 1).tolist() == [False, True, False, True, False]


def test_nothing_is_told_of_types_that_the_fleet_does_not_have(tmp_path):
    samples, fleet = samples_of(tmp_path, ["E1"])
    other = replace(fleet, type=fleet.type + 1)
    assert not waited_for_unit(samples, other, 1).any()
    assert not sent_late_for_want(samples, other, 1).any()
