"""Verification: the engines, fed as a user feeds them, held against what theory knows exactly.

Every case writes a small city folder, composes settings, builds inputs and simulates, all as a run does; what comes out
is held against a closed form within its standard error. `checks.py` says what a check and a case are, `registry.py`
lists the cases, `played.py` plays cities, `queue_city.py` writes one that is a queue, `formulas.py` holds the closed
forms. Nothing here knows a real city. Next: `registry.py`.
"""

from sim.verification.checks import Case, Check, Rule, Told

__all__ = ["Case", "Check", "Rule", "Told"]
