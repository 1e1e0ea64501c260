"""Where calls are: coordinates in every declared system, cells and areas, and the zones that hold them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from calibration.ground import lay_zones, read_ground
from calibration.ground.points import place_calls
from calibration.ground.zones import MOST_SQUARES
from calibration.page.said import said
from sim.city.crs import gcj02_to_bd09, transformer, wgs84_to_gcj02
from sim.errors import InputError

STATIONS = "station,lat,lon,opens,closes\nA,23.0,113.7,,\nB,23.05,113.75,2024-07-01,\nC,23.1,113.8,,2024-07-01\n"


@pytest.fixture
def ground(tmp_path):
    (tmp_path / "stations.csv").write_text(STATIONS, encoding="utf-8")
    return read_ground(tmp_path)


def records(crs, **columns):
    n = len(next(iter(columns.values())))
    frame = {name: np.full(n, np.nan) for name in ("lat", "lon", "x", "y")}
    labels = {name: pd.Categorical([None] * n) for name in ("cell", "zone")}
    return SimpleNamespace(incidents=pd.DataFrame({**frame, **labels, **columns}), crs=crs)


LAT, LON = np.array([23.01, 23.04]), np.array([113.71, 113.77])


def test_stations_alone_are_enough_and_stand_on_a_plane_round_their_middle(ground):
    assert ground.station == ("A", "B", "C")
    assert np.hypot(ground.x_m[0] - ground.x_m[1], ground.y_m[0] - ground.y_m[1]) == pytest.approx(7_540, abs=20)
    open_on = ground.is_open(np.array(["2024-06-30", "2024-07-01"], dtype="datetime64[D]"))
    assert open_on.tolist() == [[True, False, True], [True, True, False]]


def test_systems_of_coordinates_agree(ground):
    wanted = place_calls(records("WGS84", lat=LAT, lon=LON), ground)
    gcj = np.array([wgs84_to_gcj02(a, b) for a, b in zip(LAT, LON, strict=True)])
    bd = np.array([gcj02_to_bd09(a, b) for a, b in gcj])
    forward = transformer("epsg:32650")
    east, north = forward.transform(LON, LAT, direction="INVERSE")
    for found in (
        place_calls(records("gcj02", lat=gcj[:, 0], lon=gcj[:, 1]), ground),
        place_calls(records("bd09", lat=bd[:, 0], lon=bd[:, 1]), ground),
        place_calls(records("EPSG:32650", x=np.asarray(east), y=np.asarray(north)), ground),
    ):
        assert found.x_m == pytest.approx(wanted.x_m, abs=0.5)
        assert found.y_m == pytest.approx(wanted.y_m, abs=0.5)


def test_calls_in_another_country_are_an_error_that_names_both_systems(ground):
    with pytest.raises(InputError, match=r"2 of 2 incidents lie more than 150 km from every station.*crs"):
        place_calls(records("WGS84", lat=np.array([51.5, 51.6]), lon=np.array([-0.1, -0.2])), ground)


def test_a_few_far_calls_are_counted_and_left_without_a_place(ground):
    lat, lon = np.append(np.full(9, 23.02), 51.5), np.append(np.full(9, 113.7), 0.0)
    found = place_calls(records("WGS84", lat=lat, lon=lon), ground)
    assert np.isnan(found.x_m).tolist() == [False] * 9 + [True]
    assert found.reasons == {"more than 150 km from every station": 1}


def test_zones_hold_every_call_near_their_middles(ground):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-6_000, 6_000, (2, 30_000))
    x[0] = np.nan
    zones, zone = lay_zones(ground, x, y)
    assert zone[0] == -1
    assert 0 < zones.n_zones - ground.n_stations <= MOST_SQUARES
    away = np.hypot(zones.x_m[zone[1:]] - x[1:], zones.y_m[zone[1:]] - y[1:])
    assert away.max() < 1.5 * zones.side_m
    assert (zones.ways[0, zones.of_station, zones.of_station] == 0.0).all()


def test_calls_from_a_few_addresses_have_zones_that_are_those_addresses(ground):
    x, y = np.tile([100.0, 2_500.0, -900.0], 50), np.tile([40.0, -70.0, 3_000.0], 50)
    zones, zone = lay_zones(ground, x, y)
    assert (zones.x_m[zone] == x).all()
    assert (zones.y_m[zone] == y).all()


def test_calls_that_name_an_area_stand_at_its_middle_and_that_is_said(tmp_path):
    (tmp_path / "stations.csv").write_text(STATIONS, encoding="utf-8")
    areas = "area,lat,lon\nnorth,23.09,113.78\nsouth,23.01,113.71\n"
    (tmp_path / "areas.csv").write_text(areas, encoding="utf-8")
    found = place_calls(records("WGS84", zone=pd.Categorical(["north", "south", "south"])), read_ground(tmp_path))
    assert len(set(zip(found.x_m.tolist(), found.y_m.tolist(), strict=True))) == 2
    told = "100.0% of the calls name a cell, zone or area alone: they stand at its middle (2 places in all)"
    assert found.said == (told,)
    assert said(told).zh != told
