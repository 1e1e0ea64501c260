"""What records add to a run's inputs: known durations, patients' ways, what a fit tells apart, who is passed over.

Every part is optional, and a run without it is what it was. `sim/inputs.py` holds them; this module knows no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, ranks_of
from sim.units import Q16


@dataclass(frozen=True, slots=True)
class Recorded:
    """Durations known from records: each replaces what would be looked up; -1 where none is recorded.

    `handling_ms`: (n_incidents,) int64, from the call to the order to dispatch. `slot_ms`: (n_slots, 4) int64, slots as
    `slot_starts` says: turnout (call-out included), travel, access (to the work, whatever lies between), time on scene
    (from the arrival, whatever it was later than). `travel_station`: (n_slots,) int32, the station whose units alone
    have the recorded travel: for a unit of any other, it says nothing.

    Like the ranks it stands for, a recorded duration belongs to (incident, slot) and a stage takes that of the slot
    which the unit holds as the stage begins: a slot filled again has the same ones again.
    """

    handling_ms: NDArray[np.int64]
    slot_ms: NDArray[np.int64]
    travel_station: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Transport:
    """Where the unit of a slot takes a patient after its work at the scene: n_slots rows, as `slot_starts` says.

    `cell`: (n_slots,) int32, the destination, -1 where it starts for home from the scene. `drive_ms`: (n_slots,) int64,
    from the scene, -1: as long as expected then, without noise, x `factor_q16` in 1/65536. `hand_over_ms`: (n_slots,)
    int64, from the arrival there until the unit may be sent on. Craft take nobody away. Like a rank it belongs to
    (incident, slot), and the slot that counts is the one the unit holds as it leaves the scene.
    """

    cell: NDArray[np.int32]
    drive_ms: NDArray[np.int64]
    hand_over_ms: NDArray[np.int64]
    factor_q16: int = Q16


@dataclass(frozen=True, slots=True)
class Effects:
    """What a fit to records tells apart that the tables of durations do not; None: nothing of that kind.

    `turnout`: (24, n_stations) int16, the table of turnout of each hour of the day and station, in the place of those
    of day and night; the dispatcher reckons with each one's mean. `drive_q16`: (n_stations,) int32, driving time of a
    station's units over that of the matrix, in 1/65536, on all their ways. `noise_from_ms`: (n_bands,) int64, expected
    driving times, 0 first and ascending, from which on a trip's own factor comes from the table of that place in
    `noise_table` (n_bands,) int16, in the place of `Durations.travel_own`.

    Of single incidents, in the order of the run's: `drive_of_call_q16` and `turnout_of_call_q16`, (n_incidents,) int32,
    0 or more, over what all the rest says of the ways of units to it (not home, nor with a patient, nor those of craft)
    and of their turnouts (not of a unit's own call-out), in 1/65536. Neither touches a recorded duration. They come
    last: bands of noise go by the expected drive without them, and the dispatcher, who is told nothing of it at the
    call, reckons without them.
    """

    turnout: NDArray[np.int16] | None = None
    drive_q16: NDArray[np.int32] | None = None
    noise_from_ms: NDArray[np.int64] | None = None
    noise_table: NDArray[np.int16] | None = None
    drive_of_call_q16: NDArray[np.int32] | None = None
    turnout_of_call_q16: NDArray[np.int32] | None = None


FACTORS_OF_CALLS = ("drive_of_call_q16", "turnout_of_call_q16")
"""What `Effects` say of single incidents."""


def draw_passed_over(
    identities: NDArray[np.uint64], shares: Sequence[float], seed: int, replication: int
) -> NDArray[np.int8]:
    """Return how many stations are passed over at each incident: (n_incidents,) int8, keyed by identity.

    Parameters
    ----------
    shares
        Of all incidents, those that pass over 1, 2, ... stations that could send; the others pass over none.

    Raises
    ------
    ValueError
        If a share is below zero, or they are more than one together.
    """
    whole = np.asarray(shares, dtype=np.float64)
    if (whole < 0).any() or whole.sum() > 1:
        raise ValueError(f"shares of incidents {list(shares)} are not of one whole")
    least = np.cumsum(whole[::-1])[::-1]
    ranks = ranks_of(seed, replication, int(Stream.PASSED_OVER), identities)[:, 0]
    passed = ranks[:, None] < (least * 2.0**32)[None, :]
    return np.asarray(passed.sum(axis=1), dtype=np.int8)
