"""What a recorded duration says of its own logarithm, if that is normal: mean, variance and log probability.

The expectation step of grouped and censored normal data (Dempster, Laird & Rubin 1977); the information that a record
leaves is (1 - variance / sd^2) / sd^2 (Louis 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from calibration.fit.likelihood import rule
from calibration.scores.keyed import Floats, row_chunks
from calibration.scores.recorded import Observed, Rounding

_N_NODES = 24
_FINE = 0.02
_LEAST_S = 0.25


@dataclass(frozen=True, slots=True)
class Logs:
    """Mean and variance of log duration given the record, and the record's log probability: each (n,) float64."""

    mean: Floats
    variance: Floats
    log_p: Floats


def log_times(seen: Observed, mean: Floats, sd: Floats) -> Logs:
    """Return what n records say, if log duration is normal with these means and s.d. (n,)."""
    r = seen.resolution_s
    y = np.log(np.maximum(seen.centre_s(), _LEAST_S))
    z = (y - mean) / sd
    unit = np.where(r > 0.0, r, 1.0)
    log_p = -0.5 * z**2 - np.log(sd) - 0.5 * np.log(2.0 * np.pi) - y + np.log(unit)
    out = Logs(y, np.zeros(len(y)), log_p)
    for chosen in row_chunks(len(y), _N_NODES):
        wide = np.flatnonzero(is_wide(seen.rows(chosen))) + chosen.start
        _within_cells(seen.rows(wide), mean[wide], sd[wide], wide, out)
    late = np.flatnonzero(seen.is_censored)
    above = (np.log(np.maximum(seen.value_s[late], _LEAST_S)) - mean[late]) / sd[late]
    out.log_p[late] = special.log_ndtr(-above)
    hazard = np.exp(-0.5 * above**2 - 0.5 * np.log(2.0 * np.pi) - out.log_p[late])
    out.mean[late] = mean[late] + sd[late] * hazard
    out.variance[late] = sd[late] ** 2 * np.clip(1.0 + above * hazard - hazard**2, 0.0, 1.0)
    return out


def is_wide(seen: Observed) -> NDArray[np.bool_]:
    """Return which records have a cell too wide to stand for its middle, (n,) bool; none that is censored."""
    return ~seen.is_censored & (seen.resolution_s > _FINE * seen.value_s)


def places_in_cells(seen: Observed) -> tuple[Floats, Floats, Floats]:
    """Return places in each record's cell (n, n_nodes) s, the chance that they are so written, and their width (n,) s.

    Those of the midpoint rule; the chance has one row for all records.
    """
    begin, end = rule(seen.rounding)[0][[0, -1]]
    begin, end = (-1.0, 1.0) if seen.rounding is Rounding.STAMPS else (float(begin), float(end))
    place = begin + (np.arange(_N_NODES) + 0.5) / _N_NODES * (end - begin)
    weight = 1.0 - np.abs(place) if seen.rounding is Rounding.STAMPS else np.ones(_N_NODES)
    t = seen.value_s[:, None] + seen.resolution_s[:, None] * place
    return t, weight, seen.resolution_s * (end - begin) / _N_NODES


def _within_cells(seen: Observed, mean: Floats, sd: Floats, at: Floats, out: Logs) -> None:
    """Write the moments of records whose cell is wide, by the midpoint rule over it, to rows `at` of `out`."""
    t, weight, width = places_in_cells(seen)
    y = np.log(np.maximum(t, 1e-6))
    log_f = -0.5 * ((y - mean[:, None]) / sd[:, None]) ** 2 - y + np.log(weight)
    log_f = np.where(t > 0.0, log_f, -np.inf)
    top = log_f.max(axis=1)
    f = np.exp(log_f - top[:, None])
    total = f.sum(axis=1)
    first = (f * y).sum(axis=1) / total
    out.mean[at] = first
    out.variance[at] = (f * (y - first[:, None]) ** 2).sum(axis=1) / total
    out.log_p[at] = top + np.log(total * width) - np.log(sd) - 0.5 * np.log(2.0 * np.pi)


def probability_bounds(seen: Observed, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Return P(written < value) and P(written <= value) of each record, (n,) each; censored: up to 1."""
    nodes, weights = rule(seen.rounding)
    low, high = np.empty(len(seen)), np.empty(len(seen))
    for rows in row_chunks(len(seen), len(nodes)):
        t = seen.value_s[rows, None] + seen.resolution_s[rows, None] * nodes
        below = special.ndtr((np.log(np.maximum(t, 1e-6)) - mean[rows, None]) / sd[rows, None])
        low[rows], high[rows] = -(below @ np.minimum(weights, 0.0)), below @ np.maximum(weights, 0.0)
    known = special.ndtr((np.log(np.maximum(seen.value_s, 1e-6)) - mean) / sd)
    late = seen.is_censored
    return np.where(late, known, low), np.where(late, 1.0, np.maximum(low, high))
