"""The cases, in the order in which they are run and shown."""

from __future__ import annotations

from sim.verification import queues, servers
from sim.verification.checks import Case

CASES: tuple[Case, ...] = (*queues.CASES, *servers.CASES)
"""Every verification case."""
