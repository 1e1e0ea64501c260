"""What a fit knows and a folder's tables cannot hold, in words with the size of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Prepared
from calibration.city.demand import Calls
from calibration.city.sending import Grades, mean_units
from calibration.model.fitted import Fitted
from calibration.model.generate import Generator
from sim.demand.schemas import MAX_GRADE


def not_carried(
    fitted: Fitted,
    generator: Generator,
    prepared: Prepared,
    grades: tuple[Grades, ...],
    calls: Calls,
    *,
    has_areas: bool,
) -> tuple[str, ...]:
    """Return what is lost between the fit and the folder, one sentence each."""
    lost = [
        "places by kind: calls of all kinds come from the same places; the fit has shares of places for each kind",
        *_times(fitted),
        *_sending(fitted, prepared, grades, calls),
        *_calls(generator, prepared),
        "residents: nothing says how many people live where" + ("" if has_areas else "; the city is one area"),
        "staff: every unit is staffed at all hours",
    ]
    return tuple(lost)


def _times(fitted: Fitted) -> list[str]:
    lost = []
    if fitted.turnout is not None:
        own = np.exp(fitted.turnout.effects[2].of(np.arange(fitted.ground.n_stations)))
        lost.append(
            f"turnout by station ({own.min():.2f} to {own.max():.2f} times the mean) and by hour: one median by day,"
            " one by night"
        )
    spread = fitted.noise.log_quantiles.std(axis=1)
    lost.append(f"noise of travel by length (log s.d. {spread.min():.2f} to {spread.max():.2f}): one spread for all")
    kind = _range(np.array(list(fitted.travel.effects["kind"].effect.values())))
    lost.append(f"travel by kind of call ({kind}): in its mean; travel by hour: three groups of hours")
    if fitted.handling is not None:
        kind = _range(np.array(list(fitted.handling.effects[0].effect.values())))
        lost.append(f"call handling by kind ({kind}) and hour: in its spread")
    if fitted.drive_s.shape[0] > 1:
        lost.append("nothing of the periods of driving: they are the given city's own")
    lost.append("ways that start at no station: reckoned from those that do, by a straight line's length")
    return lost


def _range(log_effect: NDArray[np.float64]) -> str:
    if not len(log_effect):
        return "none"
    factor = np.exp(log_effect)
    return f"{factor.min():.2f} to {factor.max():.2f} times the mean"


def _sending(fitted: Fitted, prepared: Prepared, grades: tuple[Grades, ...], calls: Calls) -> list[str]:
    size = np.array([len(pattern) for pattern in fitted.sent.patterns], dtype=np.float64)
    recorded = fitted.sent.share[calls.kind] @ size
    kept = np.array([mean_units(own) for own in grades])
    off = float(np.abs(kept - recorded).max())
    lost = [
        f"patterns of unit types: up to {MAX_GRADE} numbers of units by kind, each with its mean units by type"
        f" (mean number of units off by {off:.3f} at most)"
    ]
    every = prepared.samples.calls
    passed = float(1.0 - fitted.passing.cumulative[every.zone[every.is_response], 0].mean())
    if passed > 0.0:
        lost.append(
            f"passing over: the station expected first always sends; in the fit {passed:.1%} of calls pass it over"
        )
    return lost


def _calls(generator: Generator, prepared: Prepared) -> list[str]:
    samples = prepared.samples.calls
    lost = ["holidays and what days off have of their own by the hour: in the mean of all days"]
    n_placeless = int((samples.zone < 0).sum())
    if n_placeless:
        lost.append(f"calls without a place: {n_placeless} of {len(samples)} are left out")
    n_excused = int((samples.is_cancelled | samples.is_walk_in).sum())
    if n_excused:
        lost.append(f"calls called off and walk-ins: {n_excused} of {len(samples)} are left out")
    if any("drift" in own.blocks for own in generator.demand.own.values()):
        lost.append("growth by kind: one growth for all")
    return lost
