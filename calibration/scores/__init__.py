"""How well do predictions fit records they have not seen: scores, floors, rivals, and a verdict with its reasons.

Pure functions over arrays; nothing here reads a file, runs a simulation or draws a picture. The usual way through:

1. `observed` states what the records say of each held-out call: exact, rounded, censored, never reached;
2. draws (n_calls, n_draws) of the simulated first arrival, s, are scored by call: `crps`, `log_score`, `brier`,
   `pit_bounds` with `pit_histogram` and `coverage`;
3. and all together: `quantile_rows`, `ks_distance` and `wasserstein_s` beside the `noise_floor` of a perfect model,
   `group_errors` by station and hour, `occupancy` and `busy_shares`;
4. `skill` sets the scores against those of `fit_climatology` and `fit_regression`, fitted on the training side;
5. `judge` holds the outcome to the `FIGURES` to be reached.

Every random number is keyed by the call's identity (`keyed.py`), so a score is the same number anywhere.
"""

from calibration.scores.climatology import Climatology, fit_climatology
from calibration.scores.concurrency import Occupancy, OccupancyGap, busy_shares, occupancy, occupancy_gap
from calibration.scores.distance import Steps, ks_distance, steps_of, steps_of_records, wasserstein_s
from calibration.scores.floor import Floor, noise_floor
from calibration.scores.groups import (
    CallWeighted,
    GroupDistances,
    GroupErrors,
    call_weighted,
    group_distances,
    group_errors,
)
from calibration.scores.logscore import Density, log_score
from calibration.scores.paired import Skill, block_codes, block_weights, diebold_mariano, skill
from calibration.scores.quantiles import QuantileRow, pinball_s, quantile_rows, row_quantiles
from calibration.scores.ranked import crps
from calibration.scores.recorded import HORIZON_S, Observed, Rounding, observed
from calibration.scores.regression import Known, Regression, Scale, fit_regression
from calibration.scores.shares import Share, share_of
from calibration.scores.threshold import Brier, brier
from calibration.scores.transform import PitHistogram, coverage, pit, pit_bounds, pit_histogram
from calibration.scores.verdict import FIGURES, Evidence, Figure, Judgement, Outcome, Verdict, judge

__all__ = [
    "FIGURES",
    "HORIZON_S",
    "Brier",
    "CallWeighted",
    "Climatology",
    "Density",
    "Evidence",
    "Figure",
    "Floor",
    "GroupDistances",
    "GroupErrors",
    "Judgement",
    "Known",
    "Observed",
    "Occupancy",
    "OccupancyGap",
    "Outcome",
    "PitHistogram",
    "QuantileRow",
    "Regression",
    "Rounding",
    "Scale",
    "Share",
    "Skill",
    "Steps",
    "Verdict",
    "block_codes",
    "block_weights",
    "brier",
    "busy_shares",
    "call_weighted",
    "coverage",
    "crps",
    "diebold_mariano",
    "fit_climatology",
    "fit_regression",
    "group_distances",
    "group_errors",
    "judge",
    "ks_distance",
    "log_score",
    "noise_floor",
    "observed",
    "occupancy",
    "occupancy_gap",
    "pinball_s",
    "pit",
    "pit_bounds",
    "pit_histogram",
    "quantile_rows",
    "row_quantiles",
    "share_of",
    "skill",
    "steps_of",
    "steps_of_records",
    "wasserstein_s",
]
