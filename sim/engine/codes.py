"""Plain numbers for compiled code: statuses, kinds of log row, kinds of change, faults.

Compiled functions read integers, not enumerations; each number here is that of the enumeration it is made from.
"""

from __future__ import annotations

from sim.engine.log import LogKind
from sim.engine.world import SlotStatus, UnitStatus
from sim.fleet.parts import ChangeKind, UnitMode

FAULTED = -1
BAD_STATUS, NO_CREW, LOG_FULL, OUTBOX_FULL, WAITING_FULL, PEOPLE_BELOW_ZERO, UNKNOWN_CHANGE, OWN_RULE_FAILED = range(
    1, 9
)

AT_STATION = int(UnitStatus.AT_STATION)
TURNING_OUT = int(UnitStatus.TURNING_OUT)
EN_ROUTE = int(UnitStatus.EN_ROUTE)
ON_SCENE = int(UnitStatus.ON_SCENE)
RETURNING = int(UnitStatus.RETURNING)
MAKING_READY = int(UnitStatus.MAKING_READY)
MOVING_UP = int(UnitStatus.MOVING_UP)
STANDING_BY = int(UnitStatus.STANDING_BY)
TRANSPORTING = int(UnitStatus.TRANSPORTING)
HANDING_OVER = int(UnitStatus.HANDING_OVER)

ROAD = int(UnitMode.ROAD)
AIR = int(UnitMode.AIR)
WATER = int(UnitMode.WATER)

STATION_CLOSE = int(ChangeKind.STATION_CLOSE)
STATION_OPEN = int(ChangeKind.STATION_OPEN)
UNIT_WITHDRAW = int(ChangeKind.UNIT_WITHDRAW)
UNIT_IN_SERVICE = int(ChangeKind.UNIT_IN_SERVICE)
STATION_PEOPLE = int(ChangeKind.STATION_PEOPLE)
HANDLING_REGIME = int(ChangeKind.HANDLING_REGIME)
UNIT_FAILS = int(ChangeKind.UNIT_FAILS)
UNIT_MENDED = int(ChangeKind.UNIT_MENDED)

SLOT_UNUSED = int(SlotStatus.UNUSED)
SLOT_WAITING = int(SlotStatus.WAITING)
SLOT_ASSIGNED = int(SlotStatus.ASSIGNED)
SLOT_ON_SCENE = int(SlotStatus.ON_SCENE)
SLOT_DONE = int(SlotStatus.DONE)
SLOT_RELEASED = int(SlotStatus.RELEASED)
SLOT_UNFILLED = int(SlotStatus.UNFILLED)

LOG_CHANGE = int(LogKind.CHANGE)
LOG_CALL = int(LogKind.CALL)
LOG_DISPATCH = int(LogKind.DISPATCH)
LOG_WAIT = int(LogKind.WAIT)
LOG_ENROUTE = int(LogKind.ENROUTE)
LOG_ARRIVE = int(LogKind.ARRIVE)
LOG_REVEAL = int(LogKind.REVEAL)
LOG_TURN_BACK = int(LogKind.TURN_BACK)
LOG_CLEAR = int(LogKind.CLEAR)
LOG_HOME = int(LogKind.HOME)
LOG_AVAILABLE = int(LogKind.AVAILABLE)
LOG_ESCALATE = int(LogKind.ESCALATE)
LOG_UNFILLED = int(LogKind.UNFILLED)
LOG_MET = int(LogKind.MET)
LOG_CLOSED = int(LogKind.CLOSED)
LOG_END = int(LogKind.END)
LOG_SHIFT = int(LogKind.SHIFT)
LOG_RESTED = int(LogKind.RESTED)
LOG_MOVE_UP = int(LogKind.MOVE_UP)
LOG_STAND_BY = int(LogKind.STAND_BY)
LOG_RECALL = int(LogKind.RECALL)
LOG_VILLAGE = int(LogKind.VILLAGE)
LOG_TRANSPORT = int(LogKind.TRANSPORT)
LOG_DELIVER = int(LogKind.DELIVER)
LOG_HANDED_OVER = int(LogKind.HANDED_OVER)
