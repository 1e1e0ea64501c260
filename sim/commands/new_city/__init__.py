"""`dgsim new-city`: a filled-in city folder to start from, which runs as it is."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from sim.commands.options import parser_of
from sim.errors import InputError, Problem
from sim.provenance import STUDIES

TEMPLATE = Path(__file__).parent / "template"
STUDY = Path(STUDIES) / "west_closed.yaml"
"""The template's study, as a path in the folder."""


def command(argv: Sequence[str]) -> int:
    """Write the template into a folder that is not there yet, or empty, and say what to do next."""
    told = "Write a small example city, every value marked assumed, as a folder to put your own files into."
    parser = parser_of("new-city", told)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to make; it must not hold anything yet")
    given = parser.parse_args(list(argv))
    write_template(given.folder)
    print(f"{given.folder}: {len(_files())} files of an example city")
    print("put your own in their place, one by one (docs/your-city.md says what each holds), then")
    choice = f"city.folder={given.folder}"
    if not re.fullmatch(r"[A-Za-z0-9_./-]+", str(given.folder)):
        choice = f"\"city.folder='{given.folder}'\""  # what the language of overrides takes in quotes only
    print(f"  dgsim check-city {shlex.quote(str(given.folder))}")
    print(f"  dgsim run {choice}")
    print(f"  dgsim study {shlex.quote(str(given.folder / STUDY))} {choice}")
    return 0


def write_template(folder: Path) -> None:
    """Copy the template's files into `folder`.

    Raises
    ------
    InputError
        If the folder holds something already, or is no folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        mend = "name a folder that is not there yet, or an empty one"
        raise InputError([Problem(str(folder), "holds something already, which would be mixed up", mend=mend)])
    for name in _files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TEMPLATE / name, folder / name)


def _files() -> list[Path]:
    """Return the template's files as paths in the folder."""
    return sorted(path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*") if path.is_file())
