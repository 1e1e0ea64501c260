"""The same work done otherwise: models that play the common workload without the engine and write the same event rows.

All start from the arrays of the engine's world (`sim.engine.build.build_world`), in which nothing has happened yet, and
know the plain course of incidents only (`plain.py`). Whatever they need beside those arrays is laid out before their
clock starts, as the engine's world is.

`whole.py` is a whole replication: chance of its own (`laws.py`, `drawn.py`), the SimPy model, tables (`framed.py`).
"""
