"""A cell's text and its value: the rules of each kind of column, in both directions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import nearest_name
from sim.tables.spec import Column

_INT = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,([0-9]{1,2}|[0-9]{4,})")
"""A comma that cannot part thousands."""
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?([ T]0{1,2}:00(:00(\.0+)?)?)?")
_DAY_NUMBER = re.compile(r"[2-7][0-9]{4}(\.0+)?")
_DAY_0 = date(1899, 12, 30)
"""Day from which spreadsheets count."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)|n/?a|null|none", re.IGNORECASE)
_BOOLS = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}
_LARGEST_INT = 2**63 - 1
_EXACT_IN_FLOAT = 2**53


class BadCellError(ValueError):
    """A cell breaks a rule; `rule` and `mend` as in `sim.errors.Problem`."""

    def __init__(self, rule: str, mend: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.mend = mend


def value_of(column: Column, text: str) -> Any:
    """Return the cell's value, None for an empty optional cell; raise `BadCellError` when a rule is broken."""
    if not text:
        if column.optional:
            return None
        raise BadCellError("is empty", "give a value")
    if column.kind == "str":
        if column.choices is not None and text not in column.choices:
            raise BadCellError(f"must be one of {', '.join(column.choices)}", nearest_name(text, column.choices))
        return text
    if column.kind == "bool":
        if text.lower() not in _BOOLS:
            raise BadCellError("must be true or false")
        return _BOOLS[text.lower()]
    if column.kind == "date":
        return _date(text)
    value = _integer(column, text) if column.kind == "int" else _real(text)
    is_low = column.minimum is not None and value < column.minimum
    if is_low or (column.maximum is not None and value > column.maximum):
        unit = f" {column.unit}" if column.unit else ""
        raise BadCellError(f"must be {_bounds(column)}{unit}")
    return value


def _bounds(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"between {column.minimum:g} and {column.maximum:g}"
    return f"at least {column.minimum:g}" if column.minimum is not None else f"at most {column.maximum:g}"


def _integer(column: Column, text: str) -> int:
    if not _INT.fullmatch(text):
        raise BadCellError("must be a whole number", _number_mend(text))
    value = int(text)
    limit = _EXACT_IN_FLOAT if column.optional else _LARGEST_INT
    if not -limit <= value <= limit:
        raise BadCellError(f"is too large a whole number (limit {limit})")
    return value


def _real(text: str) -> float:
    if _NOT_FINITE.fullmatch(text):
        raise BadCellError("must be a finite number", "leave no NaN, inf or NA in the table")
    if not _FLOAT.fullmatch(text):
        raise BadCellError("must be a number", _number_mend(text))
    value = float(text)
    if not math.isfinite(value):
        raise BadCellError("must be a finite number")
    return value


def _number_mend(text: str) -> str:
    plain = text.replace(",", "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write {text.replace(',', '.')}"
    if plain != text and _FLOAT.fullmatch(plain):
        return f"write {plain}"
    return "write digits with a point for decimals, without unit or separator"


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise BadCellError("is not a day of the calendar", "check month and day") from error
    raise BadCellError("must be a date", _date_mend(text))


def _date_mend(text: str) -> str:
    """Return what to write: the day itself where another way of writing it leaves no doubt."""
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        try:
            return f"write {date(*(int(part) for part in found.groups()[:3])).isoformat()}"
        except ValueError:
            return "check month and day, and write YYYY-MM-DD"
    if _DAY_NUMBER.fullmatch(text):
        day = (_DAY_0 + timedelta(days=int(float(text)))).isoformat()
        return f"a spreadsheet's number of a day looks like this, it would be {day}; write dates as YYYY-MM-DD"
    return "write it as YYYY-MM-DD, for example 2022-01-31"


def array_of(column: Column, values: list[Any]) -> NDArray[Any]:
    """Return the values as the array type that `Table` promises for this column."""
    if column.kind == "float" or (column.kind == "int" and column.optional):
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    if column.kind == "int":
        return np.array(values, dtype=np.int64)
    if column.kind == "bool" and not column.optional:
        return np.array(values, dtype=np.bool_)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def texts_of(column: Column, values: Sequence[Any] | NDArray[Any]) -> list[str]:
    """Return the cells of a column as texts that read back as the same values."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [_text(column, value) for value in plain]


def _text(column: Column, value: Any) -> str:
    if value is None or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        whole = column.kind == "int" and float(value).is_integer()
        return str(int(value)) if whole else repr(float(value))
    return value.isoformat() if isinstance(value, date) else str(value)
