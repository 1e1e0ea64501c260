"""How to make the same page again: commands, seed, program, digests of all tables."""

from __future__ import annotations

import hashlib
from importlib import metadata

from sim.report.blocks import Block, Commands, Facts, Grid, Head, Paragraph, number, word
from sim.report.context import Context, SectionEntry
from sim.report.numbers import count
from sim.report.study import n_rows
from sim.report.texts import join, same

PROGRAM = "dongguan-response"


def make(context: Context) -> list[Block]:
    """Return commands, seed, program and digests; nothing that depends on when or where the report is made."""
    study, words = context.study, context.words
    note = study.note
    kind, name = str(note.get("kind", "")), str(note.get("name", ""))
    command = f"dgsim study {name}" if kind == "study" else f"dgsim {kind or 'report'} …"
    first = next(iter(study.configs.values()), {})
    replications = study.table("arms", "n_replications")
    told = [
        (words["reproduce.study"], same(f"{kind} {name}".strip() or "–")),
        (words["reproduce.seed"], same(first.get("seed", "–"))),
        (words["reproduce.years"], same(", ".join(str(year) for year in study.years) or "–")),
        (words["reproduce.versions"], same(f"{PROGRAM} {_version()}")),
    ]
    if replications is not None:
        listed = join(
            [study.label(r["arm"]) + same(f" {count(r['n_replications'])}") for r in replications.to_dict("records")],
            "；",
            "; ",
        )
        told.append((words["reproduce.replications"], listed))
    lines = (command, "dgsim verify RUN_DIR", "dgsim report RUN_DIR")
    if context.left_out:
        listed = join([words[f"{section}.title"] for section in context.left_out], "；", "; ")
        told.append((words["reproduce.left_out"], listed))
    return [Paragraph(words["reproduce.text"]), Commands(lines), Facts(tuple(told)), _digests(context)]


def _version() -> str:
    try:
        return metadata.version(PROGRAM)
    except metadata.PackageNotFoundError:
        return "–"


def _digests(context: Context) -> Grid:
    words, study = context.words, context.study
    heads = (
        Head(words["reproduce.table"], is_number=False), Head(words["reproduce.rows"]),
        Head(words["reproduce.digest"], is_number=False),
    )  # fmt: skip
    rows = []
    for path in study.files():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        rows.append((word(same(path.name), tone="key"), number(n_rows(path), count), word(same(digest), tone="digest")))
    return Grid(words["reproduce.tables"], heads, tuple(rows), words["reproduce.digest_denominator"])


SECTION = SectionEntry("reproduce", needs=(), make=make)
