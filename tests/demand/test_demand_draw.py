"""One replication: its size, swings and places by theory; and that changing one thing changes nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.demand.draw import SURGE_DTYPE, build_demand, draw_demand, split_identity, surge_rates
from sim.demand.types import INCIDENT_DTYPE
from sim.units import MS_PER_DAY, MS_PER_H

SEED = 20_220_101
N_REPLICATIONS = 20


@pytest.fixture(scope="module")
def month(world):
    return world.calendar("2023-05-01", "2023-06-01")


@pytest.fixture(scope="module")
def base(world, month):
    return world.draw(month)


@pytest.fixture(scope="module")
def replications(world, year):
    intensity = world.intensity(year)
    return intensity, [draw_demand(intensity, SEED, r) for r in range(N_REPLICATIONS)]


def _process(rows):
    return split_identity(rows["identity"]).process


# --- size and swings --------------------------------------------------------------------------------------------------


def test_the_reference_year_has_fifteen_to_seventeen_thousand_alarms(replications):
    _, demands = replications
    counts = [len(demand.incidents) for demand in demands]
    assert 15_000 < np.mean(counts) < 17_000
    assert all(15_000 < n < 17_500 for n in counts)


def test_ordinary_alarms_of_the_reference_year_average_the_setting(replications):
    """Variance of a year's count: its mean, plus that of the day factors, cv^2 x sum of squared daily means."""
    intensity, demands = replications
    counts = [np.count_nonzero(_process(demand.incidents) == 0) for demand in demands]
    by_day = (intensity.rate.sum(axis=0)[:, None] * intensity.day).sum(axis=0)
    assert by_day.sum() == pytest.approx(16_000, rel=1e-12)
    variance = 16_000 + 0.1345**2 * (by_day**2).sum()
    assert np.mean(counts) == pytest.approx(16_000, abs=3 * np.sqrt(variance / N_REPLICATIONS))


