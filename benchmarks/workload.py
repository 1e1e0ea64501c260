"""The common workload: the one run on which all contenders are measured (`configs/scenario/common_workload.yaml`)."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sim.assemble import InputsBuilder
from sim.compose import compose
from sim.engine.build import build_world
from sim.engine.log import LOG_DTYPE, EventLog, LogKind
from sim.engine.world import WorldArrays
from sim.inputs import RunInputs

NAME = "common_workload"


def common(replication: int = 0, *overrides: str) -> RunInputs:
    """Return the inputs of the common workload, or of another form of it by `overrides` as on the command line."""
    return InputsBuilder().build(compose([f"scenario={NAME}", *overrides]).settings, replication)


def sizes(inputs: RunInputs, log: EventLog) -> dict[str, int]:
    """Return how large a run is: what goes in and how many rows of which kind come out."""
    rows = Counter(log.rows["kind"].tolist())
    return {
        "incidents": len(inputs.demand.incidents),
        "dispatches": rows[LogKind.DISPATCH],
        "needs that waited": rows[LogKind.WAIT],
        "units": len(inputs.fleet.units.station),
        "stations": len(inputs.fleet.stations.cell),
        "cells": len(inputs.city.cells.x_m),
        "dated changes": rows[LogKind.CHANGE],
        "event rows": len(log.rows),
    }


def fresh_world(inputs: RunInputs) -> WorldArrays:
    """Return a world in which nothing has happened yet, the pages of its log in memory."""
    arrays = build_world(inputs)
    arrays.log[:] = np.zeros(1, dtype=LOG_DTYPE)
    return arrays
