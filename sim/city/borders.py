"""Which towns touch, which borders are water, and through which cells a bridge crosses them.

On a schematic geography the real place of a bridge means little, so crossings without coordinates are spread evenly
along the border that the two towns have in the cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.city.types import Cells, Plane
from sim.errors import Problems
from sim.tables import Table


def _pair(table: Table, i: int) -> tuple[str, str]:
    a, b = sorted((str(table["town_a"][i]), str(table["town_b"][i])))
    return a, b


def check_pairs(adjacency: Table, problems: Problems) -> None:
    """Add a problem for a town beside itself and for a pair that stands twice, in either order."""
    first: dict[tuple[str, str], int] = {}
    for i in range(adjacency.n_rows):
        pair, row = _pair(adjacency, i), adjacency.row_number(i)
        if pair[0] == pair[1]:
            problems.add(adjacency.where, "cannot touch itself", value=pair[0], row=row, mend="name two towns")
        elif first.setdefault(pair, row) != row:
            rule = f"stands already in row {first[pair]}"
            problems.add(adjacency.where, rule, value=" - ".join(pair), row=row, mend="keep one of them")


def check_bridges(bridges: Table, adjacency: Table, problems: Problems) -> None:
    """Add a problem for a crossing between towns that do not touch, and for crossings not numbered from 1."""
    known = {_pair(adjacency, i) for i in range(adjacency.n_rows)}
    numbers: dict[tuple[str, str], list[int]] = {}
    for i in range(bridges.n_rows):
        pair = _pair(bridges, i)
        numbers.setdefault(pair, []).append(int(bridges["crossing"][i]))
        if pair not in known:
            rule, mend = "is not a pair of adjacency.csv", "add the pair there or drop the bridge"
            problems.add(bridges.where, rule, value=" - ".join(pair), row=bridges.row_number(i), mend=mend)
    for pair, found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            rule = f"(crossing) must count from 1, found {sorted(found)}"
            problems.add(bridges.where, rule, value=" - ".join(pair), mend="number the crossings of a pair 1, 2, ...")


def touching_cells(cells: Cells, a: int, b: int, cell_m: int) -> NDArray[np.int32]:
    """Return (n, 2) int32 cell_ids, of town a and town b, that stand side by side; else corner to corner; else nearest.

    Sorted along the border: by the midpoint's projection on the line across the one that joins the towns' middles,
    then by cell_id. Where the towns do not touch at all, the nearest pair of cells alone.
    """
    ids_a, ids_b = np.flatnonzero(cells.town == a), np.flatnonzero(cells.town == b)
    dx = cells.x_m[ids_a].astype(np.int64)[:, None] - cells.x_m[ids_b]
    dy = cells.y_m[ids_a].astype(np.int64)[:, None] - cells.y_m[ids_b]
    squares = dx * dx + dy * dy
    reach = cell_m * cell_m
    for limit in (reach, 2 * reach, int(squares.min())):
        rows, columns = np.nonzero(squares <= limit)
        if len(rows):
            break
    found_a, found_b = ids_a[rows], ids_b[columns]
    across_x = int(
        cells.y_m[ids_a].sum(dtype=np.int64) // len(ids_a) - cells.y_m[ids_b].sum(dtype=np.int64) // len(ids_b)
    )
    across_y = int(
        cells.x_m[ids_b].sum(dtype=np.int64) // len(ids_b) - cells.x_m[ids_a].sum(dtype=np.int64) // len(ids_a)
    )
    mid_x = cells.x_m[found_a].astype(np.int64) + cells.x_m[found_b]
    mid_y = cells.y_m[found_a].astype(np.int64) + cells.y_m[found_b]
    order = np.lexsort((found_b, found_a, mid_x * across_x + mid_y * across_y))
    return np.stack([found_a[order], found_b[order]], axis=1).astype(np.int32)


def place_bridges(
    bridges: Table, pairs: NDArray[np.int16], plane: Plane, cells: Cells, cell_m: int
) -> NDArray[np.int32]:
    """Return (n_bridges, 2) int32 cell_ids joined by each row of `bridges`, the first in the town with the lower id.

    A crossing with coordinates joins the pair of cells whose midpoint is nearest to it; the others stand at the shares
    (i + 1/2) / n of the border. Where the border is shorter than its crossings, some share a pair of cells.
    """
    found: list[tuple[int, int]] = []
    for i, (a, b) in enumerate(pairs.tolist()):
        border = touching_cells(cells, a, b, cell_m)
        n_crossings = int(np.sum(np.all(pairs == pairs[i], axis=1)))
        at = (2 * int(bridges["crossing"][i]) - 1) * len(border) // (2 * n_crossings)
        lat, lon = float(bridges["lat"][i] or np.nan), float(bridges["lon"][i] or np.nan)
        if not (np.isnan(lat) or np.isnan(lon)):
            x_m, y_m = plane.xy_m(lat, lon)
            dx = cells.x_m[border].astype(np.int64).sum(axis=1) - 2 * x_m
            dy = cells.y_m[border].astype(np.int64).sum(axis=1) - 2 * y_m
            at = int(np.argmin(dx * dx + dy * dy))
        found.append((int(border[at, 0]), int(border[at, 1])))
    return np.array(found, dtype=np.int32).reshape(-1, 2)
