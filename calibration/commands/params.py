"""`params.yaml`: the parts of a fitted model with the records that they are from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Prepared
from calibration.fit.demand import Demand
from calibration.fit.params import write_params
from calibration.model.fitted import Fitted
from calibration.model.generate import Generator, fit_generator
from calibration.model.params import params_of
from calibration.page.context import day_of
from sim.errors import InputError, Problem


def write_fitted(path: Path, fitted: Fitted, demand: Demand, prepared: Prepared) -> None:
    """Write a fitted model to a YAML file, with the origin (degrees) of the metres that its places are named by."""
    first, last = day_of(fitted.first_day), day_of(fitted.last_day)
    plane = prepared.ground.plane
    parts = {"plane": {"lat0": plane.lat0, "lon0": plane.lon0}, **params_of(fitted, demand)}
    write_params(path, parts, digest=prepared.records.digest, first=first, last=last)


def generator_of(prepared: Prepared, is_used: NDArray[np.bool_]) -> Generator:
    """Return the demand, and what draws from it, of the calls of which `is_used` (n_calls,) is set.

    Raises
    ------
    InputError
        If it cannot be fitted to them.
    """
    call_ms = prepared.records.incidents["call_ms"].to_numpy(np.int64)
    try:
        zone = prepared.records.time_zone
        return fit_generator(prepared.samples, is_used, prepared.zones.patch, call_ms, zone)
    except ValueError as error:
        raise InputError([Problem("records", f"their demand cannot be fitted: {error}")]) from None
