"""Where: towns, demand cells, special sites, rail stations, borders and bridges of one city folder.

`load_city(folder)` gives the checked `City`; `python -m sim.city.build FOLDER` makes the folder's `cells.csv` from
its towns when there are no real boundaries. Knows no city, no station, no incident and no road.
"""

from sim.city.load import load_city
from sim.city.types import Cells, City, Plane, RailStations, Sites, Towns

__all__ = ["Cells", "City", "Plane", "RailStations", "Sites", "Towns", "load_city"]
