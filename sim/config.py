"""Documented settings: where they lie, how they are checked, and how each value is known.

A *group* is one kind of choice: a folder of `configs/` with one YAML per choice, and a schema (a plain dataclass with
`Annotated` bounds and a docstring under each field). A YAML holds the fields of its schema and an `about` map, dotted
key -> {standing, source}. This module is the machinery only: it knows no group, no city and not Hydra. Next:
`settings.py` declares the groups, `compose.py` reads overrides.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sim.errors import InputError, Problem, Problems, nearest_name
from sim.tables import STANDINGS

ABOUT = "about"


@dataclass(frozen=True, slots=True)
class About:
    """How a value is known (one of `STANDINGS`) and from where."""

    standing: str
    source: str


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of choice: folder of `configs/`, schema and further check, both named `module:object`.

    `is_what`: the choice changes the event log. `check` takes (values, where) and raises `InputError`; it finds what
    single fields cannot say.
    """

    name: str
    schema: str
    is_what: bool = True
    check: str = ""

    def load_schema(self) -> type:
        """Return the schema, importing its module."""
        return typing.cast(type, load_object(self.schema))


def load_object(target: str) -> Any:
    """Return what `module:object` names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


@cache
def configs_root() -> Path:
    """Return the folder of YAML choices: beside `sim/` in a clone, inside it in an installed wheel."""
    package = Path(__file__).resolve().parent
    inside = package / "_configs"
    return inside if inside.is_dir() else package.parent / "configs"


# --- reading ----------------------------------------------------------------------------------------------------------


def read_yaml(path: Path, problems: Problems) -> dict[str, Any]:
    """Return the map in a YAML file; an unreadable file or another content is a problem and gives an empty map."""
    import yaml

    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())
    except FileNotFoundError:
        beside = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        mend = nearest_name(path.name, beside) if beside else f"there is no YAML in {path.parent}"
        problems.add(str(path), "does not exist", mend=mend)
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.add(str(path), f"cannot be read as YAML ({_one_line(error)})", mend="mend it or restore the file")
        return {}
    if content is None:
        return {}
    if not isinstance(content, dict):
        problems.add(str(path), "is not a map of settings", mend="write one 'key: value' a line")
        return {}
    return content


def _loader() -> Any:
    """Return OmegaConf's YAML loader, so that 1e-3 is a number and a key given twice is an error, as in composition."""
    from omegaconf._utils import get_yaml_loader

    return get_yaml_loader()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def read_about(content: Mapping[str, Any], where: str, problems: Problems) -> dict[str, About]:
    """Return the `about` map of a YAML's content; entries without source or known standing are problems."""
    about: dict[str, About] = {}
    given = content.get(ABOUT) or {}
    if not isinstance(given, Mapping):
        problems.add(where, f"({ABOUT}) is not a map", mend="write 'key: {standing: …, source: …}'")
        return about
    for key, entry in given.items():
        entry = entry if isinstance(entry, Mapping) else {}
        standing, source = str(entry.get("standing") or ""), str(entry.get("source") or "")
        if standing not in STANDINGS:
            rule = f"({ABOUT}.{key}) has no known standing"
            problems.add(where, rule, value=standing or None, mend=f"one of {', '.join(STANDINGS)}")
        if not source:
            problems.add(where, f"({ABOUT}.{key}) has no source", mend="say where the value comes from")
        about[str(key)] = About(standing, source)
    return about


# --- checking ---------------------------------------------------------------------------------------------------------


def checked(group: Group, values: Mapping[str, Any], where_of: Mapping[str, str], problems: Problems) -> Any:
    """Return `values` as an instance of the group's schema, or None after adding every problem.

    Parameters
    ----------
    values : the group's fields; an `about` map in it is let go.
    where_of : dotted key within the group -> the place that gave it ("" for all others), for the messages.
    problems : receives unknown keys (with the nearest known), missing keys, wrong types, values out of range, and what
        the group's own check finds.
    """
    schema = group.load_schema()
    values = {key: value for key, value in values.items() if key != ABOUT}
    n_before = len(problems.found)
    result = _validated(schema, values, group.name, where_of, problems)
    if len(problems.found) == n_before and group.check:
        try:
            load_object(group.check)(values, _place(where_of, ""))
        except InputError as error:
            problems.found += [_at_its_key(problem, group.name, where_of) for problem in error.problems]
    return result if len(problems.found) == n_before else None


def _validated(
    schema: type, values: Mapping[str, Any], prefix: str, where_of: Mapping[str, str], problems: Problems
) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(schema).validate_python(dict(values))
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            parts = [str(part) for part in fault["loc"] if part != schema.__name__]
            _add_fault(fault, parts, schema, prefix, where_of, problems)
    return None


def _add_fault(
    fault: Any, parts: list[str], schema: type, prefix: str, where_of: Mapping[str, str], problems: Problems
) -> None:
    """Add one of pydantic's findings in the project's words."""
    key = ".".join(parts)
    named = ".".join(part for part in (prefix, key) if part)
    where = _place(where_of, key)
    if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = known_keys(schema_at(schema, parts[:-1]) or schema)
        problems.add(where, f"({named}) is not a setting", mend=nearest_name(parts[-1], known))
    elif fault["type"] in ("missing", "missing_argument"):
        problems.add(where, f"({named}) is missing", mend="give it a value")
    else:
        message = re.sub(r"^\w+ should ", "must ", fault["msg"])
        problems.add(where, f"({named}) {message}", value=fault["input"], mend=_hint(schema, parts))


