"""SimPy owns the clock and the dates: the compiled loop advances the city from one day or dated change to the next."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import simpy

from sim.engine.kernel import KernelRun
from sim.engine.log import EventLog
from sim.engine.world import WorldArrays
from sim.units import MS_PER_DAY, MS_PER_H


class DailyModel:
    """One run; `run` is the work alone."""

    def __init__(self, arrays: WorldArrays) -> None:
        self.env = simpy.Environment(initial_time=0)
        self.kernel = KernelRun(arrays)
        end_ms = len(arrays.period_of_hour) * MS_PER_H
        days = np.arange(0, end_ms + 1, MS_PER_DAY)
        self._instants = np.union1d(days, arrays.changes["time_ms"]).tolist()

    def _dates(self) -> Generator[simpy.Event, None, None]:
        for instant in self._instants:
            yield self.env.timeout(instant - self.env.now)
            self.kernel.advance(instant + 1)  # the dated changes of this instant come first in it

    def run(self) -> EventLog:
        """Run to the end and return the log."""
        self.env.process(self._dates())
        self.env.run()
        return self.kernel.finish()
