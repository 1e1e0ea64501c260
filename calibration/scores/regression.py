"""The rival that knows what is known at the call: distance from the nearest open station, that station, the hour.

Response, or its logarithm, is a bent line in distance plus effects that are shrunk towards nought, with a residual
whose width goes with the expected response:

    y = b(x) + sum_g u_g[label_g] + s(mean) e,    u_g ~ (0, tau_g^2)

The effects are best linear unbiased predictions from Henderson's mixed-model equations, their variances by expectation
and maximisation (Searle, Casella & McCulloch 1992, Variance Components, ch. 8); log s is linear in the expected
response, fitted to log |residual| (Harvey 1976, Econometrica 44); e keeps its own empirical distribution. Whether to
take logarithms is decided by the score on a fifth of the training side held back. It knows nothing of units, queues or
roads: a simulation that does not beat it has not earned its pains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from calibration.scores.keyed import Floats, Purpose, uniforms
from calibration.scores.ranked import crps
from calibration.scores.recorded import HORIZON_S, Observed

_N_ITERATIONS = 30
_LEAST_S = 1.0
_HELD_BACK = 0.2
_LEAST_OWN = 0.05
"""At least this share of the residual variance is held to be the responses' own, not the rounding's."""
_BEND_LEVELS = (0.2, 0.5, 0.8)


class Scale(StrEnum):
    """On what scale effects add up."""

    LINEAR = "linear"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of each call when it comes.

    distance: (n,) float64, metres to the nearest open station, or the matrix's seconds from it; any unit, kept
    throughout. labels: by name of an effect, such as "station" and "hour", (n,) int64; one never met has no effect.
    """

    distance: Floats
    labels: Mapping[str, NDArray[np.int64]]

    def rows(self, chosen: NDArray[Any]) -> Known:
        """Return the chosen calls."""
        return Known(self.distance[chosen], {name: label[chosen] for name, label in self.labels.items()})


@dataclass(frozen=True, slots=True)
class Regression:
    """A fitted rival; make one with `fit_regression`.

    bends: where the line in (the logarithm of) distance bends. line: intercept, slope, changes of slope. effects: per
    name, label to effect. width: log s = width[0] + width[1] x expected. residuals: of unit variance, ascending.
    rounding_s2: variance that the rounding of the records has added to s^2. never: share of calls nobody reached.
    """

    scale: Scale
    offset: float
    bends: Floats
    line: Floats
    effects: Mapping[str, Mapping[int, float]]
    width: Floats
    expected_range: tuple[float, float]
    residuals: Floats
    rounding_s2: float
    never: float
    n_fitted: int
    n_left_out: int

    def draws_s(self, known: Known, *, n_draws: int = 200) -> Floats:
        """Return a forecast per call: (n, n_draws) quantiles at even levels, s; score them plain, not fair."""
        expected = _basis(_position(known.distance, self.offset), self.bends) @ self.line
        for name, effect in self.effects.items():
            labels, code = np.unique(known.labels[name], return_inverse=True)
            expected = expected + np.array([effect.get(int(label), 0.0) for label in labels])[code]
        spread = self._spread(expected)
        levels = (np.arange(n_draws) + 0.5) / n_draws
        comes = levels < 1.0 - self.never
        share = np.where(comes, levels / max(1.0 - self.never, 1e-12), 0.5)
        draws = expected[:, None] + spread[:, None] * np.quantile(self.residuals, share)
        draws = np.exp(draws) if self.scale is Scale.LOG else np.maximum(draws, 0.0)
        return np.where(comes, draws, np.inf)

    def _spread(self, expected: Floats) -> Floats:
        """Return s without what rounding added to it: draws are written as the records would be afterwards."""
        spread = _width(expected, self.width, self.expected_range)
        added = self.rounding_s2 * (np.exp(-2.0 * expected) if self.scale is Scale.LOG else 1.0)
        return spread * np.sqrt(np.maximum(1.0 - added / spread**2, _LEAST_OWN))


def fit_regression(
    seen: Observed, known: Known, *, scale: Scale | None = None, horizon_s: float = HORIZON_S
) -> Regression:
    """Return the regression fitted to the training side; without `scale` the better of both.

    Censored calls are left out and counted; calls that nobody reached give the share that never comes.

    Raises
    ------
    ValueError
        If fewer than ten calls were reached, or a distance is negative or no number.
    """
    if not (np.isfinite(known.distance).all() and (known.distance >= 0.0).all()):
        raise ValueError("a distance is negative or not finite: calls without a way to them are to be left out")
    if scale is not None:
        return _fit(seen, known, scale)
    back = uniforms(Purpose.SPLIT, seen.seed, seen.identity, 1)[:, 0] < _HELD_BACK
    train, check = np.flatnonzero(~back), np.flatnonzero(back)
    if len(check) == 0 or _n_reached(seen.rows(train)) < 10:
        return _fit(seen, known, Scale.LOG)
    held, of_held = seen.rows(check), known.rows(check)
    loss = {}
    for candidate in Scale:
        draws_s = _fit(seen.rows(train), known.rows(train), candidate).draws_s(of_held)
        loss[candidate] = float(crps(draws_s, held, is_fair=False, horizon_s=horizon_s).mean())
    return _fit(seen, known, min(Scale, key=lambda candidate: loss[candidate]))


def _n_reached(seen: Observed) -> int:
    return int((~seen.is_censored & np.isfinite(seen.value_s)).sum())


