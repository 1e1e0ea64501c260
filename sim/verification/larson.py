"""The three-server example of Larson & Odoni, Urban Operations Research (1981), sections 5.4.3, 5.4.4 and 5.5.3.

Ten atoms, three units, one service rate; unit 1 has the areas' half of all calls and is everybody's first backup. The
text (web.mit.edu/urban_or_book) gives: 1.5 calls per mean service; the primary areas, atoms 3, 5 and 6 being unit 2's;
half of the calls from area 1; 0.15 from atom 5; unit 2 as backup of atoms 1 and 2, unit 3 of atom 4; and the results
below. The rates of figure 5.11 itself could not be read, so they are found again from the results: of all rates in
steps of 0.05 only 0.50 of atoms 1 and 2, 0.25 of atom 4, 0.35 of area 2 and 0.40 of area 3 make the three workloads;
0.25 of atom 1 makes the 8.7 percent of all dispatches that send unit 1 there. How the rest of an area is divided among
its atoms touches no workload and is a choice of ours: evenly, in steps of 0.05.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from sim.verification.hypercube import Hypercube

SOURCE = "Larson & Odoni (1981), Urban Operations Research, 5.4.3-5.5.3, web.mit.edu/urban_or_book"
BOOK_WORKLOADS = (0.5574, 0.4734, 0.4693)
"""Exact workloads of units 1, 2 and 3, section 5.5.3."""
BOOK_DISPATCHES_BETWEEN_AREAS = 0.43529
"""Share of dispatches that send a unit out of its own area, section 5.4.4, from numbers of four digits."""
CALL_RATE = (0.25, 0.25, 0.10, 0.25, 0.15, 0.10, 0.10, 0.10, 0.10, 0.10)
"""Calls of atoms 1 to 10 per mean service."""
PRIMARY_UNIT = (0, 0, 1, 0, 1, 1, 2, 2, 2, 2)
"""Unit of each atom's area, from 0."""
_ORDER_OF_AREA = {1: (1, 0, 2), 2: (2, 0, 1)}
_ORDER_OF_ATOM = {0: (0, 1, 2), 1: (0, 1, 2), 3: (0, 2, 1)}


def three_servers(line: Literal["loss", "queue"]) -> Hypercube:
    """Return the example, with time in mean services; the book solves it with a `queue`."""
    orders = [_ORDER_OF_ATOM.get(atom) or _ORDER_OF_AREA[unit] for atom, unit in enumerate(PRIMARY_UNIT)]
    return Hypercube(np.array(CALL_RATE), np.ones(len(BOOK_WORKLOADS)), np.array(orders), line)
