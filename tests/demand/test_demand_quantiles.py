"""Quantile tables keep mean and tail, counts are Poisson, and the committed store is what the code makes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import stats

from sim.chance import bin_weights, look_up
from sim.config import configs_root
from sim.demand.build import default_table_names, make_ceilings, read_settings
from sim.demand.ceilings import poisson_thresholds, preferred_above
from sim.demand.kinds import load_demand_tables
from sim.demand.quantiles import exponential_ms, gamma_factor, load_store, lognormal_factor, lognormal_ms, make_table
from sim.demand.settings import TimesSettings
from sim.errors import InputError


@pytest.fixture(scope="module")
def names(world):
    times = read_settings(configs_root() / "times" / "default.yaml", "times", TimesSettings)
    return default_table_names(world.tables, world.settings, times)


def test_the_committed_store_holds_exactly_the_tables_of_the_defaults(world, names):
    assert sorted(world.store.stored) == [name for name in names if not name.startswith("constant")]


def test_the_committed_tables_are_made_again_to_the_unit(world):
    """Other builds of scipy may differ in the last digit before rounding, so one unit is allowed, a rarity."""
    for name, stored in world.store.stored.items():
        difference = np.abs(make_table(name).astype(np.int64) - stored)
        assert difference.max() <= 1, name
        assert np.count_nonzero(difference) <= 3, name


def test_the_committed_ceilings_are_made_again(world):
    tables = load_demand_tables(world.folder, with_ceilings=False)
    calendar = world.calendar("2022-01-01", "2027-01-01")
    made = make_ceilings(world.city, tables, world.settings, calendar)
    keys = zip(made["process"], made["town"], made["kind"], strict=True)
    assert dict(zip(keys, made["per_day"], strict=True)) == world.tables.ceilings


def test_table_means_are_right_to_half_a_unit(world):
    for name, values in world.store.stored.items():
        family, *rest = name.split()
        given = {key: float(value) for key, _, value in (part.partition("=") for part in rest)}
        mean = 65_536.0 if family.endswith("q16") else given["median"] * np.exp(given["sigma"] ** 2 / 2)
        assert float(values @ bin_weights()) == pytest.approx(mean, abs=0.5), name


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        (lognormal_ms(60_000, 0.5), stats.lognorm(0.5, scale=60_000)),
        (exponential_ms(60_000), stats.expon(scale=60_000 / np.log(2.0))),
        (lognormal_factor(0.2), stats.lognorm(0.2, scale=65_536 * np.exp(-0.02))),
        (gamma_factor(0.1345), stats.gamma(1 / 0.1345**2, scale=65_536 * 0.1345**2)),
        (gamma_factor(0.7), stats.gamma(1 / 0.49, scale=65_536 * 0.49)),
    ],
)
def test_quantiles_lie_within_their_bins_out_to_one_in_a_million(name, frozen):
    """A table entry is the mean of its bin: 1/1024 wide up to the last 1024th, 2**-20 wide up to the last 2**-20."""
    values = make_table(name)
    for probability, width in ((0.1, 2**-10), (0.5, 2**-10), (0.9, 2**-10), (0.999_5, 2**-20), (0.999_99, 2**-20)):
        found = int(look_up(values, int(probability * 2**32)))
        edge = np.floor(probability / width) * width
        low, high = frozen.ppf(edge), frozen.ppf(min(edge + width, 1 - 2**-30))
        assert low - 1 <= found <= high + 1, (name, probability)


def test_the_variance_of_a_factor_is_right_to_half_a_percent():
    for cv in (0.1345, 0.7):
        values = make_table(gamma_factor(cv)) / 65_536.0
        variance = float((values - 1.0) ** 2 @ bin_weights())
        assert variance == pytest.approx(cv * cv, rel=0.005)


@pytest.mark.parametrize("mean", [1e-5, 0.001, 0.032, 1.0, 7.5, 56.0])
def test_counts_are_poisson_to_the_resolution_of_a_rank(mean):
    thresholds = np.array(poisson_thresholds(mean), dtype=np.float64)
    exact = stats.poisson(mean).cdf(np.arange(len(thresholds)))
    assert np.abs(thresholds / 2**32 - exact).max() < 2**-32 + 1e-12
    table_mean = float((1 - thresholds / 2**32).sum())
    assert table_mean == pytest.approx(mean, abs=len(thresholds) * 2.0**-32 + 1e-12)
    assert np.all(np.diff(thresholds) >= 0)
    assert thresholds[-1] < 2**32


def test_poisson_thresholds_are_the_same_on_every_machine():
    text = ",".join(str(t) for mean in (0.001, 0.42, 3.2, 24.0) for t in poisson_thresholds(mean))
    assert poisson_thresholds(1.0)[:3] == [1580030168, 3160060337, 3950075421]  # 2**32 x (1, 2, 2.5) / e, rounded down
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "90624a3d37cebdc7"
    assert poisson_thresholds(0.0) == []


def test_preferred_numbers_are_the_next_above():
    assert [preferred_above(v) for v in (0.0, 1.0, 1.01, 0.0031, 7.6, 99.0)] == [0.0, 1.0, 1.3, 0.0032, 10.0, 100.0]


def test_tables_without_spread_are_constant():
    assert np.all(make_table(lognormal_ms(90_000, 0.0)) == 90_000)
    assert np.all(make_table(gamma_factor(0.0)) == 65_536)
    assert np.all(make_table(exponential_ms(0)) == 0)


def test_an_exponential_table_has_its_mean_and_nearly_its_second_moment():
    """Each entry is the mean of its bin, so the second moment falls short by the variance within bins."""
    values, mean = make_table(exponential_ms(60_000)).astype(np.float64), 60_000 / np.log(2.0)
    assert float(values @ bin_weights()) == pytest.approx(mean, abs=0.5)
    assert 0.9999 < float((values * values) @ bin_weights()) / (2.0 * mean * mean) < 1.0


def test_a_tail_too_long_and_a_damaged_store_are_told(tmp_path):
    with pytest.raises(InputError, match="does not fit a table"):
        make_table(lognormal_ms(86_400_000, 1.5))
    (tmp_path / "quantile_tables.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(InputError, match="is damaged"):
        load_store(tmp_path)
    assert load_store(tmp_path / "nowhere").stored == {}
