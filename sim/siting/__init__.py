"""Where stations stand and where new ones will: stored worlds of sites, made once and never from a scenario's demand.

`load_siting(folder, world)` gives one world, `siting_worlds(folder)` lists them, `load_station_coordinates(path, city)`
takes a list of real stations instead. `python -m sim.siting.build CITY_FOLDER TRAVEL_WORLD` makes the stored worlds
again: read `choose.py` for the criteria, then `build.py`. Knows no unit, no incident and no schedule but the order in
which the plan builds.
"""

from sim.siting.load import Siting, SitingWorld, load_siting, load_station_coordinates, siting_worlds

__all__ = ["Siting", "SitingWorld", "load_siting", "load_station_coordinates", "siting_worlds"]
