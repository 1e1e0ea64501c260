"""What the run cards send to the mean alarm, computed from the tables alone, without a city or a clock."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sim.demand.kinds import RANK_WHOLE, DemandTables, Reporting


def expected_vehicles(tables: DemandTables) -> float:
    """Return the vehicles sent per ordinary alarm, first alarm and what the first arrival adds, without growth.

    Vehicles that turn back were sent and count. What is added on arrival is what the true kind and grade need beyond
    the capabilities asked for at first.
    """
    by_kind = expected_vehicles_by_kind(tables)
    return sum(by_kind[code] * int(n) for code, n in zip(tables.kinds.code, tables.kinds.share, strict=True)) / 1e5


def expected_vehicles_by_kind(tables: DemandTables) -> dict[str, float]:
    """Return the vehicles sent per alarm of each true kind."""
    reporting, kinds = tables.reporting, tables.kinds
    return {
        code: sum(
            p_grade * p_told * p_level * _sent(tables, kind, grade, told, min(level, int(kinds.max_grade[told])))
            for grade, p_grade in _grades(reporting, kind, int(kinds.max_grade[kind]))
            for told, p_told in _told_kinds(reporting, kind)
            for level, p_level in _told_grades(reporting, kind, grade)
        )
        for kind, code in enumerate(kinds.code)
    }


def _sent(tables: DemandTables, kind: int, grade: int, told_kind: int, told_grade: int) -> int:
    first = Counter(tables.run_cards.needs(told_kind, told_grade))
    true = Counter(tables.run_cards.needs(kind, grade))
    return sum(first.values()) + sum((true - first).values())


def _grades(reporting: Reporting, kind: int, max_grade: int) -> list[tuple[int, float]]:
    edges = [0, *(int(t) for t in reporting.grade[kind, :max_grade])]
    return [(g, (edges[g] - edges[g - 1]) / RANK_WHOLE) for g in range(1, max_grade + 1)]


def _told_kinds(reporting: Reporting, kind: int) -> list[tuple[int, float]]:
    parts = np.diff(reporting.reported_kind[kind], prepend=0) / RANK_WHOLE
    return [(int(told), float(parts[told])) for told in np.flatnonzero(parts)]


def _told_grades(reporting: Reporting, kind: int, grade: int) -> list[tuple[int, float]]:
    lower = int(reporting.lower[kind, grade]) / RANK_WHOLE
    higher = 1.0 - int(reporting.higher[kind, grade]) / RANK_WHOLE
    return [(max(1, grade - 1), lower), (grade, 1.0 - lower - higher), (grade + 1, higher)]
