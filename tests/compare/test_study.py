"""A whole comparison, from made-up replications to tables, against what was put in."""

from __future__ import annotations

import csv
import pickle
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from sim.compare import Contrast, compare_arms, read_tables, write_tables
from sim.compare.cells import Frame
from sim.compare.collect import collect
from sim.compare.pairs import difference, make_pair, mean_in_order
from sim.errors import InputError
from sim.metrics.incidents import INCIDENT_COLUMNS
from sim.run.pool import map_in_processes
from sim.units import MS_PER_DAY

YEAR = 365.25 / 365
"""What is told a year of what was counted in one of 365 days."""
WORLDS = ["w0", "w1", "w2", "w0", "w1"]
SAME = Contrast("within bounds", "plan", "none", "mean", group="all", equivalence=25.0)
OTHER = Contrast("not within", "plan", "none", "mean", group="fire", equivalence=15.0)
PRIMARY = (
    Contrast("faster", "plan", "none", "share_300"),
    Contrast("p90 2023", "plan", "none", "p90", year=2023),
    Contrast("slower", "late", "none", "p50"),
)


def pick(table, **where):
    """Return the only row that has these values."""
    chosen = np.ones(len(next(iter(table.values()))), dtype=bool)
    for name, value in where.items():
        chosen &= table[name] == value
    rows = np.flatnonzero(chosen)
    assert len(rows) == 1, where
    return {name: values[rows[0]] for name, values in table.items()}


def shifted(incidents, arrival_s=0, static_s=0, town=None):
    """Return the incidents with later (or earlier) responses, of one town or all."""
    chosen = np.ones(len(incidents["town"]), dtype=bool) if town is None else incidents["town"] == town
    out = dict(incidents)
    moves = dict.fromkeys(("first_arrival_ms", "first_critical_ms", "full_alarm_ms"), arrival_s)
    for name, seconds in (moves | {"static_arrival_ms": static_s}).items():
        out[name] = np.where(chosen & (out[name] >= 0), out[name] + seconds * 1000, out[name])
    return out


