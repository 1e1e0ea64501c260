"""`python -m benchmarks [--quick] [--json FILE]`: measure and print the table; exit code 1 if a limit is reached."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.machine import facts
from benchmarks.measure import FULL, QUICK, Measured, measure
from benchmarks.page import as_markdown


def table(measured: Measured) -> str:
    """Return the measured lines as Markdown."""
    rows: list[tuple[str, ...]] = [("measured", "median", "least", "greatest", "limit")]
    for line in measured.lines:
        numbers = (line.spread.median, line.spread.low, line.spread.high)
        rows.append((line.told, *(_shown(number, line.unit) for number in numbers), line.limit))
    for task, seconds in measured.rounds.items():
        low, middle, high = min(seconds), sorted(seconds)[len(seconds) // 2], max(seconds)
        rows.append((f"CPU ms: {task}", *(f"{1000 * value:.1f}" for value in (middle, low, high)), ""))
    return as_markdown(rows)


def _shown(number: float, unit: str) -> str:
    if unit == "/s":
        return f"{number:,.0f}"
    return f"{number:.1f} ms" if unit == "ms" else f"{number:.3g}"


def main(argv: Sequence[str]) -> int:
    """Measure, print, and store if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=sys.modules["benchmarks"].__doc__)
    parser.add_argument("--quick", action="store_true", help="short windows and few rounds, as the tests run it")
    parser.add_argument("--json", type=Path, help="also store everything in this file")
    options = parser.parse_args(argv)
    measured = measure(QUICK if options.quick else FULL, lambda text: print(text, file=sys.stderr, flush=True))
    for name, value in (facts() | {k: str(v) for k, v in measured.sizes.items()}).items():
        print(f"{name}: {value}")
    print("\n" + table(measured))
    if options.json:
        content = {"machine": facts(), **asdict(measured)}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    broken = measured.broken()
    print(f"\nlimits reached: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
