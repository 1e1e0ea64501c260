"""`python -m benchmarks [PART ...] [--quick] [--json FILE] [--page FILE]`: measure and print the tables.

Exit code 1 if a limit is reached. `--page` also writes each part's text into a page of Markdown, between its marks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import engines, first, levers, measure, replication, study
from benchmarks.lines import Measured
from benchmarks.machine import facts
from benchmarks.page import between_marks

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of the benchmarks brought: its section of the page, what is stored of it, limits that are reached."""

    text: str
    stored: dict[str, Any]
    broken: list[str]


def _lines(measured: Measured) -> Part:
    text = f"{_listed(measured.sizes)}\n\n{measured.table()}"
    if any(line.goal for line in measured.lines):
        text += f"\n\nNot reached here: {'; '.join(measured.missed()) or 'none'}."
    return Part(text, asdict(measured), measured.broken())


def _engines(is_quick: bool, told: Told) -> Part:
    return _lines(engines.measure(engines.QUICK if is_quick else engines.FULL, told))


def _replication(is_quick: bool, told: Told) -> Part:
    return _lines(replication.measure(replication.QUICK if is_quick else replication.FULL, told))


def _path(is_quick: bool, told: Told) -> Part:
    return _lines(measure.measure(measure.QUICK if is_quick else measure.FULL, told))


def _first(is_quick: bool, told: Told) -> Part:
    return _lines(first.measure(first.QUICK if is_quick else first.FULL, told))


def _study(is_quick: bool, told: Told) -> Part:
    return _lines(study.measure(study.QUICK if is_quick else study.FULL, told))


def _levers(is_quick: bool, told: Told) -> Part:
    n_days, n_rounds = levers.SIZES[is_quick]
    rounds, n_incidents = levers.measure(n_days, n_rounds, told)
    sizes = {"days": n_days, "rounds": n_rounds, "incidents": n_incidents[levers.DEFAULTS]}
    text = f"{_listed(sizes)}\n\n{levers.table(rounds, n_incidents)}\n\n{levers.all_together(rounds, n_incidents)}"
    return Part(text, {"n_days": n_days, "n_incidents": n_incidents, "rounds": rounds}, [])


PARTS: dict[str, tuple[str, Callable[[bool, Told], Part]]] = {
    "engines": ("The engines against other models of the same work", _engines),
    "replication": ("One replication, from chance to Parquet", _replication),
    "path": ("The whole path", _path),
    "first": ("First results, and the same again", _first),
    "study": ("Runs and studies, from the command to the report", _study),
    "levers": ("What each mechanism costs", _levers),
}


def _listed(values: dict[str, Any]) -> str:
    shown = (f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in values.items())
    return f"{'; '.join(shown)}."


def main(argv: Sequence[str]) -> int:
    """Measure the parts that are asked for, print their sections, and store them if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=sys.modules["benchmarks"].__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="short windows and few rounds, as the tests run it")
    parser.add_argument("--json", type=Path, help="also store everything in this file")
    parser.add_argument("--page", type=Path, help="also write each part into this page, between its marks")
    options = parser.parse_args(argv)
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    print(f"{_listed(facts())}\n", flush=True)
    made: dict[str, Part] = {}
    for name in options.parts or PARTS:
        title, run = PARTS[name]
        made[name] = run(options.quick, lambda text: print(text, file=sys.stderr, flush=True))
        print(f"## {title}\n\n{made[name].text}\n", flush=True)
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        for name, part in made.items():
            page = between_marks(page, name, f"{_listed(facts())}\n\n{part.text}")
        options.page.write_text(page, encoding="utf-8")
    if options.json:
        content = {"machine": facts(), "parts": {name: part.stored for name, part in made.items()}}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    broken = [name for part in made.values() for name in part.broken]
    print(f"limits reached: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
