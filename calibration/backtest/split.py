"""What is fitted and what is held out: by date, or by place.

By date the last part of the log is held out, and what is predicted begins a day earlier, so that units are out as the
scoring begins. By place some patches are held out for the whole log; all calls are played, those of the patches scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from calibration.ground import Zones
from calibration.model.samples import Samples
from calibration.scores.keyed import Purpose, uniforms
from sim.errors import InputError, Problem

Bools = NDArray[np.bool_]
HELD_SHARE = 0.25
_WARM_DAYS = 1
_LEAST_DAYS = 2


@dataclass(frozen=True, slots=True)
class Split:
    """Which calls are fitted, played and scored, (n_calls,) bool; `by`: date or place; `at`: first day held out."""

    by: str
    is_fitted: Bools
    is_played: Bools
    is_scored: Bools
    at: date | None


def by_date(samples: Samples, at: date | None = None) -> Split:
    """Return the split at a day: from it on all is held out; without a day the last quarter of the days.

    Raises
    ------
    InputError
        If the log has too few days, or the day leaves one side without a call.
    """
    day = samples.calls.day
    first, last = int(day[0]), int(day[-1])
    if at is None:
        if last - first < _LEAST_DAYS:
            rule = f"cover {last - first + 1} days: nothing can be held out by date"
            raise InputError([Problem("records", rule, mend="give a longer log; calibrate alone fits what there is")])
        split = last - max(round((last - first + 1) * HELD_SHARE), 1) + 1
    else:
        split = (at - date(1970, 1, 1)).days
    is_held = day >= split
    if not is_held.any() or is_held.all():
        rule = f"no call lies {'after' if not is_held.any() else 'before'} the day of the split"
        span = f"{_day(first)} to {_day(last)}"
        raise InputError([Problem("--split", rule, value=str(_day(split)), mend=f"the log runs from {span}")])
    return Split("date", ~is_held, day >= split - _WARM_DAYS, is_held, _day(split))


def by_place(samples: Samples, zones: Zones, *, share: float = HELD_SHARE, seed: int = 0) -> Split:
    """Return the split by patches, keyed, with about `share` of the calls held out.

    Raises
    ------
    InputError
        If all calls are in one patch.
    """
    calls = samples.calls
    patch = np.where(calls.zone >= 0, zones.patch[calls.zone], -1)
    patches = np.unique(patch[patch >= 0])
    if len(patches) < 2:
        raise InputError([Problem("records", "all calls come from one place: nothing can be held out by place")])
    order = patches[np.argsort(uniforms(Purpose.SPLIT, seed, patches.astype(np.uint64), 1)[:, 0])]
    size = np.array([(patch == each).sum() for each in order])
    n_held = int(np.clip(np.searchsorted(np.cumsum(size), share * size.sum()) + 1, 1, len(order) - 1))
    is_held = np.isin(patch, order[:n_held])
    return Split("place", ~is_held & (patch >= 0), np.ones(len(calls), dtype=np.bool_), is_held, None)


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
