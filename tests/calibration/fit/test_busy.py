"""Who was free: by hand for two stations, and as it was in a synthetic city."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.busy import Spells, free_stations
from tests.calibration.cities import compact

ENGINE, LADDER = 0, 1


def spells(*rows):
    """Rows of unit, station, type, begin_s, end_s."""
    unit, station, kind, begin_s, end_s = (np.array(column) for column in zip(*rows, strict=True))
    return Spells(unit, station, kind, begin_s.astype(float), end_s.astype(float))


def free_at(at_s, *rows, **otherwise):
    return free_stations(np.array(at_s, dtype=float), spells(*rows), 2, **otherwise)


def test_a_unit_is_busy_after_the_instant_of_its_dispatch_until_it_is_back():
    found = free_at([0, 10, 11, 49, 50], (0, 0, ENGINE, 10, 50), (1, 1, ENGINE, 100, 200))
    assert found.is_free[:, 0].tolist() == [True, True, False, False, True]
    assert found.is_free[:, 1].all()


def test_a_station_is_free_while_one_of_its_units_is_and_a_unit_sent_on_is_busy_throughout():
    rows = [(0, 0, ENGINE, 10, 90), (0, 0, ENGINE, 40, 60), (1, 0, ENGINE, 30, 50), (2, 1, ENGINE, 900, 999)]
    found = free_at([20, 40, 70, 89, 95], *rows)
    assert found.is_free[:, 0].tolist() == [True, False, True, True, True]
    alone = free_at([20, 70, 95], *rows[:2], rows[3])
    assert alone.is_free[:, 0].tolist() == [False, False, True]


def test_only_units_of_the_type_wanted_count_and_any_where_none_is_named():
    rows = [(0, 0, ENGINE, 10, 50), (1, 0, LADDER, 500, 600), (2, 1, ENGINE, 500, 600)]
    found = free_at([20, 20, 20], *rows, wanted=np.array([ENGINE, LADDER, -1]))
    assert found.is_free.tolist() == [[False, True], [True, False], [True, True]]


def test_a_unit_stands_where_it_mostly_came_from():
    rows = [(0, 0, ENGINE, 10, 20), (0, 1, ENGINE, 30, 40), (0, 1, ENGINE, 50, 60), (0, -1, ENGINE, 70, 80)]
    found = free_at([0], *rows)
    assert found.is_free.tolist() == [[False, True]]
    assert found.n_left_out == 1


def test_an_end_that_was_not_recorded_is_the_usual_time_later_and_counted():
    rows = [(0, 0, ENGINE, 0, 30), (0, 0, ENGINE, 100, np.nan), (0, 0, ENGINE, 200, 230)]
    found = free_at([129, 131], *rows)
    assert (found.is_free[:, 0].tolist(), found.n_assumed) == ([False, True], 1)


def test_what_tells_nothing_is_refused():
    with pytest.raises(ValueError, match="no unit's time"):
        free_at([0], (-1, 0, ENGINE, 0, 1))
    with pytest.raises(ValueError, match="instant is no number"):
        free_at([np.nan], (0, 0, ENGINE, 0, 1))


def test_free_stations_of_a_synthetic_city_are_those_that_were():
    truth = compact(None, n_calls=5_000, seed=4)
    history = truth.history
    first = np.flatnonzero(history.slot == 0)
    at_s = np.zeros(len(truth.calls))
    at_s[history.call[first]] = history.dispatch_ms[first] / 1000
    own = Spells(history.unit, history.station, history.type, history.dispatch_ms / 1000, history.available_ms / 1000)
    wanted = np.full(len(at_s), ENGINE)
    found = free_stations(at_s, own, truth.world.n_stations, wanted=wanted)
    was = truth.is_free(ENGINE)
    assert 0.01 < 1 - was.mean() < 0.5
    np.testing.assert_array_equal(found.is_free[history.call[first]], was[history.call[first]])