def test_daily_variance_is_one_and_four_fifths_of_the_mean_after_the_calendar(replications):
    intensity, demands = replications
    by_day = (intensity.rate.sum(axis=0)[:, None] * intensity.day).sum(axis=0)
    ratios = []
    for demand in demands:
        rows = demand.incidents[_process(demand.incidents) == 0]
        counts = np.bincount(rows["call_ms"] // MS_PER_DAY, minlength=len(by_day))
        ratios.append(((counts - by_day) ** 2).sum() / by_day.sum())
    standard_error = np.std(ratios, ddof=1) / np.sqrt(N_REPLICATIONS)
    assert standard_error < 0.05
    assert np.mean(ratios) == pytest.approx(1.8, abs=3 * standard_error)


def test_daily_counts_are_poisson_when_the_day_factor_is_off(world, year):
    intensity = world.intensity(year, city_day_cv=0.0, is_surge_on=False)
    by_day = (intensity.rate.sum(axis=0)[:, None] * intensity.day).sum(axis=0)
    rows = draw_demand(intensity, SEED, 0).incidents
    counts = np.bincount(rows["call_ms"] // MS_PER_DAY, minlength=len(by_day))
    dispersion = ((counts - by_day) ** 2 / by_day).sum()
    assert stats.chi2(len(by_day)).cdf(dispersion) == pytest.approx(0.5, abs=0.4995)


def test_growth_is_by_calendar_year(world):
    calendar = world.calendar("2022-01-01", "2027-01-01")
    intensity = world.intensity(calendar)
    assert [float(intensity.growth[calendar.year == y][0]) for y in range(2022, 2027)] == pytest.approx(
        [1 / 1.12, 1.0, 1.12, 1.2544, 1.404928]
    )


def test_hours_follow_the_profile_of_the_kind(replications, world):
    intensity, demands = replications
    rows = np.concatenate([demand.incidents for demand in demands])
    rows = rows[_process(rows) == 0]
    for code in ("outdoor_fire", "home_fire", "road_rescue", "wasp_nest"):
        kind = world.tables.kinds.code.index(code)
        hours = np.bincount((rows["call_ms"][rows["kind"] == kind] % MS_PER_DAY) // MS_PER_H, minlength=24)
        expected = hours.sum() * intensity.hour[kind] / 24.0
        assert stats.chisquare(hours, expected).pvalue > 1e-3, code


def test_a_rescaled_clock_makes_one_town_and_kind_a_standard_poisson_process(world, year):
    """Time rescaling (Brown et al. 2002): with the rate integrated, gaps are exponential with mean one."""
    intensity = world.intensity(year, city_day_cv=0.0, is_surge_on=False)
    town, kind = world.city.towns.code.index("humen"), world.tables.kinds.code.index("outdoor_fire")
    rate_per_h = intensity.rate_per_h(town, kind)
    integral = np.concatenate([[0.0], np.cumsum(rate_per_h)])
    gaps = []
    for replication in range(10):
        rows = draw_demand(intensity, SEED, replication).incidents
        call_h = rows["call_ms"][(rows["town"] == town) & (rows["kind"] == kind)] / MS_PER_H
        gaps.append(np.diff(np.interp(call_h, np.arange(len(integral)), integral)))
    gaps = np.concatenate(gaps)
    assert len(gaps) > 1_000
    assert stats.kstest(gaps, "expon").pvalue > 1e-3


def test_towns_and_kinds_come_at_their_rates(replications, world):
    intensity, demands = replications
    rows = np.concatenate([demand.incidents for demand in demands])
    rows = rows[_process(rows) == 0]
    expected = (intensity.rate * intensity.day.sum(axis=1)[None, :]) * N_REPLICATIONS
    found = np.zeros(expected.shape)
    np.add.at(found, (rows["town"], rows["kind"]), 1)
    often = expected >= 10
    chi2 = ((found - expected)[often] ** 2 / expected[often]).sum()
    assert chi2 / np.count_nonzero(often) == pytest.approx(1.0, abs=5 * np.sqrt(2 / np.count_nonzero(often)))
    assert np.all(found[expected == 0] == 0)


def test_town_rates_add_up_to_the_city_for_every_kind(world, year):
    intensity = world.intensity(year)
    per_year = intensity.rate.sum(axis=0) * len(year.reference.year)
    assert per_year == pytest.approx(16_000 * world.tables.kinds.share / 1e5, rel=1e-12)
    assert intensity.places.town_share.sum(axis=1) == pytest.approx(np.ones(len(intensity.places.town_share)))


# --- marks ------------------------------------------------------------------------------------------------------------


def test_rows_are_in_order_inside_the_run_and_each_identity_is_one(base, month):
    rows = base.incidents
    assert rows.dtype == INCIDENT_DTYPE
    assert base.surge_days.dtype == SURGE_DTYPE
    assert np.all(np.diff(rows["call_ms"]) >= 0)
    assert rows["call_ms"].min() >= 0
    assert rows["call_ms"].max() < month.end_ms
    assert len(np.unique(rows["identity"])) == len(rows)


def test_identity_tells_process_town_kind_day_and_number(base, month, world):
    rows, parts = base.incidents, split_identity(base.incidents["identity"])
    epoch_day = int((np.datetime64(month.start) - np.datetime64(world.city.epoch, "D")).astype(int))
    assert np.array_equal(parts.town, rows["town"])
    assert np.array_equal(parts.kind, rows["kind"])
    assert np.array_equal(parts.day - epoch_day, rows["call_ms"] // MS_PER_DAY)


def test_cells_lie_in_their_town_and_are_drawn_by_exposure(replications, world):
    _, demands = replications
    rows = np.concatenate([demand.incidents for demand in demands])
    cells = world.city.cells
    assert np.array_equal(cells.town[rows["cell"]], rows["town"])
    town, kind = world.city.towns.code.index("dongcheng"), world.tables.kinds.code.index("home_fire")
    drawn = np.bincount(rows["cell"][(rows["town"] == town) & (rows["kind"] == kind)], minlength=cells.n_cells)
    weight = np.where(cells.town == town, cells.population, 0).astype(float)
    expected = drawn.sum() * weight / weight.sum()
    often = expected >= 5
    assert np.all(drawn[weight == 0] == 0)
    assert stats.chisquare(drawn[often], expected[often] * drawn[often].sum() / expected[often].sum()).pvalue > 1e-3


@pytest.mark.parametrize(
    ("kind", "site"), [("petrochemical_fire", "petrochemical"), ("mountain_rescue", "mountain")]
)  # fmt: skip
def test_special_kinds_happen_only_at_their_sites(replications, world, kind, site):
    _, demands = replications
    rows = np.concatenate([demand.incidents for demand in demands])
    found = rows["cell"][rows["kind"] == world.tables.kinds.code.index(kind)]
    sites = world.city.sites
    allowed = sites.cell[sites.kind == world.city.site_kinds.index(site)]
    assert len(found) > 10
    assert np.all(np.isin(found, allowed))


def test_grades_have_the_shares_of_the_table(replications, world):
    _, demands = replications
    rows = np.concatenate([demand.incidents for demand in demands])
    kind = world.tables.kinds.code.index("home_fire")
    found = np.bincount(rows["grade"][rows["kind"] == kind], minlength=6)[1:]
    expected = np.array([0.88, 0.10, 0.018, 0.002]) * found.sum()
    assert stats.chisquare([*found[:3], found[3] + found[4]], expected).pvalue > 1e-3
    top = world.tables.kinds.max_grade[rows["kind"]]
    assert np.all((rows["grade"] >= 1) & (rows["grade"] <= top))
    assert np.all(rows["reported_grade"] >= 1)
    assert np.all(rows["reported_grade"] <= world.tables.kinds.max_grade[rows["reported_kind"]])


def test_false_alarms_are_told_as_fires_and_a_quarter_of_larger_fires_as_smaller(replications, world):
    _, demands = replications
    rows = np.concatenate([demand.incidents for demand in demands])
    family = np.array(world.tables.kinds.family)
    is_false = family[rows["kind"]] == "false_alarm"
    assert np.all(family[rows["reported_kind"][is_false]] == "fire")
    kind = world.tables.kinds.code.index("factory_fire")
    second = rows[(rows["kind"] == kind) & (rows["grade"] == 2)]
    lower = np.mean(second["reported_grade"] == 1)
    assert lower == pytest.approx(0.25, abs=3 * np.sqrt(0.25 * 0.75 / len(second)))


def test_exact_reports_tell_the_truth_and_change_nothing_else(world, month, base):
    exact = world.draw(month, is_report_exact=True).incidents
    assert np.array_equal(exact["reported_kind"], exact["kind"])
    assert np.array_equal(exact["reported_grade"], exact["grade"])
    for name in INCIDENT_DTYPE.names:
        if not name.startswith("reported"):
            assert np.array_equal(exact[name], base.incidents[name]), name


def test_ranks_are_uniform_and_unlike_each_other(replications):
    _, demands = replications
    rows = demands[0].incidents
    ranks = np.column_stack([rows["rank_handling"], rows["rank_travel"], rows["rank_escalate"]]) / 2**32
    for column in ranks.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4
    correlation = np.corrcoef(ranks.T) - np.eye(6)
    assert np.abs(correlation).max() < 5 / np.sqrt(len(rows))


# --- change one thing, the rest is equal ------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_bits_and_another_key_others(world, month, base):
    again = build_demand(
        world.city, world.settings, month, SEED, 0, tables=world.tables, store=world.store
    )  # fmt: skip
    assert again.incidents.tobytes() == base.incidents.tobytes()
    intensity = world.intensity(month)
    backwards = [draw_demand(intensity, SEED, r).incidents.tobytes() for r in (2, 1, 0)]
    assert backwards[2] == base.incidents.tobytes()
    assert len(set(backwards)) == 3
    assert world.draw(month, seed=SEED + 1).incidents.tobytes() != base.incidents.tobytes()


def test_raising_one_town_adds_there_and_leaves_every_other_incident(world, month, base):
    more = world.draw(month, town_factor={"humen": 1.6}).incidents
    town = world.city.towns.code.index("humen")
    assert more[more["town"] != town].tobytes() == base.incidents[base.incidents["town"] != town].tobytes()
    kept = np.isin(more["identity"], base.incidents["identity"])
    assert more[kept].tobytes() == base.incidents.tobytes()
    assert np.count_nonzero(~kept) > 30


def test_lowering_one_kind_removes_there_and_leaves_every_other_incident(world, month, base):
    less = world.draw(month, kind_factor={"outdoor_fire": 0.5}).incidents
    kind = world.tables.kinds.code.index("outdoor_fire")
    assert less[less["kind"] != kind].tobytes() == base.incidents[base.incidents["kind"] != kind].tobytes()
    assert np.all(np.isin(less["identity"], base.incidents["identity"]))
    n_less, n_base = np.count_nonzero(less["kind"] == kind), np.count_nonzero(base.incidents["kind"] == kind)
    assert n_less == pytest.approx(n_base / 2, abs=3 * np.sqrt(n_base / 4))


def test_switching_joint_medical_on_adds_only_that_kind(world, month, base):
    more = world.draw(month, extra_alarms_per_year={"joint_medical": 2_000}).incidents
    kind = world.tables.kinds.code.index("joint_medical")
    assert more[more["kind"] != kind].tobytes() == base.incidents.tobytes()
    assert np.count_nonzero(more["kind"] == kind) > 100


@settings(max_examples=25, deadline=None)
@given(
    low=st.floats(0.0, 1.5),
    extra=st.floats(0.0, 0.5),
    town=st.integers(0, 33),
    other=st.floats(0.2, 1.5),
    replication=st.integers(0, 1_000),
)
def test_a_higher_rate_always_keeps_every_incident_of_the_lower(world, month, low, extra, town, other, replication):
    code = world.city.towns.code[town]
    kinds = {"home_fire": other}
    fewer = world.draw(month, replication, town_factor={code: low}, kind_factor=kinds).incidents
    more = world.draw(month, replication, town_factor={code: low + extra}, kind_factor=kinds).incidents
    kept = np.isin(more["identity"], fewer["identity"])
    assert more[kept].tobytes() == fewer.tobytes()
    assert np.all(more["town"][~kept] == town)


def test_a_longer_run_has_the_same_incidents_on_the_same_days(world, month, base):
    longer = world.calendar("2023-04-20", "2023-06-10")
    rows = world.draw(longer).incidents.copy()
    rows["call_ms"] -= longer.ms_of(month.start)
    inside = (rows["call_ms"] >= 0) & (rows["call_ms"] < month.end_ms)
    assert rows[inside].tobytes() == base.incidents.tobytes()


# --- surges -----------------------------------------------------------------------------------------------------------


def test_the_surge_switch_adds_only_surge_rows(replications, world, year):
    _, demands = replications
    calm = world.draw(year, is_surge_on=False)
    rows = demands[0].incidents
    assert len(calm.surge_days) == 0
    assert rows[_process(rows) == 0].tobytes() == calm.incidents.tobytes()
    assert np.count_nonzero(_process(rows) == 1) > 50


def test_surge_days_come_as_often_and_bring_as_much_as_set(replications, world):
    intensity, demands = replications
    days = np.concatenate([demand.surge_days for demand in demands])
    for j, code in enumerate(intensity.surges.code):
        mean = world.settings.surges[code].days_per_year * N_REPLICATIONS
        assert np.count_nonzero(days["surge_type"] == j) == pytest.approx(mean, abs=3 * np.sqrt(mean)), code
    expected = sum(float(surge_rates(intensity, day).sum()) for demand in demands for day in demand.surge_days)
    found = sum(np.count_nonzero(_process(demand.incidents) == 1) for demand in demands)
    assert found == pytest.approx(expected, abs=3 * np.sqrt(expected))


def test_surge_alarms_fall_in_the_window_and_kinds_of_the_surge(replications, world):
    intensity, demands = replications
    for demand in demands[:5]:
        rows = demand.incidents[_process(demand.incidents) == 1]
        for day in demand.surge_days:
            on_day = rows[(rows["call_ms"] // MS_PER_DAY) == day["day"]]
            assert np.all((on_day["call_ms"] >= day["begin_ms"]) & (on_day["call_ms"] < day["end_ms"]))
            shares = world.settings.surges[intensity.surges.code[day["surge_type"]]].kind_share
            assert {world.tables.kinds.code[k] for k in on_day["kind"]} <= set(shares)


def test_a_surge_weighs_on_the_towns_around_its_centre(replications, world):
    """Twice as near in range, the weight is as 1 / (1 + (d / range)^2): hand-computed for two towns and one kind."""
    intensity, demands = replications
    day = next(d for demand in demands for d in demand.surge_days if intensity.surges.code[d["surge_type"]] == "rainstorm")  # fmt: skip  # noqa: E501
    rate = surge_rates(intensity, day)
    kind = world.tables.kinds.code.index("flood_rescue")
    towns = world.city.towns
    distance_km = np.hypot(towns.seat_x_m - float(day["x_m"]), towns.seat_y_m - float(day["y_m"])) / 1_000
    near, far = int(np.argmin(distance_km)), int(np.argmax(distance_km))
    weight = [1 / (1 + (distance_km[t] / 12) ** 2) for t in (near, far)]
    share = intensity.places.town_share[intensity.places.pattern[kind]]
    assert rate[near, kind] / rate[far, kind] == pytest.approx(share[near] * weight[0] / (share[far] * weight[1]))
    assert rate[:, kind].sum() == pytest.approx(18 * 0.45 * day["size_q16"] / 65_536)
