"""The tables of docs/records.md, made from the declarations; `python -m calibration.records.page PAGE` renews them.

A test holds the page to what this module says, so that a column or rule cannot change without its page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from calibration.records.frames import INCIDENT_COLUMNS, RESPONSE_COLUMNS, FrameColumns
from calibration.records.rules import ACTIONS, RULES
from calibration.records.schema import FORMS, SPECS, RecordSpec
from calibration.records.settings import FileSettings, RecordSettings
from sim.config import bounds_text, field_docs, field_types

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def tables() -> str:
    """Return the generated part of the page, in Markdown."""
    parts = [
        *(_of_file(spec) for spec in SPECS),
        "### Accepted forms\n\n" + _table(("kind", "forms"), FORMS.items()),
        "### `records.yaml`\n\n"
        + _of_settings(RecordSettings)
        + "\n\nUnder `incidents` and `responses`:\n\n"
        + _of_settings(FileSettings),
        _of_rules(),
        "### Frame `incidents`\n\n" + _of_frame(INCIDENT_COLUMNS),
        "### Frame `responses`\n\n" + _of_frame(RESPONSE_COLUMNS),
    ]
    return "\n\n".join(parts)


def renewed(page: str) -> str:
    """Return the text of the page with its generated part made anew."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _of_file(spec: RecordSpec) -> str:
    rows = []
    for field in spec.fields:
        limit = f"{field.limit_h:g} h" if field.limit_h else ""
        known_as = ", ".join(f"`{alias}`" for alias in field.aliases)
        rows.append((f"`{field.name}`", field.kind, field.doc, field.unit, limit, known_as))
    head = ("column", "kind", "meaning", "read as", "limit", "also known as")
    order = " -> ".join(f"`{mark}`" for mark in spec.marks)
    return f"### File `{spec.name}`\n\n{spec.doc} Order of the marks: {order}.\n\n{_table(head, rows)}"


def _of_settings(schema: type) -> str:
    docs, kinds = field_docs(schema), field_types(schema)
    return _table(("key", "type", "meaning"), ((f"`{name}`", bounds_text(kinds[name]), docs[name]) for name in docs))


def _of_rules() -> str:
    actions = "; ".join(f"*{name}*: {what}" for name, what in ACTIONS.items())
    rows = ((f"`{rule.code}`", rule.action, rule.what, rule.why, rule.label_zh) for rule in RULES.values())
    return f"### Rules\n\nIn this order; {actions}.\n\n{_table(('code', 'action', 'what', 'why', '标签'), rows)}"


def _of_frame(columns: FrameColumns) -> str:
    return _table(("column", "type", "meaning"), ((f"`{name}`", dtype, doc) for name, dtype, doc in columns))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
