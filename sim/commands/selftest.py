"""`dgsim selftest`: the program held against what theory knows exactly, on this very machine."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sim.commands.options import parser_of

if TYPE_CHECKING:
    from sim.verification.checks import Case
    from sim.verification.suite import Outcome

_WIDTHS = (34, 6, 16, 10, 10, 5, 7, 7)
_HEAD = {
    "en": ("check", "engine", "expected", "found", "± SE", "SEs", "n", "verdict"),
    "zh": ("检验", "引擎", "理论值", "仿真值", "± 标准误", "倍数", "n", "结论"),
}
_FAILED = 1


def command(argv: Sequence[str]) -> int:
    """Run the cases, print a table as they are done, and return 1 if any check fails or is blind."""
    told = "Hold both engines against closed forms, known answers and proved directions; one row a check."
    parser = parser_of("selftest", told)
    parser.add_argument("--full", action="store_true", help="more replications: a few minutes instead of one")
    parser.add_argument("--engine", choices=("simpy", "kernel", "both"), default="both", help="engines (default: both)")
    parser.add_argument("--case", action="append", metavar="NAME", help="only this case; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON too")
    parser.add_argument("--lang", choices=("zh", "en"), default="en", help="language of the table (default: en)")
    given = parser.parse_args(list(argv))
    from sim.verification.suite import ENGINES, Outcome, as_map, run_suite

    engines = ENGINES if given.engine == "both" else (given.engine,)
    begun, outcomes = time.perf_counter(), list[Outcome]()
    cases = _chosen(given.case)
    print(_line(_HEAD[given.lang]))
    for number, case in enumerate(cases, start=1):
        print(f"[{number}/{len(cases)}] {case.name}: {case.title.of(given.lang)} ({case.source})", flush=True)
        outcomes += run_suite(engines, "full" if given.full else "short", [case])
        _show(outcomes[-1], given.lang)
    if given.json:
        given.json.write_text(json.dumps([as_map(it) for it in outcomes], ensure_ascii=False, indent=1) + "\n", "utf-8")
    return _close(outcomes, time.perf_counter() - begun, given.lang)


def _chosen(names: Sequence[str] | None) -> Sequence[Case]:
    """Return the cases of these names, or all.

    Raises
    ------
    InputError
        With every name that is no case.
    """
    from sim.errors import Problems, nearest_name
    from sim.verification.registry import CASES

    known, problems = [case.name for case in CASES], Problems()
    for name in names or ():
        if name not in known:
            problems.add("--case", "is no case", value=name, mend=nearest_name(name, known))
    problems.raise_if_any()
    return [case for case in CASES if not names or case.name in names]


def _show(outcome: Outcome, language: str) -> None:
    from sim.verification.suite import as_row

    for check in outcome.checks:
        print(_line(as_row(check)))
        if not check.holds:
            print(f"      ^ {check.told.of(language)}")


def _line(cells: Sequence[str]) -> str:
    return "  " + " ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _close(outcomes: Sequence[Outcome], seconds: float, language: str) -> int:
    checks = [check for outcome in outcomes for check in outcome.checks]
    bad = [check for check in checks if not check.holds]
    if language == "zh":
        print(f"{len(outcomes)} 个案例，{len(checks)} 项检验，{len(bad)} 项未通过；用时 {seconds:.0f} 秒")
    else:
        print(f"{len(outcomes)} cases, {len(checks)} checks, {len(bad)} do not hold; {seconds:.0f} s")
    return _FAILED if bad or not checks else 0
