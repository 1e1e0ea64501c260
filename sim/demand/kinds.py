"""The city's kinds of incident, what each needs, and the shares and profiles behind them, from checked tables.

`load_demand_tables` reads them all and reports every problem of every table together. Positions are ids: a kind's id
is its row in `kinds.csv`, and it is part of each incident's identity, so new kinds are added at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.demand import schemas
from sim.demand.types import Kinds, RunCards
from sim.errors import Problems, nearest_name
from sim.tables import Table, check_references, read_table

RANK_WHOLE = 1 << 32
_N_KEYS = {"hour": 24, "weekday": 7, "month": 12}
_FIRST_KEY = {"hour": 0, "weekday": 0, "month": 1}


@dataclass(frozen=True, slots=True)
class Reporting:
    """True grades and what callers tell, as thresholds on ranks (int64 below 2**32, cumulative).

    `grade`: (n_kinds, 5), grade is 1 + the number of thresholds at or below the rank. `reported_kind`: (n_kinds,
    n_kinds), position of the reported kind likewise. `lower`, `higher`: (n_kinds, 6) by grade: a rank below `lower`
    tells one grade less, one at or above `higher` one more.
    """

    grade: NDArray[np.int64]
    reported_kind: NDArray[np.int64]
    lower: NDArray[np.int64]
    higher: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DemandTables:
    """Everything the demand side reads from a city folder.

    `hour`, `weekday`, `month`: (n_kinds, 24 | 7 | 12) float64 weights. `holiday`: per kind, weight by holiday name.
    `exposure`: per kind, (driver, share in thousandths). `ceilings`: per (process, town, kind), candidates a day.
    """

    kinds: Kinds
    capability_bit: Mapping[str, int]
    run_cards: RunCards
    reporting: Reporting
    hour: NDArray[np.float64]
    weekday: NDArray[np.float64]
    month: NDArray[np.float64]
    holiday: tuple[Mapping[str, float], ...]
    exposure: tuple[tuple[tuple[str, int], ...], ...]
    ceilings: Mapping[tuple[str, str, str], float]


def load_demand_tables(folder: Path, *, with_ceilings: bool = True) -> DemandTables:
    """Return the demand tables of a city folder.

    Parameters
    ----------
    with_ceilings : False leaves `ceilings` empty (only for making `ceilings.csv`).

    Raises
    ------
    InputError
        With every problem of every table: wrong cells, unknown names, shares that do not make a whole, gaps in
        grades, profiles or needs.
    """
    problems = Problems()
    specs = [schemas.KINDS, schemas.CAPABILITIES, schemas.GRADES, schemas.REPORTS, schemas.PROFILES, schemas.RUN_CARDS]
    specs += [schemas.EXPOSURE] + ([schemas.CEILINGS] if with_ceilings else [])
    table = {spec.name: read_table(folder / f"{spec.name}.csv", spec, problems) for spec in specs}
    codes = tuple(str(code) for code in table["kinds"]["code"])
    _check_names(table, problems)
    _check_sums(table["kinds"], None, schemas.SHARE_WHOLE, problems)
    for name, whole in (("grades", schemas.SHARE_WHOLE), ("exposure", schemas.PER_MILLE)):
        _check_sums(table[name], codes, whole, problems)
    if table["grades"].is_whole:
        _check_grades(table["kinds"], table["grades"], problems)
    _check_reports(table["reports"], problems)
    if table["run_cards"].is_whole:
        _check_cards(table["kinds"], table["run_cards"], problems)
    weights = {axis: _axis_weights(table["kinds"], table["profiles"], axis, problems) for axis in _N_KEYS}
    holidays = _holiday_weights(table["kinds"], table["profiles"], problems)
    problems.raise_if_any()
    bits = {str(c): int(b) for c, b in zip(table["capabilities"]["code"], table["capabilities"]["bit"], strict=True)}
    return DemandTables(
        kinds=_kinds(table["kinds"]),
        capability_bit=bits,
        run_cards=_run_cards(table["run_cards"], codes, bits),
        reporting=_reporting(codes, table["grades"], table["reports"]),
        hour=weights["hour"],
        weekday=weights["weekday"],
        month=weights["month"],
        holiday=holidays,
        exposure=_exposure(table["exposure"], codes),
        ceilings=_ceilings(table["ceilings"]) if with_ceilings else {},
    )


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_names(table: Mapping[str, Table], problems: Problems) -> None:
    codes = table["kinds"].names("code")
    for name in ("grades", "reports", "run_cards", "exposure", "ceilings"):
        if name in table:
            check_references(table[name], "kind", codes, "kinds.csv", problems)
    check_references(table["reports"], "reported_kind", codes, "kinds.csv", problems)
    capabilities = table["capabilities"].names("code")
    check_references(table["run_cards"], "capability", capabilities, "capabilities.csv", problems)


def _check_sums(table: Table, codes: tuple[str, ...] | None, whole: int, problems: Problems) -> None:
    """Shares of all rows (codes None), or of each kind's rows, must make the whole."""
    if not table.is_whole:
        return
    if codes is None:
        total = int(table["share"].sum())
        if total != whole:
            problems.add(table.where, f"(share) must sum to {whole}", value=total, mend="change the shares")
        return
    for code in codes:
        total = int(table["share"][table["kind"] == code].sum())
        if total != whole:
            problems.add(table.where, f"(share) of kind {code!r} must sum to {whole}", value=total)


