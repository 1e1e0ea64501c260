"""`dgsim show`: every setting of a run with its value, source and standing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from sim.commands.options import add_overrides, parser_of


def command(argv: Sequence[str]) -> int:
    """Print the configuration that the default choices and the overrides make."""
    parser = parser_of("show", "Print every setting with its value, who gave it, and how it is known.")
    add_overrides(parser)
    parser.add_argument("--doc", action="store_true", help="print meaning, type and bounds of every key instead")
    given = parser.parse_intermixed_args(list(argv))
    for line in documentation() if given.doc else lines_of(given.overrides):
        print(line)
    return 0


def lines_of(overrides: Sequence[str]) -> list[str]:
    """Return one line per setting: key = value, [standing: source] where there is one, and who gave it."""
    from sim.compose import compose
    from sim.config import leaves
    from sim.run.replication import engine_told

    composed = compose(overrides)
    plain = composed.settings.as_map()
    lines = [f"seed = {plain.pop('seed')}   {_known(composed, 'seed')}"]
    for group, values in plain.items():
        choice = composed.choices.get(group, "")
        lines += ["", f"# {group}={choice}"]
        for key, value in leaves(values):
            full = f"{group}.{key}"
            lines.append(f"{full} = {json.dumps(value, ensure_ascii=False)}   {_known(composed, full)}".rstrip())
            if full == "run.engine":
                told = engine_told(composed.settings)
                lines.append(f"# plays on {told['name']}, because {told['why']}")
    return lines


def _known(composed: object, key: str) -> str:
    from sim.compose import Composed

    assert isinstance(composed, Composed)
    entry = composed.known(key)
    told = f"[{entry.standing}: {entry.source}] " if entry is not None else ""
    return f"{told}({composed.given_by(key)})"


def documentation() -> list[str]:
    """Return meaning, type and bounds of every key of every group, as Markdown."""
    from sim.settings import GROUPS

    lines = []
    for group in GROUPS:
        schema = group.load_schema()
        lines += [f"### `{group.name}`" + ("" if group.is_what else " (how: never changes what comes out)"), ""]
        lines += [(schema.__doc__ or "").splitlines()[0], "", "| key | type and bounds | meaning |", "|---|---|---|"]
        lines += [*_rows_of(schema, group.name), ""]
    return lines


def _rows_of(schema: type, prefix: str) -> Iterator[str]:
    """Yield a row per field; the fields of items of lists and maps follow their list or map."""
    from sim.config import bounds_text, field_docs, field_types, item_schema, known_keys

    docs, types = field_docs(schema), field_types(schema)
    for name in known_keys(schema):
        cells = (f"`{prefix}.{name}`", bounds_text(types[name]), docs.get(name, ""))
        yield "| " + " | ".join(cell.replace("|", chr(92) + "|") for cell in cells) + " |"
        found = item_schema(types[name])
        if found is not None:
            yield from _rows_of(found[0], f"{prefix}.{name}.{found[1]}")
