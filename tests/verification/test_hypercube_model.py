"""The exact hypercube solver, against a Markov chain built from the events, a textbook and Erlang's formulas."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.verification.hypercube import Hypercube, Steady, solve
from sim.verification.larson import BOOK_DISPATCHES_BETWEEN_AREAS, BOOK_WORKLOADS, PRIMARY_UNIT, three_servers

WAITING = 80
"""Most calls in the line of the chain below: at a load of 0.6 the rest has a probability of 2e-18."""


def chain(model: Hypercube) -> list[tuple[object, object, float, int, int, int]]:
    """Return every move (from, to, rate, unit, atom sent to, atom it comes from or -1) of a chain made of the events.

    A state is what each unit does (the atom where it works, or None) and how many wait. Who waits at the head of the
    line is drawn when a unit is free: calls in the line are alike until then.
    """
    n_units, n_atoms = len(model.service_rate), len(model.call_rate)
    total = float(model.call_rate.sum())
    idle: tuple[tuple[int | None, ...], int] = ((None,) * n_units, 0)
    moves: list[tuple[object, object, float, int, int, int]] = []
    known, new = {idle}, [idle]
    while new:
        work, waiting = new.pop()
        leads: list[tuple[tuple[tuple[int | None, ...], int], float, int, int, int]] = []
        for atom in range(n_atoms):
            rate = float(model.call_rate[atom])
            free = [unit for unit in model.order[atom].tolist() if work[unit] is None]
            if free:
                sent = free[0]
                leads.append((((*work[:sent], atom, *work[sent + 1 :]), 0), rate, sent, atom, -1))
            elif model.line == "queue" and waiting < WAITING:
                leads.append(((work, waiting + 1), rate, -1, -1, -1))
        for unit in range(n_units):
            rate, here = float(model.service_rate[unit]), work[unit]
            if here is None:
                continue
            if waiting == 0:
                leads.append((((*work[:unit], None, *work[unit + 1 :]), 0), rate, -1, -1, -1))
                continue
            for atom in range(n_atoms):
                after = ((*work[:unit], atom, *work[unit + 1 :]), waiting - 1)
                leads.append((after, rate * float(model.call_rate[atom]) / total, unit, atom, here))
        for after, rate, unit, atom, here in leads:
            moves.append(((work, waiting), after, rate, unit, atom, -1 if here is None else here))
            if after not in known:
                known.add(after)
                new.append(after)
    return moves


def solved_by_brute_force(model: Hypercube, between: NDArray[np.float64]) -> tuple[Steady, float]:
    """Return the steady state of the chain by dense linear algebra, and the mean travel of units that are sent on.

    `between`: (n_atoms, n_atoms). Units at home have a travel of 0, so that the travel is that of waits alone.
    """
    moves = chain(model)
    place = {state: i for i, state in enumerate(dict.fromkeys(state for move in moves for state in move[:2]))}
    rates = np.zeros((len(place), len(place)))
    for start, end, rate, *_ in moves:
        rates[place[start], place[end]] += rate
    balance = (rates - np.diag(rates.sum(axis=1))).T
    balance[-1] = 1.0
    right = np.zeros(len(place))
    right[-1] = 1.0
    of_state = np.linalg.solve(balance, right)
    n_units, n_atoms = len(model.service_rate), len(model.call_rate)
    probability, mean_waiting = np.zeros(1 << n_units), 0.0
    for (work, waiting), i in place.items():  # type: ignore[misc]
        probability[sum(1 << unit for unit in range(n_units) if work[unit] is not None)] += of_state[i]
        mean_waiting += waiting * of_state[i]
    at_once, after_wait, travel = np.zeros((n_units, n_atoms)), np.zeros((n_units, n_atoms)), 0.0
    for start, _, rate, unit, atom, here in moves:
        if unit >= 0:
            flow = of_state[place[start]] * rate
            (at_once if here < 0 else after_wait)[unit, atom] += flow
            travel += flow * between[here, atom] if here >= 0 else 0.0
    served = at_once.sum() + after_wait.sum()
    workload = np.array([probability[[s for s in range(1 << n_units) if s >> u & 1]].sum() for u in range(n_units)])
    steady = Steady(
        probability, probability[-1], workload, at_once / served, after_wait / served,
        mean_waiting / float(model.call_rate.sum()),
    )  # fmt: skip
    return steady, travel / served


@st.composite
def models(draw: st.DrawFn) -> Hypercube:
    """Draw a small city: 1-3 units, 1-3 atoms, any order, loads up to 0.6 with a line and 2 without."""
    n_units = draw(st.integers(1, 3))
    n_atoms = draw(st.integers(1, 3 if n_units < 3 else 2))
    line = draw(st.sampled_from(("loss", "queue")))
    rate = st.integers(1, 20).map(lambda n: n / 10.0)
    is_one_rate = draw(st.booleans())
    service = np.full(n_units, draw(rate)) if is_one_rate else np.array([draw(rate) for _ in range(n_units)])
    calls = np.array([draw(rate) for _ in range(n_atoms)])
    calls *= draw(st.floats(0.05, 0.6 if line == "queue" else 2.0)) * service.sum() / calls.sum()
    order = np.array([draw(st.permutations(range(n_units))) for _ in range(n_atoms)])
    return Hypercube(calls, service, order, line)


@settings(max_examples=40)
@given(models())
def test_the_solver_agrees_with_a_chain_built_from_the_events(model: Hypercube) -> None:
    between = np.arange(len(model.call_rate) ** 2, dtype=np.float64).reshape(len(model.call_rate), -1)
    found, (expected, travel) = solve(model), solved_by_brute_force(model, between)
    for name in ("probability", "workload", "at_once", "after_wait", "mean_wait", "met_all_busy"):
        assert np.allclose(getattr(found, name), getattr(expected, name), rtol=1e-8, atol=1e-11), name
    assert found.dispatches.sum() == pytest.approx(1.0, abs=1e-12)
    if (model.service_rate == model.service_rate[0]).all():
        at_home = np.zeros_like(found.at_once)
        assert found.mean_travel_sent_on(at_home, between) == pytest.approx(travel, rel=1e-8, abs=1e-11)


def test_the_three_server_example_of_larson_and_odoni() -> None:
    steady = solve(three_servers("queue"))
    assert tuple(round(float(value), 4) for value in steady.workload) == BOOK_WORKLOADS
    # Erlang C of 1.5 calls a service, whatever the areas; printed as 0.23684
    assert steady.met_all_busy == pytest.approx(0.23684, abs=5e-6)
    # what atom 1 was found from: "about 8.7 percent"
    assert steady.dispatches[0, 0] == pytest.approx(0.087, abs=5e-4)
    # what no rate was found from: printed as 0.43529
    own = sum(steady.dispatches[unit, atom] for atom, unit in enumerate(PRIMARY_UNIT))
    assert 1.0 - own == pytest.approx(BOOK_DISPATCHES_BETWEEN_AREAS, abs=5e-5)


def test_no_other_areas_in_steps_of_a_twentieth_make_the_workloads_of_the_example() -> None:
    """The claim on which the example's rates rest: atoms 1 and 2 together, and area 2; area 1 has half of all calls."""
    order = np.array([(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 0, 1)])
    steps = np.arange(1, 15) / 20.0
    fitting = []
    for first, second in ((a, b) for a in steps for b in steps):
        rates = np.array([first, 0.75 - first, second, 0.75 - second])
        workload = solve(Hypercube(rates, np.ones(3), order, "queue")).workload
        if tuple(round(float(value), 4) for value in workload) == BOOK_WORKLOADS:
            fitting.append((first, second))
    assert fitting == [(0.5, 0.35)]


