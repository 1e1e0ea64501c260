"""Where the calls of each kind come from: shares of places, those of a kind shrunk towards those of all kinds.

Dirichlet-multinomial: a kind's shares are drawn around the common ones with a strength that maximises the likelihood of
the counts (Minka 2000, Estimating a Dirichlet distribution); the common ones lean likewise on equal shares, so that a
place without a call keeps a small rate instead of an impossible one. Standard errors hold those of the common shares,
by the weight that they have in a kind's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from calibration.scores.keyed import Floats

_LOG_STRENGTH = (-4.0, 14.0)


@dataclass(frozen=True, slots=True)
class PlaceShares:
    """Shares of places by kind; each row adds to 1.

    share, se: (n_kinds, n_places). common: (n_places,) of all kinds. strength: calls that the common shares weigh as
    much as; at its upper limit the kinds do not differ.
    """

    share: Floats
    se: Floats
    common: Floats
    strength: float


def fit_places(counts: Floats) -> PlaceShares:
    """Return the shares from counts (n_kinds, n_places)."""
    n_places = counts.shape[1]
    even = np.full(n_places, 1.0 / n_places)
    total = counts.sum(axis=0)
    common, common_se = _lean(total[None, :], even, _strength(total[None, :], even))
    if len(counts) == 1:
        return PlaceShares(common, common_se, common[0], float(np.exp(_LOG_STRENGTH[1])))
    strength = _strength(counts, common[0])
    share, own_se = _lean(counts, common[0], strength)
    weight = strength / (counts.sum(axis=1, keepdims=True) + strength)
    return PlaceShares(share, np.hypot(own_se, weight * common_se), common[0], strength)


def _lean(counts: Floats, towards: Floats, strength: float) -> tuple[Floats, Floats]:
    """Return posterior means and standard deviations of shares."""
    size = counts.sum(axis=1, keepdims=True) + strength
    share = (counts + strength * towards) / size
    return share, np.sqrt(share * (1.0 - share) / (size + 1.0))


def _strength(counts: Floats, towards: Floats) -> float:
    """Return the strength that maximises the Dirichlet-multinomial likelihood."""

    def loss(log_strength: float) -> float:
        alpha = np.exp(log_strength) * towards
        rows = special.gammaln(alpha.sum()) - special.gammaln(alpha.sum() + counts.sum(axis=1))
        cells = special.gammaln(alpha + counts) - special.gammaln(alpha)
        return -float(rows.sum() + cells.sum())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=_LOG_STRENGTH, method="bounded").x))
