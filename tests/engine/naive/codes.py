"""Numbers of the log's kinds, of dated changes and of policies, as `docs/contracts.md` and `Policy` give them."""

from __future__ import annotations

LOG_KINDS = (
    "CHANGE", "CALL", "DISPATCH", "WAIT", "ENROUTE", "ARRIVE", "REVEAL", "TURN_BACK", "CLEAR", "HOME", "AVAILABLE",
    "ESCALATE", "UNFILLED", "MET", "CLOSED", "END", "SHIFT", "RESTED", "MOVE_UP", "STAND_BY", "RECALL", "VILLAGE",
    "TRANSPORT", "DELIVER", "HANDED_OVER",
)  # fmt: skip
LOG = {name: number for number, name in enumerate(LOG_KINDS, start=1)}
LOG_NAME = {number: name for name, number in LOG.items()}

EVENTS = (
    "CHANGE", "SHIFT", "AVAILABLE", "HOME", "CLEAR", "HANDED_OVER", "DELIVER", "ARRIVE", "ENROUTE", "ESCALATE", "CALL",
    "POLICY",
)  # fmt: skip
"""Kinds of event in the order in which those of one instant happen."""

CLOSE, OPEN, WITHDRAW, IN_SERVICE, PEOPLE, REGIME, FAILS, MENDED = range(8)
ROAD, AIR, WATER = range(3)
NEAREST_FIRST, OWN_TOWN_FIRST, KEEP_COVER = range(3)
UP_FROM_NEAREST, UP_FOR_COVER = 1, 2
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
