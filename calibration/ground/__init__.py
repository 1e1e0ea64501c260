"""Where the records happened: stations and units of a city folder, and zones that hold every call.

`read_ground` takes as little as a list of stations; `zones.py` lays the zones between which a model drives. It knows
the columns of records, and nothing of fits.
"""

from calibration.ground.folder import Ground, read_ground
from calibration.ground.zones import Zones, lay_zones

__all__ = ["Ground", "Zones", "lay_zones", "read_ground"]
