"""The SQL that ships with every study must find every headline again, to the last bit, without this program."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from sim.compare import Contrast, compare_arms, write_tables
from sim.compare.write import read_tables
from sim.metrics.store import write_columns


@pytest.fixture
def folder(study, random_incidents, monkeypatch):
    """A run directory with two arms of seven replications, one arm lacking some incidents."""

    def base(number):
        return random_incidents(np.random.default_rng(number), n=700)

    def plan(number):
        table = base(number)
        rng = np.random.default_rng(50 + number)
        table["first_arrival_ms"] -= np.where(table["first_arrival_ms"] > 0, rng.integers(-3000, 40_000, 700), 0)
        keep = np.arange(700) != 5 if number == 2 else np.ones(700, dtype=bool)
        return {name: values[keep] for name, values in table.items()}

    worlds = ["w0", "w1", "w2", "w3", "w0", "w1", "w2"]
    arms = [study.add("none", base, worlds), study.add("plan", plan, worlds)]
    tables = compare_arms(arms, [Contrast("c", "plan", "none")], study.labels, study.folder)
    write_tables(tables, study.folder / "tables")
    monkeypatch.chdir(study.folder)
    return study.folder


def run_sql(folder):
    connection = duckdb.connect()
    connection.execute((folder / "tables" / "headlines.sql").read_text(encoding="utf-8"))
    return connection


def test_every_headline_and_difference_is_the_same_to_the_last_bit(folder):
    connection = run_sql(folder)
    tables = read_tables(folder / "tables")
    for name, value, extra in (("headline", "value", {}), ("contrasts", "diff", {"scope": "city"})):
        table = tables[name]
        chosen = (table["group"] == "headline") & (table["clock"] == "arrival")
        chosen &= np.isin(table["metric"].astype(str), ["p50", "p90", "share_300"])
        for key, wanted in extra.items():
            chosen &= table[key] == wanted
        keys = ("arm", "base", "year", "metric") if name == "contrasts" else ("arm", "year", "metric")
        ours = sorted(tuple(table[key][row] for key in (*keys, value)) for row in np.flatnonzero(chosen))
        source = "paired" if name == "contrasts" else "headline"
        theirs = connection.execute(f"SELECT {', '.join(keys)}, {value} FROM {source}").fetchall()
        assert sorted(theirs) == ours
        assert len(ours) == 9 * (1 if name == "contrasts" else 2)
    assert connection.execute("SELECT count(*) FROM disagreement").fetchone() == (0,)


def test_one_changed_figure_is_found(folder):
    path = folder / "tables" / "headline.parquet"
    table = read_tables(folder / "tables")["headline"]
    told = (table["group"] == "headline") & (table["clock"] == "arrival") & (table["metric"] == "p90")
    row = np.flatnonzero(told)[0]
    table["value"] = table["value"].copy()
    table["value"][row] = np.nextafter(table["value"][row], np.inf)
    write_columns(path, table, "headline", 1)
    found = run_sql(folder).execute("SELECT what, arm, year, metric FROM disagreement").fetchall()
    assert found == [("headline", table["arm"][row], table["year"][row], "p90")]


def test_a_single_arm_has_headlines_and_no_pairs(study, random_incidents, monkeypatch):
    arm = study.add("only", lambda r: random_incidents(np.random.default_rng(r)), ["w0", "w1"])
    tables = compare_arms([arm], (), study.labels, study.folder)
    assert "contrasts" not in tables
    write_tables(tables, study.folder / "tables")
    monkeypatch.chdir(study.folder)
    connection = run_sql(study.folder)
    assert connection.execute("SELECT count(*) FROM headline").fetchone() == (9,)
    assert connection.execute("SELECT count(*) FROM disagreement").fetchone() == (0,)


def test_the_script_needs_nothing_of_the_program(root):
    text = (root / "sim" / "compare" / "headlines.sql").read_text(encoding="utf-8")
    assert "python" not in text.lower()
