"""What minutes may mean at a fire: deaths and losses by curves from abroad. An estimate, apart from everything else.

Nothing here is simulated and nothing simulated rests on it: it is reckoned from the incident tables of finished
replications, on request. Read `curves.py` for the two curves; `sim/compare/outcome.py` adds them up.
"""

from sim.outcome.curves import death_risk, loss_share
from sim.outcome.settings import OutcomeSettings
from sim.outcome.weights import FIRE_OUTCOMES, FireWeights, load_fire_weights

__all__ = ["FIRE_OUTCOMES", "FireWeights", "OutcomeSettings", "death_risk", "load_fire_weights", "loss_share"]
