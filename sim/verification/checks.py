"""What a verification case is, and when one of its checks holds.

A check holds an observed quantity against what theory says of it. So that none can pass by seeing nothing, one by
standard error also needs that error to be small enough: `Rule.widest`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

N_STANDARD_ERRORS = 4.0
"""Most standard errors between what was found and what was expected."""

Size = Literal["short", "full"]
Verdict = Literal["holds", "fails", "blind"]
SIMPY, KERNEL, NO_ENGINE = "simpy", "kernel", "-"


@dataclass(frozen=True, slots=True)
class Told:
    """A text in both languages."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        """Return the text in `zh` or else English."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Rule:
    """When a check holds.

    `within`: |found - expected| is at most `N_STANDARD_ERRORS` standard errors and the standard error is above 0 and
    at most `widest`, in the quantity's unit; a wider one is blind. `exact`: found equals expected. `at_least`,
    `at_most`: found is on that side of expected, or equal.
    """

    kind: Literal["within", "exact", "at_least", "at_most"]
    widest: float = 0.0

    @staticmethod
    def within(widest: float) -> Rule:
        """Return the rule by standard errors, with the widest that still sees."""
        return Rule("within", widest)


EXACT, AT_LEAST, AT_MOST = Rule("exact"), Rule("at_least"), Rule("at_most")


@dataclass(frozen=True, slots=True)
class Check:
    """One quantity, expected and found.

    `name`: unique in its case, ASCII. `told`: what is compared. `source`: where the expected value comes from.
    `standard_error`: of `found`, over `n` independent replications or draws (0 where the rule needs none). `engine`:
    simpy, kernel, or - where no engine takes part.
    """

    name: str
    told: Told
    source: str
    quantity: str
    unit: str
    expected: float
    found: float
    standard_error: float
    engine: str
    n: int
    rule: Rule

    @property
    def n_errors(self) -> float:
        """Distance from what was expected in standard errors, with its sign; nan if there is one and no error."""
        difference = self.found - self.expected
        if self.standard_error > 0:
            return difference / self.standard_error
        return 0.0 if difference == 0 else math.nan

    @property
    def verdict(self) -> Verdict:
        """Return whether it holds; `blind` if its standard error is too wide, or none, to tell."""
        if not (math.isfinite(self.found) and math.isfinite(self.expected)):
            return "fails"
        if self.rule.kind == "within":
            if self.standard_error > 0 and abs(self.n_errors) > N_STANDARD_ERRORS:
                return "fails"
            return "holds" if 0.0 < self.standard_error <= self.rule.widest else "blind"
        is_met = {
            "exact": self.found == self.expected,
            "at_least": self.found >= self.expected,
            "at_most": self.found <= self.expected,
        }
        return "holds" if is_met[self.rule.kind] else "fails"

    @property
    def holds(self) -> bool:
        """Whether the verdict is `holds`."""
        return self.verdict == "holds"


@dataclass(frozen=True, slots=True)
class Case:
    """A model that theory solves, and what the program makes of it.

    `run(engine, size)` returns the checks, the same bits each time: everything is seeded. `size`: `short` for a user's
    own machine, a few seconds on either engine; `full` for the slow suite and the page. `uses_engine`: if not, it is
    run once, with the engine `-`.
    """

    name: str
    title: Told
    source: str
    run: Callable[[str, Size], list[Check]]
    uses_engine: bool = True
