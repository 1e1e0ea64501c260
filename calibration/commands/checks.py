"""What is looked at once the records are read: whether there is anything to fit, and whether overrides do anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import Problems, nearest_name

if TYPE_CHECKING:
    from calibration.backtest.run import Prepared

_SHOWN = 5


def check_prepared(prepared: Prepared, overrides: Sequence[str]) -> None:
    """Check that the records can be fitted at all.

    Raises
    ------
    InputError
        If no arrival is on record, no unit comes from a station of the city, or an override would change nothing.
    """
    problems = Problems()
    _check_overrides(prepared, overrides, problems)
    samples = prepared.samples
    if not np.isfinite(samples.first_s).any():
        mend = "give arrival, call_to_arrival_s or dispatch_to_arrival_s; docs/records.md says how"
        problems.add("records", "hold no arrival, so that there is no response time to fit or to predict", mend=mend)
    elif len(samples.responses) and (samples.responses.station < 0).all():
        _foreign(prepared, problems)
    problems.raise_if_any()


def _foreign(prepared: Prepared, problems: Problems) -> None:
    frames = (prepared.records.responses, prepared.records.incidents)
    found = next((frame["station"] for frame in frames if len(frame) and frame["station"].notna().any()), None)
    labels = [] if found is None else [str(label) for label in found.cat.categories]
    shown = ", ".join(labels[:_SHOWN]) + (", ..." if len(labels) > _SHOWN else "")
    mend = f"write codes or names of stations.csv; {nearest_name(labels[0], prepared.ground.station)}" if labels else ""
    problems.add("records", "name no station that the city has", value=shown or None, mend=mend)


def _check_overrides(prepared: Prepared, overrides: Sequence[str], problems: Problems) -> None:
    """Note what would change nothing: ways are the only part of the configuration that a fit takes."""
    for text in overrides:
        if not text.startswith(("travel=", "travel.")):
            problems.add("overrides", "changes nothing of a fit: only travel does", value=text, mend="leave it out")
        elif prepared.ground.tables is None:
            mend = "choose travel=CHOICE, or leave it out"
            problems.add("overrides", "changes nothing: ways are straight lines", value=text, mend=mend)
