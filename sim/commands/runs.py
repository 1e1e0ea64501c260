"""`dgsim runs`: which run directories there are, and whether they are finished."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.commands.options import parser_of


def command(argv: Sequence[str]) -> int:
    """List every folder two levels under the outputs folder with kind, name, state, replications and size."""
    parser = parser_of("runs", "List run directories and their state.")
    parser.add_argument("outputs", nargs="?", type=Path, default=Path("outputs"), help="folder to look in")
    given = parser.parse_args(list(argv))
    from sim.run.work import state_of

    folders = [p for kind in _folders(given.outputs) for p in _folders(kind)]
    if not folders:
        print(f"no run directories under {given.outputs}")
        return 0
    for folder in folders:
        state = state_of(folder)
        done = f"{state.n_done}/{state.n_wanted}" if state.n_wanted else "-"
        print(f"{state.word:<10} {done:>9}  {state.n_bytes / 1e6:8.1f} MB  {folder}")
    return 0


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
