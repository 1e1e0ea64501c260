"""The closed forms against birth-and-death chains solved by linear algebra, and against printed values."""

from __future__ import annotations

import numpy as np
import pytest

from sim.chance import bin_weights
from sim.demand.quantiles import exponential_ms, lognormal_ms, make_table
from sim.verification import formulas


def stationary(up: list[float], down: list[float]) -> np.ndarray:
    """Return the law of a chain with rates `up[n]` from n to n + 1 and `down[n]` back, by its balance equations."""
    n = len(up) + 1
    generator = np.zeros((n, n))
    for i, (a, b) in enumerate(zip(up, down, strict=True)):
        generator[i, i + 1], generator[i + 1, i] = a, b
    generator -= np.diag(generator.sum(axis=1))
    equations = np.vstack([generator.T, np.ones(n)])
    return np.linalg.lstsq(equations, np.concatenate([np.zeros(n), [1.0]]), rcond=None)[0]


@pytest.mark.parametrize(("servers", "load"), [(1, 0.4), (3, 2.5), (4, 2.8), (7, 9.0)])
def test_erlang_b_is_the_full_state_of_the_chain(servers, load):
    chain = stationary([load] * servers, [float(n + 1) for n in range(servers)])
    assert formulas.erlang_b(servers, load) == pytest.approx(chain[-1], rel=1e-9)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (4, 2.8), (3, 2.0)])
def test_waits_of_many_servers_are_those_of_the_chain(servers, load):
    room = 300
    chain = stationary([load] * room, [float(min(n + 1, servers)) for n in range(room)])
    queue = float(chain[servers:] @ np.arange(room + 1 - servers))
    assert formulas.erlang_c(servers, load) == pytest.approx(chain[servers:].sum(), rel=1e-8)
    assert formulas.mmc_mean_wait(servers, load, 180.0) == pytest.approx(queue / load * 180.0, rel=1e-8)


def test_printed_values_come_out():
    """Cooper, Introduction to Queueing Theory (1981), tables: B(10, 5) = 0.01838, C(10, 5) = 0.03611."""
    assert formulas.erlang_b(10, 5.0) == pytest.approx(0.01838, abs=5e-6)
    assert formulas.erlang_c(10, 5.0) == pytest.approx(0.03611, abs=5e-6)


def test_one_server_agrees_with_many_and_the_wait_s_tail_with_its_mean():
    assert formulas.mg1_mean_wait(0.6, 1.0, 2.0) == pytest.approx(formulas.mmc_mean_wait(1, 0.6, 1.0))
    beyond = [formulas.mmc_wait_beyond(4, 2.8, 1.0, t) for t in np.arange(0.0, 60.0, 0.001)]
    assert float(np.trapezoid(beyond, dx=0.001)) == pytest.approx(formulas.mmc_mean_wait(4, 2.8, 1.0), rel=1e-5)


def test_priorities_share_out_the_same_work():
    """Kleinrock's conservation law: the loads' sum of waits is what one class would wait (equal services)."""
    loads = [0.15, 0.2, 0.3]
    waits = formulas.priority_waits(0.65, loads)
    assert waits == sorted(waits)
    assert sum(a * b for a, b in zip(loads, waits, strict=True)) == pytest.approx(0.65 * 0.65 / (1 - 0.65))


def test_the_number_busy_is_poisson():
    assert formulas.poisson_at_most(8.0, 5) == pytest.approx(0.191236, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "mean", "scv"),
    [
        (exponential_ms(124_766), 180_000.0, 1.0),
        (lognormal_ms(103_923, float(np.sqrt(np.log(3.0)))), 180_000.0, 2.0),
    ],
)
def test_tables_of_service_have_the_moments_that_the_formulas_take(name, mean, scv):
    values = make_table(name).astype(np.float64)
    assert float(values @ bin_weights()) == pytest.approx(mean, rel=1e-5)
    second = float((values * values) @ bin_weights()) / mean**2
    assert 0.999 < second / (1.0 + scv) <= 1.0 + 1e-5
