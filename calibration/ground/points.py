"""Places of records on the city's plane: by coordinates in the records' declared system, by cell, or by area.

Coordinates go before cells, cells before areas. What cannot be placed is counted by reason and stays in the records;
what shows that the system or the city is the wrong one is an error, as no fit could mend it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from calibration.ground.folder import Ground
from calibration.records import Records
from sim.city.crs import EPSG, GEOGRAPHIC, PLANE, bd09_to_gcj02, gcj02_to_wgs84, transformer
from sim.errors import InputError, Problem

Floats = NDArray[np.float64]
FARTHEST_M = 150_000
"""A call farther than this from every station is no call of this city (assumed)."""
_MOST_FAR = 0.2


@dataclass(frozen=True, slots=True)
class Placed:
    """Where calls are: `x_m`, `y_m` (n,) float64 m, NaN where not known; `reasons`: how many are not, by why.

    `said`: what their places are not exact in, in words.
    """

    x_m: Floats
    y_m: Floats
    reasons: Mapping[str, int]
    said: tuple[str, ...] = ()


def place_calls(records: Records, ground: Ground) -> Placed:
    """Return where the incidents are.

    Raises
    ------
    InputError
        If no call can be placed, or more than a fifth lie far from every station.
    """
    frame = records.incidents
    x_m, y_m = _from_coordinates(frame, records.crs.lower(), ground)
    reasons: dict[str, int] = {}
    n_exact = int(np.isfinite(x_m).sum())
    _fill_from_cells(frame["cell"], ground, x_m, y_m)
    unknown = _fill_from_areas(frame["zone"], ground, x_m, y_m)
    n_middle = int(np.isfinite(x_m).sum()) - n_exact
    middles = len({*zip(x_m[np.isfinite(x_m)].tolist(), y_m[np.isfinite(x_m)].tolist(), strict=True)})
    if len(unknown):
        reasons[f"areas that the city does not have ({', '.join(unknown[:5])})"] = int(
            frame["zone"].isin(unknown).to_numpy()[np.isnan(x_m)].sum()
        )
    is_lost = frame["cell"].notna().to_numpy() & ~frame["zone"].isin(unknown).to_numpy() & np.isnan(x_m)
    cells = sorted(set(frame["cell"][is_lost].astype(str)))
    if cells:
        reasons[f"cells that the city does not have ({', '.join(cells[:5])})"] = int(is_lost.sum())
    is_placed = ~np.isnan(x_m)
    if not is_placed.any():
        rule = "no incident has a place that the city folder knows"
        mend = "give lat and lon (or x and y with crs) in the records, or areas.csv or cells.csv with their labels"
        raise InputError([Problem("incidents", rule, value=", ".join([*unknown[:5], *cells[:5]]) or None, mend=mend)])
    away = _away_m(ground, x_m, y_m)
    is_far = is_placed & (away > FARTHEST_M)
    if is_far.sum() > _MOST_FAR * is_placed.sum():
        rule = (
            f"{int(is_far.sum())} of {int(is_placed.sum())} incidents lie more than {FARTHEST_M // 1000} km from every"
            f" station (median {float(np.median(away[is_far])) / 1000:.0f} km)"
        )
        mend = f"the records' crs is {records.crs}, the city's {ground.crs}: look at both, and at lat and lon swapped"
        raise InputError([Problem("incidents", rule, mend=mend)])
    if is_far.any():
        reasons[f"more than {FARTHEST_M // 1000} km from every station"] = int(is_far.sum())
        x_m[is_far] = y_m[is_far] = np.nan
    n_without = int(np.isnan(x_m).sum()) - sum(reasons.values())
    if n_without > 0:
        reasons["no place recorded"] = n_without
    said: tuple[str, ...] = ()
    if n_middle:
        said = (f"{n_middle / len(frame):.1%} of the calls name a cell, zone or area alone: they stand at its middle"
                f" ({middles} places in all)",)  # fmt: skip
    return Placed(x_m, y_m, reasons, said)


def _away_m(ground: Ground, x_m: Floats, y_m: Floats) -> Floats:
    from scipy.spatial import cKDTree

    away = np.zeros(len(x_m))
    is_known = np.isfinite(x_m)
    tree = cKDTree(np.column_stack([ground.x_m, ground.y_m]).astype(np.float64))
    away[is_known] = tree.query(np.column_stack([x_m, y_m])[is_known])[0]
    return away


def _from_coordinates(frame: pd.DataFrame, crs: str, ground: Ground) -> tuple[Floats, Floats]:
    """Return (x_m, y_m) of what is given in coordinates."""
    n = len(frame)
    x_m, y_m = np.full(n, np.nan), np.full(n, np.nan)
    lat, lon = (frame[c].to_numpy(np.float64, copy=True) for c in ("lat", "lon"))
    east, north = (frame[c].to_numpy(np.float64, copy=True) for c in ("x", "y"))
    if crs == PLANE:
        return east.copy(), north.copy()
    if crs.startswith(EPSG):
        found = transformer(crs)
        is_given = np.isfinite(east) & np.isfinite(north)
        if found is None:
            rule, mend = "(crs) is no projected EPSG code", "write epsg:NUMBER of a projected system"
            raise InputError([Problem("records.yaml", rule, value=crs, mend=mend)])
        if is_given.any():
            lon_of, lat_of = found.transform(east[is_given], north[is_given])
            lat[is_given], lon[is_given] = np.asarray(lat_of), np.asarray(lon_of)
    elif crs in GEOGRAPHIC and crs != "wgs84":
        lat, lon = _from_chinese(crs, lat, lon)
    is_given = np.isfinite(lat) & np.isfinite(lon)
    plane = ground.plane
    x_m[is_given] = (lon[is_given] - plane.lon0) * plane.m_per_deg_lon
    y_m[is_given] = (lat[is_given] - plane.lat0) * plane.m_per_deg_lat
    return x_m, y_m


def _from_chinese(crs: str, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Return WGS84 degrees of GCJ-02 or BD-09 ones; equal places are converted once."""
    out_lat, out_lon = np.full(len(lat), np.nan), np.full(len(lon), np.nan)
    is_given = np.isfinite(lat) & np.isfinite(lon)
    places, code = np.unique(np.column_stack([lat, lon])[is_given], axis=0, return_inverse=True)
    converted = np.array([_wgs84(crs, float(a), float(b)) for a, b in places]).reshape(-1, 2)
    out_lat[is_given], out_lon[is_given] = converted[code.ravel(), 0], converted[code.ravel(), 1]
    return out_lat, out_lon


