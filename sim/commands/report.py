"""`dgsim report RUN_DIR`: the tables and the report of a finished run or study, written again.

What a study's YAML says for the report alone - titles, question, axis - may have been written after the run: `--study`
takes it as it stands now. Arms, base and contrasts stay what they were before the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.commands.options import add_run_dir, add_tables, parser_of

if TYPE_CHECKING:
    from sim.run.work import Work

RETOLD = ("label_zh", "label_en", "question_zh", "question_en", "sweep")
"""What of a study is told and changes no run and no comparison."""


def command(argv: Sequence[str]) -> int:
    """Gather a finished run directory again, in another language or with other formats, and seal it anew."""
    parser = parser_of("report", "Write tables and report of a finished run or study again; nothing is simulated.")
    add_run_dir(parser)
    parser.add_argument(
        "--study", metavar="NAME", help="take titles, question and axis from this study (or YAML file) as it is now"
    )
    add_tables(parser)
    given = parser.parse_args(list(argv))
    from sim.provenance import to_json, write_whole
    from sim.run.compared import work_in
    from sim.run.execute import gather_again
    from sim.run.gather import Formats, formats_of, gather
    from sim.run.work import NOTE

    work = work_in(given.run_dir)
    note = {} if given.study is None else retold(work, given.study)

    def gather_noted(work: Work, formats: Formats) -> Path | None:
        if note:
            write_whole(work.folder / NOTE, to_json(note, is_sorted=False))
        return gather(work, formats)

    outcome = gather_again(work, gather=gather_noted, formats=formats_of(given))
    print(f"report: {outcome.report}")
    return 0


def retold(work: Work, study: str) -> dict[str, Any]:
    """Return a run's note with what a study tells now of titles, question and axis.

    Raises
    ------
    InputError
        If the run is not of that study, or its axis has an arm that the run has not.
    """
    from sim.compose.study import study_work
    from sim.errors import Problems, nearest_name
    from sim.run.work import read_note

    folder = work.arms[0].settings.city.folder
    told, problems = study_work(study, [f"city.folder='{folder}'"]), Problems()
    if (work.kind, work.name) != (told.kind, told.name):
        held = f"the run is {work.kind} {work.name!r}"
        problems.add("--study", "is not the study that was run", value=told.name, mend=held)
    names = [arm.name for arm in work.arms]
    axis = told.study.get("sweep") or {}
    for name in dict.fromkeys([*axis.get("arms", ()), *axis.get("marks", ())]):
        if name not in names:
            problems.add("--study", "(sweep) names an arm that was not run", value=name, mend=nearest_name(name, names))
    problems.raise_if_any()
    note = read_note(work.folder)
    kept = {key: value for key, value in note["study"].items() if key not in RETOLD}
    return note | {"study": kept | {key: told.study[key] for key in RETOLD if key in told.study}}
