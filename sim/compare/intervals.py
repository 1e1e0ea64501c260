"""How sure a figure is: Monte Carlo and siting uncertainty apart, t intervals, and Holm's correction.

Replications carry a siting world, and worlds are what replications are nested in: x = mean + world + rest, the one-way
random-effects layout (Searle, Casella & McCulloch, Variance Components, 1992, ch. 3). With N replications in W worlds,
n_w in each, the mean squares between (MSB) and within worlds (MSW) give

    variance within (Monte Carlo) = MSW,   variance between (siting) = max(0, (MSB - MSW) / n0),
    n0 = (N - sum n_w^2 / N) / (W - 1).

MSW has d = N - W degrees of freedom, few while hardly any world is repeated. Until d = 10 it is pooled with the
variance V from a bootstrap over days within replications (`bootstrap.py`), each weighted by its degrees of freedom,
those of the bootstrap, b, fading out as MSW gains its own, so that no replication more makes an interval jump:

    variance within = (d MSW + f b V) / (d + f b),   f = max(0, 1 - d / 10),   with d + f b degrees of freedom.

The total interval takes worlds as the independent units: se^2 = W / (W - 1) x sum (n_w (mean_w - mean))^2 / N^2, with
W - 1 degrees of freedom, and is never told narrower than the Monte Carlo interval; with a single world it is that one.
Several worlds and fewer than 10 degrees of freedom within them, bootstrap included, make no Monte Carlo interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
ENOUGH_DF = 10
"""Degrees of freedom within worlds from which their mean square stands alone, without a bootstrap."""


@dataclass(frozen=True, slots=True)
class Boot:
    """Variance within a replication, from a bootstrap: any shape, and its degrees of freedom."""

    variance: NDArray[np.float64]
    df: float

    def at(self, *place: int | slice) -> Boot:
        """Return the part at a place of the first axes, flattened."""
        return Boot(self.variance[place].reshape(-1), self.df)


@dataclass(frozen=True, slots=True)
class Spread:
    """What replications tell about the mean of K figures: all arrays (K,) float64, NaN where nothing can be said.

    `half_total`, `half_mc`: half-widths of the 95 % intervals. `mc_sd`: of one replication within its world.
    `siting_sd`: between worlds. `se`, `df`: of whichever interval the total is, so that half_total = t(df) se.
    """

    half_total: NDArray[np.float64]
    half_mc: NDArray[np.float64]
    mc_sd: NDArray[np.float64]
    siting_sd: NDArray[np.float64]
    se: NDArray[np.float64]
    df: NDArray[np.float64]


def spread_of(values: NDArray[np.float64], worlds: Sequence[str], boot: Boot | None = None) -> Spread:
    """Return the spread of (n_replications, K) figures.

    A replication without the figure (NaN: no such incidents) is left out of it; a figure that is infinite in any
    replication has no interval. `boot` joins the variance within while worlds are hardly repeated.
    """
    is_known = ~np.isnan(values)
    is_finite = np.isfinite(values).sum(axis=0) == is_known.sum(axis=0)
    x = np.where(is_known & is_finite, values, 0.0)
    is_known = is_known & is_finite
    _, world = np.unique(np.asarray(worlds, dtype=str), return_inverse=True)
    one_hot = np.zeros((int(world.max()) + 1, len(world)))
    one_hot[world, np.arange(len(world))] = 1.0
    n_w = one_hot @ is_known
    n, w = n_w.sum(axis=0), (n_w > 0).sum(axis=0).astype(np.float64)
    mean_w = _ratio(one_hot @ x, n_w)
    mean = _ratio(x.sum(axis=0), n)
    within = _ratio((is_known * (x - mean_w[world]) ** 2).sum(axis=0), n - w)
    within, df_within = _pooled(within, n - w, boot)
    off = np.where(n_w > 0, n_w * (mean_w - mean), 0.0)
    siting = _siting_variance(n_w, mean_w, mean, within)
    se_worlds = np.sqrt(_ratio(w * (off**2).sum(axis=0), (w - 1) * n**2))
    se_mc = np.where((w <= 1) | (df_within >= ENOUGH_DF), np.sqrt(_ratio(within, n)), np.nan)
    half_mc, half_worlds = t_quantile(df_within) * se_mc, t_quantile(w - 1) * se_worlds
    is_mc = (w <= 1) | (half_mc > half_worlds)
    half_total, se = np.where(is_mc, half_mc, half_worlds), np.where(is_mc, se_mc, se_worlds)
    df = np.where(is_mc, df_within, w - 1)
    blank = np.where(is_finite & (n > 0), 0.0, np.nan)
    return Spread(
        half_total + blank, half_mc + blank, np.sqrt(within) + blank, np.sqrt(siting) + blank, se + blank, df + blank
    )


def _pooled(
    within: NDArray[np.float64], df: NDArray[np.float64], boot: Boot | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variance within worlds and its degrees of freedom, the bootstrap's pooled in while they are few."""
    if boot is None:
        return within, df
    fading = np.maximum(1.0 - df / ENOUGH_DF, 0.0) * boot.df
    df_boot = np.where(np.isnan(boot.variance), 0.0, fading)
    total = np.where(df > 0, df * within, 0.0) + np.where(df_boot > 0, df_boot * boot.variance, 0.0)
    return _ratio(total, df + df_boot), df + df_boot


