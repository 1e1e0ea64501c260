"""How many replications a case makes, and checks made of what they say."""

from __future__ import annotations

from sim.verification.checks import EXACT, KERNEL, SIMPY, Check, Rule, Size, Told
from sim.verification.estimates import Estimate

REPLICATIONS: dict[tuple[Size, str], int] = {
    ("short", SIMPY): 12,
    ("short", KERNEL): 20,
    ("full", SIMPY): 12,
    ("full", KERNEL): 120,
}
"""Replications of a model by size and engine; the reference model is some twenty times slower."""


WIDTHS_AT = 160
"""Replications for which the widest standard errors are set down."""


def n_replications(size: Size, engine: str) -> int:
    """Return how many replications a model gets."""
    return REPLICATIONS[size, engine]


def widest(size_of_interest: float, n: int) -> Rule:
    """Return the rule by standard errors, at most `size_of_interest` in 160 replications and with n accordingly.

    A standard error goes with 1 / sqrt(n), so that fewer replications are allowed a wider one and no more.
    """
    return Rule.within(size_of_interest * (WIDTHS_AT / n) ** 0.5)


def by_errors(
    name: str,
    told: Told,
    source: str,
    unit: str,
    expected: float,
    found: Estimate,
    engine: str,
    share: float = 0.0,
    *,
    most: float = 0.0,
) -> Check:
    """Return the check that `found` is `expected` within four standard errors.

    The widest standard error of 160 replications is `share` of what is expected, or `most` where that is given.
    """
    rule = widest(most or abs(expected) * share, found.n)
    return Check(name, told, source, name, unit, expected, found.value, found.standard_error, engine, found.n, rule)


def exactly(name: str, told: Told, source: str, unit: str, expected: float, found: float, engine: str, n: int) -> Check:
    """Return the check that `found` is `expected` to the last digit."""
    return Check(name, told, source, name, unit, expected, found, 0.0, engine, n, EXACT)
