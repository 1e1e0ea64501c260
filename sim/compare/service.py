"""All that is no response time: who waits, who lives too far away, how busy stations are, what one more would give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.collect import QUEUE_COUNTS, ArmResult
from sim.compare.intervals import spread_of
from sim.compare.levels import texts
from sim.compare.parts import METRICS, Arm
from sim.metrics.store import Columns
from sim.units import MS_PER_DAY, MS_PER_H

CITY = ""
"""`town` of a row that is about the whole city."""
BEYOND_S = (300, 600)
DAYS_PER_YEAR = 365.25
_ARRIVAL = 0


def measured_years(arm: Arm, frame: Frame) -> NDArray[np.float64]:
    """Return how long each year of the frame was measured, in years of 365.25 days, the whole window first.

    Shape (n_years + 1,); NaN for what the arm did not measure. A year's measured days are those that some station was
    open throughout or, if more, those from the first call to the last, of the arm's first replication.
    """
    calls = arm.replications[0].read("incidents", ("call_ms", "year"))
    stations = arm.replications[0].read("workload", ("open_ms", "year"))
    days = np.zeros(len(frame.years))
    for place, year in enumerate(frame.years):
        day = calls["call_ms"][calls["year"] == year] // MS_PER_DAY
        called = int(day.max() - day.min()) + 1 if len(day) else 0
        opened = stations["open_ms"][stations["year"] == year].max(initial=0) / MS_PER_DAY
        days[place] = max(called, opened)
    years = np.append(days.sum(), days) / DAYS_PER_YEAR
    return np.where(years > 0, years, np.nan)


def queueing_table(result: ArmResult, frame: Frame) -> Columns:
    """Return incidents a year that waited for their first unit and needs that stayed unfilled, mean over replications.

    `n_waited` includes `n_never_served`, incidents that never got a unit; `mean_wait_s` is of those that got one.
    """
    counts = result.queue.of_all().mean(axis=0) / measured_years(result.arm, frame)[:, None]
    waited, never, wait_ms, unfilled, escalations, n = (counts[:, QUEUE_COUNTS.index(name)] for name in QUEUE_COUNTS)
    mean_wait = np.full(len(waited), np.nan)
    np.divide(wait_ms, 1000.0 * (waited - never), out=mean_wait, where=waited > never)
    n_rows, n_replications = len(frame.all_years), len(result.queue)
    return {
        "arm": texts([result.arm.name] * n_rows),
        "year": np.array(frame.all_years),
        "n_waited": waited,
        "n_never_served": never,
        "mean_wait_s": mean_wait,
        "n_unfilled": unfilled,
        "n_escalations": escalations,
        "n_incidents": n,
        "n_replications": np.full(n_rows, n_replications),
    }


def beyond_table(result: ArmResult, frame: Frame) -> Columns:
    """Return headline incidents a year and residents beyond ten minutes (and five), by year and town; `""` is the city.

    Incidents and unfilled needs are those of the measured part of the year (0: of the window) by its length in years.
    `n_incidents` is the denominator: all replications, as measured. Residents are counted by cell at the year's end;
    year 0 is the end of the window.
    """
    n_places, n_years = frame.n_towns + 1, len(frame.all_years)
    cells = np.array([frame.main_cell(year, "headline", 0) for year in frame.all_years])[:, None] + np.arange(n_places)
    share = result.main.values.of_all(_ARRIVAL, cells, METRICS.index("share_600"))
    n = result.main.n.of_all(cells)
    late = np.where(n > 0, n - np.nan_to_num(share) * n, 0.0)
    years = measured_years(result.arm, frame)[:, None]
    late, unfilled = late / years, result.unfilled.of_all() / years
    flat = late.reshape(len(late), -1)
    spread = spread_of(flat, result.arm.worlds)
    mean = flat.mean(axis=0)
    residents = residents_beyond(result.arm, frame)
    table: Columns = {
        "arm": texts([result.arm.name] * (n_years * n_places)),
        "year": np.repeat(np.array(frame.all_years), n_places),
        "town": texts([*frame.labels.town_code, CITY] * n_years),
        "n_beyond_600": mean,
        "low": np.maximum(mean - spread.half_total, 0.0),
        "high": mean + spread.half_total,
        "n_unfilled": unfilled.mean(axis=0).reshape(-1),
        "n_incidents": n.sum(axis=0).reshape(-1),
        "n_replications": np.full(n_years * n_places, len(late)),
    }
    for place, limit in enumerate(BEYOND_S):
        table[f"residents_beyond_{limit}"] = residents[place].reshape(-1)
    return table


def residents_beyond(arm: Arm, frame: Frame) -> NDArray[np.float64]:
    """Return residents farther than 300 s and 600 s, mean over replications: (2, n_years + 1, n_towns + 1)."""
    total = np.zeros((len(BEYOND_S), len(frame.all_years), frame.n_towns + 1))
    for replication in arm.replications:
        table = replication.read("coverage")
        year = np.searchsorted(np.array(frame.years), table["year"]) + 1
        place = year * frame.n_towns + table["town"]
        for at, limit in enumerate(BEYOND_S):
            is_far = (table["expected_ms"] < 0) | (table["expected_ms"] > limit * 1000)
            people = np.where(is_far, table["population"], 0)
            by_town = np.bincount(place, people, minlength=len(frame.all_years) * frame.n_towns)
            by_town = by_town.reshape(-1, frame.n_towns)
            by_town[0] = by_town[int(year.max())]
            total[at] += np.concatenate([by_town, by_town.sum(axis=1, keepdims=True)], axis=1)
    return total / len(arm.replications)


def workload_summary(arm: Arm, frame: Frame) -> Columns:
    """Return each station's work by year, mean over replications: dispatches and hours a year of 365.25 days.

    `utilisation`: time out per time in service, over its units. `crew_busy_share`: people out per people on duty.
    """
    names = ("n_dispatches", "busy_ms", "in_service_ms", "crew_out_ms", "people_duty_ms", "open_ms")
    total: dict[str, NDArray[np.float64]] = {}
    for replication in arm.replications:
        table = replication.read("workload")
        for name in names:
            total[name] = total.get(name, 0.0) + table[name].astype(np.float64)
    mean = {name: values / len(arm.replications) for name, values in total.items()}
    n, place = len(table["station"]), np.searchsorted(np.array(frame.years), table["year"]) + 1
    years = measured_years(arm, frame)[place]
    return {
        "arm": texts([arm.name] * n),
        "year": table["year"].astype(np.int64),
        "station": table["station"],
        "town": texts([frame.labels.town_code[town] if town >= 0 else "" for town in table["town"]]),
        "k": table["k"],
        "n_dispatches": mean["n_dispatches"] / years,
        "busy_h": mean["busy_ms"] / MS_PER_H / years,
        "open_h": mean["open_ms"] / MS_PER_H / years,
        "utilisation": share_of(mean["busy_ms"], mean["in_service_ms"]),
        "crew_busy_share": share_of(mean["crew_out_ms"], mean["people_duty_ms"]),
        "n_replications": np.full(n, len(arm.replications)),
    }


def share_of(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return part / whole, two arrays of one shape; NaN where the whole is not above zero."""
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def one_more_summary(arm: Arm, frame: Frame) -> Columns:
    """Return what one more station in each town gives the whole city, best first within each year (0: the window).

    `gain_share_300`, `gain_share_600`: share of the city's headline incidents newly within the limit, with an interval
    for the first; `gain_mean_s`: mean response saved per headline incident; `gain_beyond_600`: incidents a year newly
    within ten minutes. All static, nothing is busy, and the station sends one vehicle: a lower bound. `plan_year` is
    the year in which the plan builds that site (0: it does not); `plan_order` says how many stations the plan builds in
    the town in which years.
    """
    n_years, n_towns = len(frame.all_years), frame.n_towns
    gains = np.zeros((len(arm.replications), 3, n_years, n_towns))
    n_incidents = np.zeros(n_years)
    for at, replication in enumerate(arm.replications):
        table = replication.read("one_more")
        year = np.searchsorted(np.array(frame.years), table["year"]) + 1
        counts = np.zeros((4, n_years, n_towns))
        for place, name in enumerate(("n_gain_300", "n_gain_600", "saved_ms", "n_headline")):
            counts[place, year, table["town"]] = table[name]
        counts[:, 0] = counts.sum(axis=1)
        gains[at] = counts[:3] / np.maximum(counts[3], 1)
        n_incidents += counts[3, :, 0]
    first = np.unique(table["town"], return_index=True)[1]  # the plan and the list of sites are the same in every year
    plan = {name: table[name][first] for name in ("station", "planned_year", "plan_order")}
    return _rank_gains(arm, frame, gains, n_incidents, plan)