def _siting_variance(
    n_w: NDArray[np.float64], mean_w: NDArray[np.float64], mean: NDArray[np.float64], within: NDArray[np.float64]
) -> NDArray[np.float64]:
    n, w = n_w.sum(axis=0), (n_w > 0).sum(axis=0)
    between = _ratio(np.where(n_w > 0, n_w * (mean_w - mean) ** 2, 0.0).sum(axis=0), w - 1.0)
    n0 = _ratio(n - _ratio((n_w**2).sum(axis=0), n), w - 1.0)
    return np.maximum(_ratio(between - within, n0), 0.0)


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return top / bottom, NaN where the bottom is not above zero."""
    out = np.full(np.broadcast_shapes(np.shape(top), np.shape(bottom)), np.nan)
    np.divide(top, bottom, out=out, where=np.broadcast_to(np.asarray(bottom) > 0, out.shape))
    return out


def t_quantile(df: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor of a two-sided 95 % t interval; NaN below one degree of freedom."""
    from scipy.special import stdtrit

    usable, at = np.unique(np.where(df >= 1, df, np.nan), return_inverse=True)  # many figures, few degrees of freedom
    factor: NDArray[np.float64] = np.asarray(stdtrit(usable, 0.5 + CONFIDENCE / 2), dtype=np.float64)
    return factor[at]


def p_value(diff: NDArray[np.float64], se: NDArray[np.float64], df: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two-sided p-value of "no difference"; without any scatter it is 1 for no difference and 0 else."""
    from scipy.special import stdtr

    t = np.abs(_ratio(diff, se))
    p = 2.0 * np.asarray(stdtr(np.where(df >= 1, df, np.nan), -t), dtype=np.float64)
    certain = np.where(diff == 0, 1.0, 0.0)
    out: NDArray[np.float64] = np.where(se == 0, np.where(np.isnan(diff), np.nan, certain), p)
    return out


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Holm's step-down adjusted p-values (Holm 1979, Scand. J. Statist. 6, 65-70).

    Sorted p times the number of hypotheses not yet rejected, made monotone, at most 1. NaN counts as a hypothesis that
    was asked and stays NaN.
    """
    order = np.argsort(np.where(np.isnan(p), np.inf, p), kind="stable")
    scaled = np.minimum(p[order] * (len(p) - np.arange(len(p))), 1.0)
    out = np.empty(len(p))
    out[order] = np.where(np.isnan(scaled), np.nan, np.fmax.accumulate(scaled) if len(p) else scaled)
    return out
