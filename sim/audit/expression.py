"""Recompute a number from tables: the small language in which checks name what they compare.

An expression is read by Python's parser and walked here; only the forms below are known, nothing is ever executed.

    towns.build_2024                     a column: one value per row
    facts.value['stations_text']         the cell of the row with that key (several parts: ['staff_share', 2023])
    + - * /   and   == != < <= > >=      on numbers, or row by row; & and | join row tests or sets of names
    sum(x) count(x) max(x) min(x)        over rows (empty cells left out); count of a row test counts the rows that
                                         pass, count of names counts the names
    max(x, y, ...) min(x, y, ...)        row by row
    round(x) round(x, digits) floor(x) ceil(x) abs(x)
    pick(x, test)                        the rows of x that pass the test
    is_empty(x)   has(x, 'text')         row tests: the cell is empty; the text occurs in it
    names(x)      names('a', 'b', ...)   the set of different texts
    correlation(x, y)                    Pearson's, over the rows where both are given

`round` rounds half up, with a slack of 1e-9 so that a half written in decimals counts as a half. A division by zero, a
name that is not there and a form not listed are errors with a mend.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import nearest_name
from sim.tables import Table

Value = float | str | frozenset[str] | NDArray[Any]
"""What an expression can be: a number, a text (as an argument only), a set of names, or one value per row."""

_HALF_SLACK = 1e-9


class ExpressionError(ValueError):
    """An expression cannot be computed: which rule it breaks and how to mend it."""

    def __init__(self, rule: str, mend: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.mend = mend


def evaluate(text: str, tables: Mapping[str, Table]) -> Value:
    """Return the value of the expression over `tables` (by short name).

    Raises
    ------
    ExpressionError
        If the text is no expression of this language, names what is not there, or divides by zero.
    """
    return _walk(_parse(text), tables)


def tables_of(text: str) -> list[str]:
    """Return the short names of the tables that the expression reads, in order of appearance."""
    found = [node.value for node in ast.walk(_parse(text)) if isinstance(node, ast.Attribute)]
    return list(dict.fromkeys(node.id for node in found if isinstance(node, ast.Name)))


def is_as_printed(text: str) -> bool:
    """Return whether the expression is nothing but a cell or a column of a table."""
    node = _parse(text)
    return isinstance(node, ast.Attribute) or (
        isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute)
    )


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError("is not an expression", "see the list of forms in sim/audit/expression.py") from error


def _walk(node: ast.expr, tables: Mapping[str, Table]) -> Value:
    match node:
        case ast.Constant(value=bool()):
            raise ExpressionError("holds a truth value", "write a comparison")
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Constant(value=str() as word):
            return word
        case ast.Attribute(value=ast.Name(id=table), attr=column):
            return _column(table, column, tables)
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=table), attr=column), slice=key):
            return _cell(table, column, _key(key), tables)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negative: Value = -_numbers(_walk(operand, tables))
            return negative
        case ast.BinOp(left=left, op=operator, right=right):
            return _join(operator, _walk(left, tables), _walk(right, tables))
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return _compare(operator, _walk(left, tables), _walk(right, tables))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, [_walk(argument, tables) for argument in arguments])
    raise ExpressionError(f"holds a form that is not known: {ast.unparse(node)}", "see sim/audit/expression.py")


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(name: str, tables: Mapping[str, Table]) -> Table:
    if name not in tables:
        raise ExpressionError(f"names table {name!r}, which is not there", nearest_name(name, tables))
    return tables[name]


def _column(name: str, column: str, tables: Mapping[str, Table]) -> NDArray[Any]:
    table = _table(name, tables)
    if column not in table.spec.names:
        raise ExpressionError(
            f"names column {column!r}, which {table.where} lacks", nearest_name(column, table.spec.names)
        )
    values = table[column]
    return values if values.dtype == object else values.astype(np.float64)


def _key(node: ast.expr) -> tuple[object, ...]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    if not all(isinstance(part, ast.Constant) for part in parts):
        raise ExpressionError("has a key that is not plain text or a number")
    return tuple(part.value for part in parts if isinstance(part, ast.Constant))


def _cell(name: str, column: str, key: tuple[object, ...], tables: Mapping[str, Table]) -> Value:
    """Return the one number in `column` whose row has `key` in the key columns of the table."""
    values = _column(name, column, tables)
    table = tables[name]
    keys = [tuple(table[part][i] for part in table.spec.key) for i in range(table.n_rows)]
    if key not in keys:
        shown = nearest_name(_shown(key), [_shown(known) for known in keys])
        raise ExpressionError(f"names row {_shown(key)!r}, which {table.where} lacks", shown)
    value = values[keys.index(key)]
    if not isinstance(value, float) or math.isnan(value):
        raise ExpressionError(f"reads {_shown(key)!r} in {table.where}, whose {column} is no number")
    return float(value)


def _shown(key: tuple[object, ...]) -> str:
    return ", ".join(str(part) for part in key)


# --- operators --------------------------------------------------------------------------------------------------------


def _numbers(value: Value) -> Any:
    """Return the value if it is a number, or numbers or truth values by row; raise otherwise."""
    if isinstance(value, (str, frozenset)) or (isinstance(value, np.ndarray) and value.dtype == object):
        raise ExpressionError("computes with texts as if they were numbers")
    return value


def _even(left: Value, right: Value) -> None:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and len(left) != len(right):
        raise ExpressionError(f"sets {len(left)} rows beside {len(right)}", "use columns of one table")


def _join(operator: ast.operator, left: Value, right: Value) -> Value:
    _even(left, right)
    if isinstance(operator, (ast.BitAnd, ast.BitOr)):
        return _join_tests(operator, left, right)
    a, b = _numbers(left), _numbers(right)
    if isinstance(operator, ast.Add):
        return a + b  # type: ignore[no-any-return]
    if isinstance(operator, ast.Sub):
        return a - b  # type: ignore[no-any-return]
    if isinstance(operator, ast.Mult):
        return a * b  # type: ignore[no-any-return]
    if isinstance(operator, ast.Div):
        if np.any(np.asarray(b) == 0):
            raise ExpressionError("divides by zero", "pick the rows where the divisor is above zero")
        return a / b  # type: ignore[no-any-return]
    raise ExpressionError(f"uses an operator that is not known: {type(operator).__name__}")


def _join_tests(operator: ast.operator, left: Value, right: Value) -> Value:
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left & right if isinstance(operator, ast.BitAnd) else left | right
    a, b = _test(left), _test(right)
    return a & b if isinstance(operator, ast.BitAnd) else a | b


def _compare(operator: ast.cmpop, left: Value, right: Value) -> NDArray[np.bool_]:
    _even(left, right)
    if isinstance(left, frozenset) or not isinstance(left, np.ndarray) or isinstance(right, frozenset):
        raise ExpressionError("compares something other than a column", "start a comparison with a column")
    if isinstance(operator, (ast.Eq, ast.NotEq)):
        is_equal = np.asarray(left == right, dtype=np.bool_)
        return is_equal if isinstance(operator, ast.Eq) else ~is_equal
    a, b = _numbers(left), _numbers(right)
    by_kind: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
        ast.Lt: np.less,
        ast.LtE: np.less_equal,
        ast.Gt: np.greater,
        ast.GtE: np.greater_equal,
    }
    if type(operator) not in by_kind:
        raise ExpressionError(f"uses a comparison that is not known: {type(operator).__name__}")
    return np.asarray(by_kind[type(operator)](a, b), dtype=np.bool_)


def _test(value: Value) -> NDArray[np.bool_]:
    if not isinstance(value, np.ndarray) or value.dtype != np.bool_:
        raise ExpressionError("needs a row test here", "write a comparison of a column")
    return value


# --- functions --------------------------------------------------------------------------------------------------------


def _call(name: str, arguments: list[Value]) -> Value:
    known = _functions()
    if name not in known:
        raise ExpressionError(f"calls {name!r}, which is not known", nearest_name(name, known))
    try:
        result: Value = known[name](*arguments)
    except TypeError as error:
        raise ExpressionError(f"calls {name!r} with arguments it does not take") from error
    return result


def _functions() -> dict[str, Callable[..., Value]]:
    return {
        "sum": lambda x: float(np.nansum(_rows(x))),
        "count": _count,
        "max": lambda *x: _extreme(np.maximum, np.nanmax, x),
        "min": lambda *x: _extreme(np.minimum, np.nanmin, x),
        "round": _round,
        "floor": lambda x: np.floor(_numbers(x) + _HALF_SLACK),
        "ceil": lambda x: np.ceil(_numbers(x) - _HALF_SLACK),
        "abs": lambda x: np.abs(_numbers(x)),
        "pick": _pick,
        "is_empty": _is_empty,
        "has": _has,
        "names": _names,
        "correlation": _correlation,
    }


def _rows(value: Value) -> NDArray[Any]:
    numbers = _numbers(value)
    if not isinstance(numbers, np.ndarray):
        raise ExpressionError("needs a column here, not a number")
    return numbers


def _count(value: Value) -> float:
    if isinstance(value, frozenset):
        return float(len(value))
    if isinstance(value, np.ndarray) and value.dtype == np.bool_:
        return float(value.sum())
    if isinstance(value, np.ndarray):
        return float((~_is_empty(value)).sum())
    raise ExpressionError("counts something that has no rows")


def _extreme(by_row: Any, over_rows: Any, values: tuple[Value, ...]) -> Value:
    if len(values) > 1:
        result = _numbers(values[0])
        for value in values[1:]:
            _even(result, value)
            result = by_row(result, _numbers(value))
        return result  # type: ignore[no-any-return]
    rows = _rows(values[0])
    if not np.any(~np.isnan(rows)):
        raise ExpressionError("asks for the largest or smallest of no value")
    return float(over_rows(rows))


def _round(value: Value, digits: Value = 0) -> Value:
    scale = 10.0 ** int(_numbers(digits))
    return np.floor(_numbers(value) * scale + 0.5 + _HALF_SLACK) / scale  # type: ignore[no-any-return]


def _pick(value: Value, test: Value) -> NDArray[Any]:
    _even(value, test)
    if not isinstance(value, np.ndarray):
        raise ExpressionError("picks from something that has no rows")
    return value[_test(test)]


def _is_empty(value: Value) -> NDArray[np.bool_]:
    if not isinstance(value, np.ndarray):
        raise ExpressionError("asks for empty cells where there are no rows")
    if value.dtype == object:
        return np.array([cell is None for cell in value], dtype=np.bool_)
    return np.asarray(np.isnan(value), dtype=np.bool_)


def _has(value: Value, text: Value) -> NDArray[np.bool_]:
    if not isinstance(value, np.ndarray) or value.dtype != object or not isinstance(text, str):
        raise ExpressionError("looks for a text where there are none")
    return np.array([text in (cell or "") for cell in value], dtype=np.bool_)


def _names(*values: Value) -> frozenset[str]:
    if len(values) == 1 and isinstance(values[0], np.ndarray) and values[0].dtype == object:
        return frozenset(str(cell) for cell in values[0] if cell is not None)
    if all(isinstance(value, str) for value in values):
        return frozenset(str(value) for value in values)
    raise ExpressionError("makes names of something that is no text")


def _correlation(left: Value, right: Value) -> float:
    _even(left, right)
    a, b = _rows(left), _rows(right)
    is_known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[is_known] - a[is_known].mean(), b[is_known] - b[is_known].mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if spread == 0:
        raise ExpressionError("correlates a column that does not vary")
    return float((a * b).sum()) / spread
