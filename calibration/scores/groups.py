"""Errors by station, by hour, by whatever groups calls: medians, and what a perfect model would have missed them by.

The median of thirty calls strays from that of a true forecast by half a minute. So each group comes with the errors
that data sets drawn from the forecast itself show in the same calls: their median is the group's floor, their 95 %
quantile the limit beyond which an error is hardly chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.scores.distance import ks_distance, steps_of, steps_of_records, wasserstein_s
from calibration.scores.floor import N_SETS, data_sets, noise_floor
from calibration.scores.keyed import Floats
from calibration.scores.quantiles import column_quantiles
from calibration.scores.recorded import HORIZON_S, Observed, check_draws

MEDIAN = np.array([0.5])


@dataclass(frozen=True, slots=True)
class GroupErrors:
    """Medians by group, all (n_groups,): label, n calls, observed_s, predicted_s, error_s = predicted less observed.

    floor_s, limit_s: median and 95 % quantile of the size of the error that drawn data sets show.
    drawn_s: (n_groups, n_sets) those sizes. Two infinite medians agree; a single one is an infinite error.
    """

    label: NDArray[Any]
    n: NDArray[np.int64]
    observed_s: Floats
    predicted_s: Floats
    error_s: Floats
    floor_s: Floats
    limit_s: Floats
    drawn_s: Floats


@dataclass(frozen=True, slots=True)
class CallWeighted:
    """Mean size of the groups' errors, each counting by its calls; NaN without groups.

    floor_s, limit_s: median and 95 % quantile of the same over drawn data sets.
    """

    value_s: float
    floor_s: float
    limit_s: float
    n_groups: int
    n_calls: int


def group_errors(
    draws_s: Floats, seen: Observed, labels: NDArray[Any], *, n_sets: int = N_SETS, is_joint: bool = False
) -> GroupErrors:
    """Return the median errors of each group of calls, `labels` (n,), from draws (n, m).

    Rounded records and forecasts are both spread over the cells of the rounding first. `is_joint` as in `noise_floor`.
    """
    draws = check_draws(draws_s, seen, least=2)
    label, members = _members(labels)
    found = [_medians(draws[rows], seen.rows(rows), n_sets, is_joint) for rows in members]
    observed_s = np.array([pair[0] for pair in found])
    predicted_s = np.array([pair[1] for pair in found])
    drawn_s = np.array([np.abs(_difference(pair[2], pair[1])) for pair in found])
    return GroupErrors(
        label=label,
        n=np.array([len(rows) for rows in members], dtype=np.int64),
        observed_s=observed_s,
        predicted_s=predicted_s,
        error_s=_difference(predicted_s, observed_s),
        floor_s=_upper(drawn_s, 0.5),
        limit_s=_upper(drawn_s, 0.95),
        drawn_s=drawn_s,
    )


def call_weighted(errors: GroupErrors, *, least_calls: int = 100) -> CallWeighted:
    """Return the call-weighted error of the groups with at least so many calls."""
    chosen = errors.n >= least_calls
    if not chosen.any():
        return CallWeighted(float("nan"), float("nan"), float("nan"), 0, 0)
    weight = errors.n[chosen] / errors.n[chosen].sum()
    drawn_s = weight @ errors.drawn_s[chosen]
    return CallWeighted(
        value_s=float(weight @ np.abs(errors.error_s[chosen])),
        floor_s=float(_upper(drawn_s[None, :], 0.5)[0]),
        limit_s=float(_upper(drawn_s[None, :], 0.95)[0]),
        n_groups=int(chosen.sum()),
        n_calls=int(errors.n[chosen].sum()),
    )


@dataclass(frozen=True, slots=True)
class GroupDistances:
    """Distances of recorded to predicted distribution by group, all (n_groups,): label, n calls, ks, wasserstein_s.

    ks_floor, wasserstein_floor_s: medians of the same over data sets drawn from the forecast.
    """

    label: NDArray[Any]
    n: NDArray[np.int64]
    ks: Floats
    ks_floor: Floats
    wasserstein_s: Floats
    wasserstein_floor_s: Floats


def group_distances(
    draws_s: Floats,
    seen: Observed,
    labels: NDArray[Any],
    *,
    n_sets: int = N_SETS,
    is_joint: bool = False,
    horizon_s: float = HORIZON_S,
) -> GroupDistances:
    """Return the distances of each group of calls, `labels` (n,), each beside its own noise floor."""
    draws = check_draws(draws_s, seen, least=2)
    label, members = _members(labels)
    rows_found = np.empty((4, len(label)))
    for number, rows in enumerate(members):
        here = seen.rows(rows)
        pool, records = steps_of(here.written(draws[rows])), steps_of_records(here)
        floor = noise_floor(draws[rows], here, n_sets=n_sets, is_joint=is_joint, horizon_s=horizon_s)
        of_records = ks_distance(pool, records), wasserstein_s(pool, records, horizon_s=horizon_s)
        rows_found[:, number] = of_records[0], floor.ks_at(), of_records[1], floor.wasserstein_at()
    return GroupDistances(label, np.array([len(rows) for rows in members], dtype=np.int64), *rows_found)


def _members(labels: NDArray[Any]) -> tuple[NDArray[Any], list[NDArray[np.intp]]]:
    """Return the labels that occur, ascending, and the calls of each."""
    label, code = np.unique(labels, return_inverse=True)
    order = np.argsort(code, kind="stable")
    return label, np.split(order, np.cumsum(np.bincount(code, minlength=len(label)))[:-1])


def _medians(draws: Floats, seen: Observed, n_sets: int, is_joint: bool) -> tuple[float, float, Floats]:
    """Return observed and predicted median, s, and those of drawn data sets (n_sets,)."""
    spread = seen.spread(draws)
    observed_s = steps_of_records(seen.spread_value()).quantile(MEDIAN)[0]
    predicted_s = steps_of(spread).quantile(MEDIAN)[0]
    sets = data_sets(spread, seen, n_sets=n_sets, is_joint=is_joint)
    return float(observed_s), float(predicted_s), column_quantiles(sets, MEDIAN)[:, 0]


def _difference(one: Floats, other: Floats | float) -> Floats:
    """Return one - other, nought where both are infinite."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(one) & np.isinf(other), 0.0, one - other)


def _upper(rows: Floats, level: float) -> Floats:
    """Return a quantile of each row, the first value that reaches it, so that infinite errors stay what they are."""
    upper: Floats = column_quantiles(rows.T, np.array([level]))[:, 0]
    return upper