def _check_grades(kinds: Table, grades: Table, problems: Problems) -> None:
    for code, max_grade in zip(kinds["code"], kinds["max_grade"], strict=True):
        found = sorted(int(g) for g in grades["grade"][grades["kind"] == code])
        wanted = list(range(1, int(max_grade) + 1))
        if found != wanted:
            problems.add(grades.where, f"kind {code!r} needs one row for each grade {wanted}", value=found)
    for i in range(grades.n_rows):
        lower, higher = int(grades["reported_lower"][i]), int(grades["reported_higher"][i])
        if lower + higher > schemas.PER_MILLE:
            rule = f"(reported_lower + reported_higher) is above {schemas.PER_MILLE}"
            problems.add(grades.where, rule, value=lower + higher, row=grades.row_number(i))


def _check_reports(reports: Table, problems: Problems) -> None:
    total: dict[str, int] = {}
    for i in range(reports.n_rows):
        kind = str(reports["kind"][i])
        total[kind] = total.get(kind, 0) + int(reports["share"][i])
        if kind == reports["reported_kind"][i]:
            rule = "is the true kind itself, which takes what the other rows leave"
            problems.add(reports.where, rule, value=kind, row=reports.row_number(i), mend="remove the row")
        if total[kind] > schemas.PER_MILLE:
            rule = f"(share) of kind {kind!r} goes above {schemas.PER_MILLE} here"
            problems.add(reports.where, rule, value=total[kind], row=reports.row_number(i))


def _check_cards(kinds: Table, cards: Table, problems: Problems) -> None:
    for code, max_grade in zip(kinds["code"], kinds["max_grade"], strict=True):
        rows = sorted((i for i in range(cards.n_rows) if cards["kind"][i] == code), key=lambda i: cards["need_no"][i])
        grades = [int(cards["from_grade"][i]) for i in rows]
        if [int(cards["need_no"][i]) for i in rows] != list(range(len(rows))):
            problems.add(cards.where, f"needs of kind {code!r} must be numbered 0, 1, 2 …")
        if grades != sorted(grades):
            problems.add(cards.where, f"needs of kind {code!r} must stand in order of from_grade", value=grades)
        if not rows or grades[0] != 1 or not bool(cards["is_critical"][rows[0]]):
            rule = f"kind {code!r} needs a critical first row (need_no 0) from grade 1"
            problems.add(cards.where, rule, mend="say which capability ends its growth")
        if grades and grades[-1] > int(max_grade):
            problems.add(cards.where, f"kind {code!r} never reaches grade {grades[-1]}", value=int(max_grade))


# --- tables to arrays -------------------------------------------------------------------------------------------------


def _kinds(table: Table) -> Kinds:
    texts = {name: tuple(str(v) for v in table[name]) for name in ("code", "name_zh", "name_en", "family")}
    headline = np.array([family in schemas.HEADLINE_FAMILIES for family in texts["family"]], dtype=np.bool_)
    numbers = (table["priority"].astype(np.int8), headline, table["max_grade"].astype(np.int8), table["share"])
    return Kinds(texts["code"], texts["name_zh"], texts["name_en"], texts["family"], *numbers)


def _run_cards(table: Table, codes: tuple[str, ...], bits: Mapping[str, int]) -> RunCards:
    order = sorted(range(table.n_rows), key=lambda i: (codes.index(table["kind"][i]), int(table["need_no"][i])))
    n_of = [sum(table["kind"][i] == code for i in order) for code in codes]
    return RunCards(
        start=np.concatenate([[0], np.cumsum(n_of)]).astype(np.int32),
        capability=np.array([bits[table["capability"][i]] for i in order], dtype=np.int8),
        from_grade=table["from_grade"][order].astype(np.int8),
        is_critical=table["is_critical"][order],
    )


