"""Cleans places: exchanged latitude and longitude, impossible and far coordinates, metres declared as degrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.records.account import Ledger
from calibration.records.part import Mask, Part
from calibration.records.settings import NAME
from calibration.records.stamps import MISSING, READ
from calibration.records.values import read_numbers
from sim.errors import Problems

Numbers = NDArray[np.float64]
_PAIRS = (("lat", "lon"), ("x", "y"))
_M_PER_DEG = 111_195.0
"""Metres in a degree of a great circle (mean radius of the earth 6371.0 km)."""
_FAR_M = 100_000.0
_FAR_TIMES = 20.0
_DEGREES = ("", "WGS84", "EPSG:4326", "GCJ-02", "BD-09")


@dataclass(frozen=True, slots=True)
class Places:
    """Coordinates (n,) float64 by column, NaN where unknown, of the rows of `part`."""

    part: Part
    coordinates: Mapping[str, Numbers]


def check_crs(part: Part, crs: str, problems: Problems) -> None:
    """Add problems for coordinates that do not go with the declared reference: metres as degrees and the reverse."""
    named = crs.upper().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09")
    is_degrees = named in _DEGREES
    for first, second in _PAIRS:
        if first not in part.texts or second not in part.texts:
            continue
        pair = [read_numbers(part.texts[name], part.has_decimal_comma)[0] for name in (first, second)]
        given = np.fmax(np.abs(pair[0]), np.abs(pair[1]))
        given = given[np.isfinite(given)]
        looks_metric = len(given) > 0 and float(np.mean(given > 360.0)) > 0.5
        where = f"{part.where}"
        if first == "lat" and looks_metric:
            mend = f"map the headers to x and y under columns and write their crs (such as EPSG:25833) in {NAME}"
            problems.add(where, "(lat, lon) hold metres, not degrees", value=float(np.median(given)), mend=mend)
        elif first == "x" and len(given) and not looks_metric and not is_degrees:
            mend = f"map the headers to lon and lat under columns in {NAME}"
            problems.add(where, "(x, y) hold degrees, not metres", value=float(np.median(given)), mend=mend)
        elif first == "x" and (is_degrees or not named.startswith("EPSG:")):
            mend = "write the projected one, such as crs: EPSG:25833"
            problems.add(NAME, "(crs) does not say in which projection x and y are", value=crs or None, mend=mend)
        elif first == "lat" and not is_degrees and "x" not in part.texts:
            problems.add(NAME, "(crs) is not one of degrees", value=crs, mend=f"one of {', '.join(_DEGREES[1:])}")


def clean_places(part: Part, bounds: Mapping[str, tuple[float, float]], ledger: Ledger) -> Places:
    """Return the rows that have a place, with coordinates mended; every row is accounted for.

    Steps: rows without any place; columns exchanged throughout; rows exchanged; impossible and far coordinates.
    """
    pairs = [pair for pair in _PAIRS if pair[0] in part.texts and pair[1] in part.texts]
    has_label = (part.text("zone") != "") | (part.text("cell") != "")
    has_pair = np.zeros(len(part.rows), dtype=np.bool_)
    for pair in pairs:
        has_pair |= (part.texts[pair[0]] != "") | (part.texts[pair[1]] != "")
    part = part.reject("place_missing", "", ~(has_label | has_pair), ledger)
    coordinates: dict[str, Numbers] = {}
    for pair in pairs:
        part, coordinates = _clean_pair(part, coordinates, pair, bounds, ledger)
    return Places(part, coordinates)


def _clean_pair(
    part: Part,
    before: dict[str, Numbers],
    pair: tuple[str, str],
    bounds: Mapping[str, tuple[float, float]],
    ledger: Ledger,
) -> tuple[Part, dict[str, Numbers]]:
    read = [read_numbers(part.texts[name], part.has_decimal_comma) for name in pair]
    (a, state_a), (b, state_b) = read
    is_given = (state_a != MISSING) | (state_b != MISSING)
    is_read = (state_a == READ) & (state_b == READ) & ~((a == 0) & (b == 0))
    is_geographic = pair == ("lat", "lon")
    box = (bounds[pair[0]], bounds[pair[1]]) if pair[0] in bounds else None
    if is_geographic:
        a, b = _turned(part, a, b, is_read, box, ledger)
    is_possible = is_read & (_on_globe(a, b) if is_geographic else np.isfinite(a))
    is_near = is_possible & _near(a, b, is_possible, box, is_geographic)
    is_far = is_possible & ~is_near
    has_other = (part.text("zone") != "") | (part.text("cell") != "")
    for values in before.values():
        has_other |= np.isfinite(values)
    is_bad = is_given & ~is_near
    part.note("place_by_label", pair[0], is_bad & has_other, ledger)
    part.note("place_impossible", pair[0], is_given & ~is_possible & ~has_other, ledger)
    part.note("place_far", pair[0], is_far & ~has_other, ledger)
    keep = ~is_bad | has_other
    found = {pair[0]: np.where(is_near, a, np.nan)[keep], pair[1]: np.where(is_near, b, np.nan)[keep]}
    return part.take(keep), {**{name: values[keep] for name, values in before.items()}, **found}


def _turned(
    part: Part, lat: Numbers, lon: Numbers, is_read: Mask, box: tuple[tuple[float, float], ...] | None, ledger: Ledger
) -> tuple[Numbers, Numbers]:
    """Return latitude and longitude with exchanged columns and rows turned round."""
    fits = _on_globe(lat, lon) if box is None else _in_box(lat, lon, box)
    fits_turned = _on_globe(lon, lat) if box is None else _in_box(lon, lat, box)
    n = int(is_read.sum())
    n_as_given, n_turned = int((fits & is_read).sum()), int((fits_turned & is_read).sum())
    if 2 * n_turned > n and n_turned > n_as_given and 2 * n_as_given < n:
        part.note("swapped_columns", "lat", is_read, ledger)
        lat, lon = lon, lat
    is_possible = is_read & _on_globe(lat, lon)
    is_odd = is_read & ~(is_possible & _near(lat, lon, is_possible, box, True))
    turned_near = is_odd & _on_globe(lon, lat) & _near(lon, lat, is_possible, box, True, (lat, lon))
    part.note("swapped_row", "lat", turned_near, ledger)
    return np.where(turned_near, lon, lat), np.where(turned_near, lat, lon)


def _on_globe(lat: Numbers, lon: Numbers) -> Mask:
    return (np.abs(lat) <= 90) & (np.abs(lon) <= 180)


def _in_box(a: Numbers, b: Numbers, box: tuple[tuple[float, float], ...]) -> Mask:
    return (a >= box[0][0]) & (a <= box[0][1]) & (b >= box[1][0]) & (b <= box[1][1])


def _near(
    a: Numbers,
    b: Numbers,
    is_possible: Mask,
    box: tuple[tuple[float, float], ...] | None,
    is_geographic: bool,
    centre_of: tuple[Numbers, Numbers] | None = None,
) -> Mask:
    """Return which places are in the box, or near the median of the possible ones (of `centre_of`, if given)."""
    if box is not None:
        return _in_box(a, b, box)
    if not is_possible.any():
        return np.zeros(len(a), dtype=np.bool_)
    of = centre_of or (a, b)
    centre = [float(np.median(values[is_possible])) for values in of]
    scale = (_M_PER_DEG, _M_PER_DEG * np.cos(np.radians(centre[0]))) if is_geographic else (1.0, 1.0)
    typical = np.hypot((of[0] - centre[0]) * scale[0], (of[1] - centre[1]) * scale[1])[is_possible]
    limit = max(_FAR_M, _FAR_TIMES * float(np.median(typical)))
    near: Mask = np.hypot((a - centre[0]) * scale[0], (b - centre[1]) * scale[1]) <= limit
    return near
