"""The tables of one arm's response times: citywide, by town, by kind and grade, by hour, and as curves.

Values are of the pooled incidents of all replications; intervals come from how replications and siting worlds differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import N_GRADES, TOWN_GROUPS, Frame
from sim.compare.collect import ECDF_SECONDS, HOUR_CLOCKS, ArmResult, ecdf_curves
from sim.compare.cube import Cube
from sim.compare.intervals import Boot, Spread, spread_of
from sim.compare.parts import CLOCKS, GROUPS, METRICS
from sim.metrics.store import Columns

_IS_SHARE = np.array([name.startswith("share") for name in METRICS])


def texts(values: Sequence[str]) -> NDArray[np.object_]:
    """Return a column of texts."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def bounds(
    value: NDArray[np.float64], half: NDArray[np.float64], is_share: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (low, high): value -/+ half, kept within what a time or a share can be."""
    known = np.where(np.isfinite(value), value, np.nan)
    return np.maximum(known - half, 0.0), np.where(is_share, np.minimum(known + half, 1.0), known + half)


def _flat(cube: Cube, clock: int, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the replications' metrics of some cells: (n_replications, n_cells x n_metrics)."""
    return cube.values.of_all(clock, cells).reshape(len(cube.values), -1)


def _rows(cube: Cube, clock: int, cells: NDArray[np.int64], spread: Spread) -> Columns:
    """Return value, low, high and the denominators of each (cell, metric), cells first."""
    value = cube.pooled(clock)[cells].reshape(-1)
    is_share = np.tile(_IS_SHARE, len(cells))
    low, high = bounds(value, spread.half_total, is_share)
    mc_low, mc_high = bounds(value, spread.half_mc, is_share)
    return {
        "value": value,
        "low": low,
        "high": high,
        "mc_low": mc_low,
        "mc_high": mc_high,
        "siting_sd": spread.siting_sd,
        "mc_sd": spread.mc_sd,
        "n_incidents": np.repeat(cube.n_pooled()[cells], len(METRICS)),
        "n_replications": np.full(len(value), len(cube.values)),
    }


