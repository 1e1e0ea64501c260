"""The list of assumptions with their standing, and how to make the same page again."""

from __future__ import annotations

import hashlib
from importlib import metadata
from typing import TYPE_CHECKING

from sim.report.blocks import Block, Commands, Facts, Grid, Head, Paragraph, number, word
from sim.report.context import Context
from sim.report.numbers import count, without_scheme
from sim.report.study import n_rows
from sim.report.texts import join, same

if TYPE_CHECKING:
    pass


PROGRAM = "dongguan-response"
_STANDINGS = ("plan", "standard", "published", "assumed", "fitted")


def assumptions(context: Context) -> list[Block]:
    """Return every input number with its standing and source."""
    words = context.words
    found = context.study.table("assumptions", "key", "value", "standing", "source")
    if found is None:
        return [context.missing("assumptions")]
    standings = [str(s) for s in found["standing"]]
    known = [s for s in _STANDINGS if s in standings] + sorted({s for s in standings if s not in _STANDINGS})
    counts = join([words.known("standing", s) + same(f" {count(standings.count(s))}") for s in known])
    n = count(len(found))
    heads = tuple(
        Head(words[f"assumptions.{name}"], is_number=False) for name in ("key", "value", "standing", "source")
    )
    rows = tuple(
        (
            word(same(r["key"]), tone="key"), word(same(r["value"])),
            word(words.known("standing", r["standing"]), tone=f"standing-{r['standing']}"),
            word(same(without_scheme(r["source"])), tone="source"),
        )
        for r in found.to_dict("records")
    )  # fmt: skip
    grid = Grid(
        words["assumptions.table"], heads, rows, words("assumptions.denominator", n=n, counts=counts), is_filtered=True
    )
    return [Paragraph(words("assumptions.text", n=n, assumed=count(standings.count("assumed")))), grid]


def reproduce(context: Context) -> list[Block]:
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
