"""The tables that each arm, and each pair of arms, has by itself: they are made in any process and in any order.

Teams and aircraft, water, places, planted incidents, manning, breakdowns: what some runs have and others do not.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.compare.breakdowns import breakdowns_of_arm
from sim.compare.cells import Frame
from sim.compare.levels import stack
from sim.compare.manning import manning_of_arm
from sim.compare.parts import Arm, Tables
from sim.compare.places import places_of_arm
from sim.compare.planted import planted_of_arm, planted_of_pair
from sim.compare.sooner import matched_incidents
from sim.compare.special import reads_of_special, special_of_arm, special_of_pair
from sim.compare.water import reads_of_water, water_of_arm, water_of_pair
from sim.metrics.store import Columns


def tables_of_arm(job: tuple[Arm, Frame]) -> Tables:
    """Return every such table of an arm that it has rows in."""
    arm, frame = job
    stations = manning_of_arm(arm, frame) | breakdowns_of_arm(arm, frame) | special_of_arm(arm, frame)
    return stations | places_of_arm(arm, frame) | water_of_arm(arm, frame) | planted_of_arm(arm)


def tables_of_pair(job: tuple[Arm, Arm, Frame]) -> Tables:
    """Return every such table of an arm against its base that they have rows in."""
    arm, base, frame = job
    found = matched_incidents(arm, base, [*reads_of_special(arm), *reads_of_water(arm, base)])
    told = special_of_pair(arm, base, found, frame) | water_of_pair(arm, base, found, frame)
    return told | planted_of_pair(arm, base)


def joined(parts: Iterable[Tables]) -> Tables:
    """Return the tables of several arms or pairs, rows of one name under each other."""
    found: dict[str, list[Columns]] = {}
    for tables in parts:
        for name, table in tables.items():
            found.setdefault(name, []).append(table)
    return {name: stack(some) for name, some in found.items()}
