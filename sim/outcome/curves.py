"""The two curves: how a person's risk and a fire's loss grow with the minutes from the call until somebody is there.

Both are shares of what happens if nobody ever comes, which is 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.outcome.settings import OutcomeSettings


def death_risk(minutes: NDArray[np.float64], fall_per_min: float, settings: OutcomeSettings) -> NDArray[np.float64]:
    """Return the risk of death at a fire reached after `minutes` (infinite: never), as a share of that with nobody.

    r(t) = 1 - K exp((t_ref - t) / tau), at least 0, with K = 1 - 1/m and tau = (m - 1) / f: the risk at t_ref is 1/m of
    that without a fire service, and falls there by f of itself for a minute less. It grows the faster the earlier, and
    levels off, as Jaldell (2017, Fire Technology 53, 695-708) found for homes in Sweden: f = 3 % at the median. m is
    1.58 by Runefors (2020, Fire Technology, doi 10.1007/s10694-019-00892-y): 51 rescues beside 88 deaths.
    """
    m = settings.without_service
    tau = (m - 1.0) / fall_per_min
    log_saved = np.log(1.0 - 1.0 / m) + (settings.reference_min - minutes) / tau
    return np.asarray(1.0 - np.exp(np.minimum(log_saved, 0.0)), dtype=np.float64)


def loss_share(minutes: NDArray[np.float64], power: float, settings: OutcomeSettings) -> NDArray[np.float64]:
    """Return the loss of a fire reached after `minutes` (infinite: never), as a share of that with nobody.

    ((t_0 + t) / (t_0 + t_full))^p with t at most t_full, t_0 from ignition to the call. p = 1: Challands (2010, Fire
    Technology 46, 665-676) finds the cost of fires in buildings to grow evenly by the minute; p = 2: the heat released
    by a t-squared fire.
    """
    before, full = settings.before_call_min, settings.full_loss_min
    grown = (before + np.minimum(minutes, full)) / (before + full)
    return np.asarray(grown**power, dtype=np.float64)
