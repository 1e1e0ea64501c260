"""How many people live in each town, and how they spread over its cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problems, nearest_name
from sim.plan import load_plan
from sim.tables import Table


@dataclass(frozen=True, slots=True)
class TownPeople:
    """Residents (n_towns,) int64 and built-up area (n_towns,) float64, km2, in the order of towns.csv."""

    population: NDArray[np.int64]
    built_up_km2: NDArray[np.float64]


def read_people(folder: Path, towns: Table, problems: Problems) -> TownPeople | None:
    """Return the residents and built-up area that the folder's plan gives to each row of towns.csv, in their order.

    Faults of the plan's tables, and towns that stand in only one of plan and towns.csv, go to `problems`.
    """
    try:
        plan = load_plan(folder)
    except InputError as error:
        problems.found.extend(error.problems)
        return None
    codes, known = [str(code) for code in towns["code"]], towns.names("code")
    for code in [code for code in plan.code if known is not None and code not in known]:
        problems.add("plan_towns.csv", "(code) is not in towns.csv", value=code, mend=nearest_name(code, codes))
    for code in [code for code in codes if code not in plan.code]:
        problems.add("towns.csv", "(code) is not in plan_towns.csv", value=code, mend=nearest_name(code, plan.code))
    if problems.found:
        return None
    row = [plan.code.index(code) for code in codes]
    return TownPeople(plan.population[row], plan.built_up_km2[row])


def largest_remainder(total: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return (n,) int64 shares of `total` in proportion to `weights`; they sum to `total` exactly.

    Hamilton's method: the whole parts first, then one each to the largest remainders; ties go to the lowest position.
    """
    if total == 0:
        return np.zeros(len(weights), dtype=np.int64)
    exact = total * weights / math.fsum(weights)
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def spread_people(
    total: int, dist_m: NDArray[np.float64], n_built_up: int, scale_m: float, rural_share: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return a town's (population, is_built_up) per cell, both (n_cells,).

    The `n_built_up` cells nearest to the seat are built up (ties to the lowest position). `rural_share` of the people
    live evenly in the other cells; the rest in the built-up ones, in proportion to exp(-distance / `scale_m`), the
    falling density that Clark (1951, J. R. Stat. Soc. A 114) found in cities.
    """
    n_cells = len(dist_m)
    is_built_up = np.zeros(n_cells, dtype=np.bool_)
    is_built_up[np.argsort(dist_m, kind="stable")[:n_built_up]] = True
    n_rural = 0 if n_built_up == n_cells else math.floor(total * rural_share + 0.5)
    people = np.zeros(n_cells, dtype=np.int64)
    density = np.array([math.exp(-d / scale_m) for d in dist_m[is_built_up].tolist()])
    people[is_built_up] = largest_remainder(total - n_rural, density)
    people[~is_built_up] = largest_remainder(n_rural, np.ones(n_cells - int(is_built_up.sum())))
    return people, is_built_up
