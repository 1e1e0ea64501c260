"""Quantile tables of swept parameters are made once, stored with the run, and read by whoever checks it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.compose.study import single_work
from sim.demand import quantiles
from sim.errors import InputError
from sim.run.execute import execute
from sim.run.verify import verify
from sim.run.work import TABLES, jobs_of

QUICK = ["window=one_week", "schedule=none", "run.n_replications=1", "run.workers=1"]


def made(folder: Path, *overrides: str) -> Path:
    work = single_work(compose([*QUICK, f"run.outputs='{folder}'", *overrides]))
    execute(work)
    return work.folder


def test_the_default_parameters_need_no_tables_of_their_own(tmp_path):
    assert not (made(tmp_path) / TABLES).exists()


def test_a_swept_parameter_has_its_tables_stored_and_a_verifier_finds_the_run_the_same(tmp_path):
    folder = made(tmp_path, "times.turnout_day_s=50")
    assert list(quantiles.read_tables(folder / TABLES)) == ["lognormal_ms median=50000 sigma=0.3"]
    assert verify(folder, workers=1).is_same


def test_the_stored_bits_are_read_and_not_made_again(tmp_path):
    """Another machine's table, one millisecond off in places, is the run's own."""
    settings, builder = compose([*QUICK, "times.turnout_day_s=50"]).settings, InputsBuilder()
    ((name, values),) = builder.tables_made(settings).items()
    other = values.copy()
    other[500] += 1
    quantiles.write_tables(tmp_path / "tables.npz", {name: other})
    reader = InputsBuilder()
    reader.take_tables(settings, tmp_path / "tables.npz")
    assert np.array_equal(reader.durations(settings).values[2], other)


def test_a_table_that_is_not_what_its_name_says_or_that_the_city_has_is_refused(tmp_path):
    settings = compose([*QUICK, "times.turnout_day_s=50"]).settings
    ((name, values),) = InputsBuilder().tables_made(settings).items()
    known = quantiles.load_store(settings.city_folder()).stored
    committed = next(iter(known))
    quantiles.write_tables(tmp_path / "tables.npz", {name: values // 2, committed: known[committed]})
    with pytest.raises(InputError, match=r"not what its name says(.|\n)*has itself|has itself(.|\n)*not what its name"):
        InputsBuilder().take_tables(settings, tmp_path / "tables.npz")


def test_every_arm_has_the_tables_it_asks_for_even_when_another_has_them_too(tmp_path):
    builder, asked = InputsBuilder(), []
    for turnout in (50, 51):
        settings = compose([*QUICK, f"times.turnout_day_s={turnout}", "times.turnout_night_s=77"]).settings
        tables = builder.tables_made(settings)
        quantiles.write_tables(tmp_path / f"{turnout}.npz", tables)
        builder.take_tables(settings, tmp_path / f"{turnout}.npz")
        asked.append(set(tables))
    assert len(asked[0]) == len(asked[1]) == 2
    assert len(asked[0] & asked[1]) == 1


@pytest.mark.parametrize("n", [1, 2])
def test_jobs_know_where_their_arm_keeps_its_tables(tmp_path, n):
    work = single_work(compose([*QUICK, f"run.outputs='{tmp_path}'", f"run.n_replications={n}"]))
    assert {job.tables for job in jobs_of(work)} == {work.folder / TABLES}
