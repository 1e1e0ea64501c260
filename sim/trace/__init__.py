"""Given calls on given resources, as the inputs of a run: no city folder, no settings, and chance only where asked for.

Zones lie anywhere and are the cells; stations stand in zones; a matrix gives the driving times. Each call brings its
own needs, each need what is recorded of the unit that came for it. With every duration recorded the run is a function
of its inputs that can be worked out by hand: `docs/replay.md` does so. Start with `trace_inputs`.
"""

from sim.trace.build import NEAREST, trace_inputs
from sim.trace.replication import with_replication
from sim.trace.types import CALL_DTYPE, NEED_DTYPE, UNKNOWN, Call, Need, Station, Trace, Unit, trace_of

__all__ = [
    "CALL_DTYPE",
    "NEAREST",
    "NEED_DTYPE",
    "UNKNOWN",
    "Call",
    "Need",
    "Station",
    "Trace",
    "Unit",
    "trace_inputs",
    "trace_of",
    "with_replication",
]
