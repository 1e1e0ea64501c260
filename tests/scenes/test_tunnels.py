"""Where on a track an incident lies: stations in the cell, lines that are open, sections and their lengths by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import InputError
from sim.scenes.tunnels import RailSettings, place_on_tracks, station_cells

CHANCE = (7, 3)
KINDS = SimpleNamespace(code=("fire", "tunnel"))
N = 4_000


def rail_of(*stations):
    """Return railway stations given as (line, order, town, cell, opens)."""
    line, order, town, cell, opens = zip(*stations, strict=True)
    return SimpleNamespace(
        line=line, order=np.array(order, np.int16), mode=("metro",) * len(line), town=np.array(town, np.int16),
        cell=np.array(cell, np.int32), opens=np.array(opens, dtype="datetime64[D]"),
    )  # fmt: skip


@pytest.fixture
def city(city):
    """Line a with stations in cells 0, 3 and 4; line b opens in 2023, in cells 6 and 7."""
    city.rail_stations = rail_of(
        ("a", 1, 0, 0, "NaT"), ("a", 2, 0, 3, "NaT"), ("a", 3, 1, 4, "2016-05-01"),
        ("b", 1, 1, 6, "2023-01-01"), ("b", 2, 1, 7, "2023-01-01"),
    )  # fmt: skip
    city.towns.seat_x_m, city.towns.seat_y_m, city.cell_m = np.array([1000, 5000]), np.array([0, 0]), 1000
    return city


def settings_of(**given):
    return RailSettings(name="test", label_zh="", label_en="", **({"kinds": ["tunnel"], "power_off_min": 10} | given))


def test_only_the_named_kinds_lie_on_a_track(city, calendar, demand_of):
    for demand, settings in ((demand_of(50), settings_of()), (demand_of(50, kind=1), settings_of(kinds=[]))):
        tracks = place_on_tracks(city, calendar, KINDS, demand, settings, CHANCE)
        assert set(tracks.portal_cell.ravel().tolist()) == {-1}
        assert not tracks.power_off_ms.any()
        assert not tracks.track_m.any()


def test_half_lie_in_the_station_of_their_cell_and_half_on_the_way_to_a_neighbour(city, calendar, demand_of):
    tracks = place_on_tracks(city, calendar, KINDS, demand_of(N, cell=3, kind=1), settings_of(), CHANCE)
    assert set(tracks.portal_cell[:, 0].tolist()) == {3}
    assert set(tracks.power_off_ms.tolist()) == {600_000}
    is_between = tracks.portal_cell[:, 1] >= 0
    assert abs(is_between.mean() - 0.5) < 4 * 0.5 / np.sqrt(N)
    assert tracks.track_m[~is_between, 0].max() < 140
    # to cell 0 it is three kilometres as the crow flies and 3.3 of track, to cell 4 one and 1.1
    lengths = tracks.track_m[is_between].sum(axis=1)
    beside = tracks.portal_cell[is_between, 1]
    assert set(zip(beside.tolist(), lengths.tolist(), strict=True)) == {(0, 3300), (4, 1100)}
    assert abs((beside == 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(is_between.sum())
    assert tracks.station[is_between].tolist() == [[1, 0 if cell == 0 else 2] for cell in beside.tolist()]


def test_the_end_of_a_line_has_one_neighbour_and_a_hub_without_a_metro_station_none(city, calendar, demand_of):
    settings = settings_of(between_share=1.0)
    at_end = place_on_tracks(city, calendar, KINDS, demand_of(200, cell=0, kind=1), settings, CHANCE)
    assert set(at_end.portal_cell[:, 1].tolist()) == {3}
    at_hub = place_on_tracks(city, calendar, KINDS, demand_of(200, cell=1, kind=1), settings, CHANCE)
    assert set(map(tuple, at_hub.portal_cell.tolist())) == {(1, -1)}
    assert set(at_hub.station.ravel().tolist()) == {-1}


def test_a_line_that_opens_takes_its_share_by_stations_and_leaves_the_others_where_they_were(city, calendar, demand_of):
    before, after = (
        place_on_tracks(city, calendar, KINDS, demand_of(N, cell=3, kind=1, day=day), settings_of(), CHANCE)
        for day in (364, 365)
    )  # 31 December 2022, 1 January 2023
    assert set(before.portal_cell[:, 0].tolist()) == {3}
    first, n_seen = np.unique(after.portal_cell[:, 0], return_counts=True)
    assert first.tolist() == [3, 6, 7]
    assert np.all(np.abs(n_seen / N - [0.6, 0.2, 0.2]) < 4 * np.sqrt(0.24 / N))
    stays = after.portal_cell[:, 0] == 3
    assert np.array_equal(before.track_m[stays], after.track_m[stays])


def test_stations_without_a_place_stand_evenly_on_the_way_between_their_neighbours_towns(city):
    city.rail_stations = rail_of(
        ("a", 1, 0, -1, "NaT"), ("a", 2, 0, -1, "NaT"), ("a", 3, 1, -1, "NaT"), ("a", 4, 1, 7, "NaT"),
        ("hub", 0, 1, -1, "NaT"),
    )  # fmt: skip
    # west's two: from the seat (1000) to halfway to east's (3000), at 1500 and 2500; ties go to the lower cell.
    # east's unknown one: from 3000 to its seat at 5000, in the middle; the hub at the seat
    assert station_cells(city) == [1, 2, 4, 7, 5]


def test_a_kind_that_the_city_does_not_know_is_an_error(city, calendar, demand_of):
    with pytest.raises(InputError, match=r"'tunel' \(rail.kinds\) is not in kinds.csv; did you mean 'tunnel'\?"):
        place_on_tracks(city, calendar, KINDS, demand_of(1), settings_of(kinds=["tunel"]), CHANCE)
