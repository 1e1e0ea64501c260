"""Where the calls of each kind come from: shares of places, those of a kind shrunk towards those of all kinds.

Dirichlet-multinomial: a kind's shares are drawn around the common ones with a strength of its own that maximises the
likelihood of its counts (Minka 2000, Estimating a Dirichlet distribution), held near the strength that suits all kinds,
so that outdoor fires may lie elsewhere without pulling the others away; the common shares lean likewise on equal ones,
so that a place without a call keeps a small rate instead of an impossible one. Standard errors hold those of the common
shares, by the weight that they have in a kind's. Where a kind's places differ by more than such draws do (a whole
outskirt, say) and its calls are few, they are too small: of intervals of 90 %, 80 % held the truth in the tests' town.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from calibration.scores.keyed import Floats

_LOG_STRENGTH = (-4.0, 14.0)
_STRENGTH_SD = 1.0
"""Assumed: how far the log strengths of kinds lie from that of all kinds."""


@dataclass(frozen=True, slots=True)
class PlaceShares:
    """Shares of places by kind; each row adds to 1.

    share, se: (n_kinds, n_places). common: (n_places,) of all kinds. strength: (n_kinds,) calls that the common shares
    weigh as much as; at its upper limit the kind does not differ.
    """

    share: Floats
    se: Floats
    common: Floats
    strength: Floats


def fit_places(counts: Floats) -> PlaceShares:
    """Return the shares from counts (n_kinds, n_places)."""
    n_places = counts.shape[1]
    even = np.full(n_places, 1.0 / n_places)
    total = counts.sum(axis=0)
    common, common_se = _lean(total[None, :], even, _strength(total[None, :], even))
    if len(counts) == 1:
        return PlaceShares(common, common_se, common[0], np.exp(np.array(_LOG_STRENGTH[1:])))
    usual = _strength(counts, common[0])
    strength = np.array([_strength(row[None, :], common[0], usual) for row in counts])[:, None]
    share, own_se = _lean(counts, common[0], strength)
    weight = strength / (counts.sum(axis=1, keepdims=True) + strength)
    return PlaceShares(share, np.hypot(own_se, weight * common_se), common[0], strength[:, 0])


def _lean(counts: Floats, towards: Floats, strength: float | Floats) -> tuple[Floats, Floats]:
    """Return posterior means and standard deviations of shares."""
    size = counts.sum(axis=1, keepdims=True) + strength
    share = (counts + strength * towards) / size
    return share, np.sqrt(share * (1.0 - share) / (size + 1.0))


def _strength(counts: Floats, towards: Floats, usual: float | None = None) -> float:
    """Return the strength that maximises the Dirichlet-multinomial likelihood, near the usual one if that is given."""

    def loss(log_strength: float) -> float:
        alpha = np.exp(log_strength) * towards
        rows = special.gammaln(alpha.sum()) - special.gammaln(alpha.sum() + counts.sum(axis=1))
        cells = special.gammaln(alpha + counts) - special.gammaln(alpha)
        apart = 0.0 if usual is None else (log_strength - np.log(usual)) / _STRENGTH_SD
        return 0.5 * apart**2 - float(rows.sum() + cells.sum())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=_LOG_STRENGTH, method="bounded").x))
