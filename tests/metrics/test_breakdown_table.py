"""What the table of breakdowns adds up, by hand."""

from __future__ import annotations

from sim.fleet.parts import ChangeKind
from sim.metrics.breakdowns import breakdown_table, has_breakdowns

HOUR_S = 3_600
DAY_MS = 86_400_000


def test_repairs_are_shared_between_years_and_those_of_old_vehicles_counted(city, calendar_of):
    city.calendar = calendar_of(4, [2022, 2022, 2023, 2023])
    station = city.station(0)
    for _ in range(2):
        city.unit(station)
    city.change(36 * HOUR_S, ChangeKind.UNIT_FAILS, 0, 3_653)
    city.change(60 * HOUR_S, ChangeKind.UNIT_MENDED, 0, 3_653)
    city.change(84 * HOUR_S, ChangeKind.UNIT_FAILS, 1, 100)
    table = breakdown_table(city.inputs())
    rows = {name: values.tolist() for name, values in table.items()}
    assert rows == {
        "year": [2022, 2023],
        "type_id": [0, 0],
        "n_in_service": [2, 2],
        "in_service_ms": [4 * DAY_MS, 4 * DAY_MS],
        "n_failures": [1, 1],
        "n_failures_over_ten": [1, 0],
        "age_days": [3_653, 100],
        "down_ms": [DAY_MS // 2, DAY_MS],
    }


def test_a_run_without_breakdowns_has_no_such_table(city):
    city.unit(city.station(0))
    assert not has_breakdowns(city.inputs())
