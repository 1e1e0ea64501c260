"""Records that name cells: a call is in the middle of its cell; cells that the city does not have are told by name."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.ground import read_ground
from calibration.ground.points import place_calls
from calibration.records import read_records
from sim.errors import InputError

CELLS = "cell_id,lat,lon,population\n0,40.00,10.0,5\n1,40.01,10.0,5\n"


@pytest.fixture
def placed(tmp_path):
    (tmp_path / "stations.csv").write_text("station,lat,lon\nA,40.0,10.0\n", encoding="utf-8")
    (tmp_path / "city.yaml").write_text(
        'id: two\nname_zh: 二\nname_en: Two\nplane: {lat0: 40.0, lon0: 10.0}\ncrs: wgs84\nepoch: "2020-01-01"\n'
        "utc_offset_h: 1\nholidays_country: DE\npopulation_year: 2020\n",
        encoding="utf-8",
    )
    (tmp_path / "cells.csv").write_text(CELLS, encoding="utf-8")
    (tmp_path / "records.yaml").write_text("time_zone: Europe/Berlin\n", encoding="utf-8")

    def place(*cells: str):
        rows = "".join(f"2025-01-{day:02d} 12:00:00,{cell}\n" for day, cell in enumerate(cells, 1))
        (tmp_path / "incidents.csv").write_text(f"call,cell\n{rows}", encoding="utf-8")
        return place_calls(read_records(tmp_path), read_ground(tmp_path))

    return place


def test_a_cell_that_is_not_there_or_no_whole_number_is_no_place_and_told_by_name(placed):
    found = placed("1", "0", "7", "0.5", "K7")
    assert np.isfinite(found.x_m).tolist() == [True, True, False, False, False]
    assert found.y_m[0] > found.y_m[1]
    assert found.reasons == {"cells that the city does not have (0.5, 7, K7)": 3}


def test_where_no_cell_is_known_they_stand_in_the_error(placed):
    with pytest.raises(InputError, match="'8, 9' no incident has a place that the city folder knows"):
        placed("9", "8")
