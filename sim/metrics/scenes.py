"""What the place of an incident added, beside when the work began: water, tracks, the village's own people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.inputs import RunInputs


def is_plain(inputs: RunInputs) -> bool:
    """Return whether the place adds nothing to any incident of the run."""
    scenes = inputs.scenes
    is_special = (scenes.portal_cell[:, 0] >= 0) | (scenes.water_delay_ms > 0) | (scenes.village_ms >= 0)
    return not bool(is_special.any())


def scenes_table(inputs: RunInputs, incidents: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return one row per measured incident to which its place adds something, in the order of the incident table.

    Incidents that need a water supply at their first alarm are among them, a hydrant near or not. Columns: identity,
    kind, grade, year; needs_water; water_delay_ms (where the kind needs a supply at some grade, else 0); portal_a,
    portal_b (cells, -1: by road, or no second one), track_a_m, track_b_m; power_off_ms and village_ms, both after the
    *call* (the others' clocks start when the dispatch order is due), the second -1 where nobody comes.

    Parameters
    ----------
    incidents : this replication's incident table, all columns.
    """
    rows, scenes = inputs.demand.incidents, inputs.scenes
    call_ms = rows["call_ms"]
    measured = (call_ms >= inputs.calendar.measure_from_ms) & (call_ms < inputs.calendar.measure_to_ms)
    water_ms = np.where(scenes.supply_grade[rows["kind"]] > 0, scenes.water_delay_ms, 0)[measured]
    portals, track_m = scenes.portal_cell[measured], scenes.track_m[measured]
    village_ms = scenes.village_ms[measured]
    supply_grade = scenes.supply_grade[rows["kind"]][measured]
    needs_water = (supply_grade > 0) & (rows["grade"][measured] >= supply_grade)
    told = (portals[:, 0] >= 0) | (water_ms > 0) | (village_ms >= 0) | needs_water
    table: dict[str, NDArray[Any]] = {
        "identity": incidents["identity"],
        "kind": incidents["kind"],
        "grade": incidents["grade"],
        "year": incidents["year"],
        "needs_water": needs_water,
        "water_delay_ms": water_ms.astype(np.int32),
        "portal_a": portals[:, 0],
        "portal_b": portals[:, 1],
        "track_a_m": track_m[:, 0],
        "track_b_m": track_m[:, 1],
        "power_off_ms": scenes.power_off_ms[measured],
        "village_ms": village_ms,
    }
    return {name: values[told] for name, values in table.items()}
