"""Checks of a plan against itself: each row of `plan_checks.csv` sets a printed value beside a recomputed one.

Steps: read the plan's tables and the checks -> evaluate both expressions of each check (`sim.audit.expression`) -> hold
the relation between them -> compare with what the check states. A disagreement is a finding and no error. A check
whose stated verdict or value no longer comes out is an error (`changed_findings`): a table was edited, or the statement
is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.audit.expression import ExpressionError, Value, evaluate, is_as_printed, tables_of
from sim.errors import Problems
from sim.plan import plan_files, read_plan_tables
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, read_table

CHECKS_FILE = "plan_checks.csv"
KINDS = ("sum", "ratio", "equality", "product", "rule", "list")
AGREES, DISAGREES = "agrees", "disagrees"

CHECKS = TableSpec(
    "plan_checks",
    1,
    (
        Column("item", "str", "Number of the finding that the check belongs to."),
        Column("check", "str", "Id of the check.", unique=True),
        Column("kind", "str", "rule: row by row; list: sets of names; the others: one number.", choices=KINDS),
        Column("subject_zh", "str", "What is checked, in Chinese."),
        Column("subject_en", "str", "What is checked, in English."),
        Column("printed", "str", "Expression of what the plan prints or asks for."),
        Column("relation", "str", "recomputed RELATION printed must hold.", choices=("=", "<", "<=", ">", ">=")),
        Column("recomputed", "str", "Expression that recomputes it from the tables."),
        Column("tolerance", "float", "Difference that still counts as equal.", minimum=0),
        Column("digits", "int", "Decimals shown of the recomputed number.", minimum=0, maximum=6),
        Column("unit", "str", "Unit of both.", optional=True),
        Column("unit_zh", "str", "Unit of both, in Chinese.", optional=True),
        Column("stated_verdict", "str", "Verdict this check is known to give.", choices=(AGREES, DISAGREES)),
        Column(
            "stated_value", "float", "Recomputed number, rows that hold (rule) or names (list) it is known to give."
        ),
        Column("use_zh", "str", "Which value the model uses, in Chinese."),
        Column("use_en", "str", "Which value the model uses, in English."),
        Column("why_zh", "str", "Why, in Chinese; {printed} and {recomputed} stand for the values."),
        Column("why_en", "str", "Why, in English; {printed} and {recomputed} stand for the values."),
        SOURCE,
        STANDING,
    ),
    key=("check",),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one check.

    `printed` and `recomputed` are texts: a number, rows that hold of rows given (rule), or names (list); `is_printed`
    says whether the first stands in the plan as it is, or is worked out or expected. `value` is what `stated_value`
    pins; `rows_out` names the rows that break a rule; `change` is empty while the finding stands.
    """

    item: str
    check: str
    kind: str
    subject_zh: str
    subject_en: str
    relation: str
    unit: str
    unit_zh: str
    printed: str
    printed_zh: str
    is_printed: bool
    recomputed: str
    recomputed_zh: str
    verdict: str
    value: float
    rows_out: tuple[str, ...]
    rows_out_zh: tuple[str, ...]
    use_zh: str
    use_en: str
    why_zh: str
    why_en: str
    source: str
    standing: str
    change: str


def audit(folder: Path) -> list[Outcome]:
    """Return the outcome of every check of the city folder, in the order of its table.

    Raises
    ------
    InputError
        With every problem of the plan's tables, of the checks, and of expressions that cannot be computed.
    """
    problems = Problems()
    tables = read_plan_tables(folder, problems)
    checks = read_table(folder / CHECKS_FILE, CHECKS, problems)
    problems.raise_if_any()
    outcomes = [_outcome(checks, i, tables, problems) for i in range(checks.n_rows)]
    problems.raise_if_any()
    return [outcome for outcome in outcomes if outcome is not None]