def _fit(seen: Observed, known: Known, scale: Scale) -> Regression:
    chosen = np.flatnonzero(~seen.is_censored & np.isfinite(seen.value_s))
    if len(chosen) < 10:
        raise ValueError(f"{len(chosen)} calls with an arrival: a regression needs ten at least")
    reached, of_reached = seen.rows(chosen), known.rows(chosen)
    response = np.maximum(reached.centre_s(), _LEAST_S)
    y = np.log(response) if scale is Scale.LOG else response
    offset = float(np.quantile(of_reached.distance, 0.25)) + 1e-9 if scale is Scale.LOG else -1.0
    position = _position(of_reached.distance, offset)
    bends = np.unique(np.quantile(position, _BEND_LEVELS))
    fixed = _basis(position, bends)
    levels = {name: np.unique(label, return_inverse=True) for name, label in of_reached.labels.items()}
    design, blocks = _design(fixed, [code for _, code in levels.values()])
    width, span, solution, expected = np.zeros(2), (0.0, 0.0), np.zeros(0), np.zeros(len(y))
    for _ in range(3):
        solution = _mixed(design, blocks, y, _width(expected, width, span) ** -2.0)
        expected = design @ solution
        width, span = _fit_width(expected, y - expected)
    standard = (y - expected) / _width(expected, width, span)
    deviation = max(float(standard.std()), 1e-12)
    effects = {
        name: dict(zip((int(label) for label in labels), solution[block].tolist(), strict=True))
        for (name, (labels, _)), block in zip(levels.items(), blocks, strict=True)
    }
    return Regression(
        scale=scale,
        offset=offset,
        bends=bends,
        line=solution[: fixed.shape[1]],
        effects=effects,
        width=width + np.array([np.log(deviation), 0.0]),
        expected_range=span,
        residuals=np.sort(standard / deviation),
        rounding_s2=float(reached.rounding_variance_s2().mean()),
        never=float(np.isinf(seen.value_s[~seen.is_censored]).mean()),
        n_fitted=len(chosen),
        n_left_out=int(seen.is_censored.sum()),
    )


def _position(distance: Floats, offset: float) -> Floats:
    """Return distance, or its logarithm kept finite at nought by an offset of a typical short way."""
    return np.log(distance + offset) if offset > 0.0 else np.asarray(distance, dtype=np.float64)


def _basis(position: Floats, bends: Floats) -> Floats:
    """Return the columns of a bent line: 1, x, and max(x - bend, 0) for each bend. (n, 2 + n_bends)."""
    rising = np.maximum(position[:, None] - bends, 0.0)
    return np.column_stack([np.ones(len(position)), position, rising])


def _design(fixed: Floats, codes: list[NDArray[Any]]) -> tuple[Any, list[slice]]:
    """Return the sparse design matrix, and which columns each group of effects has."""
    n, begin = fixed.shape
    parts, blocks = [sparse.csr_array(fixed)], []
    for code in codes:
        n_labels = int(code.max()) + 1
        parts.append(sparse.csr_array((np.ones(n), (np.arange(n), code)), shape=(n, n_labels)))
        blocks.append(slice(begin, begin + n_labels))
        begin += n_labels
    return sparse.hstack(parts, format="csr"), blocks


def _mixed(design: Any, blocks: list[slice], y: Floats, weights: Floats) -> Floats:
    """Return line and effects together, (n_columns,), with variances found on the way.

    Columns of the line are brought to a common size first: distances are thousands, effects are not.
    """
    size: Floats = np.sqrt(np.asarray(design.multiply(design).mean(axis=0)).ravel())
    for block in blocks:
        size[block] = 1.0
    size = np.where(size > 0.0, size, 1.0)
    weights = weights / weights.mean()
    scaled = design @ sparse.diags_array(1.0 / size)
    weighted = sparse.diags_array(weights) @ scaled
    normal, right = (scaled.T @ weighted).toarray(), weighted.T @ y
    n, n_fixed = len(y), blocks[0].start if blocks else design.shape[1]
    total = float(weights @ y**2)
    least = 1e-12 * total / n + 1e-300
    noise = max(float(weights @ (y - np.average(y, weights=weights)) ** 2) / n, least)
    spread = [noise * 0.1] * len(blocks)
    solution = np.zeros(design.shape[1])
    for _ in range(_N_ITERATIONS):
        penalty = np.full(design.shape[1], 1e-9 * n)
        for block, variance in zip(blocks, spread, strict=True):
            penalty[block] = noise / max(variance, 1e-6 * noise)
        inverse = np.linalg.inv(normal + np.diag(penalty))
        solution = inverse @ right
        noise = max((total - float(solution @ right)) / max(n - n_fixed, 1), least)
        for place, block in enumerate(blocks):
            own = float(solution[block] @ solution[block]) + noise * float(np.trace(inverse[block, block]))
            spread[place] = own / (block.stop - block.start)
    return np.asarray(solution / size)


def _fit_width(expected: Floats, residual: Floats) -> tuple[Floats, tuple[float, float]]:
    """Return log s as a line in the expected response, and the central range of the latter in which it is used."""
    low, high = np.quantile(expected, [0.01, 0.99])
    size = np.log(np.maximum(np.abs(residual), 1e-3 * float(np.abs(residual).mean()) + 1e-12))
    columns = np.column_stack([np.ones(len(expected)), np.clip(expected, low, high)])
    line = np.linalg.lstsq(columns, size, rcond=None)[0]
    return line, (float(low), float(high))


def _width(expected: Floats, line: Floats, span: tuple[float, float]) -> Floats:
    """Return s, up to the constant factor that the standardised residuals hold."""
    width: Floats = np.exp(line[0] + line[1] * np.clip(expected, *span))
    return width
