"""Is one forecast better than another, and is that more than luck? Paired by call, judged by day.

Calls of one day share weather, traffic and queues, so blocks of days are drawn anew (Kuensch 1989, Ann. Stat. 17), with
all calls in them; the draws are keyed, so the interval is the same numbers everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calibration.scores.keyed import Floats, Purpose, uniforms

N_BOOTSTRAP = 2000


@dataclass(frozen=True, slots=True)
class Skill:
    """1 - mean score / mean score of the rival, with its bootstrap interval; NaN limits from fewer than two blocks.

    difference_s: mean score of the rival less ours, s; positive if ours is better. dm, p_value: `diebold_mariano`.
    """

    value: float
    low: float
    high: float
    score_s: float
    rival_s: float
    difference_s: float
    dm: float
    p_value: float
    n: int
    n_blocks: int


def block_weights(n_blocks: int, *, n_bootstrap: int = N_BOOTSTRAP, seed: int = 0) -> NDArray[np.int32]:
    """Return how often each block is drawn, n_blocks draws with replacement each time: (n_bootstrap, n_blocks)."""
    place = uniforms(Purpose.BLOCKS, seed, np.arange(n_bootstrap, dtype=np.uint64), n_blocks)
    drawn = (place * n_blocks).astype(np.int64) + n_blocks * np.arange(n_bootstrap, dtype=np.int64)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=n_bootstrap * n_blocks)
    return counts.reshape(n_bootstrap, n_blocks).astype(np.int32)


def block_codes(labels: NDArray[Any], *, length: int = 1) -> NDArray[np.int64]:
    """Return a block number for each call: one per `length` successive labels that occur, in ascending order. (n,)."""
    _, code = np.unique(labels, return_inverse=True)
    return np.asarray(code, dtype=np.int64) // length


def skill(
    score_s: Floats,
    rival_s: Floats,
    blocks: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> Skill:
    """Return the skill of scores (n,) over a rival's scores of the same calls (n,), blocks (n,) from `block_codes`.

    Raises
    ------
    ValueError
        If lengths differ, there are no calls, a score is not finite, or the rival is without any error.
    """
    ours, theirs = np.asarray(score_s, dtype=np.float64), np.asarray(rival_s, dtype=np.float64)
    if not len(ours) == len(theirs) == len(blocks) or len(ours) == 0:
        raise ValueError(f"{len(ours)} scores, {len(theirs)} of the rival, {len(blocks)} blocks: one of each per call")
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise ValueError("a score is not finite")
    if not theirs.sum() > 0.0:
        raise ValueError("the rival makes no error at all: there is no skill over it")
    n_blocks = int(blocks.max()) + 1
    sums: Floats = np.array([np.bincount(blocks, weights=part, minlength=n_blocks) for part in (ours, theirs)])
    low, high = _limits(sums, confidence, n_bootstrap, seed)
    dm, p_value = diebold_mariano(sums[1] - sums[0])
    mean, rival = float(ours.mean()), float(theirs.mean())
    return Skill(1.0 - mean / rival, low, high, mean, rival, rival - mean, dm, p_value, len(ours), n_blocks)


def _limits(sums: Floats, confidence: float, n_bootstrap: int, seed: int) -> tuple[float, float]:
    """Return the percentile interval of the skill from block sums (2, n_blocks) of ours and theirs."""
    if sums.shape[1] < 2:
        return float("nan"), float("nan")
    drawn = block_weights(sums.shape[1], n_bootstrap=n_bootstrap, seed=seed) @ sums.T
    drawn = drawn[drawn[:, 1] > 0.0]
    low, high = np.quantile(1.0 - drawn[:, 0] / drawn[:, 1], [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return float(low), float(high)


def diebold_mariano(difference: Floats) -> tuple[float, float]:
    """Return statistic and two-sided p-value of equal accuracy, from the loss differences of successive days (n_days,).

    Mean over its standard error (Diebold & Mariano 1995, J. Bus. Econ. Stat. 13), the long-run variance by Bartlett
    weights up to lag floor(4 (T / 100)^(2/9)) (Newey & West 1987, 1994), against Student's t with T - 1 degrees
    (Harvey, Leybourne & Newbold 1997). NaN where fewer than two days or no difference leave nothing to judge.
    """
    n = len(difference)
    if n < 2:
        return float("nan"), float("nan")
    centred = difference - difference.mean()
    n_lags = min(n - 1, int(4.0 * (n / 100.0) ** (2.0 / 9.0)))
    variance = float(centred @ centred)
    for lag in range(1, n_lags + 1):
        variance += 2.0 * (1.0 - lag / (n_lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
    if not variance > 0.0:
        return float("nan"), float("nan")
    statistic = float(difference.mean()) / float(np.sqrt(variance)) * n
    return statistic, float(2.0 * stats.t.sf(abs(statistic), n - 1))
