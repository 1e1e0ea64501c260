"""Small cities that are hypercubes: the model of each, and the folder that states it.

The model wants a service that does not depend on who comes from where, so ways must not count beside the time on
scene: these cities are a few hundred metres wide and a call takes twenty hours on average. What a unit spends on the
way is then some 0.02 % of its service, and the way stays what it is: whole milliseconds of the city's own driving
times. Lost calls are those that a far station serves, so large that it is never without a unit. Next: `spatial.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.verification.hypercube import Hypercube
from sim.verification.larson import three_servers
from sim.verification.small_city import CallClass, SmallCity

SERVICE_H = 20.0
"""Mean time on scene."""
SIDE_M = 50
N_DAYS, N_WARM_UP = 600, 60
STRAIGHT = (
    "travel=distance", "travel.detour=1.0", "travel.local_kmh=160.0", "travel.night_factor=1.0",
    "travel.peak_factor=1.0", "travel.acceleration_ms2=10.0",
)  # fmt: skip
"""Straight ways at one speed, at all hours, with as little lost in starting and stopping as the settings allow."""


@dataclass(frozen=True, slots=True)
class SpatialCity:
    """A city and the hypercube that it is.

    `name`: makes the seed. `city`: its own units are the first stations', one each; where calls can be lost, a last
    station takes them. `model`: with calls per hour; its atoms are the city's first cells. `overrides`: settings on top
    of the city's.
    """

    name: str
    city: SmallCity
    model: Hypercube
    overrides: tuple[str, ...] = ()

    @property
    def n_units(self) -> int:
        """Number of the model's units."""
        return len(self.model.service_rate)

    @property
    def n_atoms(self) -> int:
        """Number of the model's atoms."""
        return len(self.model.call_rate)


def _city(
    name: str, atoms: Sequence[tuple[int, int]], homes: Sequence[tuple[int, int]], model: Hypercube, *,
    is_sent_on: bool = False, drive_s: tuple[tuple[float, ...], ...] | None = None,
    overrides: tuple[str, ...] = STRAIGHT, shares: tuple[float, ...] = (1.0,),
) -> SpatialCity:  # fmt: skip
    """Return the city of a model: atoms and homes in squares of a lattice, residents as the atoms' rates.

    `shares`: of the calls of each priority, in every atom alike, so that the model need not tell them apart.
    """
    per_h = model.call_rate / SERVICE_H
    residents = tuple(round(float(rate) * 1_000) for rate in model.call_rate)
    places = tuple((SIDE_M * east, SIDE_M * north) for east, north in (*atoms, *homes))
    units = [1] * len(model.service_rate) + [40] * (len(homes) - len(model.service_rate))
    mean_s, per_h_of_all = 3_600.0 * SERVICE_H, float(per_h.sum())
    classes = tuple(CallClass(per_h_of_all * share, mean_s, i) for i, share in enumerate(shares, start=1))
    city = SmallCity(
        classes=classes,
        units=tuple(units),
        station_cell=tuple(len(atoms) + i for i in range(len(homes))), drive_s=drive_s,
        residents=residents + (0,) * len(homes), n_days=N_DAYS, n_warm_up=N_WARM_UP, is_sent_on=is_sent_on,
        places_m=places, side_m=SIDE_M,
    )  # fmt: skip
    hourly = Hypercube(per_h, model.service_rate / SERVICE_H, model.order, model.line)
    return SpatialCity(name, city, hourly, overrides)


def larson_city() -> SpatialCity:
    """Return the three-server example, laid out so that the nearest unit is always the one that the book sends."""
    atoms = ((-1, 1), (-1, -1), (-4, 1), (1, 0), (-3, -1), (-3, 1), (3, 1), (4, -1), (4, 1), (3, -1))
    return _city("three_servers", atoms, ((0, 0), (-3, 0), (3, 0)), three_servers("queue"))


def loss_city() -> SpatialCity:
    """Return five stations and eight atoms at 3 erlang, and a station 4 km away that serves what the five cannot."""
    atoms = ((0, 0), (1, 4), (5, 1), (3, 3), (7, 5), (2, 7), (6, 8), (9, 2))
    homes = ((1, 1), (6, 2), (2, 5), (5, 7), (8, 4))
    rates = np.array([0.9, 0.3, 0.5, 0.2, 0.4, 0.25, 0.35, 0.1])
    order = nearest_first(atoms, homes)
    return _city("loss", atoms, (*homes, (80, 3)), Hypercube(rates, np.ones(len(homes)), order, "loss"))


_ORDER = ((2, 0, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (1, 0, 2, 3), (2, 1, 0, 3), (3, 1, 0, 2))
_RANK_S = (4.0, 6.5, 9.0, 11.5)
"""Driving to an atom of the first, second, third and fourth unit of its order."""


def sent_on_city() -> SpatialCity:
    """Return four stations and six atoms at 2.2 erlang: any orders, stated ways, units sent on, and two priorities."""
    rates = np.array([0.6, 0.2, 0.5, 0.3, 0.2, 0.4])
    n_atoms, n_units = len(rates), len(_RANK_S)
    drive_s = np.fromfunction(lambda a, b: 5.0 + 1.5 * np.abs(a - b), (n_atoms + n_units,) * 2)
    for atom, order in enumerate(_ORDER):
        for rank, unit in enumerate(order):
            drive_s[n_atoms + unit, atom] = drive_s[atom, n_atoms + unit] = _RANK_S[rank]
    np.fill_diagonal(drive_s, 2.0)
    model = Hypercube(rates, np.ones(n_units), np.array(_ORDER), "queue")
    return _city(
        "sent_on", [(i, 0) for i in range(n_atoms)], [(i, 2) for i in range(n_units)], model,
        is_sent_on=True, drive_s=tuple(tuple(float(s) for s in row) for row in drive_s), overrides=(),
        shares=(0.4, 0.6),
    )  # fmt: skip


def nearest_first(atoms: Sequence[tuple[int, int]], homes: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return (n_atoms, n_homes) homes in the order of their distance from each atom.

    Raises
    ------
    ValueError
        If two are as far: then the engine's lowest id would decide, not distance.
    """
    (x, y), (home_x, home_y) = np.array(atoms).T, np.array(homes).T
    squares = (x[:, None] - home_x) ** 2 + (y[:, None] - home_y) ** 2
    if (np.diff(np.sort(squares, axis=1), axis=1) == 0).any():
        raise ValueError("two homes are as far from an atom")
    return np.argsort(squares, axis=1)
