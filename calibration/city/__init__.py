"""A city folder from a fitted model, such as `dgsim run city.folder=DIR` takes: `write_city`, and how far it is off.

`write` (what stands in which file) -> `places`, `demand`, `sending`, `times` (the numbers) -> `lost` (what the folder's
tables cannot hold) -> `compared` (its first arrivals beside the records'). Knows no command line.
"""

from .compared import Arrivals, arrivals
from .write import write_city

__all__ = ["Arrivals", "arrivals", "write_city"]
