"""`dgsim study NAME`: the arms of a study side by side, in one pool, with one report."""

from __future__ import annotations

from collections.abc import Sequence

from sim.commands.options import OVERRIDES, add_making, parser_of


def command(argv: Sequence[str]) -> int:
    """Run a study of configs/study (or a YAML file) into `outputs/study/<name>`."""
    parser = parser_of("study", "Run every arm of a study and write one report.")
    parser.add_argument("study", nargs="?", metavar="NAME", help="a study of configs/study, or a YAML file")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help=f"for every arm: {OVERRIDES}")
    add_making(parser)
    given = parser.parse_intermixed_args(list(argv))
    from sim.commands.run import do_work
    from sim.compose.study import study_names, study_work

    if given.study is None:
        print("studies: " + ", ".join(study_names()))
        return 2
    return do_work(study_work(given.study, given.overrides, out=given.out), given)
