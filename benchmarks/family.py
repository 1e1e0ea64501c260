"""A process and all that it started: what they hold and have used, as Linux tells it."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from sim.run.memory import marked_mb


def family_of(pid: int) -> list[int]:
    """Return a process and all that it started and that are still there."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in family_of(int(child)))]


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds, MB; 0 where nothing tells it."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return 0.0


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU seconds of a process, those that it started and those of them that are gone; NaN if not told."""
    seconds = 0.0
    for one in family_of(pid):
        try:
            after_name = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        except OSError:
            return float("nan")
        seconds += sum(int(ticks) for ticks in after_name[11:15]) / os.sysconf("SC_CLK_TCK")
    return seconds


def peak_mb_of(pid: int) -> float:
    """Return the most memory that a process has held since it began, MB; 0 where nothing tells it."""
    return marked_mb(pid) or 0.0
