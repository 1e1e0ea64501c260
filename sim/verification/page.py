"""The tables of the page of verification and validation (`docs/verification.md`): what a full run said, a checklist.

The prose is written by hand around them. The runs are seeded, so that the tables are the same each time; a slow test
makes them anew and compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.verification.checks import Check
from sim.verification.stress import checklist_lines
from sim.verification.suite import Outcome, as_row


def parts_of_page(outcomes: Sequence[Outcome], beside: Sequence[Outcome]) -> dict[str, str]:
    """Return the text of each marked part: the suite, what was held against another simulator, the checklist."""
    n_checks = sum(len(outcome.checks) for outcome in outcomes)
    n_bad = sum(not check.holds for outcome in outcomes for check in outcome.checks)
    said = f"{len(outcomes)} cases, {n_checks} checks, {n_bad} do not hold.\n\n"
    return {
        "results": said + "\n".join(map(_section, outcomes)),
        "beside": "\n".join(map(_section, beside)),
        "checklist": "\n".join(checklist_lines()) + "\n",
    }


def with_parts(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with the text between the marks of each part replaced.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    for name, text in parts.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        page = page[: page.index(begin) + len(begin)] + text + page[page.index(end) :]
    return page


def part_of(page: str, name: str) -> str:
    """Return what stands between the marks of a part."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    return page[page.index(begin) + len(begin) : page.index(end)]


def _section(outcome: Outcome) -> str:
    case = outcome.case
    lines = [f"### {case.title.en}", "", f"{case.title.zh}。`{case.name}`; {case.source}.", ""]
    lines += ["| what | engine | expected | found | ± SE | SEs | n | |", "|---|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_row, outcome.checks), ""])


def _row(check: Check) -> str:
    _, *cells = as_row(check)
    return f"| {check.told.en} | {' | '.join(cells)} |"
