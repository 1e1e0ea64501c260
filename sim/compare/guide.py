"""How many replications are enough: from the scatter seen so far, how many would bring an interval down to a width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.collect import ArmResult
from sim.compare.intervals import Spread, spread_of, t_quantile
from sim.compare.levels import boot_of, texts
from sim.compare.pairs import Pair
from sim.compare.parts import CLOCKS, GROUPS, METRICS, Contrast
from sim.metrics.store import Columns

TARGETS_S = (1.0, 2.0, 5.0)
TARGETS_SHARE = (0.005,)
MOST = 10_000
_TOLD = ("p50", "p90", "mean", "share_300")


def needed(sd: float, target: float) -> float:
    """Return the least n >= 2 with t(n - 1) x sd / sqrt(n) <= target, NaN if 10,000 are not enough or sd is unknown.

    Each replication is reckoned to bring a siting world of its own: sd^2 is Monte Carlo plus siting variance.
    """
    if not np.isfinite(sd):
        return float("nan")
    factor, root = _of_numbers()
    enough = np.flatnonzero(factor * sd / root <= target)
    return float(2 + enough[0]) if enough.size else float("nan")


@cache
def _of_numbers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the t factor and the root of each number of replications from 2 to the most."""
    n = np.arange(2, MOST + 1)
    return t_quantile((n - 1).astype(np.float64)), np.sqrt(n)


def replication_guide(
    results: Sequence[ArmResult], pairs: Sequence[Pair], contrasts: Sequence[Contrast], frame: Frame
) -> Columns:
    """Return, for headline figures of each arm and for each declared contrast, replications needed for some widths."""
    rows: list[tuple[str, str, str, str, int, str, int, float, float, float]] = []
    for result in results:
        boot = boot_of(list(result.boot.values()))
        own = result.main.values.of_all(0, frame.city_cells()[0, 0])
        spread = spread_of(own, result.arm.worlds, boot and boot.at(0, 0, 0))
        for metric in _TOLD:
            key = ("", result.arm.name, "", metric, 0, "headline", len(own))
            rows += _targets(key, spread, METRICS.index(metric))
    by_names = {(pair.arm, pair.base): pair for pair in pairs if pair.numbers}
    for contrast in contrasts:
        pair = by_names.get((contrast.arm, contrast.base))
        if pair is not None and contrast.year in frame.all_years:
            c = contrast
            key = (c.id, c.arm, c.base, c.metric, c.year, c.group, len(pair.numbers))
            rows += _targets(key, _pair_spread(pair, contrast, frame), METRICS.index(contrast.metric))
    names = (
        "contrast", "arm", "base", "metric", "year", "group", "n_now", "half_width_now", "target", "n_for_half_width",
    )  # fmt: skip
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {name: _column(list(values)) for name, values in zip(names, columns, strict=True)}


def _pair_spread(pair: Pair, contrast: Contrast, frame: Frame) -> Spread:
    place = (
        CLOCKS.index(contrast.clock),
        frame.all_years.index(contrast.year),
        GROUPS.index(contrast.group),
    )
    boot = boot_of(list(pair.boot.values()))
    return spread_of(pair.city.of_all(*place), pair.worlds, boot and boot.at(*place))


def _targets(
    key: tuple[str, str, str, str, int, str, int], spread: Spread, at: int
) -> list[tuple[str, str, str, str, int, str, int, float, float, float]]:
    sd = float(np.sqrt(spread.mc_sd[at] ** 2 + np.nan_to_num(spread.siting_sd[at]) ** 2))
    targets = TARGETS_SHARE if METRICS[at].startswith("share") else TARGETS_S
    return [(*key, float(spread.half_total[at]), target, needed(sd, target)) for target in targets]


def _column(values: list[str] | list[int] | list[float]) -> NDArray[np.generic]:
    return texts([str(v) for v in values]) if values and isinstance(values[0], str) else np.array(values)
