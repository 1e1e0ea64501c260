"""Every case holds in its short form, is the same each time, and fails where city or expectation are wrong."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from sim.verification import chance, formulas, known, orders, played, queues, servers
from sim.verification.checks import KERNEL, NO_ENGINE, SIMPY, Case, Check
from sim.verification.registry import CASES
from sim.verification.small_city import CallClass, SmallCity, write_city

BY_NAME = {case.name: case for case in CASES}
Bias = Callable[[SmallCity], SmallCity]


def checks_of(case: Case, engine: str) -> list[Check]:
    return case.run(engine if case.uses_engine else NO_ENGINE, "short")


def not_held(checks: list[Check]) -> list[str]:
    return [f"{it.name}: {it.expected:g}, found {it.found:g}, {it.verdict}" for it in checks if not it.holds]


def test_cases_have_names_of_their_own():
    assert len(BY_NAME) == len(CASES) > 0


@pytest.mark.parametrize("name", BY_NAME)
def test_the_kernel_meets_theory(name):
    checks = checks_of(BY_NAME[name], KERNEL)
    assert checks
    assert len({check.name for check in checks}) == len(checks)
    assert not_held(checks) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [case.name for case in CASES if case.uses_engine])
def test_the_reference_model_meets_theory(name):
    assert not_held(checks_of(BY_NAME[name], SIMPY)) == []


@pytest.mark.slow
def test_a_case_says_the_same_each_time():
    assert checks_of(BY_NAME["pasta"], KERNEL) == checks_of(BY_NAME["pasta"], KERNEL)


def test_both_engines_play_the_same_replications():
    with played.prepared("same", queues.delay_city()) as ready:
        logs = [played.play(ready.inputs(0), engine).log.digest() for engine in (SIMPY, KERNEL)]
    assert logs[0] == logs[1]


def busier(city: SmallCity) -> SmallCity:
    classes = tuple(dataclasses.replace(it, per_h=it.per_h * 1.15) for it in city.classes)
    return dataclasses.replace(city, classes=classes)


def bursts(city: SmallCity) -> SmallCity:
    """Calls come in every other hour only, so that they find more units out than time does."""
    return dataclasses.replace(city, hour_weights=(2.0, 0.0) * 12)


def first_come(city: SmallCity) -> SmallCity:
    return dataclasses.replace(city, classes=tuple(dataclasses.replace(it, priority=1) for it in city.classes))


def shuffled_hours(city: SmallCity) -> SmallCity:
    return dataclasses.replace(city, hour_weights=tuple(reversed(city.hour_weights)))


def lopsided(city: SmallCity) -> SmallCity:
    """Half of all calls come from the street's far end."""
    return dataclasses.replace(city, residents=(*city.residents[:-1], 24_000))


FOUND_OUT: tuple[tuple[str, Bias, set[str]], ...] = (
    ("erlang_c", busier, {"waiting_share", "mean_wait", "wait_beyond", "queue_length"}),
    ("time_varying_servers", shuffled_hours, {"out_at_04", "out_at_20"}),
    ("poisson", shuffled_hours, {"gaps", "dispersion"}),
)
FOUND_OUT_SLOWLY: tuple[tuple[str, Bias, set[str]], ...] = (
    ("erlang_b", busier, {"lost_exponential", "busy_exponential"}),
    ("pollaczek_khinchine", busier, {"mean_wait_exponential", "waiting_share_exponential"}),
    ("priorities", first_come, {"one_unit_class_1", "one_unit_class_3", "three_units_class_1"}),
    ("infinite_servers", busier, {"mean_exponential", "few_exponential", "pairs_exponential"}),
    ("pasta", bursts, {"see_0", "see_4"}),
    ("common_chance", busier, {"one_more_difference", "shorter_difference"}),
    ("never_further", lopsided, {"mean_one", "mean_all"}),
)


@pytest.mark.parametrize(
    ("name", "bias", "failing"),
    [*FOUND_OUT, *(pytest.param(*it, marks=pytest.mark.slow) for it in FOUND_OUT_SLOWLY)],
)
def test_a_city_that_is_not_the_one_stated_is_found_out(name, bias, failing, monkeypatch):
    for module in (queues, servers):
        monkeypatch.setattr(module, "LAWS", queues.LAWS[:1])
    monkeypatch.setattr(played, "write_city", lambda folder, city: write_city(folder, bias(city)))
    found = {check.name for check in checks_of(BY_NAME[name], KERNEL) if not check.holds}
    assert failing <= found


