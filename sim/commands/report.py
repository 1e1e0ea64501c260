"""`dgsim report RUN_DIR`: the tables and the report of a finished run or study, written again."""

from __future__ import annotations

from collections.abc import Sequence

from sim.commands.options import add_run_dir, add_tables, parser_of


def command(argv: Sequence[str]) -> int:
    """Gather a finished run directory again, in another language or with other formats, and seal it anew."""
    parser = parser_of("report", "Write tables and report of a finished run or study again; nothing is simulated.")
    add_run_dir(parser)
    add_tables(parser)
    given = parser.parse_args(list(argv))
    from sim.run.compared import work_in
    from sim.run.execute import gather_again
    from sim.run.gather import formats_of, gather

    work = work_in(given.run_dir)
    outcome = gather_again(work, gather=gather, formats=formats_of(given))
    print(f"report: {outcome.report}")
    return 0
