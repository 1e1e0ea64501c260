"""The quantile bank of a run: which table the engine looks a rank up in, for every step that takes time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.demand.quantiles import QuantileStore, exponential_ms, lognormal_factor, lognormal_ms
from sim.demand.schemas import FAMILIES, MAX_GRADE
from sim.demand.settings import TimesSettings
from sim.demand.types import BY_AIR, Durations, Kinds
from sim.errors import Problems, nearest_name
from sim.units import ms_from_min, ms_from_s, q16

NEVER = -1


class _Bank:
    """Numbers tables in the order in which they are first asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def number(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def build_durations(
    kinds: Kinds, settings: TimesSettings, store: QuantileStore, by_air: Mapping[str, float] | None = None
) -> Durations:
    """Return the bank for these kinds; `by_air`: medians of an aircraft's own time on scene, min, by kind.

    Raises
    ------
    InputError
        With every kind that has no access or scene times, lists of a wrong length, and unknown kinds or families.
    """
    by_air = by_air or {}
    _check(kinds, settings, by_air)
    bank = _Bank()
    s = settings
    handling = [_seconds(bank, median, s.handling_sigma) for median in (s.handling_before_s, s.handling_after_s)]
    turnout = [_seconds(bank, median, s.turnout_sigma) for median in (s.turnout_day_s, s.turnout_night_s)]
    common, own = (
        bank.number(lognormal_factor(s.travel_common_sigma)),
        bank.number(lognormal_factor(s.travel_own_sigma)),
    )
    access = [_minutes(bank, s.access_min[code] * s.access_factor, s.access_sigma) for code in kinds.code]
    law = _exponential if s.scene_distribution == "exponential" else _lognormal(s.scene_sigma)
    scene = _by_grade(bank, kinds, s.scene_min, s.scene_factor, law)
    latent = _by_grade(bank, kinds, s.latent_min, s.latent_factor, _lognormal(s.latent_sigma))
    for code, median_min in by_air.items():
        scene[kinds.code.index(code), BY_AIR] = bank.number(law(median_min))
    slopes = [q16(s.scene_delay_per_min.get(family, 0.0)) for family in kinds.family]
    return Durations(
        values=np.stack([store.table(name) for name in bank.names]),
        names=tuple(bank.names),
        handling=np.array(handling, dtype=np.int16),
        turnout=np.array(turnout, dtype=np.int16),
        travel_common=common,
        travel_own=own,
        access=np.array(access, dtype=np.int16),
        scene=scene,
        latent=latent,
        scene_slope_q16=np.array(slopes, dtype=np.int32),
        scene_delay_cap_ms=ms_from_min(s.scene_delay_cap_min),
    )


def _seconds(bank: _Bank, median_s: float, sigma: float) -> int:
    return bank.number(lognormal_ms(ms_from_s(median_s), sigma))


def _minutes(bank: _Bank, median_min: float, sigma: float) -> int:
    return bank.number(_lognormal(sigma)(median_min))


Law = Callable[[float], str]
"""Median in minutes -> name of the table."""


def _lognormal(sigma: float) -> Law:
    return lambda median_min: lognormal_ms(ms_from_min(median_min), sigma)


def _exponential(median_min: float) -> str:
    return exponential_ms(ms_from_min(median_min))


def _by_grade(
    bank: _Bank, kinds: Kinds, medians: Mapping[str, Sequence[float]], factor: float, law: Law
) -> NDArray[np.int16]:
    """Return (n_kinds, 6) table numbers by grade; -1 where there is no median or it is negative."""
    numbers = np.full((kinds.n_kinds, MAX_GRADE + 1), NEVER, dtype=np.int16)
    for kind, code in enumerate(kinds.code):
        for grade, median_min in enumerate(medians.get(code, ()), start=1):
            if median_min >= 0:
                numbers[kind, grade] = bank.number(law(median_min * factor))
    return numbers


def _check(kinds: Kinds, settings: TimesSettings, by_air: Mapping[str, float]) -> None:
    problems = Problems()
    _check_known("aviation.scene_min", by_air, kinds.code, problems)
    _check_known("times.access_min", settings.access_min, kinds.code, problems)
    _check_known("times.scene_min", settings.scene_min, kinds.code, problems)
    _check_known("times.latent_min", settings.latent_min, kinds.code, problems)
    _check_known("times.scene_delay_per_min", settings.scene_delay_per_min, FAMILIES, problems)
    if settings.scene_distribution == "exponential" and settings.scene_sigma != 0:
        rule, mend = "says nothing beside times.scene_distribution=exponential", "set it to 0"
        problems.add("times.scene_sigma", rule, value=settings.scene_sigma, mend=mend)
    for code, top in zip(kinds.code, kinds.max_grade, strict=True):
        if code not in settings.access_min:
            problems.add(f"times.access_min.{code}", "is missing", mend="give the median minutes")
        n_scene, n_latent = len(settings.scene_min.get(code, ())), len(settings.latent_min.get(code, ()))
        if n_scene != top:
            problems.add(f"times.scene_min.{code}", f"needs {top} medians, one per grade", value=n_scene)
        if n_latent not in (0, int(top) - 1):
            problems.add(f"times.latent_min.{code}", f"needs {top - 1} medians, none for the top grade", value=n_latent)
        for grade, median in enumerate(settings.latent_min.get(code, ()), start=1):
            if median < 0 and median != NEVER:
                problems.add(f"times.latent_min.{code}", f"of grade {grade} must be at least 0, or -1", value=median)
    problems.raise_if_any()


def _check_known(where: str, given: Iterable[str], known: Sequence[str], problems: Problems) -> None:
    for name in given:
        if name not in known:
            problems.add(f"{where}.{name}", "is not known", mend=nearest_name(name, known))