@pytest.mark.slow
def test_service_of_another_law_is_found_out_by_the_single_server_alone(monkeypatch):
    """Erlang's loss formula does not see the law of service; Pollaczek's and Khinchine's does."""
    for_constant = [("constant", 1.0, queues.LAWS[0][2])]
    monkeypatch.setattr(queues, "LAWS", for_constant)
    single = {check.name: check.verdict for check in queues.single_server(KERNEL, "short")}
    assert single == {"mean_wait_constant": "fails", "waiting_share_constant": "holds"}
    assert not_held(queues.lost_calls(KERNEL, "short")) == []


@pytest.mark.slow
def test_a_full_overflow_is_told(monkeypatch):
    monkeypatch.setattr(queues, "LAWS", queues.LAWS[:1])
    whole = queues.loss_city
    monkeypatch.setattr(queues, "loss_city", lambda *law: dataclasses.replace(whole(*law), units=(3, 1)))
    checks = {check.name: check for check in queues.lost_calls(KERNEL, "short")}
    assert checks["overflow_never_full_exponential"].verdict == "fails"


@pytest.mark.slow
def test_fewer_units_in_the_place_of_more_are_found_out(monkeypatch):
    monkeypatch.setattr(orders, "common_city", lambda n=4: chance.common_city(8 - n if n > 4 else n))
    found = {check.name: check.verdict for check in orders.no_call_waits_longer(KERNEL, "short")}
    assert found["one_more_longer"] == found["one_more_sooner"] == "fails"
    assert found["shorter_longer"] == "holds"


@pytest.mark.slow
def test_a_station_moved_away_is_found_out(monkeypatch):
    """Each further station in the place of the ones before: some calls are further away."""
    one = orders.street
    monkeypatch.setattr(
        orders, "street",
        lambda n: dataclasses.replace(one(n), units=(1,), station_cell=(orders.STATIONS[n - 1],)),
    )  # fmt: skip
    found = {check.name: check.verdict for check in orders.no_call_is_further(NO_ENGINE, "short")}
    assert found["further"] == "fails"


@pytest.mark.slow
def test_unrelated_chance_removes_no_variance(monkeypatch):
    """Arms of different seeds: the factor is about one."""
    whole = chance.replications

    def unrelated(name, city, engine, n, *overrides):
        return whole(f"{name} {city.units} {overrides}", city, engine, n, *overrides)

    monkeypatch.setattr(chance, "replications", unrelated)
    found = {check.name: check.verdict for check in chance.common_chance(KERNEL, "short")}
    assert found["shorter_factor"] == found["scaled_factor"] == "fails"
    assert found["shorter_difference"] == "blind"


def test_another_bit_of_generator_or_log_is_found_out(monkeypatch):
    name, given, words = known.PHILOX[0]
    monkeypatch.setattr(known, "PHILOX", ((name, given, (words[0] ^ 1, *words[1:])),))
    assert [check.verdict for check in known.known_words(NO_ENGINE, "short")] == ["fails"]
    whole = known.golden_city()
    monkeypatch.setattr(known, "golden_city", lambda: dataclasses.replace(whole, residents=(701, 299)))
    assert [check.verdict for check in known.golden_log(KERNEL, "short")] == ["fails"]


def test_expected_units_out_follow_the_rate_with_a_lag():
    """Constant work of an hour: the calls of the hour before; none before the run begins."""
    service, sure = np.array([3_600.0]), np.array([1.0])
    weights = np.array(servers.DAY_WEIGHTS) / np.mean(servers.DAY_WEIGHTS)
    assert servers.expected_out(19, 1, service, sure) == pytest.approx(servers.DAY_PER_H * weights[18])
    assert servers.expected_out(0, 0, service, sure) == 0.0
    assert math.isclose(servers.expected_out(0, 1, service, sure), servers.DAY_PER_H * weights[23])


def test_shares_that_no_table_can_hold_are_refused(tmp_path):
    thirds = tuple(CallClass(1.0, 60.0) for _ in range(3))
    with pytest.raises(ValueError, match="no whole hundred-thousandths"):
        write_city(tmp_path / "thirds", SmallCity(thirds, (1,)))


def test_the_formulas_are_those_of_the_units_stated():
    load = queues.LOSS_PER_H * queues.LOSS_S / 3_600.0
    assert load == 2.5
    assert formulas.erlang_b(queues.LOSS_UNITS, load) == pytest.approx(0.28217, abs=1e-5)
