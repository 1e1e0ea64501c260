"""Ways by water along lines that meet where they share a point, for cells near enough to them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.errors import InputError
from sim.fleet.waterways import ways_by_water

HEAD = "waterway,point,lat,lon,reach_m,source,standing\n"
# A river from (0, 0) to (0, 10) km with a branch north from (0, 6) to (4, 6); a degree is a kilometre.
RIVER = ("river,1,0,0", "river,2,0,6", "river,3,0,10", "branch,1,0,6", "branch,2,4,6")


def city(*points: tuple[int, int]) -> SimpleNamespace:
    """Cells at points given in metres east and north."""
    x, y = np.array(points).T
    plane = SimpleNamespace(xy_m=lambda lat, lon: (round(1000 * lon), round(1000 * lat)))
    return SimpleNamespace(plane=plane, cells=SimpleNamespace(x_m=x, y_m=y), cell_m=1000)


def ways(folder: Path, lines: tuple[str, ...], where: SimpleNamespace, *quays: int) -> list[list[int]]:
    text = HEAD + "".join(f"{line},1000,test,assumed\n" for line in lines)
    (folder / "waterways.csv").write_text(text, encoding="utf-8")
    return ways_by_water(folder, where, np.array(quays, dtype=np.int32)).tolist()


def test_the_way_follows_the_lines_and_dry_cells_have_none(tmp_path: Path) -> None:
    where = city((1000, 500), (4000, -900), (9000, 0), (6500, 3000), (4000, 1001), (1000, 0))
    # from x = 1 km: 3 km on; 8 km to the far end; 5 km to the fork and 3 km up; too far off; at the quay
    assert ways(tmp_path, RIVER, where, 0) == [[0, 3000, 8000, 8000, -1, 0]]


def test_the_way_is_as_long_in_either_direction(tmp_path: Path) -> None:
    where = city((1000, 500), (9000, 0), (6500, 3000))
    table = np.array(ways(tmp_path, RIVER, where, 0, 1, 2))
    assert np.array_equal(table, table.T)
    assert table[1, 2] == 6000


def test_lines_that_do_not_meet_lead_nowhere(tmp_path: Path) -> None:
    lines = ("river,1,0,0", "river,2,0,6", "lake,1,4,0", "lake,2,4,6")
    assert ways(tmp_path, lines, city((1000, 0), (3000, 0), (1000, 4000)), 0) == [[0, 2000, -1]]


def test_a_dry_quay_and_a_line_of_one_point_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies 3000 m from the nearest waterway"):
        ways(tmp_path, RIVER, city((1000, 3000), (1000, 0)), 0)
    with pytest.raises(InputError, match="'pond' has one point only"):
        ways(tmp_path, (*RIVER, "pond,1,2,2"), city((1000, 0)), 0)
