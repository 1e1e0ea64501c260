"""A given matrix decides the arrival: a file of seconds in, exact milliseconds out, in both engines."""

from __future__ import annotations

import numpy as np

from sim.engine import simulate
from sim.engine.log import LogKind
from sim.inputs import order_stations
from sim.travel.matrix import GivenMatrix, cells_as_zones


def test_given_seconds_choose_the_unit_and_time_its_arrival_to_the_millisecond(tiny, tmp_path):
    city = tiny(n_cells=3)
    for cell in (0, 2):
        city.unit(city.station(cell=cell))
    city.incident(at_s=100, cell=1)
    seconds = [[30, 200.25, 400], [190, 30, 123.456], [400, 130.001, 30]]
    rows = [f"{a},{b},{seconds[a][b]}" for a in range(3) for b in range(3)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["from,to,duration", *rows]) + "\n", encoding="utf-8")
    inputs = city.inputs()
    given = GivenMatrix("own", path, "s", *cells_as_zones(3), np.zeros((2, 24), dtype=np.int8))
    inputs.travel.duration_ms = given.durations()[:1]
    inputs.station_order = order_stations(inputs.travel.duration_ms, inputs.fleet.stations.cell)
    log = simulate(inputs, "both").rows
    (arrival,) = log[log["kind"] == LogKind.ARRIVE]
    (home,) = log[log["kind"] == LogKind.HOME]
    # The call at 100 s, 60 s of handling, 45 s of turnout, then 130.001 s from the east and not 200.25 s from the west;
    # ten minutes of work, and the way home as the file gives it: 123.456 s.
    assert (arrival["unit"], arrival["time_ms"]) == (1, 335_001)
    assert home["time_ms"] == 335_001 + 600_000 + 123_456
