"""What the place of an incident adds to the way to its work: water supply, railway tracks, the village's own people.

`hydrants.py` says where water has to be brought, `tunnels.py` which incidents lie on a railway track and how they are
reached, `villages.py` when a village's or unit's own people come. Each module has its settings and returns arrays, one
entry per incident; `sim.inputs.Scenes` takes them to the engine. Chance is keyed by the incident's identity, so it is
the same in every scenario. Nothing here knows who responds.
"""
