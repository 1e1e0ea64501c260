"""Writes the tables of docs/verification.md anew: `python tests/verification/write_page.py docs/verification.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from sim.verification.page import parts_of_page, with_parts
from sim.verification.suite import run_suite


def made_parts() -> dict[str, str]:
    """Return the marked parts of the page as a full run makes them now."""
    import beside_ciw

    return parts_of_page(list(run_suite(size="full")), list(run_suite(size="full", cases=beside_ciw.CASES)))


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_parts(page.read_text(encoding="utf-8"), made_parts()), encoding="utf-8")
