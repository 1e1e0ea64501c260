"""`dgsim verify RUN_DIR`: is a run directory what it says, and does it come out again?"""

from __future__ import annotations

from collections.abc import Sequence

from sim.commands.options import add_run_dir, parser_of


def command(argv: Sequence[str]) -> int:
    """Print the verdict; 0 when everything is the same, 2 otherwise."""
    parser = parser_of("verify", "Check mark, manifest and files of a run directory, then make its replications again.")
    add_run_dir(parser)
    parser.add_argument("--files", action="store_true", help="check the files only")
    parser.add_argument("--replications", default="", metavar="0,3,…", help="make only these again (default: all)")
    parser.add_argument("--engine", choices=("auto", "simpy", "kernel", "both"), help="run again with this one")
    parser.add_argument("--workers", type=int, default=0, help="processes at once (default: one per core)")
    given = parser.parse_args(list(argv))
    from sim.errors import InputError, Problem
    from sim.run.verify import verify

    texts = [text for text in given.replications.split(",") if text]
    bad = [text for text in texts if not text.isdigit()]
    if bad:
        raise InputError([Problem("--replications", "is not a number", text, mend="write 0,3") for text in bad])
    verdict = verify(
        given.run_dir,
        engine=given.engine,
        replications=[int(text) for text in texts],
        is_rerun=not given.files,
        workers=given.workers,
    )
    print("\n".join(verdict.lines()))
    return 0 if verdict.is_same else 2