@pytest.fixture(scope="module")
def study(tmp_path_factory, study_in):
    return study_in(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def arms(study, random_incidents):
    def base(number):
        return random_incidents(np.random.default_rng(number))

    return {
        "none": study.add("none", base, WORLDS),
        "plan": study.add("plan", lambda r: shifted(base(r), -20, -15), WORLDS),
        "late": study.add("late", lambda r: shifted(base(r), 7, 3, town=1), WORLDS[:3]),
    }


@pytest.fixture(scope="module")
def tables(study, arms):
    made = list(arms.values())
    return compare_arms(made, PRIMARY, study.labels, study.folder, pairs=[("late", "plan")], one_more_arm="none")


def test_a_known_shift_is_found_whole_with_its_static_and_its_congestion_part(tables):
    for clock in ("arrival", "call_to_arrival"):
        row = pick(
            tables["contrasts"], arm="plan", base="none", year=0, scope="city", group="all", clock=clock, metric="mean"
        )
        assert row["diff"] == pytest.approx(-20)
        assert row["static_diff"] == pytest.approx(-15)
        assert row["congestion_diff"] == pytest.approx(-5)
        assert row["low"] == pytest.approx(-20)
        assert row["high"] == pytest.approx(-20)
    row = pick(
        tables["contrasts"], arm="plan", base="none", year=0, scope="city", group="headline", clock="arrival",
        metric="p50",
    )  # fmt: skip
    assert row["diff"] == pytest.approx(-20)
    assert row["share_faster"] == pytest.approx(1 - 0.02, abs=0.02)  # all that ever came
    assert row["share_slower"] == 0
    assert row["n_pairs"] == 5
    assert row["n_worlds"] == 3


def test_only_the_town_that_was_touched_moves_and_is_named_as_the_loser(tables):
    where = {"arm": "late", "base": "none", "year": 0, "scope": "town", "metric": "mean"}
    diffs = {town: pick(tables["contrasts"], town=town, **where)["diff"] for town in ("a", "b", "c")}
    assert diffs == pytest.approx({"a": 0.0, "b": 7.0, "c": 0.0})
    losers = tables["losers"]
    of_late = (losers["arm"] == "late") & (losers["base"] == "none")
    assert set(losers["town"][of_late]) == {"b"}
    row = pick(losers, arm="late", base="none", year=0, town="b", metric="mean")
    assert (row["name_zh"], row["residents"], row["is_clear"]) == ("乙", 2000, True)
    assert not ((losers["arm"] == "plan") & (losers["base"] == "none")).any()


def test_only_declared_contrasts_are_primary_and_corrected(tables):
    contrasts = tables["contrasts"]
    primary = contrasts["is_primary"]
    assert sorted(contrasts["contrast"][primary]) == ["faster", "p90 2023", "slower"]
    assert np.isnan(contrasts["p_adjusted"][~primary]).all()
    assert (contrasts["p_adjusted"][primary] >= contrasts["p_value"][primary]).all()
    undeclared = contrasts["base"] == "plan"
    assert undeclared.any()
    assert not primary[undeclared].any()


def test_static_and_congestion_add_up_everywhere(tables):
    contrasts = tables["contrasts"]
    is_split = contrasts["clock"] == "arrival"
    total = contrasts["static_diff"] + contrasts["congestion_diff"]
    known = is_split & ~np.isnan(contrasts["diff"])
    np.testing.assert_allclose(total[known], contrasts["diff"][known], atol=1e-9)
    assert np.isnan(contrasts["static_diff"][contrasts["clock"] == "critical"]).all()


def test_swapping_arm_and_base_turns_every_sign(study, arms):
    pairs = [("plan", "none"), ("none", "plan")]
    table = compare_arms([arms["plan"], arms["none"]], (), study.labels, study.folder, pairs=pairs)["contrasts"]
    one, other = table["arm"] == "plan", table["arm"] == "none"
    for name in ("diff", "static_diff", "congestion_diff"):
        np.testing.assert_array_equal(table[name][one], -table[name][other])
    np.testing.assert_array_equal(table["share_faster"][one], table["share_slower"][other])
    np.testing.assert_array_equal(table["p_value"][one], table["p_value"][other])
    np.testing.assert_allclose(table["low"][one], -table["high"][other])


def test_shares_lie_in_zero_to_one_with_their_intervals_and_denominators_are_told(tables, arms):
    for name in ("headline", "towns", "kinds", "hours"):
        table = tables[name]
        is_share = np.array([metric.startswith("share") for metric in table["metric"]])
        for column in ("value", "low", "high"):
            values = table[column][is_share]
            values = values[~np.isnan(values)]
            assert ((values >= 0) & (values <= 1)).all()
        known = ~np.isnan(table["value"]) & ~np.isnan(table["low"])
        assert (table["low"][known] <= table["value"][known] + 1e-9).all()
    row = pick(tables["headline"], arm="none", year=0, group="all", clock="arrival", metric="p50")
    assert row["n_incidents"] == 5 * 400
    towns = tables["towns"]
    of_city = (towns["arm"] == "none") & (towns["group"] == "all") & (towns["metric"] == "p50")
    of_city &= (towns["clock"] == "arrival") & (towns["year"] == 0)
    assert towns["n_incidents"][of_city].sum() == 5 * 400


def test_the_level_is_the_quantile_of_the_pooled_incidents_not_the_mean_of_quantiles(study, random_incidents):
    def uneven(number):
        table = random_incidents(np.random.default_rng(number), n=40 if number else 1600)
        table["first_arrival_ms"][:] = 100_000 if number else 500_000
        return table

    arm = study.add("uneven", uneven, ["w0", "w1", "w2"])
    table = compare_arms([arm], (), study.labels, study.folder)["headline"]
    row = pick(table, arm="uneven", year=0, group="all", clock="arrival", metric="p50")
    assert 499 <= row["value"] <= 500


def test_the_curve_is_the_share_within_each_second_and_never_falls(tables):
    curve = tables["ecdf"]
    chosen = (curve["arm"] == "none") & (curve["year"] == 0) & (curve["group"] == "headline")
    chosen &= curve["clock"] == "arrival"
    assert curve["t_s"][chosen].tolist() == list(range(1801))
    assert (np.diff(curve["share"][chosen]) >= 0).all()
    headline = pick(tables["headline"], arm="none", year=0, group="headline", clock="arrival", metric="share_300")
    assert curve["share"][chosen][300] == headline["value"]


def test_waits_far_residents_and_work_are_counted(tables, arms):
    beyond = pick(tables["beyond"], arm="none", year=2022, town="")
    assert (beyond["residents_beyond_300"], beyond["residents_beyond_600"]) == (60, 40)
    late = []
    for replication in arms["none"].replications:
        table = replication.read("incidents")
        is_late = (table["first_arrival_ms"] < 0) | (table["first_arrival_ms"] > 600_000)
        late.append((is_late & table["is_headline"] & (table["year"] == 2022)).sum())
    assert beyond["n_beyond_600"] == pytest.approx(np.mean(late) * YEAR)
    work = pick(tables["workload"], arm="none", year=2022, station=0)
    assert (work["n_dispatches"], work["busy_h"]) == pytest.approx((2 * YEAR, 0.25 * YEAR))
    assert (work["utilisation"], work["crew_busy_share"]) == (0.25, 0.5)
    queue = pick(tables["queueing"], arm="none", year=0)
    assert queue["mean_wait_s"] == pytest.approx(15)
    assert queue["n_incidents"] == pytest.approx(200 * YEAR)  # 400 in two years


def test_a_week_is_not_told_as_a_year(study, random_incidents):
    def one_week(number):
        table = random_incidents(np.random.default_rng(number), n=700, years=(2022,))
        table["call_ms"] = 3 * MS_PER_DAY + np.arange(700) * (MS_PER_DAY // 100)
        table["first_arrival_ms"][:], table["is_headline"][:] = 700_000, True
        return table

    arm = study.add("week", one_week, ["w0", "w1"], years=(2022,), open_ms=3 * MS_PER_DAY)
    made = compare_arms([arm], (), study.labels, study.folder, one_more_arm="week")
    weeks = 365.25 / 7
    for year in (0, 2022):
        assert pick(made["beyond"], year=year, town="")["n_beyond_600"] == pytest.approx(700 * weeks)
        assert pick(made["queueing"], year=year)["n_incidents"] == pytest.approx(700 * weeks)
        assert pick(made["one_more"], year=year, town="b")["gain_beyond_600"] == pytest.approx(5 * weeks)
    assert pick(made["workload"], year=2022, station=0)["n_dispatches"] == pytest.approx(2 * weeks)


def test_an_incident_that_never_got_a_unit_has_waited_but_its_wait_has_no_length(study, random_incidents):
    def make(number):
        table = random_incidents(np.random.default_rng(number), n=400)
        table["queue_ms"][:] = 0
        table["queue_ms"][:30], table["queue_ms"][30:40] = 20_000, -1
        return table

    arm = study.add("waiting", make, ["w0", "w1"])
    row = pick(compare_arms([arm], (), study.labels, study.folder)["queueing"], year=0)
    assert row["n_waited"] == pytest.approx(40 / 2 * YEAR)
    assert row["n_never_served"] == pytest.approx(10 / 2 * YEAR)
    assert row["mean_wait_s"] == pytest.approx(20)


def test_a_declared_contrast_that_cannot_be_computed_still_counts_as_asked(study, arms):
    apart = replace(
        arms["late"], replications=tuple(replace(r, number=r.number + 9) for r in arms["late"].replications)
    )
    made = [arms["none"], arms["plan"], apart]
    table = compare_arms(made, PRIMARY, study.labels, study.folder)["contrasts"]
    row = pick(table, contrast="slower")
    assert row["is_primary"]
    assert (row["n_pairs"], row["n_incidents"]) == (0, 0)
    assert np.isnan([row[name] for name in ("diff", "low", "high", "p_value", "p_adjusted")]).all()
    told = [pick(table, contrast=name) for name in ("faster", "p90 2023")]
    least = min(told, key=lambda r: r["p_value"])
    assert least["p_adjusted"] == pytest.approx(min(3 * least["p_value"], 1))
    only = compare_arms([arms["none"], apart], PRIMARY[2:], study.labels, study.folder)["contrasts"]
    assert only["contrast"].tolist() == ["slower"]
    assert sorted(only) == sorted(table)


def test_next_stations_are_ranked_beside_the_plan_and_a_town_without_a_site_is_left_out(tables):
    ranked = tables["one_more"]
    now = ranked["year"] == 0
    assert ranked["town"][now].tolist() == ["b", "a"]
    assert ranked["rank"][now].tolist() == [1, 2]
    assert ranked["gain_share_300"][now].tolist() == [0.05, 0.01]
    assert ranked["gain_mean_s"][now].tolist() == [3.0, 0.6]
    assert ranked["gain_beyond_600"][now].tolist() == pytest.approx([5.0 * YEAR, 1.0 * YEAR])
    assert ranked["plan_year"][now].tolist() == [2023, 2022]
    assert ranked["plan_order"][now].tolist() == ["2023:2", "2022:1"]


def test_arms_with_other_incidents_are_compared_over_those_that_both_have(study, arms):
    def half(number):
        table = arms["none"].replications[number].read("incidents")
        keep = np.arange(400) % 2 == 0
        return {name: shifted(table, 30)[name][keep].astype(dtype) for name, dtype in INCIDENT_COLUMNS.items()}

    arm = study.add("half", half, WORLDS)
    table = compare_arms([arm, arms["none"]], (), study.labels, study.folder, pairs=[("half", "none")])["contrasts"]
    row = pick(table, arm="half", year=0, scope="city", group="all", clock="arrival", metric="mean")
    assert row["n_incidents"] == 5 * 200
    assert row["diff"] == pytest.approx(30)


def test_results_do_not_depend_on_which_other_arms_are_compared(study, arms, tables):
    alone = compare_arms([arms["plan"]], (), study.labels, study.folder)
    for name in ("headline", "towns", "kinds", "hours"):
        mine = tables[name]["arm"] == "plan"
        for column in ("value", "high"):
            np.testing.assert_array_equal(alone[name][column], tables[name][column][mine])


def test_two_processes_give_the_same_tables_as_one(study, arms, tables):
    made = list(arms.values())
    steps: list[str] = []
    with map_in_processes(2) as run:
        again = compare_arms(
            made, PRIMARY, study.labels, study.folder, pairs=[("late", "plan")], one_more_arm="none", run=run,
            tell=steps.append,
        )  # fmt: skip
    assert steps == ["none", "plan", "late", "pairs"]
    for name, table in tables.items():
        for column, values in table.items():
            np.testing.assert_array_equal(again[name][column], values, err_msg=f"{name}.{column}")


def test_where_no_world_is_repeated_days_are_drawn_anew(study, random_incidents, tables):
    def make(number):
        return random_incidents(np.random.default_rng(100 + number), n=3000)

    arm = study.add("single", make, ["w0", "w1", "w2", "w3"])
    table = compare_arms([arm], (), study.labels, study.folder)["headline"]
    row = pick(table, arm="single", year=0, group="all", clock="arrival", metric="share_300")
    # incidents are independent here, so the variance of a share in one replication is p (1 - p) / n
    theory = np.sqrt(row["value"] * (1 - row["value"]) / 3000)
    assert row["mc_sd"] == pytest.approx(theory, rel=0.25)
    assert row["siting_sd"] < 2.5 * theory


def test_every_wrong_contrast_and_arm_is_reported_together(study, arms):
    wrong = (
        Contrast("x", "plam", "none"), Contrast("y", "plan", "plan"), Contrast("z", "plan", "none", metric="p99"),
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        compare_arms([arms["plan"], arms["none"]], wrong, study.labels, study.folder)
    assert len(caught.value.problems) == 3
    assert "did you mean 'plan'" in str(caught.value)
    with pytest.raises(InputError, match="was not measured"):
        compare_arms(list(arms.values()), [Contrast("x", "plan", "none", year=2031)], study.labels, study.folder)


def test_a_missing_replication_file_is_named(study, random_incidents):
    arm = study.add("gone", lambda r: random_incidents(np.random.default_rng(r), n=10), WORLDS)
    (arm.replications[2].folder / "incidents.parquet").unlink()
    with pytest.raises(InputError, match=r"r0002.incidents\.parquet"):
        compare_arms([arm], (), study.labels, study.folder)


def test_tables_are_written_the_same_twice_and_read_back(tables, tmp_path):
    first = write_tables(tables, tmp_path / "one", csv=True, xlsx=True)
    second = write_tables(tables, tmp_path / "two", csv=True, xlsx=True)
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name
    back = read_tables(tmp_path / "one")
    assert sorted(back) == sorted(tables)
    np.testing.assert_array_equal(back["headline"]["value"], tables["headline"]["value"])


def test_csv_opens_in_excel_and_the_workbook_names_the_towns(tables, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    write_tables(tables, tmp_path, csv=True, xlsx=True)
    raw = (tmp_path / "losers.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "losers.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["name_zh"] == "乙"
    book = openpyxl.load_workbook(tmp_path / "towns.xlsx")
    assert book.sheetnames == ["towns", "differences", "one more station"]
    head = [cell.value for cell in book["towns"][1]]
    assert head[:5] == ["arm", "year", "town", "name_zh", "name_en"]
    assert book["towns"].cell(2, 4).value == "甲"


def test_a_difference_with_an_endless_side_is_not_taken_for_missing():
    diff = difference(np.array([[np.inf, 1.0]]), np.array([[np.inf, np.nan]]))
    assert diff[0, 0] == np.inf
    assert np.isnan(diff[0, 1])
    assert np.isnan(mean_in_order(np.array([[np.inf], [1.0]]))).all()
    assert mean_in_order(np.array([[np.nan], [1.0], [2.0]])).tolist() == [1.5]


def test_arms_are_equivalent_where_the_whole_interval_lies_within_the_declared_bound(study, arms):
    tables = compare_arms(list(arms.values()), [SAME, OTHER, *PRIMARY], study.labels, study.folder)
    found = tables["contrasts"]
    told = {name: pick(found, contrast=name) for name in (SAME.id, OTHER.id, PRIMARY[0].id)}
    assert told[SAME.id]["diff"] == pytest.approx(-20)
    assert [bool(row["is_equivalent"]) for row in told.values()] == [True, False, False]
    assert [row["equivalence"] for row in told.values()][:2] == [25.0, 15.0]
    assert np.isnan(told[PRIMARY[0].id]["equivalence"])
    assert found["is_equivalent"].sum() == 1


@pytest.fixture(scope="module")
def conditions(study, arms, random_incidents):
    """The main pair on five replications, and the same pair 9 s better under another condition on the first three."""

    def base(number):
        return random_incidents(np.random.default_rng(number))

    slow = [
        replace(study.add(name, lambda r, s=shift: shifted(base(r), s, s), WORLDS[:3]), purpose="travel")
        for name, shift in (("none_slow", 100), ("plan_slow", 71))
    ]
    early = replace(study.add("early", lambda r: shifted(base(r), -26, -26), WORLDS[:2]), purpose="opening")
    made = [arms["none"], arms["plan"], *slow, early]
    pairs = [("plan", "none"), ("plan_slow", "none_slow"), ("none_slow", "none"), ("early", "none")]
    return compare_arms(made, (), study.labels, study.folder, pairs=pairs)


def test_a_condition_stands_beside_the_main_comparison_on_the_same_replications(study, arms, conditions):
    where = {"arm": "plan_slow", "base": "none_slow", "year": 0}
    row = pick(conditions["matched"], metric="mean", **where)
    assert (row["main_arm"], row["main_base"]) == ("plan", "none")
    assert (row["n_pairs"], row["n_worlds"]) == (3, 3)
    assert row["diff"] == pytest.approx(-20)
    assert row["change"] == pytest.approx(-9)  # 29 s saved under the condition, 20 without it
    assert (row["change_low"], row["change_high"]) == (pytest.approx(-9), pytest.approx(-9))
    three = [replace(arms[name], replications=arms[name].replications[:3]) for name in ("none", "plan")]
    alone = compare_arms(three, (), study.labels, study.folder, pairs=[("plan", "none")])
    for metric in ("p50", "p90", "share_300"):
        row = pick(conditions["matched"], metric=metric, **where)
        told = {"year": 0, "group": "headline", "clock": "arrival", "metric": metric}
        for column, arm in (("base_value", "none"), ("arm_value", "plan")):
            assert row[column] == pick(alone["headline"], arm=arm, **told)["value"]
        diff = pick(alone["contrasts"], arm="plan", base="none", scope="city", **told)
        for column in ("diff", "low", "high", "n_incidents"):
            assert row[column] == pytest.approx(diff[column], abs=1e-12)


def test_a_variant_of_the_main_arm_stands_beside_it_and_a_condition_s_base_does_not(conditions):
    row = pick(conditions["matched"], arm="early", base="none", year=0, metric="mean")
    assert (row["n_pairs"], row["diff"], row["change"]) == (2, pytest.approx(-20), pytest.approx(-6))
    assert set(conditions["matched"]["arm"]) == {"plan_slow", "early"}


def test_without_a_pair_under_another_condition_nothing_is_matched(tables):
    assert "matched" not in tables


def test_by_kind_and_hour_the_same_incidents_are_compared(study, random_incidents):
    def base(number):
        table = random_incidents(np.random.default_rng(number))
        return table | {"first_arrival_ms": np.where(table["first_arrival_ms"] < 0, 400_000, table["first_arrival_ms"])}

    def faster(number):
        table = base(number)
        is_touched = (table["kind"] == 1) & (table["hour"] >= 12)
        return table | {"first_arrival_ms": table["first_arrival_ms"] - np.where(is_touched, 12_000, 0)}

    made = [study.add("whole", base, WORLDS), study.add("touched", faster, WORLDS)]
    found = compare_arms(made, (), study.labels, study.folder, pairs=[("touched", "whole")])
    told = {"arm": "touched", "base": "whole", "metric": "mean", "year": 0}
    n = [sum(int((base(r)["kind"] == kind).sum()) for r in range(5)) for kind in range(3)]
    for kind, code in enumerate(("home", "road", "false")):
        row = pick(found["kind_contrasts"], kind=code, **told)
        each = [-12 * np.mean(base(r)["hour"][base(r)["kind"] == kind] >= 12) if kind == 1 else 0.0 for r in range(5)]
        assert row["diff"] == pytest.approx(np.mean(each))
        assert (row["n_pairs"], row["n_incidents"]) == (5, n[kind])
    hours = {hour: pick(found["hour_contrasts"], hour=hour, **told)["diff"] for hour in range(24)}
    assert all(hours[hour] == 0 for hour in range(12))
    assert all(-12 < hours[hour] < 0 for hour in range(12, 24))


def test_arms_told_without_detail_have_no_differences_by_kind_or_hour(conditions):
    for name in ("kind_contrasts", "hour_contrasts"):
        assert set(conditions[name]["arm"]) == {"plan"}


def test_what_is_held_of_an_arm_and_of_a_pair_does_not_grow_with_replications(study, random_incidents, tmp_path):
    arms = [study.add(name, lambda number: random_incidents(np.random.default_rng(number)), WORLDS) for name in "ab"]
    frame = Frame((2022, 2023), study.labels)
    sizes = []
    for n in (2, 5):
        some, folders = [], [Path(mkdtemp(dir=tmp_path)) for _ in range(3)]
        for arm, folder in zip(arms, folders, strict=False):
            few = replace(arm, replications=arm.replications[:n])
            some.append(collect(few, frame, folder, is_bootstrapped=False))
            some[-1].release()
        pair = make_pair(*some, frame, folders[2])
        assert len(pair.city) == len(some[0].main.values) == n
        sizes.append([len(pickle.dumps(one)) for one in (*some, pair)])
        assert max(sizes[-1]) < 20_000
    assert all(later - first < 3 * 150 for first, later in zip(*sizes, strict=True)), "a name and a folder for each"
