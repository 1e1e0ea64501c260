"""`dgsim runs`: which run directories there are, what they hold, and whether they are finished."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sim.commands.options import parser_of
from sim.errors import RunDirectoryError

if TYPE_CHECKING:
    from sim.run.work import State

HEADER = ("state", "done", "kind", "name", "changed", "MB", "what", "folder")
_TO_THE_RIGHT = ("done", "MB")
_MOST_TEXT = 60


def command(argv: Sequence[str]) -> int:
    """List the runs of an outputs folder, of one kind, or a single run: one line each below a header."""
    parser = parser_of("runs", "List run directories: what they hold, when they were made, and whether they are whole.")
    told = "an outputs folder, one kind in it (outputs/study), or a run directory (default: outputs)"
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help=told)
    given = parser.parse_args(list(argv))
    from sim.run.work import runs_in, state_of

    folder = given.folder or Path("outputs")
    if given.folder is not None and not folder.is_dir():
        raise RunDirectoryError(f"{folder}: there is no such folder; name an outputs folder or a run directory")
    found = runs_in(folder) if folder.is_dir() else []
    if not found:
        print(f"no run directories under {folder}")
        return 0
    print("\n".join(lines_of([state_of(path) for path in found])))
    return 0


def lines_of(states: Sequence[State]) -> list[str]:
    """Return a header and one line per run, in columns; what a run is about is cut to one width."""
    rows = [HEADER, *(_cells(state) for state in states)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in rows]


def _aligned(row: tuple[str, ...], widths: Sequence[int]) -> list[str]:
    pairs = zip(HEADER, row, widths, strict=True)
    return [cell.rjust(width) if name in _TO_THE_RIGHT else cell.ljust(width) for name, cell, width in pairs]


def _cells(state: State) -> tuple[str, ...]:
    about = state.about if len(state.about) <= _MOST_TEXT else f"{state.about[: _MOST_TEXT - 1]}…"
    changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.changed)) if state.changed else "-"
    done = f"{state.n_done}/{state.n_wanted}" if state.n_wanted else "-"
    megabytes = f"{state.n_bytes / 1e6:.1f}"
    return (state.word, done, state.kind or "-", state.name, changed, megabytes, about, str(state.folder))
