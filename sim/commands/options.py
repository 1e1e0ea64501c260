"""What several sub-commands take: the parser's frame, overrides, language, folders."""

from __future__ import annotations

import argparse
from pathlib import Path

OVERRIDES = "group=choice or group.key=value, as `dgsim show` lists them"


def parser_of(name: str, told: str) -> argparse.ArgumentParser:
    """Return an empty parser of `dgsim NAME`."""
    return argparse.ArgumentParser(prog=f"dgsim {name}", description=told, allow_abbrev=False)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add the positional overrides."""
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help=OVERRIDES)


def add_making(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes that makes replications and gathers them."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would run, how long and how much disk; do nothing"
    )
    parser.add_argument("--fresh", action="store_true", help="move an existing run directory aside and begin anew")
    parser.add_argument(
        "--reuse",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="take over the replications that another run directory holds under the same key; may be given again",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="run directory (default: under run.outputs)")
    add_tables(parser)


def add_tables(parser: argparse.ArgumentParser) -> None:
    """Add formats of tables and the language of the report."""
    parser.add_argument("--csv", action="store_true", help="write every table as CSV too (opens in Excel)")
    parser.add_argument("--xlsx", action="store_true", help="write the town tables as XLSX too")
    add_language(parser)


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add the language in which a report opens."""
    parser.add_argument(
        "--lang", choices=("zh", "en"), help="language in which the report opens (default: run.language)"
    )


def add_run_dir(parser: argparse.ArgumentParser) -> None:
    """Add the positional run directory."""
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="a run directory, such as outputs/study/NAME")
