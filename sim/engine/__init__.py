"""The engine: frozen inputs in, event log out.

Read `model.py` first: it tells, event by event, how the city works. `rules.py` decides; `transitions.py` does what an
event does, with the changes of `state.py`; `world.py` says what the state is, `events.py` in which order things happen,
`log.py` what is written down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

ENGINES = ("auto", "simpy", "kernel", "both")


def simulate(inputs: RunInputs, engine: str = "auto") -> EventLog:
    """Return the event log of one run.

    Parameters
    ----------
    engine
        `simpy` is the reference model, `kernel` its compiled twin, `auto` takes the kernel (every rule is built in),
        `both` runs the two and raises `EngineError` at the first event that differs.
    """
    from sim.errors import EngineError

    if engine == "simpy":
        from sim.engine.model import run_simpy

        return run_simpy(inputs)
    if engine in ("auto", "kernel"):
        from sim.engine.kernel import run_kernel

        return run_kernel(inputs)
    if engine == "both":
        from sim.engine.parity import run_both

        return run_both(inputs)
    raise EngineError(f"engine {engine!r} is not one of {', '.join(ENGINES)}")
