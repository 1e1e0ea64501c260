"""Progress on the error stream: each step with the time gone by, and draws as they are done."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_EVERY_S = 10.0


class Progress:
    """Tells steps and draws; give `step` and `draw` to what works."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._begin = self._told = time.perf_counter()
        self.seconds: dict[str, float] = {}
        self._step = ""

    @property
    def elapsed_s(self) -> float:
        """Return the seconds since the beginning."""
        return time.perf_counter() - self._begin

    def step(self, text: str) -> None:
        """Tell that a step begins; the one before it has ended."""
        self.end()
        self._step, self._at = text, time.perf_counter()
        self._say(text)

    def draw(self, n_done: int, n_draws: int) -> None:
        """Tell how many draws are done: every ten seconds, and the last one."""
        if n_done == n_draws or time.perf_counter() - self._told >= _EVERY_S:
            self._say(f"  {n_done} of {n_draws} draws")

    def end(self) -> None:
        """Note how long the present step took."""
        if self._step:
            self.seconds[self._step] = self.seconds.get(self._step, 0.0) + time.perf_counter() - self._at
            self._step = ""

    def _say(self, text: str) -> None:
        self._told = time.perf_counter()
        print(f"[{self.elapsed_s:7.1f} s] {text}", file=self._stream, flush=True)
