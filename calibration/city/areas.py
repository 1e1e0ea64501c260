"""Areas of the given folder: a cell belongs to the area of the given cell that is nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.city.source import ASSUMED, Source, write_table
from calibration.ground import Ground
from sim.city.forms import AREAS, CELLS, POLYGONS
from sim.city.settings import read_settings
from sim.city.stated import read_ground
from sim.errors import Problems

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas that have a cell: `code`, `name_zh`, `name_en`; `of_cell` (n_cells,) positions among them."""

    code: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    of_cell: Ints


def areas_of(ground: Ground, x_m: Ints, y_m: Ints) -> Areas | None:
    """Return the areas of cells at (x_m, y_m), (n_cells,) each; None where the given folder tells none apart.

    Raises
    ------
    InputError
        If the folder's places are wrong.
    """
    from scipy.spatial import cKDTree

    names = (*(ground.folder / name for name in (AREAS, POLYGONS, CELLS)),)
    if not (ground.folder / "city.yaml").is_file() or not any(path.is_file() for path in names):
        return None
    problems = Problems()
    settings = read_settings(ground.folder, problems)
    places = None if settings is None else read_ground(ground.folder, settings, ground.plane, problems)
    problems.raise_if_any()
    if places is None or places.towns.n_towns == 1:
        return None
    given = np.column_stack([places.cells.x_m, places.cells.y_m]).astype(np.float64)
    town = places.cells.town[cKDTree(given).query(np.column_stack([x_m, y_m]).astype(np.float64))[1]]
    kept, of_cell = np.unique(town, return_inverse=True)
    code, name_zh, name_en = (
        tuple(of[number] for number in kept)
        for of in (places.towns.code, places.towns.name_zh, places.towns.name_en)
    )  # fmt: skip
    return Areas(code, name_zh, name_en, of_cell.ravel().astype(np.int64))


def write_areas(folder: Path, areas: Areas, given: Path, source: Source) -> None:
    """Write `areas.csv`: the codes and names of the given folder."""
    why = source.row(ASSUMED, f"as given in {given.name}; a cell is of the area of the given cell nearest to it")
    rows = [
        {"area": code, "name_zh": name_zh, "name_en": name_en, **why}
        for code, name_zh, name_en in zip(areas.code, areas.name_zh, areas.name_en, strict=True)
    ]
    write_table(folder / AREAS, rows)
