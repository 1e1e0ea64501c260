"""What a scenario spends besides its stations: hours flown, vehicles replaced, what stood before the plan; by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.fleet.bases import Base, BaseUnit
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns
from sim.money import Years
from sim.run.priced import _flown_h, _paid_units, _replaced

YEARS = Years((2025, 2026), np.array([0, 365]), np.array([365, 730]))
H_MS, MIN_MS = 3_600_000, 60_000
QUAY = Base("quay", "", "", 0, (BaseUnit(1, date(2014, 10, 31)), BaseUnit(1, date(2023, 1, 1))), ())
FIELD = Base("field", "", "", 0, (BaseUnit(2, date(2023, 12, 31), 1_500_000, 6 * MIN_MS),), ())


def a_builder(teams: tuple[Base, ...], fields: tuple[Base, ...]) -> SimpleNamespace:
    """Return a builder of one station of two pumpers, the bases behind it."""
    bases = teams + fields
    station = [0, 0] + [1 + at for at, base in enumerate(bases) for _ in base.units]
    fleet = SimpleNamespace(
        stations=SimpleNamespace(brigade=("", *("base" for _ in bases))),
        units=SimpleNamespace(station=np.array(station)),
        unit_types=SimpleNamespace(code=("pumper", "boat", "helicopter")),
    )
    return SimpleNamespace(fleet=lambda s, r: fleet, bases=lambda s, r: (teams, fields))


def test_hours_flown_are_a_mean_over_replications_with_the_way_to_a_field_outside(tmp_path: Path) -> None:
    rows = (
        [(2025, "helicopter", H_MS), (2026, "helicopter", 30 * MIN_MS), (2026, "helicopter", -1), (2026, "boat", H_MS)],
        [(2026, "helicopter", 18 * MIN_MS)],
    )
    work, arm = SimpleNamespace(arm_folder=lambda arm: tmp_path), SimpleNamespace(settings=None, n_replications=2)
    for replication, found in enumerate(rows):
        year, of, away = zip(*found, strict=True)
        columns = {
            "year": np.array(year, dtype=np.int16),
            "type": np.array(of, dtype=object),
            "away_ms": np.array(away),
        }
        path = tmp_path / "replications" / f"r000{replication}" / "turnouts.parquet"
        path.parent.mkdir(parents=True)
        write_columns(path, columns, "turnouts", REPLICATION_SCHEMAS["turnouts"])
    found = _flown_h(work, arm, YEARS, a_builder((QUAY,), (FIELD,)))  # type: ignore[arg-type]
    # 2025: 60 + 2 x 6 min; 2026: 30 + 12 and 18 + 12 min; one never left; over two replications
    assert {of: hours.tolist() for of, hours in found.items()} == {"helicopter": [0.6, 0.6]}
    assert _flown_h(work, arm, YEARS, a_builder((QUAY,), ())) == {}  # type: ignore[arg-type]


def test_units_of_bases_from_before_the_plan_are_paid_for() -> None:
    found = _paid_units(None, a_builder((QUAY,), (FIELD,)), date(2022, 1, 1))  # type: ignore[arg-type]
    assert found == {2}
    assert _paid_units(None, a_builder((), ()), date(2022, 1, 1)) == frozenset()  # type: ignore[arg-type]


def test_vehicles_replaced_are_a_mean_over_siting_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = SimpleNamespace(
        unit_types=SimpleNamespace(code=("pumper",)), units=SimpleNamespace(type_id=np.zeros(3, int))
    )
    builder = SimpleNamespace(fleet=lambda s, r: fleet, changes=lambda s, r: None, calendar=lambda s: None)
    by_world = {0: [(181, 0), (181, 2)], 4: [(181, 1), (-184, 1)]}
    monkeypatch.setattr("sim.fleet.vehicles.replaced_vehicles", lambda *given: by_world[given[-1]])
    settings = SimpleNamespace(vehicles=SimpleNamespace(replace_at_years=10), seed=1)
    found = _replaced(settings, (0, 4), builder)  # type: ignore[arg-type]
    assert found == ((-184.0, "pumper", 0.5), (181.0, "pumper", 1.5))
