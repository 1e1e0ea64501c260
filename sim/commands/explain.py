"""`dgsim explain RUN_DIR INCIDENT`: who was considered for each need, who went, and why the others did not."""

from __future__ import annotations

from collections.abc import Sequence

from sim.commands.options import add_run_dir, parser_of

_N_SHOWN = 8


def command(argv: Sequence[str]) -> int:
    """Print the story of one incident; 2 where the run made again is not the one that was stored."""
    parser = parser_of("explain", "Tell one incident of a finished run: who was considered, who went, and why.")
    add_run_dir(parser)
    parser.add_argument("incident", metavar="INCIDENT", help="identity, or row of incidents.parquet counted from 0")
    parser.add_argument("--arm", default="", help="arm of a study (default: its first)")
    parser.add_argument("--replication", type=int, default=0, metavar="R", help="replication (default: 0)")
    parser.add_argument("--candidates", type=int, default=_N_SHOWN, metavar="N", help="candidates shown per need")
    parser.add_argument("--lang", choices=("zh", "en"), default="en", help="language of all that is told")
    given = parser.parse_args(list(argv))
    from sim.run.explain import explain, find_arm
    from sim.run.phrases import phrase
    from sim.run.telling import lines_of

    arm, where = find_arm(given.run_dir, given.arm, given.replication)
    story = explain(where, given.replication, given.incident)
    told = [phrase("head.run", folder=given.run_dir, arm=arm, replication=given.replication)]
    told += [phrase("head.differs", difference=story.difference)] if story.difference else []
    told += lines_of(story, given.candidates)
    for line in told:
        print(line.of(given.lang))
    return 2 if story.difference else 0
