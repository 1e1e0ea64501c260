"""What is measured as lines of a table: medians with their spread, limits that are held on to, goals that are told."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.page import as_markdown
from benchmarks.stopwatch import Rounds, Spread


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: `name` is what a test asks for, `limit` what it may not reach ("" if it promises none).

    `goal`: ">= 200", what the program was made for on an idle machine; told, not promised.
    """

    name: str
    told: str
    unit: str
    spread: Spread
    limit: str = ""
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured: the sizes of the runs, the CPU seconds of every round, and the table."""

    sizes: dict[str, int]
    rounds: Rounds
    lines: list[Line]

    def broken(self) -> list[str]:
        """Return the names of the lines whose median is at or above their limit."""
        return [line.name for line in self.lines if line.limit and line.spread.median >= float(line.limit)]

    def missed(self) -> list[str]:
        """Return what was to be reached and was not."""
        told = [(line.told, line.goal.split(), line.spread.median) for line in self.lines if line.goal]
        return [what for what, (sign, goal), x in told if not (x >= float(goal) if sign == ">=" else x <= float(goal))]

    def table(self) -> str:
        """Return the lines and the CPU times of every task as Markdown."""
        has_goals = any(line.goal for line in self.lines)
        bounds = "goal" if has_goals else "limit"
        rows: list[tuple[str, ...]] = [("measured", "median", "least", "greatest", bounds)]
        for line in self.lines:
            numbers = (line.spread.median, line.spread.low, line.spread.high)
            bound = line.goal if has_goals else line.limit
            rows.append((line.told, *(_shown(number, line.unit) for number in numbers), bound))
        for task, seconds in self.rounds.items():
            spread = Spread.of(seconds)
            rows.append((f"ms: {task}", *(f"{1000 * x:,.1f}" for x in (spread.median, spread.low, spread.high)), ""))
        return as_markdown(rows)


def _shown(number: float, unit: str) -> str:
    if math.isnan(number):
        return "-"
    if unit == "/s" or number >= 1000:
        return f"{number:,.0f}"
    return f"{number:.1f} ms" if unit == "ms" else f"{number:.3g}"
