"""The list of assumptions with their standing, and how to make the same page again."""

from __future__ import annotations

import hashlib
from importlib import metadata
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Commands, Facts, Grid, Head, Paragraph, number, word
from sim.report.context import Context
from sim.report.numbers import count, without_scheme
from sim.report.study import n_rows
from sim.report.texts import join, same

if TYPE_CHECKING:
    pass


PROGRAM = "dongguan-response"
_PLAIN = str.maketrans("", "", '{}"')
_LONG, _MOST = 40, 160
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
    rows = tuple(_assumption(context, record) for record in found.to_dict("records"))
    grid = Grid(
        words["assumptions.table"],
        heads,
        rows,
        words("assumptions.denominator", n=n, counts=counts),
        (words["assumptions.cut"],),
        is_filtered=True,
    )
    return [Paragraph(words("assumptions.text", n=n, assumed=count(standings.count("assumed")))), grid]


def _assumption(context: Context, record: dict[Any, Any]) -> tuple[Cell, ...]:
    words = context.words
    value = shorten(str(record["value"]).translate(_PLAIN), _MOST, placeholder=" …")
    value_cell = word(same(value), tone="source" if len(value) > _LONG else "")
    source = same(without_scheme(record["source"]))
    if record.get("arms"):
        arms = join([context.study.label(arm) for arm in str(record["arms"]).split(", ")])
        source = source + same(" · ") + words("assumptions.arms", arms=arms)
    standing = word(words.known("standing", record["standing"]), tone=f"standing-{record['standing']}")
    return word(same(record["key"]), tone="key"), value_cell, standing, word(source, tone="source")


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
