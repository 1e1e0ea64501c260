"""`dgsim audit-plan`: does a city's plan agree with itself, and which value does the model use where it does not?

`checks.py` judges the rows of a city folder's `plan_checks.csv`, `expression.py` is the language they are written in,
`show.py` prints them. Nothing here knows a city: another plan brings its own tables and checks.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sim.audit.checks import CHECKS_FILE, Outcome, audit, changed_findings
from sim.audit.show import LANGUAGES, as_csv, as_json, page, write_file
from sim.config import configs_root
from sim.errors import DgsimError, InputError, Problem, nearest_name

__all__ = ["Outcome", "audit", "changed_findings", "command", "main"]

MOST_COLUMNS = 120


def main(argv: Sequence[str] | None = None) -> int:
    """Recompute the plan's own numbers, print what agrees and what does not, and which value the model uses.

    Returns 0 when every check ran and gave what it states (disagreements are findings), 2 on bad input and when a
    stated finding no longer comes out of the tables.
    """
    options = _options(argv)
    try:
        outcomes = audit(_city_folder(options.city))
        if options.csv is not None:
            write_file(options.csv, as_csv(outcomes), "utf-8-sig")
        if options.json not in (None, "-"):
            write_file(Path(options.json), as_json(outcomes), "utf-8")
        width = min(shutil.get_terminal_size((100, 24)).columns, MOST_COLUMNS)
        sys.stdout.write(as_json(outcomes) if options.json == "-" else page(outcomes, options.lang, max(width, 60)))
        changed_findings(outcomes).raise_if_any()
    except DgsimError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


command = main
"""What the entry-point group `dgsim.commands` names `audit-plan`."""


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    text = (main.__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="dgsim audit-plan", description=text)
    parser.add_argument("--city", metavar="NAME_OR_FOLDER", help="city of configs/city, or any folder with plan tables")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the page")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the outcomes as CSV that Excel opens")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="write JSON: to FILE, or instead of the page"
    )
    return parser.parse_args(argv)


def _city_folder(city: str | None) -> Path:
    """Return the city folder: a path, a name under configs/city, or the only city there that has checks."""
    if city is not None and Path(city).is_dir():
        return Path(city)
    root = configs_root() / "city"
    known = sorted(path.parent.name for path in root.glob(f"*/{CHECKS_FILE}"))
    if city is None and len(known) == 1:
        return root / known[0]
    if city in known:
        return root / str(city)
    mend = nearest_name(city, known) if city is not None else f"give --city, one of: {', '.join(known)}"
    raise InputError([Problem("--city", "names no folder with plan tables", city, mend=mend)])
