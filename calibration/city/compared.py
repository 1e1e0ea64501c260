"""First arrivals of a folder's own runs beside the records': a plain check of what the folder makes of the fit.

The folder's own window is run, with calls drawn by the main tool; nothing is shared with the records but the fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.model.fitted import Fitted
from calibration.model.samples import Clock, Samples
from calibration.scores import steps_of_records
from sim.api import run_replication

LEVELS = (0.1, 0.5, 0.9)
N_REPLICATIONS = 3


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Quantiles of the first arrival at `LEVELS`, s: `recorded_s` and `run_s`, (n_levels,); `n_recorded`, `n_run`
    calls with one, `n_never` calls of the runs that nobody came to, `n_replications`."""

    recorded_s: NDArray[np.float64]
    run_s: NDArray[np.float64]
    n_recorded: int
    n_run: int
    n_never: int
    n_replications: int

    @property
    def off(self) -> NDArray[np.float64]:
        """Return by what share the runs are off the records, (n_levels,)."""
        return self.run_s / self.recorded_s - 1.0

    def lines(self) -> list[str]:
        """Return the comparison as lines of a table."""
        rows = [f"  P{level:.0%}".rstrip("%") for level in LEVELS]
        told = [
            f"first arrival, s: {self.n_recorded} recorded calls, {self.n_run} calls in {self.n_replications} runs of"
            f" this folder ({self.n_never} of them never met)"
        ]
        told += [
            f"{row:<6} recorded {seen:7.1f}   run {made:7.1f}   off by {off:+.1%}"
            for row, seen, made, off in zip(rows, self.recorded_s, self.run_s, self.off, strict=True)
        ]
        return told


def arrivals(
    folder: Path, fitted: Fitted, samples: Samples, *, n_replications: int = N_REPLICATIONS,
    told: Callable[[str], None] = lambda _: None,
) -> Arrivals:  # fmt: skip
    """Return first arrivals of a written folder's runs beside those recorded on the days fitted.

    Counted from the call, or from the dispatch where records say no more. Those of the runs are written as the records
    write, and both are spread evenly over the cells of the rounding.

    Raises
    ------
    DgsimError
        If the folder cannot be run.
    """
    calls = samples.calls
    is_fitted = (calls.day >= fitted.first_day) & (calls.day <= fitted.last_day)
    rows = np.flatnonzero(is_fitted & calls.is_response & np.isfinite(samples.first_s))
    seen = samples.first(rows)
    recorded = steps_of_records(seen.spread_value()).quantile(np.array(LEVELS))
    made, n_never = [], 0
    for number in range(n_replications):
        told(f"running the folder: replication {number + 1} of {n_replications}")
        table = run_replication(f"city.folder='{folder}'", replication=number).incidents
        has_come = table["first_arrival_ms"].to_numpy() >= 0
        begun = np.zeros(len(table)) if fitted.clock is Clock.DISPATCH else table["dispatch_due_ms"] - table["call_ms"]
        made.append(((table["first_arrival_ms"] + begun) / 1000.0).to_numpy()[has_come])
        n_never += int((~has_come).sum())
    pooled = np.concatenate(made)
    alike = seen.rows(np.arange(len(pooled)) % len(seen)).spread(pooled[:, None])
    return Arrivals(recorded, np.quantile(alike, LEVELS), len(rows), len(pooled), n_never, n_replications)
