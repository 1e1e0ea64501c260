"""One replication of incidents, all of its chance in it: the same for every scenario that shares the city's demand.

Steps of `draw_demand`: the city's and the towns' factors of each day -> candidates of ordinary days under the ceilings,
kept or not (`candidates.py`) -> surge days, their candidates likewise -> those that are planted (`planting.py`) ->
order by (call, identity) -> place, grade, report and ranks.
Every draw is keyed by identity and stream, so none depends on another incident, on a scenario or on the settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.chance import Stream, look_up, ranks4
from sim.city.types import City
from sim.compiled import compiled
from sim.demand.calendar import Calendar
from sim.demand.candidates import keep_ordinary
from sim.demand.intensity import Intensity, prepare_demand
from sim.demand.kinds import DemandTables
from sim.demand.planting import Planting, plant
from sim.demand.quantiles import QuantileStore
from sim.demand.settings import DemandSettings
from sim.demand.types import INCIDENT_DTYPE, PLANTED_DTYPE, SURGE_DTYPE, Demand
from sim.units import MS_PER_DAY, Q16

ORDINARY, SURGE = 0, 1
_PROCESS_BIT, _TOWN_BIT, _KIND_BIT, _DAY_BIT = 60, 48, 40, 20
_SURGE_TYPE_BIT = 16
_WHOLE = 4294967296.0
_COUNT, _MARKS = int(Stream.CANDIDATE_COUNT), int(Stream.CANDIDATE_MARKS)
_CITY_DAY, _TOWN_DAY = int(Stream.CITY_DAY_FACTOR), int(Stream.TOWN_DAY_FACTOR)
_SURGE_DAY, _SURGE_CANDIDATE = int(Stream.SURGE_DAY), int(Stream.SURGE_CANDIDATE)
_RESPONSE, _ESCALATION = int(Stream.INCIDENT_RESPONSE), int(Stream.INCIDENT_ESCALATION)


@dataclass(frozen=True, slots=True)
class IdentityParts:
    """The parts of identities, each (n,) int64: process, town, kind, day since epoch, number.

    Processes are 0 ordinary, 1 surge, 2 and 3 planted by an event or a series.
    """

    process: NDArray[np.int64]
    town: NDArray[np.int64]
    kind: NDArray[np.int64]
    day: NDArray[np.int64]
    number: NDArray[np.int64]


def split_identity(identity: NDArray[np.uint64]) -> IdentityParts:
    """Return the parts of identities: process(4 bits), town(12), kind(8), day(20), number(20)."""
    whole = np.asarray(identity, dtype=np.uint64).astype(np.int64)
    return IdentityParts(
        process=whole >> _PROCESS_BIT,
        town=(whole >> _TOWN_BIT) & 0xFFF,
        kind=(whole >> _KIND_BIT) & 0xFF,
        day=(whole >> _DAY_BIT) & 0xFFFFF,
        number=whole & 0xFFFFF,
    )


def identity_of(process: int, town: int, kind: int, day: int, number: int) -> int:
    """Return the identity of an incident; `day` counts from the city's epoch. `split_identity` takes it apart."""
    return process << _PROCESS_BIT | town << _TOWN_BIT | kind << _KIND_BIT | day << _DAY_BIT | number


def build_demand(
    city: City,
    settings: DemandSettings,
    calendar: Calendar,
    seed: int,
    replication: int,
    *,
    tables: DemandTables,
    store: QuantileStore,
) -> Demand:
    """Return one replication; for many, call `prepare_demand` once and `draw_demand` for each.

    Raises
    ------
    InputError
        As `prepare_demand`.
    """
    return draw_demand(prepare_demand(city, tables, settings, calendar, store), seed, replication)


