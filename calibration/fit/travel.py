"""Travel times: a curve in distance (or matrix time), effects of station and hour, and a residual by expected time.

    log T = log m(x) + sum_g u_g[label_g] + s_band e,    u_g ~ N(0, tau_g^2),    e ~ N(0, 1)

Curve and effects are found together by Newton's method on the likelihood of the records as written (rounded, censored),
the effects' variances by expectation and maximisation (Searle, Casella & McCulloch 1992, ch. 8). Standard errors are
those of prediction, with the sandwich over days where there are twenty or more. Rows over five s.d. from what is
expected are given no weight and are counted. The curve is chosen by held-out log score, in whole days left out.

What is not identified: an error in the distance itself looks like noise and flattens the curve; without a second
measurement it cannot be told from either. A factor common to all stations is the curve's, not the stations'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from calibration.fit.complete import log_times, probability_bounds
from calibration.fit.misfit import Misfit, between, misfit
from calibration.fit.mixed import Columns
from calibration.fit.noise import Shared, interpolate, noise_quantiles, normal_quantiles, shared_within
from calibration.fit.rounds import ABSURD_SD, Found, Last, found_of
from calibration.fit.speed import CURVES, OF_DISTANCE, Curve
from calibration.fit.times import Effects, Held, day_folds, held_against_best, simplest, some_days
from calibration.scores.keyed import Floats
from calibration.scores.recorded import Observed
from calibration.scores.regression import Known
from calibration.scores.transform import pit

Codes = NDArray[np.int64]
_LEVEL = 0.01
_VAGUE = 1.0
"""A parameter of the curve, on a log scale, whose standard error is above this is not identified."""


@dataclass(frozen=True, slots=True)
class TravelFit:
    """A fitted travel model; make one with `fit_travel`.

    parameters, covariance: of the curve. effects: by name. edges_s: (n_bands - 1,) expected times between the bands,
    s; sd: (n_bands,) s.d. of log time; sd_se. spread_p: whether bands differ. curve_p: whether the curve leaves out
    something along the distance. n_absurd: rows without weight. vague: parameters that are not identified.
    noise_quantiles: (n_bands, n_levels) log residuals at `noise.LEVELS`, of the records where they are not log-normal
    (`is_lognormal`). common: what units of one call share of the residual variance; NaN without calls.
    """

    curve: Curve
    parameters: Floats
    covariance: Floats
    effects: Mapping[str, Effects]
    edges_s: Floats
    sd: Floats
    sd_se: Floats
    n: int
    n_absurd: int
    spread_p: float
    curve_p: float
    misfit: Misfit
    held: Mapping[str, Held]
    noise_quantiles: Floats
    common: Shared

    @property
    def is_lognormal(self) -> bool:
        """Whether residuals may be log-normal, by the test of the form at the 1 % level."""
        return not self.misfit.form_p < _LEVEL

    @property
    def se(self) -> Floats:
        """Standard errors of the curve's parameters."""
        value: Floats = np.sqrt(np.diag(self.covariance))
        return value

    @property
    def vague(self) -> tuple[str, ...]:
        """Parameters of the curve that these records do not fix."""
        return tuple(name for name, se in zip(self.curve.parameters, self.se, strict=True) if not se < _VAGUE)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against the fit, in words; empty if nothing does."""
        found = list(self.misfit.reasons)
        if self.curve_p < _LEVEL:
            found.append(f"the curve in distance is off somewhere (p {self.curve_p:.2g})")
        found.extend(f"{name} of the curve is not identified" for name in self.vague)
        if self.n_absurd > 0.002 * self.n + 3:
            found.append(
                f"{self.n_absurd} of {self.n} rows lie beyond {ABSURD_SD:g} s.d.: wrong records or heavy tails"
            )
        return tuple(found)

    def log_expected(self, known: Known) -> Floats:
        """Return the log median, of s, of each call: (n,)."""
        out = self.curve.log_s(self.parameters, known.distance)
        for name, effect in self.effects.items():
            out = out + effect.of(known.labels[name])
        return out

    def band_of(self, log_expected: Floats) -> Codes:
        """Return the band of each expected time: (n,) int64."""
        return np.searchsorted(self.edges_s, np.exp(log_expected), side="right").astype(np.int64)

    def sd_of(self, log_expected: Floats) -> Floats:
        """Return the s.d. of log time at each expected time: (n,)."""
        return self.sd[self.band_of(log_expected)]

    def quantiles_s(self, known: Known, levels: Floats) -> Floats:
        """Return quantiles (n, n_levels), s."""
        mean = self.log_expected(known)
        noise = np.stack([interpolate(row, levels) for row in self.noise_quantiles])
        quantiles: Floats = np.exp(mean[:, None] + noise[self.band_of(mean)])
        return quantiles


def fit_travel(
    seen: Observed,
    known: Known,
    blocks: Codes,
    *,
    curves: Sequence[str] = OF_DISTANCE,
    n_folds: int = 5,
    call: Codes | None = None,
) -> TravelFit:
    """Return the travel model of n records; `blocks` (n,) are the days, `known` distances (or times) and labels.

    Labels are effects such as "station" and "hour" (by workday: hour + 24 on days off). With fewer than five days or a
    hundred records the first curve is taken. `call` (n,) says which call each unit drove to.

    Raises
    ------
    ValueError
        If fewer than twenty journeys are seen to their end, or a distance is negative or no number.
    """
    if not (np.isfinite(known.distance).all() and (known.distance >= 0.0).all()):
        raise ValueError("a distance is negative or not finite: journeys without a way to them are to be left out")
    if not (np.isfinite(seen.value_s).all() and (seen.value_s >= 0.0).all()):
        raise ValueError(
            "a travel time is infinite or below nought: leave it out, or give the time up to which it is known"
        )
    if int((~seen.is_censored).sum()) < 20:
        raise ValueError(f"{int((~seen.is_censored).sum())} journeys seen to their end: twenty at least are needed")
    held: Mapping[str, Held] = {}
    name = curves[0]
    if len(curves) > 1 and len(np.unique(blocks)) >= n_folds and len(seen) >= 100:
        held = _held_out(seen, known, blocks, curves, n_folds)
        name = simplest(held, {each: len(CURVES[each].parameters) for each in curves})
    return _with_noise(replace(_fit(CURVES[name], seen, known, blocks, call), held=held), seen, known, blocks, call)


def _with_noise(fit: TravelFit, seen: Observed, known: Known, blocks: Codes, call: Codes | None) -> TravelFit:
    """Return the fit with quantiles of its residuals if they are not log-normal, and with what calls share."""
    mean = fit.log_expected(known)
    band = fit.band_of(mean)
    found = fit
    if not fit.is_lognormal:
        found = replace(found, noise_quantiles=noise_quantiles(seen, mean, band, fit.sd))
    if call is not None:
        standard = (np.log(np.maximum(seen.centre_s(), 1.0)) - mean) / fit.sd[band]
        few = np.flatnonzero(~seen.is_censored & (np.abs(standard) <= ABSURD_SD))
        fitted = [
            (known.labels[name][few], (effect.se_of(known.labels[name][few]) / fit.sd[band[few]]) ** 2)
            for name, effect in fit.effects.items()
        ]
        found = replace(found, common=shared_within(standard[few], call[few], blocks[few], fitted))
    return found


def _held_out(seen: Observed, known: Known, blocks: Codes, curves: Sequence[str], n_folds: int) -> Mapping[str, Held]:
    few = some_days(blocks, seen.seed)
    seen, known, blocks = seen.rows(few), known.rows(few), blocks[few]
    fold = day_folds(blocks, seen.seed, n_folds)
    score = {name: np.empty(len(seen)) for name in curves}
    near: dict[str, Found] = {}
    for number in range(n_folds):
        train, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        for name in curves:
            near[name], _ = found_of(CURVES[name], seen.rows(train), known.rows(train), near.get(name))
            mean = near[name].log_expected(known.rows(out))
            log_p = log_times(seen.rows(out), mean, near[name].spread.of(mean)).log_p
            # One in a thousand may be anything up to two hours, so that one absurd row does not decide.
            unit = np.where(seen.resolution_s[out] > 0.0, seen.resolution_s[out], 1.0)
            score[name][out] = np.logaddexp(np.log(0.999) + log_p, np.log(0.001 * unit / 7200.0))
    return held_against_best(score, blocks)


def _fit(curve: Curve, seen: Observed, known: Known, blocks: Codes, call: Codes | None) -> TravelFit:
    found, last = found_of(curve, seen, known)
    columns, parts = found.columns, found.columns.parts
    inverse: Floats = np.asarray(np.linalg.inv(last.normal), dtype=np.float64)
    is_vague = bool((np.diag(inverse)[parts[0]] > _VAGUE**2).any())
    covariance = _by_days(inverse, columns, last, None if is_vague else blocks)
    mean = found.log_expected(known)
    transform = pit(*probability_bounds(seen, mean, found.spread.of(mean)), seen)
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    place = {name: number for number, name in enumerate(columns.names)}
    return TravelFit(
        curve=curve,
        parameters=found.parameters,
        covariance=covariance[parts[0], parts[0]],
        effects={name: _effects(columns, place[name], found, deviation) for name in known.labels},
        edges_s=np.exp(found.spread.edges),
        sd=found.spread.sd,
        sd_se=found.spread.se,
        n=len(seen),
        n_absurd=int((~last.is_kept).sum()),
        spread_p=found.spread.p,
        curve_p=_curve_p(transform, known.distance),
        misfit=misfit(transform, blocks, call=call),
        held={},
        noise_quantiles=normal_quantiles(found.spread.sd),
        common=Shared(float("nan"), float("nan"), 0),
    )


def _by_days(inverse: Floats, columns: Columns, last: Last, blocks: Codes | None) -> Floats:
    """Return the covariance of prediction, C M C + C P C: M of slopes summed by day, P the precision of effects."""
    if blocks is None or len(np.unique(blocks)) < 20:
        return inverse
    sums = columns.by_day(last.slopes, last.slope, np.unique(blocks, return_inverse=True)[1].astype(np.int64))
    covariance: Floats = inverse @ (sums.T @ sums + np.diag(last.penalty)) @ inverse
    return covariance


def _effects(columns: Columns, place: int, found: Found, deviation: Floats) -> Effects:
    keys, part = columns.values[place].tolist(), columns.parts[1 + place]
    own_n = np.bincount(columns.codes[place]).tolist()
    return Effects(
        dict(zip(keys, found.solution[part].tolist(), strict=True)),
        dict(zip(keys, deviation[part].tolist(), strict=True)),
        dict(zip(keys, own_n, strict=True)),
        float(np.sqrt(found.tau2[place])),
    )


def _curve_p(transform: Floats, x: Floats) -> float:
    """Return the p-value of equal normal scores over tenths of the distance."""
    edges = np.unique(np.quantile(x, np.arange(1, 10) / 10))
    score = special.ndtri(np.clip(transform, 1e-6, 1.0 - 1e-6))
    return between(score, np.unique(np.searchsorted(edges, x, side="right"), return_inverse=True)[1])[0]
