"""Streets at right angles between the middles of a lattice of cells, as a road graph that a city brings itself."""

from __future__ import annotations

from pathlib import Path

from sim.city.settings import metres_per_degree
from sim.verification.small_city import ORIGIN


def street_grid(path: Path, n_side: int, side_m: int) -> None:
    """Write GraphML of the form that OSMnx saves: n_side^2 crossings, one per cell, and streets between neighbours."""
    lat0, lon0 = ORIGIN
    per_lat, per_lon = metres_per_degree(lat0)
    keys = (("node", "x"), ("node", "y"), ("edge", "length"), ("edge", "highway"), ("graph", "crs"))
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    lines += [f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="string"/>' for of, name in keys]
    lines += ['<graph edgedefault="undirected">', '<data key="crs">epsg:4326</data>']
    for cell in range(n_side**2):
        north, east = divmod(cell, n_side)
        lat, lon = lat0 + north * side_m / per_lat, lon0 + east * side_m / per_lon
        lines.append(f'<node id="{cell}"><data key="x">{lon!r}</data><data key="y">{lat!r}</data></node>')
    street = f'<data key="length">{side_m}</data><data key="highway">street</data></edge>'
    for cell in range(n_side**2):
        ends = ([cell + 1] if (cell + 1) % n_side else []) + ([cell + n_side] if cell + n_side < n_side**2 else [])
        lines += [f'<edge source="{cell}" target="{end}">{street}' for end in ends]
    path.write_text("\n".join([*lines, "</graph></graphml>", ""]), encoding="utf-8")
