"""How much memory a process has held at most, for the record of a run and the line at its end."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def marked_mb(process: int | str) -> float | None:
    """Return the most memory that a process ("self": this one) has held so far, MB, as Linux tells it; else None."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return round(int(found[1]) / 1_000, 1) if found else None


def peak_mb() -> float:
    """Return the most memory that this process has held so far, MB resident; 0 where the system does not tell.

    Pages of files that processes map together, as the driving times, count in each of them.
    """
    marked = marked_mb("self")
    if marked is not None:
        return marked
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    # Elsewhere the kernel's mark is inherited from the process that started this one, so it is an upper bound.
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
