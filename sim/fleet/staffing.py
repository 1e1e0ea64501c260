"""How many people there are on a day, and how they are shared over the open stations. Whole people, exact sums.

A ratio is turned into people by exact decimal arithmetic: residents x permille / 1000, rounded half up, are the staff;
staff x operational share, rounded down, ride; those x present share, rounded down, are on duty. The people on duty are
shared in two rounds (`share_people`). Nothing here knows dates; `changes.py` calls it whenever something changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sim.fleet.settings import StaffingSettings


@dataclass(frozen=True, slots=True)
class Strength:
    """People of the whole city on a day: residents counted, professional staff, and staff on duty."""

    permille: float
    residents: int
    staff: int
    on_duty: int


def exact(number: float) -> Fraction:
    """Return the decimal that a setting was written as, so that 0.45 is 9/20 and not the nearest binary fraction."""
    return Fraction(repr(float(number)))


def strength(staffing: StaffingSettings, residents: int, residents_year: int, day: date) -> Strength:
    """Return the city's strength on `day`.

    Parameters
    ----------
    residents, residents_year : residents of the city and the year of that figure.
    day : steps of that day and earlier have happened.
    """
    permille = staffing.initial_permille
    for step in sorted(staffing.steps, key=lambda step: step.from_date):
        if date.fromisoformat(step.from_date) <= day:
            permille = step.permille
    grown = residents * (1 + exact(staffing.residents_growth_per_year)) ** (day.year - residents_year)
    counted = _half_up(grown)
    staff = _half_up(counted * exact(permille) / 1000)
    riding = int(staff * exact(staffing.operational_share))
    return Strength(permille, counted, staff, int(riding * exact(staffing.present_share)))


def share_people(people: int, weight: NDArray[np.int64], first_crew: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share `people` over stations; the shares are never negative and add up to `people` exactly.

    First round: every station gets one smallest crew, the heaviest first (ties: the lowest position), and one whose
    crew is more than is left is passed over. Second round: the rest goes by weight to the stations that got a crew, or
    to all when none did, by largest remainder (ties: the lowest position).

    Parameters
    ----------
    people : people on duty in the city, at least 0.
    weight : (n,) weights above 0.
    first_crew : (n,) smallest crew with which the station can send any unit, at least 1.

    Returns
    -------
    (n,) int64, people; all 0 when n is 0.

    Raises
    ------
    ValueError
        If people are negative, or a weight or crew is not above zero.
    """
    if people < 0 or (len(weight) and (weight.min() <= 0 or first_crew.min() <= 0)):
        raise ValueError("people must not be negative, weights and first crews must be above zero")
    share = np.zeros(len(weight), dtype=np.int64)
    if not len(weight):
        return share
    left = people
    for i in np.argsort(-weight, kind="stable"):
        if first_crew[i] <= left:
            share[i] = first_crew[i]
            left -= int(first_crew[i])
    has_part = share > 0 if share.any() else np.ones(len(weight), dtype=np.bool_)
    return share + _by_weight(left, np.where(has_part, weight, 0))


def _by_weight(people: int, weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share `people` in proportion to `weight` by largest remainder, ties to the lowest position."""
    total = int(weight.sum())
    share = people * weight // total
    remainder = people * weight - share * total
    largest = np.argsort(-remainder, kind="stable")[: people - int(share.sum())]
    share[largest] += 1
    return share


def _half_up(value: Fraction) -> int:
    return int((2 * value + 1) // 2)