def draw_demand(intensity: Intensity, seed: int, replication: int, planting: Planting | None = None) -> Demand:
    """Return the incidents of one replication, a pure function of (intensity, seed, replication, planting)."""
    city_q16, town_q16 = _day_factors(intensity, seed, replication)
    ordinary = keep_ordinary(intensity, seed, replication, city_q16, town_q16)
    surge_days = _surge_days(intensity, seed, replication)
    surge = [_kept_on_surge(intensity, seed, replication, row) for row in surge_days]
    parts = [ordinary, *surge]
    given_grade = np.zeros(sum(len(part[0]) for part in parts), dtype=np.int64)
    planted, causes = np.zeros(0, dtype=PLANTED_DTYPE), planting.names if planting is not None else ()
    if planting is not None and causes:
        extra = plant(planting, intensity, seed, replication)
        parts.append((extra.identity, extra.call_ms))
        given_grade = np.concatenate([given_grade, extra.given_grade])
        surge_days = np.concatenate([surge_days, extra.storms])
        planted = extra.rows
    identity = np.concatenate([part[0] for part in parts])
    call_ms = np.concatenate([part[1] for part in parts])
    order = _by_call(call_ms, identity)
    incidents = np.zeros(len(order), dtype=INCIDENT_DTYPE)
    incidents["identity"] = identity[order]
    incidents["call_ms"] = call_ms[order]
    _mark(intensity, seed, replication, incidents, given_grade[order])
    for array in (incidents, surge_days, planted):
        array.setflags(write=False)
    return Demand(incidents, surge_days, planted, causes)


