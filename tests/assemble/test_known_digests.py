"""Digests of parts that several runs share are made once, and are those that each would have alone."""

from __future__ import annotations

import numpy as np

from sim.inputs import KnownDigests, digest_of


def test_a_part_is_known_again_as_the_same_object_and_another_never_takes_its_place():
    known = KnownDigests(n_most=2)
    for number in range(50):  # each is let go of by us, so that a new one could lie where it lay
        part = np.arange(number, dtype=np.int64)
        assert known.of(part) == digest_of(part)
        assert known.of(part) == digest_of(np.arange(number))


def test_digests_of_a_run_are_the_same_whether_other_runs_were_digested_before():
    from sim.assemble import InputsBuilder
    from sim.compose import compose

    builder, known = InputsBuilder(), KnownDigests()
    for schedule in ("plan", "none"):
        week = ["window=one_week", "schedule.is_outside_run_allowed=true", f"schedule={schedule}"]
        inputs = builder.build(compose(week).settings, 0)
        assert inputs.digests(known) == inputs.digests()
