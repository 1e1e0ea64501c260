"""How many people there are on a day, and how they are shared over the open stations. Whole people, exact sums.

A ratio is turned into people by exact decimal arithmetic: residents x permille / 1000, rounded half up, are the staff
(whose residents: `residents.py`);
staff less enterprise staff, x operational share, rounded down, ride; those x present share, rounded down, are on duty.
The people on duty are shared in two rounds (`share_people`) by weights (`station_weight`); those off duty belong to the
stations in proportion to them (`posts_of`). Nothing here knows dates; `changes.py` calls it whenever something changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from sim.fleet.settings import StaffingSettings


@dataclass(frozen=True, slots=True)
class Strength:
    """People of the whole city on a day: residents counted, professional staff, those who ride, those on duty."""

    permille: float
    residents: int
    staff: int
    riding: int
    on_duty: int


@dataclass(frozen=True, slots=True)
class Catchments:
    """What sharing by demand has to know of places.

    `order`: (n_cells, n_stations) int16, stations by driving time to the cell. `cell_weight`: (n_cells,) int64,
    incidents to be expected of each cell.
    """

    order: NDArray[np.int16]
    cell_weight: NDArray[np.int64]

    def of(self, is_there: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the weight of the cells to which each station is the nearest of those there: (n_stations,) int64."""
        nearest = self.order[np.arange(len(self.order)), is_there[self.order].argmax(axis=1)]
        weight = np.zeros(len(is_there), dtype=np.int64)
        np.add.at(weight, nearest, self.cell_weight)
        return np.where(is_there, weight, 0)


def exact(number: float) -> Fraction:
    """Return the decimal that a setting was written as, so that 0.45 is 9/20 and not the nearest binary fraction."""
    return Fraction(repr(float(number)))


def strength(staffing: StaffingSettings, residents: int, day: date, present: Fraction | None = None) -> Strength:
    """Return the city's strength on `day`; those who ride are fewer than zero where enterprise staff exceed the staff.

    Parameters
    ----------
    residents : those that count on that day.
    day : steps of that day and earlier have happened.
    present : mean part of those who ride that a roster has on duty; None: the staffing's present share.
    """
    permille = staffing.initial_permille
    for step in sorted(staffing.steps, key=lambda step: step.from_date):
        if date.fromisoformat(step.from_date) <= day:
            permille = step.permille
    staff = half_up(residents * exact(permille) / 1000)
    riding = floor((staff - staffing.enterprise_staff) * exact(staffing.operational_share))
    share = exact(staffing.present_share) if present is None else present
    return Strength(permille, residents, staff, riding, int(max(riding, 0) * share))


def strength_for(staffing: StaffingSettings, given: Strength, on_duty: int, present: Fraction | None) -> Strength:
    """Return the strength that `on_duty` people take, all of `given` but its people: each rounded up."""
    share = exact(staffing.present_share) if present is None else present
    riding = ceil(on_duty / share) if share else 0
    rides = exact(staffing.operational_share)
    staff = (ceil(riding / rides) if rides else 0) + staffing.enterprise_staff
    return Strength(float(Fraction(1000 * staff, max(given.residents, 1))), given.residents, staff, riding, on_duty)


def station_weight(
    rule: str,
    class_weight: NDArray[np.int64],
    town: NDArray[np.int16],
    residents: NDArray[np.int64],
    catchment: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return what stations share people by: (n,) int64, at least 1.

    `class`: the weight of its class. `town`: the town's residents x its class weight / class weights of the town, so
    that every town has the same ratio. `demand`: the incidents to be expected where it is the nearest.

    Parameters
    ----------
    class_weight, town, catchment : (n,) of the stations that share.
    residents : (n_towns,).
    """
    if rule == "class":
        return class_weight
    if rule == "demand":
        return np.maximum(catchment, 1)
    of_town = np.bincount(town, class_weight, minlength=len(residents)).astype(np.int64)
    weight: NDArray[np.int64] = np.maximum(residents[town] * class_weight // of_town[town], 1)
    return weight


def posts_of(on_duty: NDArray[np.int64], riding: int) -> NDArray[np.int64]:
    """Return the posts of each station, on duty or off: those off duty are shared in proportion to those on it."""
    if not on_duty.any():
        return on_duty
    return on_duty + _by_weight(riding - int(on_duty.sum()), on_duty)


def share_people(
    people: int,
    weight: NDArray[np.int64],
    first_crew: NDArray[np.int64],
    most: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Share `people` over stations; the shares are never negative and add up to `people` exactly.

    First round: every station gets one smallest crew, the heaviest first (ties: the lowest position), and one whose
    crew is more than is left is passed over. Second round: the rest goes by weight to the stations that got a crew, or
    to all when none did, by largest remainder (ties: the lowest position). Whoever would get more than `most` gets that
    many and the others share what is over; once all have theirs, the rest goes by weight whatever `most` says.

    Parameters
    ----------
    people : people on duty in the city, at least 0.
    weight : (n,) weights above 0.
    first_crew : (n,) smallest crew with which the station can send any unit, at least 1.
    most : (n,) people that a station can use; None: any number.

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
    if most is None:
        return share + _by_weight(left, np.where(has_part, weight, 0))
    can_use_more = has_part & (share < most)
    while left and can_use_more.any():
        more = _by_weight(left, np.where(can_use_more, weight, 0))
        is_full = can_use_more & (share + more >= most)
        more = np.where(is_full, most - share, 0) if is_full.any() else more
        share, left, can_use_more = share + more, left - int(more.sum()), can_use_more & ~is_full
    return share + _by_weight(left, np.where(has_part, weight, 0))


def _by_weight(people: int, weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share `people` in proportion to `weight` by largest remainder, ties to the lowest position."""
    total = int(weight.sum())
    share = people * weight // total
    remainder = people * weight - share * total
    largest = np.argsort(-remainder, kind="stable")[: people - int(share.sum())]
    share[largest] += 1
    return share


def half_up(value: Fraction) -> int:
    """Return the nearest whole number, the upper one of two as near."""
    return int((2 * value + 1) // 2)
