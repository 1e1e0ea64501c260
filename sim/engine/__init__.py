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


def engine_for(engine: str, own_rule: str = "") -> tuple[str, str]:
    """Return (the engine that plays, why it) for a setting of `run.engine` and of `dispatch.own_rule`.

    Raises
    ------
    InputError
        If the compiled loop is asked for a rule that it does not have.
    """
    from sim.errors import InputError, Problem

    if engine == "auto":
        if own_rule:
            return "simpy", f"dispatch.own_rule is your own Python ({own_rule})"
        return "kernel", "every rule chosen is built in"
    if own_rule and engine != "simpy":
        rule = f"(run.engine) plays built-in rules only, and dispatch.own_rule is your own Python ({own_rule})"
        raise InputError([Problem("settings", rule, engine, mend="choose run.engine=auto or simpy")])
    return engine, f"run.engine={engine}"


def simulate(inputs: RunInputs, engine: str = "auto") -> EventLog:
    """Return the event log of one run.

    Parameters
    ----------
    engine
        `simpy` is the reference model, `kernel` its compiled twin, `auto` takes the kernel where every rule is built in
        and else SimPy (`engine_for`), `both` runs the two and raises `EngineError` at the first event that differs.
    """
    from sim.errors import EngineError

    if engine in ENGINES:
        engine, _ = engine_for(engine, inputs.own_rule.name if inputs.own_rule else "")
    if engine == "simpy":
        from sim.engine.model import run_simpy

        return run_simpy(inputs)
    if engine == "kernel":
        from sim.engine.kernel import run_kernel

        return run_kernel(inputs)
    if engine == "both":
        from sim.engine.parity import run_both

        return run_both(inputs)
    raise EngineError(f"engine {engine!r} is not one of {', '.join(ENGINES)}")
