"""Larson's hypercube queueing model, solved exactly: who is busy, who is sent where, and how far.

Units have homes; calls come from atoms (demand cells) as Poisson processes; every atom has a fixed order of units, and
the first of them that is free goes. Service is exponential with a rate of the unit's own, wherever it goes. A call that
finds all busy is lost to outside help (`loss`), or waits, first come first served, for whoever is free next (`queue`).
The state is the set of busy units: the corners of a cube in as many dimensions as there are units.

Larson (1974), A hypercube queuing model for facility location and redistricting in urban emergency services, Computers
& Operations Research 1(1), 67-95; Larson & Odoni (1981), Urban Operations Research, sections 5.4.3 and 5.4.4. This
module knows no engine, no city and no log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Hypercube:
    """A city of the model.

    Parameters
    ----------
    call_rate : (n_atoms,) calls of each atom per unit of time.
    service_rate : (n_units,) services that each unit ends per unit of time while it is busy.
    order : (n_atoms, n_units) units in the order in which they are sent to each atom.
    line : what a call does that finds all busy, `loss` or `queue`.
    """

    call_rate: NDArray[np.float64]
    service_rate: NDArray[np.float64]
    order: NDArray[np.int64]
    line: Literal["loss", "queue"]

    def __post_init__(self) -> None:
        """Refuse orders that are none, and a queue that grows for ever.

        Raises
        ------
        ValueError
            If a row of `order` does not name every unit once, or calls outnumber what all units can serve.
        """
        n_units = len(self.service_rate)
        if self.order.shape != (len(self.call_rate), n_units):
            raise ValueError(f"order has shape {self.order.shape}, not ({len(self.call_rate)}, {n_units})")
        if not (np.sort(self.order, axis=1) == np.arange(n_units)).all():
            raise ValueError("every atom's order names every unit once")
        if self.line == "queue" and self.load >= 1.0:
            raise ValueError(f"a load of {self.load:g} has no steady state with a queue")

    @property
    def load(self) -> float:
        """Calls over what all units together can serve."""
        return float(self.call_rate.sum() / self.service_rate.sum())


@dataclass(frozen=True, slots=True)
class Steady:
    """The model's steady state.

    Attributes
    ----------
    probability
        (2**n_units,) of each set of busy units, unit n as bit n; that of all holds every length of the line.
    met_all_busy
        Share of calls that find all busy: lost, or waiting.
    workload
        (n_units,) share of its time that each unit is busy.
    at_once
        (n_units, n_atoms) share of all dispatches that send a unit to an atom without a wait.
    after_wait
        (n_units, n_atoms) likewise of those after a wait; zeros where calls are lost.
    mean_wait
        Mean wait of all calls, in the unit of time; 0 where they are lost.
    """

    probability: NDArray[np.float64]
    met_all_busy: float
    workload: NDArray[np.float64]
    at_once: NDArray[np.float64]
    after_wait: NDArray[np.float64]
    mean_wait: float

    @property
    def dispatches(self) -> NDArray[np.float64]:
        """(n_units, n_atoms) share of all dispatches that send a unit to an atom: f_nj in the book. They make one."""
        return self.at_once + self.after_wait

    def mean_travel(self, from_home: NDArray[np.float64]) -> float:
        """Return the mean travel of all dispatches where every unit starts at home: (n_units, n_atoms) given."""
        return float((self.dispatches * from_home).sum())

    def mean_travel_sent_on(self, from_home: NDArray[np.float64], between: NDArray[np.float64]) -> float:
        """Return the same where a unit goes to a call that waited straight from the scene it leaves.

        Larson & Odoni (5.39): both scenes are drawn by the atoms' rates, whoever goes. Exact if all units serve at one
        rate: then who serves whom does not touch the line, and the calls in service are a draw of all calls.
        `between`: (n_atoms, n_atoms) travel from atom to atom.
        """
        share = self.after_wait.sum(axis=0)
        waited = share.sum()
        along = float(share @ between @ share) / waited if waited > 0 else 0.0
        return float((self.at_once * from_home).sum()) + along


def solve(model: Hypercube) -> Steady:
    """Return the exact steady state, from the sparse balance equations of the 2**n_units states."""
    probability = _probability(model)
    all_busy, rates = len(probability) - 1, model.call_rate
    met_all_busy = float(probability[all_busy])
    busy = np.array([[state >> unit & 1 for unit in range(len(model.service_rate))] for state in range(all_busy + 1)])
    sent = np.zeros((len(model.service_rate), len(rates)))
    for state in range(all_busy):
        sent[sent_to(model, state), np.arange(len(rates))] += probability[state] * rates
    if model.line == "loss":
        after_wait, mean_wait = np.zeros_like(sent), 0.0
        served = rates.sum() * (1.0 - met_all_busy)
    else:
        freed = model.service_rate / model.service_rate.sum()
        after_wait = met_all_busy * np.outer(freed, rates / rates.sum())
        mean_wait = met_all_busy / (model.service_rate.sum() - rates.sum())
        served = rates.sum()
    return Steady(probability, met_all_busy, probability @ busy, sent / served, after_wait, float(mean_wait))


def sent_to(model: Hypercube, state: int) -> NDArray[np.int64]:
    """Return (n_atoms,) the unit sent to each atom while the units in `state` are busy; not all of them may be."""
    is_free = state >> model.order & 1 == 0
    first = np.argmax(is_free, axis=1)[:, None]
    return np.take_along_axis(model.order, first, axis=1)[:, 0]


def generator(model: Hypercube) -> csr_array:
    """Return (2**n_units, 2**n_units) rates from set to set of busy units, with minus each row's sum on the diagonal.

    Calls that find all busy change nothing here: they are lost, or join the line.
    """
    from scipy.sparse import coo_array

    n_states = 1 << len(model.service_rate)
    moves: list[tuple[int, int, float]] = []
    for state in range(n_states):
        if state < n_states - 1:
            for unit, rate in zip(sent_to(model, state), model.call_rate, strict=True):
                moves.append((state, state | 1 << int(unit), float(rate)))
        for unit, rate in enumerate(model.service_rate):
            if state >> unit & 1:
                moves.append((state, state & ~(1 << unit), float(rate)))
    start, end, rate = (np.array(column) for column in zip(*moves, strict=True))
    leaving = np.bincount(start, rate, minlength=n_states)
    here = np.arange(n_states)
    rows, columns = np.concatenate([start, here]), np.concatenate([end, here])
    return coo_array((np.concatenate([rate, -leaving]), (rows, columns)), shape=(n_states, n_states)).tocsr()


def _probability(model: Hypercube) -> NDArray[np.float64]:
    """Return (2**n_units,) steady-state probabilities.

    With a line, the state of all busy and k waiting is `load` times as likely as that of k - 1 waiting, whoever serves
    (the cut between them), so the line's lengths together weigh 1 / (1 - load) of the state without anybody waiting.
    """
    from scipy.sparse import lil_array
    from scipy.sparse.linalg import spsolve

    balance = lil_array(generator(model).T)
    n_states = balance.shape[0]
    weight = np.ones(n_states)
    if model.line == "queue":
        weight[-1] = 1.0 / (1.0 - model.load)
    balance[0] = weight  # one balance equation follows from the others; the sum takes its place
    right = np.zeros(n_states)
    right[0] = 1.0
    return np.asarray(spsolve(balance.tocsc(), right)) * weight
