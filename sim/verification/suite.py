"""Runs the cases and tells what came of them: as a table, as JSON, one line a check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sim.verification.checks import KERNEL, NO_ENGINE, SIMPY, Case, Check, Size
from sim.verification.registry import CASES

ENGINES = (SIMPY, KERNEL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case and its checks, those of one engine after those of the other."""

    case: Case
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether there are checks and each holds."""
        return bool(self.checks) and all(check.holds for check in self.checks)


def run_suite(
    engines: Sequence[str] = ENGINES, size: Size = "short", cases: Sequence[Case] = CASES
) -> Iterator[Outcome]:
    """Yield each case as it is done."""
    for case in cases:
        of_case = engines if case.uses_engine else (NO_ENGINE,)
        yield Outcome(case, tuple(check for engine in of_case for check in case.run(engine, size)))


def number(value: float) -> str:
    """Return a value with four significant digits, whole numbers in full."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 2**53 else f"{value:.4g}"


def as_row(check: Check) -> tuple[str, ...]:
    """Return a check's cells: name, engine, expected, found, standard error, errors away, n, verdict."""
    sign = {"within": "", "exact": "= ", "at_least": "≥ ", "at_most": "≤ "}[check.rule.kind]
    is_by_errors = check.rule.kind == "within"
    error = number(check.standard_error) if is_by_errors else ""
    away = f"{check.n_errors:+.1f}" if is_by_errors and check.standard_error > 0 else ""
    unit = f" {check.unit}" if check.unit else ""
    expected = f"{sign}{number(check.expected)}{unit}"
    return (check.name, check.engine, expected, number(check.found), error, away, f"{check.n:,}", check.verdict)


def as_map(outcome: Outcome) -> dict[str, Any]:
    """Return a case as plain values, for JSON."""
    checks = [asdict(check) | {"verdict": check.verdict} for check in outcome.checks]
    title = asdict(outcome.case.title)
    return {"case": outcome.case.name, "title": title, "source": outcome.case.source, "checks": checks}
