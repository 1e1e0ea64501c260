"""`params.yaml`: the parts of a fitted model with the records that they are from."""

from __future__ import annotations

from pathlib import Path

from calibration.backtest.run import Prepared
from calibration.fit.params import write_params
from calibration.model.fitted import Fitted
from calibration.model.params import params_of
from calibration.page.context import day_of


def write_fitted(path: Path, fitted: Fitted, prepared: Prepared) -> None:
    """Write a fitted model to a YAML file."""
    first, last = day_of(fitted.first_day), day_of(fitted.last_day)
    write_params(path, params_of(fitted), digest=prepared.records.digest, first=first, last=last)
