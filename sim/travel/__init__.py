"""How long driving takes: expected durations between all cells, by time of day.

Everything behind one interface: a `TravelSource` (`source.py`) yields whole milliseconds between cells, and
`travel_tables` turns any of them into cached `TravelTables`. Two sources exist: the schematic road graph of a city's
cells (`roads.py`, `graph.py`, `durations.py`) and a matrix that the user gives (`matrix.py`, `given.py`); `travel_of`
chooses. Named travel worlds are YAML files of `TravelSettings` (`settings.py`); the figures they stand on are
recomputed in `benchmarks.py` and in `calibration.travel_worlds`.

The package must not know incidents, units or any city. Read `graph.py` first, then `durations.py`.
"""

from sim.travel.given import travel_of
from sim.travel.source import TravelSource, TravelTables, build_travel, travel_tables

__all__ = ["TravelSource", "TravelTables", "build_travel", "travel_of", "travel_tables"]
