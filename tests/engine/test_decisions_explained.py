"""The explanation of a decision ranks first whom the engine sent, with its expected arrival, whatever levers are on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.log import LogKind
from sim.run.explain import decisions_of
from tests.engine.test_properties import cities_with_levers


def check_decisions(city):
    """Every DISPATCH row is the first candidate's, every WAIT row has nobody who can go; the others have reasons."""
    inputs = city.inputs()
    log = city.run("kernel")
    wanted = np.flatnonzero(np.isin(log.rows["kind"], (LogKind.DISPATCH, LogKind.WAIT)))
    decisions = list(decisions_of(inputs, log, wanted))
    assert len(decisions) == len(wanted)
    for decision in decisions:
        able = [c for c in decision.candidates if not c.why_not]
        if decision.chosen < 0:
            assert not able, decision
            continue
        assert able, decision
        first = decision.candidates[0]
        assert (first.unit, first.expected_ms) == (decision.chosen, decision.expected_ms), decision
        assert [bool(c.why_not or c.why_behind) for c in decision.candidates] == [False] + [True] * (
            len(decision.candidates) - 1
        )


@settings(max_examples=40)
@given(data=st.data())
def test_first_is_whom_the_engine_sent_with_every_lever_in_play(tiny, data):
    check_decisions(data.draw(cities_with_levers(tiny)))


@pytest.mark.slow
@settings(max_examples=4000)
@given(data=st.data())
def test_first_is_whom_the_engine_sent_on_thousands_of_small_cities(tiny, data):
    check_decisions(data.draw(cities_with_levers(tiny)))
