"""A city's outline and towns from centres and areas alone: a power (Laguerre) diagram on a lattice of squares.

Nothing here knows real boundaries; what comes out is a schematic map in which every town has its true area, lies about
where it does, and mostly touches the towns it touches.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_MOST_ROUNDS = 5_000


def lattice(
    centre_x_m: NDArray[np.int64], centre_y_m: NDArray[np.int64], reach_m: int, cell_m: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (x_m, y_m) of the middles of all squares of a lattice that reaches `reach_m` beyond the centres.

    Corners lie on whole multiples of `cell_m`; squares run row by row from the south-west, west to east.
    """
    low_x, high_x = ((int(v) // cell_m) * cell_m for v in (centre_x_m.min() - reach_m, centre_x_m.max() + reach_m))
    low_y, high_y = ((int(v) // cell_m) * cell_m for v in (centre_y_m.min() - reach_m, centre_y_m.max() + reach_m))
    xs = np.arange(low_x, high_x + cell_m, cell_m, dtype=np.int64) + cell_m // 2
    ys = np.arange(low_y, high_y + cell_m, cell_m, dtype=np.int64) + cell_m // 2
    return np.tile(xs, len(ys)), np.repeat(ys, len(xs))


def squared_distances(
    x_m: NDArray[np.int64], y_m: NDArray[np.int64], centre_x_m: NDArray[np.int64], centre_y_m: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return (n_squares, n_towns) int64 squared distances, m2."""
    return (x_m[:, None] - centre_x_m) ** 2 + (y_m[:, None] - centre_y_m) ** 2


def outline(
    squared_m2: NDArray[np.int64], area_m2: NDArray[np.float64], n_cells: int, spread: float
) -> NDArray[np.int64]:
    """Return the positions, ascending, of the `n_cells` squares that make up the city.

    Each town spreads a bell exp(-d2 / (2 (spread r)2)) round its centre, r the radius of a disc of its area; the city
    is where the bells together stand highest. This closes the gaps that a union of discs leaves between towns.
    """
    radius_m2 = area_m2 / math.pi
    height = np.exp(-squared_m2 / (2.0 * spread * spread * radius_m2)).sum(axis=1)
    return np.sort(np.argsort(-height, kind="stable")[:n_cells])


def power_diagram(squared_m2: NDArray[np.int64], n_wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the town (n_squares,) of each square in the power diagram that gives town t exactly `n_wanted[t]` squares.

    A square goes to the town with the least squared distance minus the town's weight. The weights come from coordinate
    ascent on the dual of the transport problem (Aurenhammer, Hoffmann and Aronov 1998, Algorithmica 20): round by
    round each town's weight is set so that, the others given, it has its number of squares. Equal distances, as in
    symmetric layouts, are told apart by less than one square metre.

    Raises
    ------
    ValueError
        If the numbers do not sum to the squares, or the weights do not settle.
    """
    n_towns = len(n_wanted)
    if int(n_wanted.sum()) != len(squared_m2) or n_towns < 1:
        raise ValueError(f"{n_wanted.sum()} squares wanted of {len(squared_m2)}")
    if n_towns == 1:
        return np.zeros(len(squared_m2), dtype=np.int64)
    cost = squared_m2 + _tie_breaks(len(squared_m2), n_towns)
    weight = np.zeros(n_towns)
    for _ in range(_MOST_ROUNDS):
        for t in range(n_towns):
            weight[t] = _fitting_weight(cost, weight, t, int(n_wanted[t]))
        town: NDArray[np.int64] = np.argmin(cost - weight, axis=1)
        if np.array_equal(np.bincount(town, minlength=n_towns), n_wanted):
            return town
    raise ValueError("the weights of the power diagram do not settle; do two towns share one centre?")


def _tie_breaks(n_squares: int, n_towns: int) -> NDArray[np.float64]:
    """Return (n_squares, n_towns) numbers below 1 whose differences between two towns are different in each square."""
    return np.outer(np.arange(n_squares), np.arange(n_towns)) / (n_squares * n_towns)


def _fitting_weight(cost: NDArray[np.float64], weight: NDArray[np.float64], t: int, n_wanted: int) -> float:
    """Return the weight with which town t gets `n_wanted` squares from the others: halfway between two thresholds."""
    rest = cost - weight
    rest[:, t] = np.inf
    needed = np.sort(cost[:, t] - rest.min(axis=1))
    return float((needed[n_wanted - 1] + needed[n_wanted]) / 2)


def n_pieces(x_m: NDArray[np.int64], y_m: NDArray[np.int64], cell_m: int) -> int:
    """Return into how many pieces a set of squares falls, squares being joined through their sides."""
    left = set(zip(x_m.tolist(), y_m.tolist(), strict=True))
    count = 0
    while left:
        count += 1
        front = [left.pop()]
        while front:
            x, y = front.pop()
            for beside in ((x - cell_m, y), (x + cell_m, y), (x, y - cell_m), (x, y + cell_m)):
                if beside in left:
                    left.remove(beside)
                    front.append(beside)
    return count
