"""Put a need to a dispatch rule of one's own, in Python, from within compiled code.

The compiled rule of `choice.py` calls the address of a C function that ctypes makes of `Asked.answer`; the address lies
in the world's parameters. The answer is checked before anyone is sent: a unit that cannot go, or an error of the rule,
stops the run. Only what a dispatcher knows is shown, and nothing can be changed through it.
"""

from __future__ import annotations

import ctypes
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

from sim.engine.codes import OWN_RULE_FAILED
from sim.engine.world import FAULT, OWN_RULE, UnitStatus, WorldArrays
from sim.own_rule import KEY, Need, OwnRule, OwnRuleError, failure, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOBODY = -1
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 4)


def call_rule(address: int, now: int, incident: int, capability: int, waited_ms: int) -> int:
    """Return the unit that the rule behind an address chooses, -1 for none; compiled code calls it in its own way."""
    return int(_PROTOTYPE(int(address))(int(now), int(incident), int(capability), int(waited_ms)))


@intrinsic  # type: ignore[untyped-decorator,unused-ignore]
def _call(typing_context: Any, address: Any, now: Any, incident: Any, capability: Any, waited_ms: Any) -> Any:
    del typing_context, address, now, incident, capability, waited_ms
    word = ir.IntType(64)

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        function = builder.inttoptr(given[0], ir.FunctionType(word, [word] * 4).as_pointer())
        return builder.call(function, given[1:])

    return types.int64(*[types.int64] * 5), generate


@overload(call_rule)  # type: ignore[untyped-decorator,unused-ignore]
def _call_rule(address, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
    del address, now, incident, capability, waited_ms

    def call(address, now, incident, capability, waited_ms):  # type: ignore[no-untyped-def]
        words = np.int64(now), np.int64(incident), np.int64(capability), np.int64(waited_ms)
        return _call(np.int64(address), words[0], words[1], words[2], words[3])

    return call


class Asked:
    """The rule of one run, bound to its world; `error` is what stopped it, None while all is well."""

    def __init__(self, arrays: WorldArrays, rule: OwnRule) -> None:
        self.error: OwnRuleError | None = None
        self._arrays, self._name, self._rule = arrays, rule, load(rule)
        self._ways = np.zeros((arrays.units.shape[0], 2), np.int64)
        self._function = _PROTOTYPE(self.answer)
        params = arrays.params.copy()
        params[OWN_RULE] = ctypes.cast(self._function, ctypes.c_void_p).value or 0
        params.flags.writeable = False
        arrays.arrays["params"] = params
        self._handle = arrays.struct()  # may miss later growth of log and heap, which no question reads

    def answer(self, now: int, incident: int, capability: int, waited_ms: int) -> int:
        """Return the unit that the rule chooses for a need, -1 for none or after an error."""
        if self.error is not None:
            return _NOBODY
        try:
            need = self._need(now, incident, capability, waited_ms)
            chosen = self._rule.choose(need)
        except Exception as error:  # noqa: BLE001 - the rule is not ours; what it raises ends the run
            self._stop(failure(self._name, error))
            return _NOBODY
        if chosen is None:
            return _NOBODY
        wrong = self._why_not(chosen, need)
        if wrong:
            asked = f"incident {incident} (capability {capability}) at {now} ms"
            self._stop(
                OwnRuleError(f"{KEY}={self._name.name} chose {chosen!r} for {asked}, {wrong}; choose of need.able")
            )
            return _NOBODY
        return int(chosen)

    def _stop(self, error: OwnRuleError) -> None:
        self.error = error
        self._arrays.counts[FAULT] = OWN_RULE_FAILED

    def _need(self, now: int, incident: int, capability: int, waited_ms: int) -> Need:
        from sim.engine.choice import ways_of_all

        arrays, it = self._arrays, self._arrays.incidents[incident]
        ways_of_all(self._handle, now, incident, capability, waited_ms, self._ways)
        ways = _frozen(self._ways.copy())
        is_known = bool(it["is_revealed"])
        return Need(
            now_ms=now, waited_ms=waited_ms, incident=incident, capability=capability, cell=int(it["cell"]),
            town=int(it["town"]), kind=int(it["kind"] if is_known else it["reported_kind"]),
            grade=int(it["grade"] if is_known else it["reported_grade"]), arrival_ms=ways[:, 0], work_ms=ways[:, 1],
            units=_frozen(arrays.units), stations=_frozen(arrays.stations),
        )  # fmt: skip

    def _why_not(self, chosen: object, need: Need) -> str:
        """Return why an answer is wrong, "" for one that is right."""
        try:
            unit = operator.index(chosen)  # type: ignore[arg-type]
        except TypeError:
            return "which is no unit's id"
        if not 0 <= unit < len(need.units):
            return f"but the city's units are 0 to {len(need.units) - 1}"
        if need.arrival_ms[unit] >= 0:
            return ""
        it = need.units[unit]
        if not int(it["capabilities"]) >> need.capability & 1:
            return "which has not that capability"
        if it["status"] not in (
            UnitStatus.AT_STATION,
            UnitStatus.RETURNING,
            UnitStatus.MOVING_UP,
            UnitStatus.STANDING_BY,
        ):
            return f"which is busy ({UnitStatus(int(it['status'])).name})"
        station = need.stations[int(it["station"])]
        if it["status"] == UnitStatus.AT_STATION:
            free = int(station["people_on_duty"]) - int(station["people_out"])
            if not it["is_in_service"] or it["is_failed"] or not station["is_open"]:
                return "which is not in service"
            if free < it["crew_min"]:
                return f"which has no crew ({free} people free, it needs {int(it['crew_min'])})"
        return "which cannot go there now"


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