def _wgs84(crs: str, lat: float, lon: float) -> tuple[float, float]:
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return math.nan, math.nan
    return gcj02_to_wgs84(*bd09_to_gcj02(lat, lon)) if crs == "bd09" else gcj02_to_wgs84(lat, lon)


def _fill_from_cells(labels: pd.Series, ground: Ground, x_m: Floats, y_m: Floats) -> None:
    """Put calls without coordinates in the middle of the cell that they name."""
    if not len(ground.cell_xy) or not labels.notna().any():
        return
    number = pd.to_numeric(labels.astype("object"), errors="coerce").to_numpy(np.float64)
    is_whole = np.isfinite(number) & (number == np.floor(number))
    is_cell = np.isnan(x_m) & is_whole & (number >= 0) & (number < len(ground.cell_xy))
    cell = number[is_cell].astype(np.int64)
    x_m[is_cell], y_m[is_cell] = ground.cell_xy[cell, 0], ground.cell_xy[cell, 1]


def _fill_from_areas(labels: pd.Series, ground: Ground, x_m: Floats, y_m: Floats) -> list[str]:
    """Put calls without a place in the middle of the area that they name; return labels that the city does not have."""
    unknown: list[str] = []
    for label in labels.cat.categories:
        is_it = (labels == label).to_numpy() & np.isnan(x_m)
        if not is_it.any():
            continue
        if label in ground.area_xy:
            x_m[is_it], y_m[is_it] = ground.area_xy[label]
        else:
            unknown.append(str(label))
    return unknown
