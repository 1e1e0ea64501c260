"""What both commands take, checked: the two folders, a time zone, where to write, days, and numbers."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from sim.commands.options import add_overrides, parser_of
from sim.errors import Problems

LEAST_DRAWS, MOST_DRAWS = 20, 2000
MOST_SEED = 2**31 - 1


def parser_for(name: str, told: str) -> argparse.ArgumentParser:
    """Return the parser with what both commands take."""
    parser = parser_of(name, told)
    parser.add_argument("city", type=Path, metavar="CITY", help="city folder; stations.csv is enough")
    parser.add_argument("records", type=Path, metavar="RECORDS", help="folder of records, as docs/records.md tells")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of all that is drawn (default: 0)")
    parser.add_argument(
        "--time-zone", default="", metavar="Z", help="IANA name, such as Asia/Shanghai, where records.yaml gives none"
    )
    parser.add_argument("--fresh", action="store_true", help="move an existing directory aside and begin anew")
    parser.add_argument(
        "--lang", choices=("zh", "en"), default="zh", help="language in which the page opens (default: zh)"
    )
    add_overrides(parser)
    return parser


def read_day(option: str, text: str | None, problems: Problems) -> date | None:
    """Return the day that an option gives, None where it is not given or no day; the latter is a problem."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.add(option, "is no day", value=text, mend="write YYYY-MM-DD")
        return None


def check_number(option: str, value: int, least: int, most: int, problems: Problems) -> None:
    """Note a number outside its bounds."""
    if not least <= value <= most:
        problems.add(option, f"must lie between {least} and {most}", value=value)
