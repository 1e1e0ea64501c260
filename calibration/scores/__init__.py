"""Scores."""

from calibration.scores.climatology import Climatology, fit_climatology
from calibration.scores.concurrency import Occupancy, busy_shares, occupancy
from calibration.scores.distance import Steps, ks_distance, steps_of, steps_of_records, wasserstein_s
from calibration.scores.floor import Floor, noise_floor
from calibration.scores.groups import CallWeighted, GroupErrors, call_weighted, group_errors
from calibration.scores.logscore import Density, log_score
from calibration.scores.paired import Skill, block_codes, block_weights, diebold_mariano, skill
from calibration.scores.quantiles import QuantileRow, pinball_s, quantile_rows, row_quantiles
from calibration.scores.ranked import crps
from calibration.scores.recorded import HORIZON_S, Observed, Rounding, observed
from calibration.scores.regression import Known, Regression, Scale, fit_regression
from calibration.scores.shares import Share, share_of
from calibration.scores.threshold import Brier, brier
from calibration.scores.transform import PitHistogram, coverage, pit, pit_bounds, pit_histogram

__all__ = [
    "HORIZON_S",
    "Brier",
    "CallWeighted",
    "Climatology",
    "Density",
    "Floor",
    "GroupErrors",
    "Known",
    "Observed",
    "Occupancy",
    "PitHistogram",
    "QuantileRow",
    "Regression",
    "Rounding",
    "Scale",
    "Share",
    "Skill",
    "Steps",
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
    "group_errors",
    "ks_distance",
    "log_score",
    "noise_floor",
    "observed",
    "occupancy",
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