def _rank_gains(
    arm: Arm, frame: Frame, gains: NDArray[np.float64], n_incidents: NDArray[np.float64], plan: Columns
) -> Columns:
    n_towns = frame.n_towns
    mean = gains.mean(axis=0)
    spread = spread_of(gains[:, 0].reshape(len(gains), -1), arm.worlds)
    half, measured = spread.half_total.reshape(-1, n_towns), measured_years(arm, frame)
    parts = []
    towns = np.flatnonzero(plan["station"] >= 0)
    for at, year in enumerate(frame.all_years):
        per_year = n_incidents[at] / len(gains) / measured[at]
        order = towns[np.lexsort((towns, -mean[2, at, towns], -mean[0, at, towns]))]
        parts.append(
            {
                "arm": texts([arm.name] * len(order)),
                "year": np.full(len(order), year),
                "rank": np.arange(1, len(order) + 1),
                "town": texts([frame.labels.town_code[town] for town in order]),
                "gain_share_300": mean[0, at, order],
                "low": np.maximum(mean[0, at, order] - half[at, order], 0.0),
                "high": mean[0, at, order] + half[at, order],
                "gain_share_600": mean[1, at, order],
                "gain_mean_s": mean[2, at, order] / 1000.0,
                "gain_beyond_600": mean[1, at, order] * per_year,
                "plan_year": plan["planned_year"][order].astype(np.int64),
                "plan_order": plan["plan_order"][order],
                "residents": np.array([frame.labels.population[town] for town in order], dtype=np.int64),
                "n_incidents": np.full(len(order), int(n_incidents[at])),
                "n_replications": np.full(len(order), len(gains)),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def worst_towns_table(towns: Columns, frame: Frame, n_worst: int = 10) -> Columns:
    """Return the towns with the highest P90 of the headline response, by arm and year, the worst first."""
    is_told = (towns["group"] == "headline") & (towns["clock"] == "arrival")
    rows = {metric: np.flatnonzero(is_told & (towns["metric"] == metric)) for metric in ("p90", "p50", "share_300")}
    p90 = np.where(np.isnan(towns["value"][rows["p90"]]), -1.0, towns["value"][rows["p90"]])
    arm, year = towns["arm"][rows["p90"]].astype(str), towns["year"][rows["p90"]]
    order = np.lexsort((-p90, year, arm))
    is_new = np.append(True, (arm[order][1:] != arm[order][:-1]) | (year[order][1:] != year[order][:-1]))
    begin = np.flatnonzero(is_new)
    rank = np.arange(len(order)) - np.repeat(begin, np.diff(np.append(begin, len(order)))) + 1
    kept = order[rank <= n_worst]
    at = {name: place for place, name in enumerate(frame.labels.town_code)}
    town = towns["town"][rows["p90"]][kept]
    return {
        "arm": towns["arm"][rows["p90"]][kept],
        "year": year[kept],
        "rank": rank[rank <= n_worst],
        "town": town,
        "name_zh": texts([frame.labels.town_zh[at[code]] for code in town]),
        "name_en": texts([frame.labels.town_en[at[code]] for code in town]),
        "p50": towns["value"][rows["p50"]][kept],
        "p90": towns["value"][rows["p90"]][kept],
        "share_300": towns["value"][rows["share_300"]][kept],
        "n_incidents": towns["n_incidents"][rows["p90"]][kept],
    }
