"""Breakdowns side by side: how often vehicles fail, how old those that fail are, and how long they stand in repair."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.compare.cells import Frame
from sim.compare.parts import Arm, Tables
from sim.compare.service import measured_years
from sim.metrics.store import columns_of
from sim.units import MS_PER_DAY

Rows = list[dict[str, Any]]
ALL = ""
"""`type` of a row about all types of unit."""
_DAYS_PER_YEAR = 365.25
_SUMS = ("in_service_ms", "n_failures", "n_failures_over_ten", "age_days", "down_ms")


def breakdowns_of_arm(arm: Arm, frame: Frame) -> Tables:
    """Return the rows of an arm in `breakdowns`, if its vehicles break down.

    By type ("" all), over the window: per_year, failures a year; per_unit_year, by a unit's year in service;
    over_ten_share, of vehicles more than ten years old; mean_age_years of those that failed; down_share, time in repair
    of the time in service.
    """
    return {"breakdowns": columns_of(_rows(arm, frame))} if arm.has("breakdowns") else {}


def _rows(arm: Arm, frame: Frame) -> Rows:
    table = arm.pooled("breakdowns")
    years = float(measured_years(arm, frame)[0]) * len(arm.replications)
    rows = []
    for type_id in (None, *np.unique(table["type_id"])):
        own = np.ones(len(table["year"]), dtype=np.bool_) if type_id is None else table["type_id"] == type_id
        in_service, failures, over_ten, age_days, down = (float(table[name][own].sum()) for name in _SUMS)
        row: dict[str, Any] = {"arm": arm.name, "type": ALL if type_id is None else _code(arm, int(type_id))}
        row |= {"per_year": failures / years}
        row |= {"per_unit_year": failures / (in_service / MS_PER_DAY / _DAYS_PER_YEAR) if in_service else float("nan")}
        row |= {"over_ten_share": over_ten / failures if failures else float("nan")}
        row |= {"mean_age_years": age_days / failures / _DAYS_PER_YEAR if failures else float("nan")}
        row |= {"down_share": down / in_service if in_service else float("nan")}
        rows.append(row | {"n_failures": int(failures), "n_replications": len(arm.replications)})
    return rows


def _code(arm: Arm, type_id: int) -> str:
    return arm.unit_types[type_id] if type_id < len(arm.unit_types) else str(type_id)
