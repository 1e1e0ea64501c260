"""What the engines say of queues that no closed form solves, beside an independent simulator."""

from __future__ import annotations

import pytest

from sim.verification.checks import KERNEL


@pytest.mark.parametrize("place", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_the_kernel_agrees_with_an_independent_simulator(beside_ciw, place):
    checks = beside_ciw.CASES[place].run(KERNEL, "short")
    assert [(it.name, it.expected, it.found, it.verdict) for it in checks if not it.holds] == []
    assert len(checks) >= 6


@pytest.mark.slow
def test_another_order_of_stations_is_found_out(beside_ciw, monkeypatch):
    monkeypatch.setattr(beside_ciw, "PREFERENCE", ((1, 0, 2), (0, 1, 2)))
    failing = {it.name for it in beside_ciw.stations_that_help(KERNEL, "short") if not it.holds}
    assert {"place_0_station_0", "place_0_station_1", "mean_drive"} <= failing


@pytest.mark.slow
def test_classes_without_priority_are_found_out(beside_ciw, monkeypatch):
    first, second = beside_ciw.CLASSES
    monkeypatch.setattr(beside_ciw, "CLASSES", (first, type(second)(second.per_h, second.mean_s, 1)))
    failing = {it.name: it.verdict for it in beside_ciw.waits_by_class(KERNEL, "short")}
    assert failing["beyond_class_1"] == "fails"
    assert failing["waits_class_1"] == "holds"