def _at_its_key(problem: Problem, group: str, where_of: Mapping[str, str]) -> Problem:
    """Return a problem of a group's own check at the place that gave the key which its rule begins with, "(key) …"."""
    named = re.match(r"\(([\w.]+)", problem.rule)
    key = named[1].removeprefix(f"{group}.") if named else ""
    return replace(problem, where=_place(where_of, key)) if problem.where == _place(where_of, "") else problem


def _place(where_of: Mapping[str, str], key: str) -> str:
    """Return the place of the longest given prefix of `key`."""
    parts = key.split(".") if key else []
    for n in range(len(parts), 0, -1):
        if ".".join(parts[:n]) in where_of:
            return where_of[".".join(parts[:n])]
    return where_of.get("", "settings")


def _hint(schema: type, parts: list[str]) -> str:
    owner = schema_at(schema, parts[:-1])
    doc = field_docs(owner).get(parts[-1], "") if owner is not None and parts else ""
    return f"it is: {doc}" if doc else ""


# --- what a schema holds ----------------------------------------------------------------------------------------------


def known_keys(schema: type) -> tuple[str, ...]:
    """Return the names of a schema's fields, in order, without `about`."""
    return tuple(f.name for f in fields(schema) if f.name != ABOUT) if is_dataclass(schema) else ()


def schema_at(schema: Any, parts: list[str]) -> Any:
    """Return the dataclass that the path `parts` leads to, through lists and maps; None when it leads to none."""
    here = schema
    for part in parts:
        here = _step(here, part)
    here = _bare(here)
    return here if is_dataclass(here) else None


def leads_somewhere(schema: Any, parts: list[str]) -> bool:
    """Return whether a dotted key names a field of the schema, an entry of a map, or an item of a list."""
    here = schema
    for part in parts:
        here = _step(here, part)
        if here is None:
            return False
    return True


def _step(here: Any, part: str) -> Any:
    """Return the type one step below, or None."""
    here = _bare(here)
    if is_dataclass(here):
        return field_types(here).get(part) if part != ABOUT else None
    origin = typing.get_origin(here)
    if origin is dict:
        return typing.get_args(here)[1]
    if origin is list:
        return typing.get_args(here)[0] if part.isdigit() else None
    return None


def item_schema(kind: Any) -> tuple[type, str] | None:
    """Return (dataclass, "<n>" or "<name>") of the items of a list or map of dataclasses; None for any other type."""
    kind = _bare(kind)
    origin = typing.get_origin(kind)
    item = _bare(typing.get_args(kind)[-1]) if origin in (list, dict) else None
    return (item, "<n>" if origin is list else "<name>") if isinstance(item, type) and is_dataclass(item) else None


def _bare(kind: Any) -> Any:
    """Return a type without its annotations (bounds)."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind


def field_types(schema: Any) -> dict[str, Any]:
    """Return each field's type with its bounds."""
    hints = typing.get_type_hints(schema, include_extras=True)
    return {f.name: hints[f.name] for f in fields(schema)}


def bounds_text(kind: Any) -> str:
    """Return a field's type and bounds in a few words, such as "float, > 0, <= 160"."""
    words = [_type_name(kind)]
    extras = typing.get_args(kind)[1:] if typing.get_origin(kind) is typing.Annotated else ()
    for extra in extras:
        for item in getattr(extra, "metadata", ()):
            for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("pattern", "like")):
                value = getattr(item, name, None)
                if value is not None:
                    words.append(f"{sign} {value}")
    return ", ".join(words)


def _type_name(kind: Any) -> str:
    kind = _bare(kind)
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(choice) for choice in typing.get_args(kind))
    if origin in (list, dict):
        return f"{origin.__name__} of {_type_name(typing.get_args(kind)[-1])}"
    if origin is types.UnionType:
        return " or ".join("null" if part is type(None) else _type_name(part) for part in typing.get_args(kind))
    return str(getattr(kind, "__name__", kind))


def field_docs(schema: Any) -> dict[str, str]:
    """Return the docstring under each field of a dataclass, on one line; fields without one are left out."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(schema)))
    body = tree.body[0].body if tree.body and isinstance(tree.body[0], ast.ClassDef) else []
    docs: dict[str, str] = {}
    for before, after in itertools.pairwise(body):
        match before, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = " ".join(text.split())
    return docs


# --- what has to be explained -----------------------------------------------------------------------------------------


def leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of everything in nested maps and lists that is neither; empty ones are values."""
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(values, list) and values:
        for i, value in enumerate(values):
            yield from leaves(value, f"{prefix}.{i}" if prefix else str(i))
    else:
        yield prefix, values


def states_number(value: Any) -> bool:
    """Return whether a value is a number, which has to say where it comes from."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def about_of(key: str, about: Mapping[str, About]) -> About | None:
    """Return what is known of a dotted key: the entry of its longest prefix."""
    parts = key.split(".")
    for n in range(len(parts), 0, -1):
        entry = about.get(".".join(parts[:n]))
        if entry is not None:
            return entry
    return None