def test_other_rates_of_the_three_server_example_miss_its_workloads() -> None:
    model = three_servers("queue")
    for atom in range(len(model.call_rate)):
        rate = model.call_rate.copy()
        rate[atom] *= 1.02
        workload = solve(Hypercube(rate, model.service_rate, model.order, "queue")).workload
        assert tuple(round(float(value), 4) for value in workload) != BOOK_WORKLOADS


def erlang_b(n_units: int, offered: float) -> float:
    terms = [offered**n / factorial(n) for n in range(n_units + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize("n_units", [1, 2, 5, 10])
def test_as_many_busy_as_erlang_says_whatever_the_orders(n_units: int) -> None:
    rng = np.random.default_rng(n_units)
    calls = rng.uniform(0.1, 1.0, 7)
    calls *= 0.7 * n_units / calls.sum()
    order = np.array([rng.permutation(n_units) for _ in calls])
    loss = solve(Hypercube(calls, np.ones(n_units), order, "loss"))
    blocked = erlang_b(n_units, float(calls.sum()))
    assert loss.met_all_busy == pytest.approx(blocked, rel=1e-9)
    assert loss.workload.sum() == pytest.approx(calls.sum() * (1.0 - blocked), rel=1e-9)
    queue = solve(Hypercube(calls, np.ones(n_units), order, "queue"))
    waits = blocked / (1.0 - 0.7 * (1.0 - blocked))
    assert queue.met_all_busy == pytest.approx(waits, rel=1e-9)
    assert queue.mean_wait == pytest.approx(waits / (0.3 * n_units), rel=1e-9)
    assert queue.workload.sum() == pytest.approx(calls.sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("order", "load", "line", "told"),
    [
        ([[0, 0]], 0.5, "loss", "names every unit once"),
        ([[0, 1], [1, 0]], 0.5, "loss", "has shape"),
        ([[0, 1]], 1.0, "queue", "no steady state"),
    ],
)
def test_a_city_that_is_none_is_refused(order: list[list[int]], load: float, line: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Hypercube(np.array([2.0 * load]), np.ones(2), np.array(order), line)  # type: ignore[arg-type]
