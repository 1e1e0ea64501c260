"""The cases, in the order in which they are run and shown."""

from __future__ import annotations

from sim.verification import chance, known, nearest, orders, queues, servers, spatial, square_root
from sim.verification.checks import Case

CASES: tuple[Case, ...] = (
    *known.CASES,
    *queues.CASES,
    *servers.CASES,
    *spatial.CASES,
    *nearest.CASES,
    *square_root.CASES,
    *orders.CASES,
    *chance.CASES,
)
"""Every verification case."""