def _by_call(call_ms: NDArray[np.int64], identity: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order by (call, identity). Calls of one millisecond are few, so those alone are sorted by both."""
    order = np.argsort(call_ms)
    same = np.flatnonzero(np.diff(call_ms[order]) == 0)
    tied = np.union1d(same, same + 1)
    among = order[tied]
    order[tied] = among[np.lexsort((identity[among], call_ms[among]))]
    return order


def _day_factors(intensity: Intensity, seed: int, replication: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the factors of the days, (n_days,) for the city and (n_towns, n_days) for the towns, in 1/65536."""
    n_towns = intensity.rate.shape[0]
    city_q16 = np.empty(intensity.n_days, dtype=np.int64)
    town_q16 = np.empty((n_towns, intensity.n_days), dtype=np.int64)
    first_day = intensity.first_day
    _fill_day_factors(seed, replication, first_day, intensity.city_factor, intensity.town_factor, city_q16, town_q16)
    return city_q16, town_q16


def _surge_days(intensity: Intensity, seed: int, replication: int) -> NDArray[np.void]:
    """Return the surge days of the run, at most one a day: the first type listed wins."""
    rows = np.zeros(intensity.n_days, dtype=SURGE_DTYPE)
    columns = [np.zeros(intensity.n_days, dtype=np.int64) for _ in range(5)]
    surges = intensity.surges
    if not surges.code:
        return rows[:0]
    n_cells = len(intensity.cell_x_m)
    n = _draw_surge_days(
        seed, replication, intensity.first_day, surges.probability, surges.length_ms, surges.size, n_cells, *columns
    )
    day, surge_type, size, cell, begin_ms = (column[:n] for column in columns)
    rows = rows[:n]
    rows["day"], rows["surge_type"], rows["size_q16"], rows["begin_ms"] = day, surge_type, size, begin_ms
    rows["x_m"], rows["y_m"] = intensity.cell_x_m[cell], intensity.cell_y_m[cell]
    rows["end_ms"] = begin_ms + surges.length_ms[surge_type]
    return rows


def _kept_on_surge(
    intensity: Intensity, seed: int, replication: int, surge_day: NDArray[np.void]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (identity, call_ms) of what one surge day lays on top."""
    surge_type, day = int(surge_day["surge_type"]), int(surge_day["day"])
    rate = surge_rates(intensity, surge_day)
    counts = intensity.surge_counts
    room = 64 + int(counts.per_day.max() * 1_000)
    while True:
        identity, call_ms = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        n = _keep_surge(
            seed, replication, intensity.first_day + day, surge_type, int(surge_day["begin_ms"]),
            int(surge_day["end_ms"] - surge_day["begin_ms"]), rate,
            counts.per_day, counts.table, counts.start, counts.threshold, identity, call_ms,
        )  # fmt: skip
        if n <= room:
            return identity[:n], call_ms[:n]
        room = int(n)


def surge_rates(intensity: Intensity, surge_day: NDArray[np.void]) -> NDArray[np.float64]:
    """Return (n_towns, n_kinds) float64, the alarms that one surge day expects of each town and kind.

    Each kind's alarms are shared over the towns by its usual share times 1 / (1 + (distance / range)^2).
    """
    surge_type, day = int(surge_day["surge_type"]), int(surge_day["day"])
    reach = float(intensity.surges.range_m[surge_type])
    size = float(surge_day["size_q16"]) / Q16 * float(intensity.growth[day])
    x_m, y_m = int(surge_day["x_m"]), int(surge_day["y_m"])
    share = intensity.places.town_share[intensity.places.pattern]
    rate = np.zeros(intensity.rate.shape)
    _share_surge(
        x_m, y_m, reach, size, intensity.surges.kind_rate[surge_type], share, intensity.seat_x_m, intensity.seat_y_m,
        intensity.town_weight, intensity.kind_weight, rate,
    )  # fmt: skip
    return rate


def _mark(
    intensity: Intensity, seed: int, replication: int, incidents: NDArray[np.void], given_grade: NDArray[np.int64]
) -> None:
    """Fill place, grade, report and ranks of each incident from its identity; a grade above 0 is given, not drawn."""
    places, reporting = intensity.places, intensity.reporting
    _fill_marks(
        seed, replication, incidents["identity"], given_grade,
        places.pattern, places.cell_start, places.cell, places.threshold,
        reporting.grade, reporting.reported_kind, reporting.lower, reporting.higher, intensity.max_grade,
        intensity.is_report_exact, incidents["town"], incidents["cell"], incidents["kind"], incidents["grade"],
        incidents["reported_kind"], incidents["reported_grade"], incidents["rank_handling"], incidents["rank_travel"],
        incidents["rank_escalate"],
    )  # fmt: skip


# --- compiled loops ---------------------------------------------------------------------------------------------------


@compiled
def _fill_day_factors(seed, replication, first_day, city_table, town_table, city_q16, town_q16):  # type: ignore[no-untyped-def]
    n_towns, n_days = town_q16.shape
    for day in range(n_days):
        at_day = np.int64(first_day + day) << _DAY_BIT
        r0, _, _, _ = ranks4(seed, replication, _CITY_DAY, at_day, 0)
        city_q16[day] = look_up(city_table, r0)
        for town in range(n_towns):
            r0, _, _, _ = ranks4(seed, replication, _TOWN_DAY, at_day | (np.int64(town) << _TOWN_BIT), 0)
            town_q16[town, day] = look_up(town_table, r0)


@compiled
def _count(threshold, begin, end, rank):  # type: ignore[no-untyped-def]
    """Return how many of threshold[begin:end] are at or below the rank."""
    n = 0
    while begin + n < end and threshold[begin + n] <= rank:
        n += 1
    return n


@compiled
def _draw_surge_days(  # type: ignore[no-untyped-def]
    seed, replication, first_day, probability, length_ms, size_table, n_cells, day_out, type_out, size_out, cell_out,
    begin_out,
):  # fmt: skip
    n_types, n_days = probability.shape
    n = 0
    for day in range(n_days):
        for j in range(n_types):
            at_day = (np.int64(1) << _PROCESS_BIT) | (np.int64(first_day + day) << _DAY_BIT)
            r0, r1, r2, r3 = ranks4(seed, replication, _SURGE_DAY, at_day | (np.int64(j) << _SURGE_TYPE_BIT), 0)
            if np.float64(np.int64(r0)) < probability[j, day] * _WHOLE:
                day_out[n] = day
                type_out[n] = j
                size_out[n] = look_up(size_table[j], r1)
                cell_out[n] = (np.int64(r2) * n_cells) >> 32
                slack_ms = MS_PER_DAY - length_ms[j]
                begin_out[n] = day * MS_PER_DAY + ((np.int64(r3) * slack_ms) >> 32)
                n += 1
                break
    return n


@compiled
def _share_surge(x_m, y_m, reach, size, kind_rate, share, seat_x_m, seat_y_m, town_weight, kind_weight, rate):  # type: ignore[no-untyped-def]
    n_towns, n_kinds = rate.shape
    near = np.empty(n_towns)
    for town in range(n_towns):
        dx, dy = np.float64(seat_x_m[town] - x_m), np.float64(seat_y_m[town] - y_m)
        near[town] = 1.0 / (1.0 + (dx * dx + dy * dy) / (reach * reach))
    for kind in range(n_kinds):
        total = 0.0
        for town in range(n_towns):
            total += share[kind, town] * near[town]
        if total <= 0.0:
            continue
        for town in range(n_towns):
            part = share[kind, town] * near[town] / total
            rate[town, kind] = part * kind_rate[kind] * size * town_weight[town] * kind_weight[kind]


@compiled
def _keep_surge(  # type: ignore[no-untyped-def]
    seed, replication, day, surge_type, begin_ms, length_ms, rate, per_day, table, start, threshold, identity, call_ms
):
    n_towns, n_kinds = rate.shape
    room = identity.shape[0]
    n = 0
    for town in range(n_towns):
        for kind in range(n_kinds):
            if rate[town, kind] <= 0.0 or per_day[town, kind] <= 0.0:
                continue
            base = (np.int64(1) << _PROCESS_BIT) | (np.int64(town) << _TOWN_BIT) | (np.int64(kind) << _KIND_BIT)
            base |= (np.int64(day) << _DAY_BIT) | (np.int64(surge_type) << _SURGE_TYPE_BIT)
            r0, _, _, _ = ranks4(seed, replication, _COUNT, base, 0)
            begin, end = start[table[town, kind]], start[table[town, kind] + 1]
            limit = rate[town, kind] / per_day[town, kind] * _WHOLE
            for number in range(_count(threshold, begin, end, np.int64(r0))):
                r0, r1, _, _ = ranks4(seed, replication, _SURGE_CANDIDATE, base | number, 0)
                if np.float64(np.int64(r1)) < limit:
                    if n < room:
                        identity[n] = base | number
                        call_ms[n] = begin_ms + ((np.int64(r0) * length_ms) >> 32)
                    n += 1
    return n


@compiled
def _fill_marks(  # type: ignore[no-untyped-def]
    seed, replication, identity, given_grade,
    pattern, cell_start, cell, cell_threshold, grade_threshold, told_threshold,
    lower, higher, max_grade, is_report_exact, town_out, cell_out, kind_out, grade_out, told_kind_out, told_grade_out,
    handling_out, travel_out, escalate_out,
):  # fmt: skip
    n_kinds = told_threshold.shape[0]
    for i in range(identity.shape[0]):
        whole = np.int64(identity[i])
        town, kind = (whole >> _TOWN_BIT) & 0xFFF, (whole >> _KIND_BIT) & 0xFF
        r0, r1, r2, r3 = ranks4(seed, replication, _MARKS, whole, 0)
        low, high = np.int64(cell_start[town]), np.int64(cell_start[town + 1]) - 1
        while low < high:
            middle = (low + high) // 2
            if cell_threshold[pattern[kind], middle] > np.int64(r0):
                high = middle
            else:
                low = middle + 1
        town_out[i], kind_out[i], cell_out[i] = town, kind, cell[low]
        grade = given_grade[i]
        if grade == 0:
            grade = 1 + _count(grade_threshold[kind], 0, max_grade[kind] - 1, np.int64(r1))
        told_kind, told_grade = kind, grade
        if not is_report_exact:
            told_kind = _count(told_threshold[kind], 0, n_kinds - 1, np.int64(r2))
            if np.int64(r3) < lower[kind, grade]:
                told_grade = grade - 1
            elif np.int64(r3) >= higher[kind, grade]:
                told_grade = grade + 1
            told_grade = max(1, min(told_grade, np.int64(max_grade[told_kind])))
        grade_out[i], told_kind_out[i], told_grade_out[i] = grade, told_kind, told_grade
        r0, r1, _, _ = ranks4(seed, replication, _RESPONSE, whole, 0)
        handling_out[i], travel_out[i] = r0, r1
        r0, r1, r2, r3 = ranks4(seed, replication, _ESCALATION, whole, 0)
        escalate_out[i, 0], escalate_out[i, 1], escalate_out[i, 2], escalate_out[i, 3] = r0, r1, r2, r3
