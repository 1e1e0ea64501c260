"""Scores."""

from calibration.scores.crps import crps
from calibration.scores.distance import Steps, ks_distance, steps_of, steps_of_records, wasserstein_s
from calibration.scores.floor import Floor, noise_floor
from calibration.scores.observed import HORIZON_S, Observed, Rounding, observed
from calibration.scores.pit import PitHistogram, coverage, pit, pit_bounds, pit_histogram
from calibration.scores.shares import Share, share_of

__all__ = [
    "HORIZON_S",
    "Floor",
    "Observed",
    "PitHistogram",
    "Rounding",
    "Share",
    "Steps",
    "coverage",
    "crps",
    "ks_distance",
    "noise_floor",
    "observed",
    "pit",
    "pit_bounds",
    "pit_histogram",
    "share_of",
    "steps_of",
    "steps_of_records",
    "wasserstein_s",
]
