"""Made-up replications on disk, so that a comparison can be checked against what was put in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.compare import Arm, Labels, Replication
from sim.metrics.incidents import INCIDENT_COLUMNS
from sim.metrics.store import REPLICATION_SCHEMAS, write_columns
from sim.units import MS_PER_DAY

LABELS = Labels(
    town_code=("a", "b", "c"),
    town_zh=("甲", "乙", "丙"),
    town_en=("A", "B", "C"),
    population=(1000, 2000, 3000),
    kind_code=("home", "road", "false"),
    kind_family=("fire", "rescue", "false_alarm"),
)


def incidents_of(rng: np.random.Generator, n: int = 400, years: tuple[int, ...] = (2022, 2023)) -> dict[str, Any]:
    """Return an incident table with random marks and responses around four minutes, one in fifty never met."""
    table = {name: np.zeros(n, dtype=dtype) for name, dtype in INCIDENT_COLUMNS.items()}
    day = np.sort(rng.integers(0, 365 * len(years), n))
    table["identity"] = np.arange(n, dtype=np.uint64) + (1 << 60)
    table["call_ms"] = day * MS_PER_DAY + rng.integers(0, MS_PER_DAY, n)
    table["dispatch_due_ms"] = table["call_ms"] + rng.integers(20_000, 90_000, n)
    table["year"] = np.array(years)[day // 365].astype(np.int16)
    table["hour"] = (table["call_ms"] % MS_PER_DAY // 3_600_000).astype(np.int8)
    table["town"] = rng.integers(0, 3, n).astype(np.int16)
    table["kind"] = rng.integers(0, 3, n).astype(np.int16)
    table["grade"] = rng.integers(1, 4, n).astype(np.int8)
    table["is_headline"] = table["kind"] < 2
    table["first_arrival_ms"] = rng.integers(60_000, 700_000, n)
    table["first_arrival_ms"][rng.random(n) < 0.02] = -1
    table["static_arrival_ms"] = np.maximum(table["first_arrival_ms"] - rng.integers(0, 9_000, n), 30_000)
    table["first_critical_ms"] = np.where(table["first_arrival_ms"] < 0, -1, table["first_arrival_ms"] + 20_000)
    table["full_alarm_ms"] = np.where(rng.random(n) < 0.1, -1, table["first_critical_ms"])
    table["queue_ms"] = np.where(rng.random(n) < 0.1, 15_000, 0)
    table["n_unfilled"] = (rng.random(n) < 0.05).astype(np.int16)
    return {name: table[name].astype(dtype) for name, dtype in INCIDENT_COLUMNS.items()}


def write_replication(
    folder: Path, incidents: dict[str, Any], years: tuple[int, ...] = (2022, 2023), open_ms: int = 365 * MS_PER_DAY
) -> None:
    """Write a replication's folder: the given incidents, and small tables of everything else."""
    n = len(years)
    ones = np.ones(3 * n, dtype=np.int64)
    towns = {"town": np.repeat(np.arange(3, dtype=np.int16), n), "year": np.tile(np.array(years, dtype=np.int16), 3)}
    workload = {"station": np.repeat(np.arange(3, dtype=np.int32), n)} | towns | {"k": np.zeros(3 * n, dtype=np.int16)}
    workload |= dict.fromkeys(("people_duty_ms", "in_service_ms"), ones * 3600000) | {"open_ms": ones * open_ms}
    workload |= {"n_dispatches": ones * 2, "busy_ms": ones * 900_000, "crew_out_ms": ones * 1_800_000}
    coverage = {
        "year": np.repeat(np.array(years, dtype=np.int16), 3), "cell": np.tile(np.arange(3, dtype=np.int32), n),
        "town": np.tile(np.arange(3, dtype=np.int16), n), "population": np.tile(np.array([10, 20, 40]), n),
        "expected_ms": np.tile(np.array([300_000, 300_001, 600_001]), n),
    }  # fmt: skip
    gain = np.array([1, 5, 3])
    order = np.repeat(np.array(["2022:1", "2023:2", ""], dtype=object), n)
    one_more = towns | {"station": np.repeat(np.array([4, 5, -1], dtype=np.int32), n)}
    one_more |= {"planned_year": np.repeat(np.array([2022, 2023, 0], dtype=np.int16), n), "plan_order": order}
    one_more |= {"n_headline": ones * 100, "n_gain_300": np.repeat(gain, n), "n_gain_600": np.repeat(gain, n)}
    one_more |= {"n_faster": np.repeat(gain, n), "saved_ms": np.repeat(gain, n) * 60_000}
    tables = {"incidents": incidents, "workload": workload, "coverage": coverage, "one_more": one_more}
    folder.mkdir(parents=True)
    for name, columns in tables.items():
        write_columns(folder / f"{name}.parquet", columns, name, REPLICATION_SCHEMAS[name])


class Study:
    """Arms under a run directory; `add` writes one arm from a function of the replication's number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.labels = LABELS

    def add(self, name: str, make: Any, worlds: list[str], **replication: Any) -> Arm:
        replications = []
        for number, world in enumerate(worlds):
            folder = self.folder / "arms" / name / "replications" / f"r{number:04d}"
            write_replication(folder, make(number), **replication)
            replications.append(Replication(number, world, folder))
        return Arm(name, tuple(replications), label_zh="名", label_en=name)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


@pytest.fixture(scope="session")
def study_in() -> Any:
    return Study


@pytest.fixture(scope="session")
def random_incidents() -> Any:
    return incidents_of


def one_row(table: Any, **wanted: Any) -> dict[str, Any]:
    """The one row of a table that has these values."""
    chosen = np.ones(len(table["arm"]), dtype=bool)
    for name, value in wanted.items():
        chosen &= table[name] == value
    (at,) = np.flatnonzero(chosen)
    return {name: values[at] for name, values in table.items()}


@pytest.fixture(scope="session")
def row_of() -> Any:
    return one_row