def changed_findings(outcomes: list[Outcome]) -> Problems:
    """Return one problem per check that no longer gives what its row states."""
    problems = Problems()
    mend = "restore the table it reads, or correct the stated verdict and value"
    for outcome in outcomes:
        if outcome.change:
            problems.add(CHECKS_FILE, f"no longer holds: {outcome.change}", value=outcome.check, mend=mend)
    return problems


def _outcome(checks: Table, i: int, tables: Mapping[str, Table], problems: Problems) -> Outcome | None:
    """Return the outcome of check `i`, or None after adding why it cannot be computed."""
    row: dict[str, Any] = {name: checks[name][i] for name in checks.spec.names}
    values = {}
    for side in ("printed", "recomputed"):
        try:
            values[side] = evaluate(row[side], tables)
        except ExpressionError as error:
            rule = f"({side}) {error.rule}"
            problems.add(checks.where, rule, value=row[side], row=checks.row_number(i), mend=_mend(error, tables))
    if len(values) < 2:
        return None
    try:
        return _judged(row, values["printed"], values["recomputed"], tables)
    except ExpressionError as error:
        problems.add(checks.where, error.rule, value=row["check"], row=checks.row_number(i), mend=error.mend)
        return None


def _mend(error: ExpressionError, tables: Mapping[str, Table]) -> str:
    absent = [f"{name} ({file})" for name, file in plan_files().items() if name not in tables]
    return error.mend + (f"; not in this folder: {', '.join(absent)}" if absent and "names table" in error.rule else "")


