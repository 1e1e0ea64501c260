"""Deaths and losses at fires by scheme and year: an estimate by the curves of `sim/outcome`, from incident tables.

Each fire of the headline counts with its kind's weight times a curve of its response, from the call. One factor per
curve scales the base scheme's first measured year to the given rate; it is the same for every scheme, so that what is
told of the others is the ratio of their sums to the base's. There are three curves, each scaled to its own rate: the
likely one's figure is told between the lowest and the highest of the three, a range of assumptions and no confidence
interval. Chance is told apart, of the likely one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.collect import years_of
from sim.compare.intervals import spread_of
from sim.compare.parts import POOLED_YEAR, Arm, Labels, Run
from sim.compare.service import measured_years
from sim.metrics.store import Columns, columns_of
from sim.outcome import FireWeights, OutcomeSettings, death_risk, loss_share

RANGE = ("low", "likely", "high")
KINDS = ("deaths", "loss")
_COLUMNS = ("kind", "year", "is_headline", "call_ms", "dispatch_due_ms", "first_arrival_ms", "first_critical_ms")
_MS_PER_MIN = 60_000.0
_PER = 100_000.0


@dataclass(frozen=True, slots=True)
class OutcomeModel:
    """The curves, how deadly and costly each kind is, and the residents that a rate refers to."""

    settings: OutcomeSettings
    weights: FireWeights
    residents: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of one arm, a year, by replication: `fires` (n, n_years + 1); `told` (n, 2 kinds, 3 curves, n_years + 1)."""

    fires: NDArray[np.float64]
    told: NDArray[np.float64]


def outcome_table(
    arms: Sequence[Arm], pairs: Sequence[tuple[str, str]], base: str, model: OutcomeModel, labels: Labels,
    run: Run = map,
) -> Columns:  # fmt: skip
    """Return the estimate by arm and year (0: the window); {} where the base's first year has no fire that counts.

    `pairs`: (arm, base) to tell differences of, over the replications that both have; `base`: the arm that is scaled.
    `run` reads arms, here or in other processes.
    """
    frame = Frame(years_of(arms), labels)
    told = run(_sums, [(arm, model, frame) for arm in arms])
    sums = {arm.name: its for arm, its in zip(arms, told, strict=True)}
    scale = _scale(sums[base], model)
    if scale is None:
        return {}
    base_of = dict(pairs)
    rows: list[dict[str, Any]] = []
    by_name = {arm.name: arm for arm in arms}
    for arm in arms:
        told = scale[:, :, None] * sums[arm.name].told
        other = by_name.get(base_of.get(arm.name, ""))
        saved, worlds = (told[:0], ()) if other is None else _saved(arm, other, scale, sums)
        for place, year in enumerate(frame.all_years):
            row: dict[str, Any] = {"arm": arm.name, "base": "" if other is None else other.name, "year": year}
            row |= {"n_fires": float(sums[arm.name].fires[:, place].mean())}
            mean = told[..., place].mean(axis=0)
            for kind, values in zip(KINDS, mean, strict=True):
                row |= _ranged(kind, values)
            row |= _ranged("per_100k", mean[0] * _PER / model.residents)
            row |= _told_saved(saved, worlds, place)
            rows.append(row | {"scaled_arm": base, "scaled_year": frame.years[0], "n_replications": len(told)})
    return columns_of(rows)


def _sums(job: tuple[Arm, OutcomeModel, Frame]) -> _Sums:
    arm, model, frame = job
    settings, weights = model.settings, model.weights
    length, n_years = measured_years(arm, frame), len(frame.all_years)
    fires, told = np.zeros((len(arm.replications), n_years)), np.zeros((len(arm.replications), 2, 3, n_years))
    for at, replication in enumerate(arm.replications):
        table = replication.read("incidents", _COLUMNS)
        is_counted = table["is_headline"] & weights.is_fire[table["kind"]]
        table = {name: values[is_counted] for name, values in table.items()}
        year, minutes = np.searchsorted(np.array(frame.years), table["year"]) + 1, _minutes(table, settings.clock)
        fires[at] = _by_year(year, np.ones(len(year)), n_years) / length
        for place in range(len(RANGE)):
            curves = (
                weights.deaths[table["kind"]] * death_risk(minutes, settings.fall_per_min[place], settings),
                weights.loss[table["kind"]] * loss_share(minutes, settings.loss_power[place], settings),
            )
            told[at, :, place] = [_by_year(year, curve, n_years) / length for curve in curves]
    return _Sums(fires, told)


def _minutes(table: Columns, clock: str) -> NDArray[np.float64]:
    """Return minutes from the call to the clock's end; infinite for never."""
    ended = table[f"first_{clock}_ms"]
    from_call = (table["dispatch_due_ms"] - table["call_ms"] + ended) / _MS_PER_MIN
    return np.where(ended < 0, np.inf, from_call)


def _by_year(year: NDArray[np.int64], values: NDArray[np.float64], n_years: int) -> NDArray[np.float64]:
    """Return sums by year, the whole window first."""
    by_year = np.bincount(year, values, minlength=n_years).astype(np.float64)
    by_year[POOLED_YEAR] = by_year.sum()
    return by_year


def _scale(base: _Sums, model: OutcomeModel) -> NDArray[np.float64] | None:
    """Return the factor of each kind and curve: (2, 3); None where the base's first year has nothing to scale."""
    first, fires = base.told[..., 1].mean(axis=0), base.fires[:, 1].mean()
    if not (first > 0).all():
        return None
    deaths = np.array(model.settings.deaths_per_100k) * model.residents / _PER
    loss = np.array(model.settings.loss_per_fire) * fires
    return np.asarray(np.stack([deaths, loss]) / first, dtype=np.float64)


def _saved(
    arm: Arm, other: Arm, scale: NDArray[np.float64], sums: dict[str, _Sums]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return what the arm saves in each replication that both have, (n, 2, 3, n_years + 1), and their worlds."""
    at, theirs = ({r.number: place for place, r in enumerate(one.replications)} for one in (arm, other))
    both = [number for number in at if number in theirs]
    ours = sums[arm.name].told[[at[number] for number in both]]
    saved = scale[:, :, None] * (sums[other.name].told[[theirs[number] for number in both]] - ours)
    return saved, tuple(arm.worlds[at[number]] for number in both)


def _told_saved(saved: NDArray[np.float64], worlds: Sequence[str], place: int) -> dict[str, Any]:
    """Return the columns of what is saved in a year; NaN where there is nothing to hold it against."""
    row: dict[str, Any] = {"n_pairs": len(saved)}
    for at, kind in enumerate(KINDS):
        name, is_known = f"saved_{kind}", len(saved) > 0
        mean = saved[:, at, :, place].mean(axis=0) if is_known else np.full(3, np.nan)
        half = spread_of(saved[:, at, 1, place][:, None], worlds).half_total[0] if is_known else np.nan
        row |= _ranged(name, mean) | {f"{name}_chance": float(half)}
    return row


def _ranged(name: str, values: NDArray[np.float64]) -> dict[str, float]:
    """Return the likely curve's figure between the lowest and the highest of the three."""
    return {f"{name}_low": float(values.min()), f"{name}_likely": float(values[1]), f"{name}_high": float(values.max())}
