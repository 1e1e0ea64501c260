"""How sure the answer is when the assumptions are varied together: what moves it, and in how many worlds it holds.

Every plausible world has each main arm once; differences are taken within a world. The partial rank correlation of a
factor (Saltelli, Chan & Scott 2000; Marino et al. 2008) says how much it moves a difference with the others held fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compare.cells import Frame
from sim.compare.collect import collect, years_of
from sim.compare.parts import METRICS, Arm, Labels, Run
from sim.metrics.store import Columns, columns_of

TOLD = ("share_300", "p50", "p90")
_THIRD = 1 / 3
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class PlausibleArm:
    """One main arm in one world: `name` as in the study; `values`: the world's factors by key."""

    arm: Arm
    name: str
    world: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Factor:
    """One assumption that varies: its key, names, range as text, and where that comes from."""

    key: str
    label_zh: str
    label_en: str
    range: str
    choices: tuple[str, ...]
    source: str


def plausible_tables(
    arms: Sequence[PlausibleArm],
    factors: Sequence[Factor],
    base_of: Mapping[str, str],
    labels: Labels,
    declared: Sequence[tuple[str, str]] = (),
    run: Run = map,
    scratch: Path | None = None,
) -> dict[str, Columns]:
    """Return the tables `plausible` (one row per world, arm and metric), `sensitivity` and `robustness`.

    `base_of`: arm -> the arm it is compared with, "" for none. `declared`: further pairs (arm, base) that the study
    compares; they have rows of their own in the last two. `run` reads arms, here or in other processes, which keep
    figures in `scratch` meanwhile. Figures are of the headline's arrival over the whole window of these runs.
    """
    if not arms:
        return {}
    frame = Frame(years_of([one.arm for one in arms]), labels)
    levels = run(_level, [(one.arm, frame, scratch) for one in arms])
    level = {(one.name, one.world): told for one, told in zip(arms, levels, strict=True)}
    worlds = sorted({one.world for one in arms})
    names = list(dict.fromkeys(one.name for one in arms))
    values = {one.world: one.values for one in arms}
    own = [(name, base_of[name]) for name in names]
    further = [pair for pair in dict.fromkeys(declared) if pair not in own and {*pair} <= {*names}]
    points = np.array([[_place(factor, values[world][factor.key]) for factor in factors] for world in worlds])
    found: dict[str, list[dict[str, Any]]] = {"plausible": [], "sensitivity": [], "robustness": []}
    for metric in TOLD:
        of = {name: np.array([level[name, world][metric] for world in worlds]) for name in names}
        for name in names:
            diff = of[name] - of[base_of[name]] if base_of[name] else np.full(len(worlds), np.nan)
            found["plausible"] += [
                {"world": w, "arm": name, "metric": metric, "value": float(v), "diff": float(d)}
                for w, v, d in zip(worlds, of[name], diff, strict=True)
            ]
        for name, base in (*own, *further):
            diff = of[name] - of[base] if base else np.full(len(worlds), np.nan)
            found["robustness"].append(_robustness(name, base, metric, of, diff))
            if base:
                found["sensitivity"] += _sensitivity(name, base, metric, factors, points, diff)
    tables = {name: columns_of(rows) for name, rows in found.items()}
    rows = [{"world": w, "key": f.key, "value": str(values[w][f.key])} for w in worlds for f in factors]
    return {name: table for name, table in (tables | {"plausible_values": columns_of(rows)}).items() if table}


def _level(job: tuple[Arm, Frame, Path | None]) -> dict[str, float]:
    arm, frame, scratch = job
    with TemporaryDirectory(dir=scratch) as folder:
        result = collect(arm, frame, Path(folder), is_bootstrapped=False)
        mean = result.main.values.of_all(0, frame.main_cell(0, "headline")).mean(axis=0)
    return {name: float(mean[METRICS.index(name)]) for name in TOLD}


def _place(factor: Factor, value: Any) -> float:
    return float(factor.choices.index(str(value))) if factor.choices else float(value)


def _is_better(metric: str, diff: NDArray[np.float64]) -> NDArray[np.bool_]:
    return diff > 0 if metric.startswith("share") else diff < 0


def _robustness(
    name: str, base: str, metric: str, of: Mapping[str, NDArray[np.float64]], diff: NDArray[np.float64]
) -> dict[str, Any]:
    """Return in which share of the worlds an arm is better than its base, and the best of all arms."""
    sign = 1.0 if metric.startswith("share") else -1.0
    all_arms = np.stack([sign * values for values in of.values()])
    is_best = sign * of[name] >= all_arms.max(axis=0)
    rank = 1 + np.sum(all_arms > sign * of[name], axis=0)
    quantiles = np.quantile(diff, (0.05, 0.5, 0.95)) if base else np.full(3, np.nan)
    return {
        "arm": name,
        "base": base,
        "metric": metric,
        "n_worlds": len(diff),
        "share_better": float(np.mean(_is_better(metric, diff))) if base else float("nan"),
        "share_best": float(np.mean(is_best)),
        "mean_rank": float(np.mean(rank)),
        "value_median": float(np.median(of[name])),
        "diff_p5": float(quantiles[0]),
        "diff_median": float(quantiles[1]),
        "diff_p95": float(quantiles[2]),
    }


def _sensitivity(
    name: str, base: str, metric: str, factors: Sequence[Factor], points: NDArray[np.float64],
    diff: NDArray[np.float64],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return each factor's partial rank correlation with the difference, and its mean in the outer thirds of the range.

    `could_turn`: the mean in one of the outer thirds has another sign than the median of all worlds.
    """
    correlation, half = partial_rank_correlations(points, diff)
    usual = bool(_is_better(metric, np.array([np.median(diff)]))[0])
    rows = []
    for place, factor in enumerate(factors):
        order = np.argsort(points[:, place], kind="stable")
        n_third = max(int(len(order) * _THIRD), 1)
        low, high = float(diff[order[:n_third]].mean()), float(diff[order[-n_third:]].mean())
        outer = _is_better(metric, np.array([low, high]))
        z = np.arctanh(np.clip(correlation[place], -0.999999, 0.999999))
        rows.append(
            {
                "arm": name,
                "base": base,
                "metric": metric,
                "key": factor.key,
                "label_zh": factor.label_zh,
                "label_en": factor.label_en,
                "range": factor.range,
                "source": factor.source,
                "correlation": float(correlation[place]),
                "low": float(np.tanh(z - half)),
                "high": float(np.tanh(z + half)),
                "diff_low_third": low,
                "diff_high_third": high,
                "could_turn": bool((outer != usual).any()),
                "n_worlds": len(diff),
            }
        )
    return rows


def partial_rank_correlations(
    points: NDArray[np.float64], response: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return (partial rank correlation of each factor with the response, half-width of their Fisher z intervals).

    The ranks of factor and response are each freed, by least squares, of the ranks of the other factors. Half-width:
    1.96 / sqrt(n - k - 2) for k factors, infinite where there are too few worlds.
    """
    from scipy.stats import rankdata

    n, k = points.shape
    ranks = np.column_stack([rankdata(points[:, i]) for i in range(k)])
    target = rankdata(response)
    out = np.zeros(k)
    for i in range(k):
        others = np.column_stack([np.ones(n), np.delete(ranks, i, axis=1)])
        left, right = (v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (ranks[:, i], target))
        scale = float(np.sqrt((left @ left) * (right @ right)))
        out[i] = float(left @ right) / scale if scale > 1e-9 * n * n else 0.0
    return out, _Z / float(np.sqrt(n - k - 2)) if n - k > 2 else float("inf")
