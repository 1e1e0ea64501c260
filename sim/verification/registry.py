"""The cases, in the order in which they are run and shown."""

from __future__ import annotations

from sim.verification import queues
from sim.verification.checks import Case

CASES: tuple[Case, ...] = (*queues.CASES,)
"""Every verification case."""
