"""`dgsim show`: every setting of a run with its value, source and standing."""

from __future__ import annotations

import json
from collections.abc import Sequence

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

    composed = compose(overrides)
    plain = composed.settings.as_map()
    lines = [f"seed = {plain.pop('seed')}   {_known(composed, 'seed')}"]
    for group, values in plain.items():
        choice = composed.choices.get(group, "")
        lines += ["", f"# {group}={choice}"]
        for key, value in leaves(values):
            full = f"{group}.{key}"
            lines.append(f"{full} = {json.dumps(value, ensure_ascii=False)}   {_known(composed, full)}".rstrip())
    return lines


def _known(composed: object, key: str) -> str:
    from sim.compose import Composed

    assert isinstance(composed, Composed)
    entry = composed.known(key)
    told = f"[{entry.standing}: {entry.source}] " if entry is not None else ""
    return f"{told}({composed.given_by(key)})"


def documentation() -> list[str]:
    """Return meaning, type and bounds of every key of every group, as Markdown."""
    from sim.config import bounds_text, field_docs, field_types, known_keys
    from sim.settings import GROUPS, Settings

    assert Settings.__doc__ is not None
    lines = []
    for group in GROUPS:
        schema = group.load_schema()
        docs, types = field_docs(schema), field_types(schema)
        lines += [f"### `{group.name}`" + ("" if group.is_what else " (how: never changes what comes out)"), ""]
        lines += [(schema.__doc__ or "").splitlines()[0], "", "| key | type and bounds | meaning |", "|---|---|---|"]
        for name in known_keys(schema):
            bounds = bounds_text(types[name]).replace("|", "\\|")
            lines.append(f"| `{group.name}.{name}` | {bounds} | {docs.get(name, '').replace('|', chr(92) + '|')} |")
        lines.append("")
    return lines
