"""What does not fit is told before the run; what grows during it grows in time, in both engines."""

from __future__ import annotations

import numpy as np
import pytest

from sim.engine.build import build_world
from sim.engine.kernel import KernelRun
from sim.engine.log import LogKind
from sim.engine.model import CityModel
from sim.errors import InputError

AERIAL = 1


def overloaded(tiny):
    city = tiny(cards=[[(AERIAL, 1, True)] * 5])
    city.unit(city.station(0))
    for at in range(200):
        city.incident(at, cell=0)
    return city


@pytest.mark.parametrize("engine", ["simpy", "kernel"])
def test_a_log_that_fills_up_grows_and_loses_no_row(tiny, engine):
    inputs = overloaded(tiny).inputs()
    whole = KernelRun(build_world(inputs)).finish()
    arrays = build_world(inputs)
    arrays.arrays["log"] = arrays.arrays["log"][:40].copy()
    arrays.log_margin = 20
    log = CityModel(arrays).run() if engine == "simpy" else KernelRun(arrays).finish()
    assert np.array_equal(log.rows, whole.rows)
    assert int(log.rows["kind"][-1]) == LogKind.END
    assert np.sum(log.rows["kind"] == LogKind.UNFILLED) == 1000


def test_everything_too_large_is_told_together(tiny):
    inputs = overloaded(tiny).inputs()
    inputs.fleet.stations.cell = np.zeros(40_000, dtype=np.int32)
    inputs.cards.capability = np.full(5, 63, dtype=np.int8)
    with pytest.raises(InputError, match=r"stations: more(.|\n)*capabilities"):
        build_world(inputs)
