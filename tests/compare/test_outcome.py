"""Deaths and losses of two schemes, added up by hand from a handful of fires."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
import pytest

from sim.compare import OutcomeModel, outcome_table
from sim.metrics.incidents import INCIDENT_COLUMNS
from sim.outcome import FireWeights, OutcomeSettings
from sim.units import MS_PER_DAY

MIN_MS = 60_000
SETTINGS = OutcomeSettings(
    "test", "", "", "curves", deaths_per_100k=[0.1, 0.2, 0.2], fall_per_min=[0.02, 0.04, 0.08], without_service=1.6,
    reference_min=10, loss_per_fire=[100, 200, 400], loss_power=[0.5, 1, 2], before_call_min=4, full_loss_min=16,
)  # fmt: skip
WEIGHTS = FireWeights(np.array([2.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([True, False, False]))
MODEL = OutcomeModel(SETTINGS, WEIGHTS, 50_000)


def fires(minutes: list[float], kinds: list[int] | None = None, handling_min: float = 1.0) -> dict[str, Any]:
    """Return incidents of 2022, met `minutes` after the call (infinite: never), the first on its first day."""
    n = len(minutes)
    table = {name: np.zeros(n, dtype=dtype) for name, dtype in INCIDENT_COLUMNS.items()}
    table["identity"] = np.arange(n, dtype=np.uint64)
    table["call_ms"] = np.arange(n) * MS_PER_DAY
    table["dispatch_due_ms"] = table["call_ms"] + int(handling_min * MIN_MS)
    table["year"][:] = 2022
    table["kind"] = np.array(kinds or [0] * n)
    table["is_headline"] = table["kind"] < 2
    ms = [-1 if np.isinf(m) else int((m - handling_min) * MIN_MS) for m in minutes]
    table["first_arrival_ms"] = np.array(ms)
    table["first_critical_ms"] = np.array([m if m < 0 else m + 2 * MIN_MS for m in ms])
    return {name: table[name].astype(dtype) for name, dtype in INCIDENT_COLUMNS.items()}


def estimate(study: Any, base: list[Any], arm: list[Any], model: OutcomeModel = MODEL) -> dict[str, Any]:
    """Return the rows of the arm's year 2022; each list holds the incidents of a replication."""
    open_ms = int(365.25 * MS_PER_DAY)
    worlds = [f"w{at}" for at in range(len(base))]
    arms = [
        study.add(name, lambda number, of=of: of[number], worlds, years=(2022,), open_ms=open_ms)
        for name, of in (("nothing", base), ("plan", arm))
    ]
    table = outcome_table(arms, [("plan", "nothing")], "nothing", model, study.labels)
    at = np.flatnonzero((table["arm"] == "plan") & (table["year"] == 2022))[0] if table else 0
    found = {name: values[at] for name, values in table.items()}
    base_at = np.flatnonzero((table["arm"] == "nothing") & (table["year"] == 2022))[0] if table else 0
    return found | {f"base_{name}": values[base_at] for name, values in table.items()}


def risk(minutes: float, fall: float) -> float:
    return 1 - 0.375 * exp((10 - minutes) * fall / 0.6)


def test_the_base_has_the_given_rates_and_the_rest_follows_the_curves(study: Any) -> None:
    """50,000 residents at 0.2 per 100,000 are 0.1 deaths a year; the base is met after 10 and 16 min."""
    found = estimate(study, [fires([10, 16])], [fires([6, 16])])
    assert found["base_deaths_likely"] == pytest.approx(0.1)
    assert found["base_per_100k_likely"] == pytest.approx(0.2)
    ratio = (risk(6, 0.04) + risk(16, 0.04)) / (risk(10, 0.04) + risk(16, 0.04))
    assert found["deaths_likely"] == pytest.approx(0.1 * ratio)
    assert found["saved_deaths_likely"] == pytest.approx(0.1 * (1 - ratio))
    assert found["saved_deaths_low"] == pytest.approx(
        0.05 * (1 - (risk(6, 0.02) + risk(16, 0.02)) / (risk(10, 0.02) + risk(16, 0.02)))
    )
    # loss: two fires of 200 a year; (4 + 10) / 20 and 1 in the base, (4 + 6) / 20 and 1 in the arm
    assert found["base_loss_likely"] == pytest.approx(400)
    assert found["loss_likely"] == pytest.approx(400 * 1.5 / 1.7)
    assert found["loss_high"] == pytest.approx(800 * 1.25 / 1.49)
    assert found["n_fires"] == pytest.approx(2)


def test_a_fire_that_nobody_reached_counts_as_if_nobody_ever_came(study: Any) -> None:
    found = estimate(study, [fires([10])], [fires([np.inf])])
    assert found["deaths_likely"] == pytest.approx(0.1 * 1.6)
    assert found["saved_deaths_likely"] == pytest.approx(-0.06)
    assert (found["saved_deaths_low"], found["saved_deaths_high"]) == pytest.approx((-0.06, -0.03))


def test_rescues_and_kinds_without_people_count_in_neither(study: Any) -> None:
    plain = estimate(study, [fires([10])], [fires([6])])
    more = type(study)(study.folder / "more")
    mixed = estimate(more, [fires([10, 5], [0, 1])], [fires([6, 30], [0, 1])])
    assert mixed["saved_deaths_likely"] == pytest.approx(plain["saved_deaths_likely"])
    assert mixed["n_fires"] == pytest.approx(1)


def test_the_clock_may_run_until_the_critical_task(study: Any) -> None:
    model = OutcomeModel(OutcomeSettings(**{**vars(SETTINGS), "clock": "critical"}), WEIGHTS, 50_000)
    found = estimate(study, [fires([8])], [fires([4])], model)
    assert found["deaths_likely"] == pytest.approx(0.1 * risk(6, 0.04) / risk(10, 0.04))


def test_chance_is_that_of_the_paired_differences(study: Any) -> None:
    """Loss saved in two worlds: 4 and 8 of 20 minutes a fire; mean 6, half-width t(1) x 2 = 12.7062 x 2, all scaled."""
    found = estimate(study, [fires([10]), fires([10])], [fires([6]), fires([2])])
    scale = 200 / 0.7
    assert found["saved_loss_likely"] == pytest.approx(scale * 6 / 20)
    assert found["saved_loss_chance"] == pytest.approx(scale * 12.7062 * 2 / 20, rel=1e-4)
    assert found["n_pairs"] == 2


def test_without_a_fire_in_the_base_nothing_is_told(study: Any) -> None:
    assert estimate(study, [fires([10], [1])], [fires([10], [0])]) == {}