def _judged(row: dict[str, Any], printed: Value, recomputed: Value, tables: Mapping[str, Table]) -> Outcome:
    if row["kind"] == "list":
        found = _judge_list(row, printed, recomputed)
    elif row["kind"] == "rule":
        found = _judge_rule(row, printed, recomputed, tables)
    else:
        found = _judge_number(row, printed, recomputed)
    names_zh = _names_zh(tables)
    kept = ("item", "check", "kind", "subject_zh", "subject_en", "relation", "use_zh", "use_en", "source", "standing")
    return Outcome(
        **{name: row[name] for name in kept},
        unit=row["unit"] or "",
        unit_zh=row["unit_zh"] or "",
        printed=_shown(found.printed),
        printed_zh=_shown(found.printed, names_zh),
        is_printed=_is_printed(row["printed"], tables),
        recomputed=_shown(found.recomputed),
        recomputed_zh=_shown(found.recomputed, names_zh),
        verdict=AGREES if found.holds else DISAGREES,
        value=found.value,
        rows_out=found.rows_out,
        rows_out_zh=tuple(names_zh.get(name, name) for name in found.rows_out),
        why_zh=_filled(row["why_zh"], found, names_zh),
        why_en=_filled(row["why_en"], found, {}),
        change=_change(row, found),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    printed: str | frozenset[str]
    recomputed: str | frozenset[str]
    holds: bool
    value: float
    rows_out: tuple[str, ...] = ()


def _judge_number(row: dict[str, Any], printed: Value, recomputed: Value) -> _Found:
    if not isinstance(printed, (int, float)) or not isinstance(recomputed, (int, float)):
        raise ExpressionError(f"is of kind {row['kind']}, which sets one number beside one number", "use rule or list")
    holds = bool(_holds(row["relation"], np.float64(printed), np.float64(recomputed), row["tolerance"]))
    return _Found(f"{float(printed):.10g}", _number(float(recomputed), int(row["digits"])), holds, float(recomputed))


def _judge_rule(row: dict[str, Any], printed: Value, recomputed: Value, tables: Mapping[str, Table]) -> _Found:
    """Hold the relation row by row; rows where either side is empty are left out."""
    table = _table_of_rows(row["recomputed"], recomputed, tables)
    is_even = isinstance(printed, (int, float)) or _is_number_per_row(printed, table.n_rows)
    if not (is_even and _is_number_per_row(recomputed, table.n_rows)):
        raise ExpressionError("is of kind rule, which needs one number per row", "compare whole columns of one table")
    a, b = (np.broadcast_to(np.asarray(side, dtype=np.float64), table.n_rows) for side in (printed, recomputed))
    is_known = ~(np.isnan(a) | np.isnan(b))
    holds = np.asarray(_holds(row["relation"], a, b, row["tolerance"]), dtype=np.bool_)
    out = tuple(str(table[table.spec.key[0]][i]) for i in np.flatnonzero(is_known & ~holds))
    n_known = int(is_known.sum())
    n_hold = n_known - len(out)
    return _Found(f"{n_known}/{n_known}", f"{n_hold}/{n_known}", not out, float(n_hold), out)


def _table_of_rows(text: str, value: Value, tables: Mapping[str, Table]) -> Table:
    """Return the table whose rows the value of the expression `text` runs over."""
    for name in tables_of(text):
        if isinstance(value, np.ndarray) and len(value) == tables[name].n_rows:
            return tables[name]
    raise ExpressionError("is of kind rule, but recomputes no value per row", "use whole columns of one table")


def _is_number_per_row(value: Value, n_rows: int) -> bool:
    return isinstance(value, np.ndarray) and len(value) == n_rows and value.dtype != np.object_


def _judge_list(row: dict[str, Any], printed: Value, recomputed: Value) -> _Found:
    if not isinstance(printed, frozenset) or not isinstance(recomputed, frozenset) or row["relation"] in ("<", ">"):
        raise ExpressionError("is of kind list, which sets names beside names by =, <= (all among) or >= (holds all)")
    holds = {"=": recomputed == printed, "<=": recomputed <= printed, ">=": recomputed >= printed}[row["relation"]]
    return _Found(printed, recomputed, holds, float(len(recomputed)))


def _is_printed(text: str, tables: Mapping[str, Table]) -> bool:
    """Return whether the expression is one cell or column of a table that holds nothing but what the plan prints."""
    return is_as_printed(text) and all(set(tables[name]["standing"]) == {"plan"} for name in tables_of(text))


def _names_zh(tables: Mapping[str, Table]) -> dict[str, str]:
    """Return the Chinese name of every id of the tables that have one."""
    named = [table for table in tables.values() if len(table.spec.key) == 1 and "name_zh" in table.spec.names]
    return {str(key): str(name) for t in named for key, name in zip(t[t.spec.key[0]], t["name_zh"], strict=True)}


def _shown(value: str | frozenset[str], names: Mapping[str, str] | None = None) -> str:
    """Return a number as it is, a set of names as their count and the names in the order of their ids."""
    if isinstance(value, str):
        return value
    members = [(names or {}).get(name, name) for name in sorted(value)]
    return f"{len(members)}: {', '.join(members)}" if members else "0"


def _holds(relation: str, printed: Any, recomputed: Any, tolerance: float) -> NDArray[np.bool_] | np.bool_:
    slack = tolerance + 1e-9
    by_relation: dict[str, NDArray[np.bool_] | np.bool_] = {
        "=": abs(recomputed - printed) <= slack,
        "<": recomputed < printed - slack,
        "<=": recomputed <= printed + slack,
        ">": recomputed > printed + slack,
        ">=": recomputed >= printed - slack,
    }
    return by_relation[relation]


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def _filled(text: str, found: _Found, names: Mapping[str, str]) -> str:
    printed, recomputed = _shown(found.printed, names), _shown(found.recomputed, names)
    return text.replace("{printed}", printed).replace("{recomputed}", recomputed)


def _change(row: dict[str, Any], found: _Found) -> str:
    """Return what differs from the stated verdict and value, or an empty text."""
    verdict = AGREES if found.holds else DISAGREES
    changes = []
    if verdict != row["stated_verdict"]:
        changes.append(f"stated {row['stated_verdict']!r}, now {verdict!r}")
    digits = int(row["digits"]) if row["kind"] not in ("rule", "list") else 0
    if abs(found.value - row["stated_value"]) > 0.5 * 10.0**-digits + 1e-9:
        changes.append(f"stated value {row['stated_value']:g}, now {found.value:.{digits}f}")
    return "; ".join(changes)