def stack(parts: Sequence[Columns]) -> Columns:
    """Return tables of the same columns, one under the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _table(
    result: ArmResult, cube: Cube, clocks: Sequence[tuple[int, str]], cells: NDArray[np.int64], keys: Columns,
    boot: Boot | None = None, names: Sequence[str] = ("value", "low", "high", "n_incidents"),
) -> Columns:  # fmt: skip
    """Return rows of arm, keys (one entry per cell), clock, metric and the named figures."""
    parts = []
    for place, clock in clocks:
        spread = spread_of(_flat(cube, place, cells), result.arm.worlds, boot and boot.at(place))
        n = len(cells) * len(METRICS)
        part: Columns = {"arm": texts([result.arm.name] * n)}
        part |= {name: np.repeat(values, len(METRICS)) for name, values in keys.items()}
        part |= {"clock": texts([clock] * n), "metric": texts(list(METRICS) * len(cells))}
        figures = _rows(cube, place, cells, spread)
        parts.append(part | {name: figures[name] for name in names})
    return stack(parts)


_ALL_CLOCKS = tuple(enumerate(CLOCKS))
_APART = ("value", "low", "high", "mc_low", "mc_high", "siting_sd", "mc_sd", "n_incidents")


def headline_table(result: ArmResult, frame: Frame) -> Columns:
    """Return the citywide figures by year, group, clock and metric, Monte Carlo and siting uncertainty apart."""
    boot = boot_of(list(result.boot.values()))
    names = (*_APART, "n_replications")
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), len(GROUPS)),
        "group": texts(list(GROUPS) * len(frame.all_years)),
    }
    cells = frame.city_cells().reshape(-1)
    return _table(result, result.main, _ALL_CLOCKS, cells, keys, boot, names)


def boot_of(draws: Sequence[NDArray[np.float64]]) -> Boot | None:
    """Return the mean over replications of the variance over draws: (n_clocks, n_years + 1, n_groups, n_metrics).

    Degrees of freedom: bootstrapped replications times (draws - 1). They count the scatter of the draws; that of the
    days behind them is small beside it in a window of many days.
    """
    if not draws:
        return None
    finite = [np.where(np.isinf(own), np.nan, own) for own in draws]
    variance: NDArray[np.float64] = np.mean([own.var(axis=0, ddof=1) for own in finite], axis=0)
    return Boot(variance, float(sum(len(own) - 1 for own in draws)))


def towns_table(result: ArmResult, frame: Frame) -> Columns:
    """Return the figures of each town by year, group (headline, all), clock and metric, chance and siting apart."""
    parts = []
    for group in TOWN_GROUPS:
        first = np.array([frame.main_cell(year, group, 0) for year in frame.all_years])
        cells = (first[:, None] + np.arange(frame.n_towns)).reshape(-1)
        keys: Columns = {
            "year": np.repeat(np.array(frame.all_years), frame.n_towns),
            "town": texts(list(frame.labels.town_code) * len(frame.all_years)),
            "group": texts([group] * len(cells)),
        }
        parts.append(_table(result, result.main, _ALL_CLOCKS, cells, keys, names=_APART))
    return stack(parts)


def kinds_table(result: ArmResult, frame: Frame) -> Columns:
    """Return the figures of each kind by year (grade 0: all grades) and of each kind and grade over the window."""
    n_kinds, n_years = frame.labels.n_kinds, len(frame.all_years)
    codes = list(frame.labels.kind_code)
    keys: Columns = {
        "year": np.concatenate([np.repeat(np.array(frame.all_years), n_kinds), np.zeros(n_kinds * N_GRADES, int)]),
        "kind": texts(codes * n_years + [code for code in codes for _ in range(N_GRADES)]),
        "grade": np.concatenate([np.zeros(n_kinds * n_years, int), np.tile(np.arange(1, N_GRADES + 1), n_kinds)]),
    }
    seen = np.flatnonzero(result.kinds.n_pooled() > 0)
    keys = {name: values[seen] for name, values in keys.items()}
    return _table(result, result.kinds, _ALL_CLOCKS, seen, keys)


def hours_table(result: ArmResult, frame: Frame) -> Columns:
    """Return the figures of each hour of the day by year and group."""
    n_years = len(frame.all_years)
    keys: Columns = {
        "year": np.repeat(np.array(frame.all_years), len(GROUPS) * 24),
        "group": texts([group for group in GROUPS for _ in range(24)] * n_years),
        "hour": np.tile(np.arange(24), n_years * len(GROUPS)),
    }
    clocks = [(place, CLOCKS[clock]) for place, clock in enumerate(HOUR_CLOCKS)]
    return _table(result, result.hours, clocks, np.arange(frame.n_hour_cells), keys)


def ecdf_table(result: ArmResult, frame: Frame) -> Columns:
    """Return the share of incidents met within 0, 1, … 1800 s, by year, group and clock."""
    parts, seconds = [], np.arange(ECDF_SECONDS + 1)
    for place, (clock, year, group) in enumerate(ecdf_curves(frame)):
        counts = result.main.histogram[clock, frame.main_cell(year, group)]
        n = int(counts.sum())
        share = np.cumsum(counts[: len(seconds)]) / n if n else np.full(len(seconds), np.nan)
        own = result.ecdf.of_all(place).astype(np.float64)
        spread = spread_of(own, result.arm.worlds)
        low, high = bounds(share, spread.half_total, np.ones(len(seconds), dtype=bool))
        part: Columns = {
            "arm": texts([result.arm.name] * len(seconds)),
            "year": np.full(len(seconds), year),
            "group": texts([group] * len(seconds)),
            "clock": texts([CLOCKS[clock]] * len(seconds)),
            "t_s": seconds,
        }
        parts.append(part | {"share": share, "low": low, "high": high})
    return stack(parts)
