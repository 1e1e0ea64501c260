"""From settings to `RunInputs`: reads the city folder, draws the replication's chance, builds what is missing.

An `InputsBuilder` keeps what runs share - the city, travel tables, the intensity of demand, the chance of a
replication, the sites of a world - so that the scenarios of one replication differ in nothing but what their settings
say. Everything here is a pure function of (settings, replication) and the files of the city folder. Each module adds
the parts that need those of the one before: `shared.py`, `demand.py`, `fleet.py`, `scenes.py`, `builder.py`.
"""

from sim.assemble.builder import DISPATCH_RULES, MOVE_UP_RULES, WATER, InputsBuilder, build_inputs
from sim.assemble.fleet import world_in_turn

__all__ = ["DISPATCH_RULES", "MOVE_UP_RULES", "WATER", "InputsBuilder", "build_inputs", "world_in_turn"]
