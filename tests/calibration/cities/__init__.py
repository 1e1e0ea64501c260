"""Synthetic cities whose truth is known: a folder of the city, a folder of records, and what made them.

    truth = compact(folder, n_calls=20_000, seed=1)  # writes folder/city and folder/records
    truth = sprawl(None, n_calls=5_000, noise="heavy")  # writes nothing

The truth is simulated by an event loop of its own (`dispatch`), made of numpy alone: it imports neither `sim` nor
`calibration`, so that what they get back from the records was not put in by themselves. Read `worlds` for the
parameters, `travel` for what a way takes, `dispatch` for who goes, `truth` for what a test may ask.
"""

from .make import compact, sprawl
from .truth import Truth
from .worlds import Options, World

__all__ = ["Options", "Truth", "World", "compact", "sprawl"]