def _reporting(codes: tuple[str, ...], grades: Table, reports: Table) -> Reporting:
    n_kinds = len(codes)
    grade = np.zeros((n_kinds, schemas.MAX_GRADE), dtype=np.int64)
    lower = np.zeros((n_kinds, schemas.MAX_GRADE + 1), dtype=np.int64)
    higher = np.full((n_kinds, schemas.MAX_GRADE + 1), RANK_WHOLE, dtype=np.int64)
    for i in range(grades.n_rows):
        kind, g = codes.index(grades["kind"][i]), int(grades["grade"][i])
        grade[kind, g - 1] = int(grades["share"][i])
        lower[kind, g] = _threshold(int(grades["reported_lower"][i]), schemas.PER_MILLE)
        higher[kind, g] = RANK_WHOLE - _threshold(int(grades["reported_higher"][i]), schemas.PER_MILLE)
    told = np.zeros((n_kinds, n_kinds), dtype=np.int64)
    for i in range(reports.n_rows):
        told[codes.index(reports["kind"][i]), codes.index(reports["reported_kind"][i])] = int(reports["share"][i])
    told[np.arange(n_kinds), np.arange(n_kinds)] = schemas.PER_MILLE - told.sum(axis=1)
    return Reporting(_thresholds(grade, schemas.SHARE_WHOLE), _thresholds(told, schemas.PER_MILLE), lower, higher)


def _threshold(share: int, whole: int) -> int:
    return share * RANK_WHOLE // whole


def _thresholds(shares: NDArray[np.int64], whole: int) -> NDArray[np.int64]:
    """Return cumulative shares as thresholds on ranks: entry j is reached when the rank is at or above it."""
    return np.cumsum(shares, axis=1) * RANK_WHOLE // whole


def _axis_weights(kinds: Table, profiles: Table, axis: str, problems: Problems) -> NDArray[np.float64]:
    """Return (n_kinds, n_keys) the weights that each kind takes from its profile on this axis."""
    n_keys, first = _N_KEYS[axis], _FIRST_KEY[axis]
    on_axis = [i for i in range(profiles.n_rows) if profiles["axis"][i] == axis]
    known = {str(k): k - first for k in range(first, first + n_keys)}
    weights: dict[str, list[float | None]] = {}
    for i in on_axis:
        row = weights.setdefault(str(profiles["profile"][i]), [None] * n_keys)
        key = str(profiles["key"][i])
        if key not in known:
            rule = f"(key) must be {first} to {first + n_keys - 1} on axis {axis!r}"
            problems.add(profiles.where, rule, value=key, row=profiles.row_number(i))
            continue
        row[known[key]] = float(profiles["weight"][i])
    has_known_keys = all(str(profiles["key"][i]) in known for i in on_axis)
    for name, row in weights.items():
        absent = [key for key, place in known.items() if row[place] is None]
        if absent and profiles.is_whole and has_known_keys:
            problems.add(profiles.where, f"{axis} profile {name!r} has no row for {', '.join(absent)}")
        elif not absent and not any(row):
            problems.add(profiles.where, f"{axis} profile {name!r} is zero everywhere")
    _check_profile_names(kinds, profiles, axis, list(weights), problems)
    rows = [weights.get(str(name), [None] * n_keys) for name in kinds[f"{axis}_profile"]]
    return np.array([[w if w is not None else 0.0 for w in row] for row in rows], dtype=np.float64)


def _check_profile_names(kinds: Table, profiles: Table, axis: str, known: Collection[str], problems: Problems) -> None:
    if profiles.names("profile") is None:
        return
    allowed = {*known, *profiles.refused.get("profile", ())}
    for i, name in enumerate(kinds[f"{axis}_profile"]):
        if name not in allowed:
            rule = f"({axis}_profile) is not a profile on axis {axis!r} of profiles.csv"
            problems.add(kinds.where, rule, value=name, row=kinds.row_number(i), mend=nearest_name(str(name), known))


def _holiday_weights(kinds: Table, profiles: Table, problems: Problems) -> tuple[Mapping[str, float], ...]:
    weights: dict[str, dict[str, float]] = {}
    for i in range(profiles.n_rows):
        if profiles["axis"][i] == "holiday":
            row = weights.setdefault(str(profiles["profile"][i]), {})
            row[str(profiles["key"][i])] = float(profiles["weight"][i])
    _check_profile_names(kinds, profiles, "holiday", list(weights), problems)
    return tuple(weights.get(str(name), {}) for name in kinds["holiday_profile"])


def _exposure(table: Table, codes: tuple[str, ...]) -> tuple[tuple[tuple[str, int], ...], ...]:
    rows = [(str(table["kind"][i]), str(table["driver"][i]), int(table["share"][i])) for i in range(table.n_rows)]
    return tuple(tuple((driver, share) for kind, driver, share in rows if kind == code) for code in codes)


def _ceilings(table: Table) -> Mapping[tuple[str, str, str], float]:
    keys = zip(table["process"], table["town"], table["kind"], strict=True)
    return {(str(p), str(t), str(k)): float(v) for (p, t, k), v in zip(keys, table["per_day"], strict=True)}
