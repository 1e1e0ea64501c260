"""Passing over, settled by playing the fitted calls themselves: what a model shows must be what it was fitted to.

Shares of stations passed over are counted from records that hold chance of their own - units out that no record shows,
races between units sent together - which the engine plays once more. So the model plays the last of the calls that it
was fitted to, and the shares are changed until the served station stands as often in each place of its zone's order as
on record (indirect inference: Gouriéroux, Monfort & Renault 1993, J. Appl. Econometrics 8).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.model.fitted import Fitted
from calibration.model.passing import MOST_PASSED, Passing, gap_to_second, upto
from calibration.model.predict import predict
from calibration.model.samples import Samples
from calibration.model.trace import player_of
from calibration.model.who import first_sent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MOST_CALLS = 15_000
_N_DRAWS = 4
_N_ROUNDS = 3
_LEAST_CALLS = 200
_STEP = (0.25, 2.0)


def settle(fitted: Fitted, samples: Samples, is_used: NDArray[np.bool_], *, seed: int = 0) -> Fitted:
    """Return the model with shares of stations passed over such that its own replay shows those on record."""
    calls = samples.calls
    chosen = np.flatnonzero(is_used & calls.is_response)[-_MOST_CALLS:]
    if fitted.order is None:
        return fitted
    expected = fitted.order.raised_s
    station, _ = first_sent(samples, expected)
    seen = chosen[station[chosen] >= 0]
    if len(seen) < _LEAST_CALLS:
        return fitted
    bins = np.searchsorted(fitted.passing.edges_s, gap_to_second(expected), side="right")
    n_bins = len(fitted.passing.edges_s) + 1
    recorded = _table(expected, calls.zone[seen], station[seen], bins, n_bins)
    player = player_of(fitted, calls.rows(chosen))
    place = np.full(len(calls), -1, dtype=np.int64)
    place[player.calls.identity.astype(np.int64)] = np.arange(len(player.calls))
    rows = place[seen]
    for number in range(_N_ROUNDS):
        drawn = predict(player, _N_DRAWS, seed=seed + 1 + number)
        simulated = sum(
            _table(expected, calls.zone[seen], drawn.chosen[rows, k].astype(np.int64), bins, n_bins)
            for k in range(_N_DRAWS)
        )
        passing = _changed(player.fitted.passing, recorded, np.asarray(simulated), bins)
        player = replace(player, fitted=replace(player.fitted, passing=passing))
    return player.fitted


def _table(expected_s: Floats, zone: Ints, station: Ints, bins: Ints, n_bins: int) -> Floats:
    """Return how often the served station stands in each place of its zone's order, by gap: (n_bins, places)."""
    kept = station >= 0
    cost = expected_s[zone[kept]]
    own = np.take_along_axis(cost, station[kept][:, None], axis=1)
    place = np.minimum((cost < own).sum(axis=1), MOST_PASSED)
    table = np.zeros((n_bins, MOST_PASSED + 1))
    np.add.at(table, (bins[zone[kept]], place), 1.0)
    return table


def _changed(passing: Passing, recorded: Floats, simulated: Floats, bins: Ints) -> Passing:
    """Return shares times recorded over simulated, by gap and place; thin places change little."""
    size = recorded.sum(axis=1, keepdims=True)
    of_sim = simulated * size / np.maximum(simulated.sum(axis=1, keepdims=True), 1.0)
    ratio = np.clip((recorded + 5.0) / (of_sim + 5.0), *_STEP)
    share = np.diff(passing.cumulative, axis=1, prepend=0.0) * ratio[bins]
    share /= share.sum(axis=1, keepdims=True)
    return replace(passing, cumulative=upto(share))
