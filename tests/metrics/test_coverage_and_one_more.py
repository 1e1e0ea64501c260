"""The static views: who lives how far from a crewed station, and what one more station would change."""

from __future__ import annotations

import numpy as np
import pytest

from sim.errors import InputError
from sim.fleet.parts import ChangeKind
from sim.metrics import coverage_table, incident_table, one_more_table, read_columns, write_columns
from sim.metrics.store import write_replication_tables

S = 1000
DAY = 86_400


def test_a_cell_is_as_far_as_the_nearest_station_that_is_open_and_can_crew_a_unit(city):
    city.unit(city.station(2))
    city.unit(city.station(6, people=3))  # three people cannot crew a vehicle that needs four
    city.unit(city.station(9, k=1, opens_s=None))  # never opens
    table = coverage_table(city.inputs())
    assert (table["expected_ms"] // S).tolist() == [45 + 60 * abs(cell - 2) for cell in range(10)]
    assert table["population"].sum() == 5500


def test_coverage_is_that_of_each_year_s_end(city, calendar_of):
    city.calendar = calendar_of(4, [2022, 2022, 2023, 2023])
    city.unit(city.station(0))
    city.unit(city.station(9, k=1, opens_s=DAY * 3))
    table = coverage_table(city.inputs())
    assert table["expected_ms"][table["year"] == 2022][9] == (45 + 540) * S
    assert table["expected_ms"][table["year"] == 2023][9] == 45 * S


def test_turnout_by_night_counts_for_the_hours_of_the_night(city, calendar_of):
    city.calendar = calendar_of(1)
    city.unit(city.station(0))
    inputs = city.inputs()
    inputs.is_night_of_hour[:6] = 1
    assert coverage_table(inputs)["expected_ms"][0] == (18 * 45 + 6 * 90) * S // 24


def test_without_any_crew_nobody_is_covered(city):
    city.unit(city.station(0, people=0))
    assert set(coverage_table(city.inputs())["expected_ms"].tolist()) == {-1}


def one_more_city(city, log_of):
    """One crewed station in cell 0; each town's next site is in cell 4 and cell 9."""
    city.unit(city.station(0))
    city.station(4, k=1, opens_s=None)
    city.station(9, k=1, opens_s=None)
    city.station(8, k=2, opens_s=None)
    city.is_headline = [True, False]
    city.cards = [[(1, True)], [(1, True)]]
    for cell, kind in ((1, 0), (4, 0), (6, 0), (9, 0), (9, 1)):
        city.incident(at_s=1000 * (1 + len(city.incidents)), cell=cell, kind=kind)
    static_s = [45 + 60, 45 + 240, 45 + 360, 45 + 540, 45 + 540]
    log = log_of(*((1000 * (i + 1) + 60, 2, i, -1, -1, -1, 0) for i in range(5)))
    return static_s, log


def test_one_more_station_helps_those_it_reaches_before_every_other(city, log_of):
    static_s, log = one_more_city(city, log_of)
    inputs, static = city.inputs(), np.array(static_s) * S
    table = one_more_table(inputs, incident_table(inputs, log, static), static)
    assert table["station"].tolist() == [1, 2]  # town b's next site is the one with the lowest k
    assert table["planned_year"].tolist() == [2023, 2023]
    assert table["plan_order"].tolist() == ["2023:1", "2023:2"]
    assert table["n_headline"].tolist() == [4, 4]
    # town a, cell 4: incidents at 4, 6 and 9 save 240, 240 and 240 s; 6 comes under 300 s, 9 stays at 345 s
    assert table["n_gain_300"].tolist() == [1, 2]
    assert table["n_faster"].tolist() == [3, 2]
    # town b, cell 9: the incident at 6 is 3 minutes away instead of 6, the one at 9 saves 9 minutes
    assert table["saved_ms"].tolist() == [720 * S, (180 + 540) * S]


def test_the_trip_keeps_the_noise_of_the_incident(city, log_of):
    city.common_q16 = 2 * 65536
    static_s, log = one_more_city(city, log_of)
    static_s = [45 + 2 * (s - 45) for s in static_s]
    inputs, static = city.inputs(), np.array(static_s) * S
    table = one_more_table(inputs, incident_table(inputs, log, static), static)
    # cell 4 again, every drive twice as long: 45 + 240 s to the incident at 6
    assert table["n_gain_300"].tolist() == [2, 1]
    assert table["saved_ms"].tolist() == [2 * 720 * S, 2 * 720 * S]


def test_an_incident_nobody_could_serve_is_gained_but_saves_no_finite_time(city, log_of):
    _static_s, log = one_more_city(city, log_of)
    city.changes = [row for row in city.changes if row[1] != ChangeKind.STATION_PEOPLE]
    inputs, static = city.inputs(), np.full(5, -1)
    table = one_more_table(inputs, incident_table(inputs, log, static), static)
    assert table["n_gain_300"].tolist() == [3, 2]  # cells 1, 4 and 6 from cell 4; cells 6 and 9 from cell 9
    assert table["n_gain_600"].tolist() == [4, 4]
    assert table["saved_ms"].tolist() == [0, 0]


def test_files_are_the_same_bytes_twice_and_carry_their_schema(city, log_of, tmp_path):
    static_s, log = one_more_city(city, log_of)
    city.flying_hours = set()  # no table of the weather
    inputs, static = city.inputs(), np.array(static_s) * S
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written = write_replication_tables(tmp_path / name, inputs, log, static)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [
        f"{name}.parquet" for name in ("coverage", "incidents", "manning", "one_more", "units", "workload")
    ]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    back = read_columns(tmp_path / "one" / "incidents.parquet", "incidents", 1)
    for name, values in written.items():
        assert back[name].dtype == values.dtype
        assert back[name].tolist() == values.tolist()


def test_a_file_of_another_schema_or_version_is_refused_with_its_name(tmp_path):
    path = tmp_path / "x.parquet"
    write_columns(path, {"a": np.arange(3)}, "incidents", 1)
    with pytest.raises(InputError, match="version 1, not 'incidents' version 2"):
        read_columns(path, "incidents", 2)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"x\.parquet"):
        read_columns(path, "incidents", 1)
