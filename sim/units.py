"""Conversions into the model's own units: whole milliseconds and whole metres.

Everything is converted once, at the border; behind it there are only integers. This module knows nothing else.
"""

from __future__ import annotations

MS_PER_S = 1_000
MS_PER_MIN = 60_000
MS_PER_H = 3_600_000
MS_PER_DAY = 86_400_000
M_PER_KM = 1_000
MM_S_PER_KMH = 1_000_000 / 3_600
"""Millimetres a second in one kilometre an hour."""
Q16 = 65_536
"""One, in the fixed-point scale of factor tables (16 binary places)."""


def ms_from_s(seconds: float) -> int:
    """Return whole milliseconds, rounded half up, of a duration in seconds."""
    return int(seconds * MS_PER_S + 0.5) if seconds >= 0 else -ms_from_s(-seconds)


def ms_from_min(minutes: float) -> int:
    """Return whole milliseconds of a duration in minutes."""
    return ms_from_s(minutes * 60.0)


def drive_ms(dist_m: float, speed_kmh: float) -> int:
    """Return whole milliseconds to cover `dist_m` metres at a steady `speed_kmh`.

    Raises
    ------
    ValueError
        If the speed is not above zero.
    """
    if speed_kmh <= 0:
        raise ValueError(f"speed_kmh must be above zero, got {speed_kmh}")
    return int(dist_m * 3_600.0 / speed_kmh + 0.5)


def q16(factor: float) -> int:
    """Return `factor` in the fixed-point scale of factor tables (65536 = one)."""
    return int(factor * Q16 + 0.5)
