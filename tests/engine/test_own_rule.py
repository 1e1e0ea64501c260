"""A dispatch rule of one's own: it decides, it sees what a dispatcher knows, and what it does wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from sim.engine import engine_for, simulate
from sim.engine.log import EventLog, LogKind
from sim.engine.static import static_responses
from sim.errors import InputError
from sim.fleet.parts import ChangeKind
from sim.own_rule import OwnRuleError, load
from tests.engine.conftest import AERIAL, TinyCity, told
from tests.engine.random_cities import cities_with_levers

S = 1000
RULES = "tests.engine.own_rules"


def sent(log: EventLog) -> list[int]:
    """The units that are sent, in order."""
    return log.rows["unit"][log.rows["kind"] == LogKind.DISPATCH].tolist()


def two_stations(own_rule: str) -> TinyCity:
    """Unit 0 two cells from the call in cell 3, unit 1 one cell; turnout 45 s, a minute a cell."""
    city = TinyCity(own_rule=own_rule)
    for cell in (1, 2):
        city.unit(city.station(cell))
    city.incident(0, cell=3)
    return city


def test_the_unit_that_the_rule_chooses_goes_and_its_expected_arrival_is_logged() -> None:
    log = two_stations(f"{RULES}:Stubborn").run("auto")
    assert sent(log) == [0]
    assert log.rows["value"][log.rows["kind"] == LogKind.DISPATCH].tolist() == [165 * S]
    assert sent(two_stations("").run("both")) == [1], "the built-in rule sends the nearer one"


def test_a_rule_sees_the_need_as_reported_and_what_each_unit_takes() -> None:
    cards = [[(0, 1, True)], [(0, 1, True)]]
    city = TinyCity(own_rule=f"{RULES}:Watcher", cards=cards, priority=[1, 1], access_s=30)
    city.unit(city.station(1))
    city.unit(city.station(2), AERIAL)
    city.incident(0, cell=3, kind=1, grade=3, reported_kind=0, reported_grade=2)
    city.change(100, ChangeKind.STATION_PEOPLE, 1, 12)
    inputs = city.inputs()
    assert inputs.own_rule is not None
    log = simulate(inputs)
    ways = [165 * S, -1], [195 * S, -1]
    assert (
        load(inputs.own_rule).seen
        == [
            (60 * S, 0, 0, 0, 3, 0, 2, *ways),
            (100 * S, 40 * S, 0, 0, 3, 0, 2, *ways),
            (265 * S, 0, 0, 0, 3, 1, 3, [-1, -1], [-1, -1]),
        ][:2]
    )
    assert told(log, LogKind.WAIT, LogKind.DISPATCH) == [(60.0, "WAIT", 0, 1, -1), (100.0, "DISPATCH", 0, 1, 0)]


@settings(max_examples=100)
@given(city=cities_with_levers(TinyCity))
def test_a_rule_that_copies_nearest_gives_the_log_of_nearest_whatever_levers_are_on(city: TinyCity) -> None:
    city.dispatch, city.n_passed = 0, {}
    built_in = city.run("simpy")
    city.own_rule = f"{RULES}:Nearest"
    assert city.run("simpy").digest() == built_in.digest()


def test_the_static_part_asks_the_rule_too() -> None:
    assert static_responses(two_stations("").inputs()).tolist() == [105 * S]
    assert static_responses(two_stations(f"{RULES}:Stubborn").inputs()).tolist() == [165 * S]


BUSY = "chose 0 for incident 1 (capability 0) at 90000 ms, which is busy (TURNING_OUT); choose of need.able"


@pytest.mark.parametrize(
    ("rule", "change", "message"),
    [
        ("Stubborn", "second call", BUSY),
        ("Stubborn", "no crew", "which has no crew (3 people free, it needs 4)"),
        ("Stubborn", "closed", "which is not in service"),
        ("Stubborn", "aerial", "which has not that capability"),
        ("Outside", "", "chose 99 for incident 0 (capability 0) at 60000 ms, but the city's units are 0 to 1"),
        ("Text", "", "chose 'unit 1' for incident 0 (capability 0) at 60000 ms, which is no unit's id"),
        ("Fails", "", "failed: ZeroDivisionError: division by zero (own_rules.py line 34)"),
        ("Meddler", "", "failed: ValueError: assignment destination is read-only (own_rules.py line 39)"),
    ],
)
def test_what_a_rule_does_wrong_ends_the_run_with_one_message(rule: str, change: str, message: str) -> None:
    city = two_stations(f"{RULES}:{rule}")
    if change == "second call":
        city.incident(30, cell=3)
    elif change == "aerial":
        city.units[0] = (0, 1 << AERIAL, 4, 6)
    elif change:
        kind = ChangeKind.STATION_PEOPLE if change == "no crew" else ChangeKind.STATION_CLOSE
        city.change(10, kind, 0, 3)
    with pytest.raises(OwnRuleError) as raised:
        city.run("simpy")
    assert str(raised.value).startswith(f"dispatch.own_rule={RULES}:{rule} ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_ruls:Nearest", "names no module that can be found; put my_ruls.py into the folder"),
        (f"{RULES}:Nearst", "names nothing in "),
        (f"{RULES}:Needy", "cannot be made: TypeError"),
        (f"{RULES}:Empty", "has no method choose(need)"),
        ("my_rules", "must be written module:Name"),
    ],
)
def test_a_rule_that_cannot_be_loaded_is_told_before_anything_happens(name: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        two_stations(name).run("simpy")
    assert str(raised.value).startswith(f"settings: {name!r} (dispatch.own_rule) ")
    assert message in str(raised.value)


def test_a_rule_changed_meanwhile_is_read_anew_and_never_played_under_the_old_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rule = "class Mine:\n    def choose(self, need):\n        return {}\n"
    file = tmp_path / "my_rules.py"
    file.write_text(rule.format(0), encoding="utf-8")
    before = two_stations("my_rules:Mine").inputs()
    assert sent(simulate(before)) == [0]
    file.write_text(rule.format(1), encoding="utf-8")
    with pytest.raises(InputError, match="is not as it was when the run was begun"):
        simulate(before)
    assert sent(two_stations("my_rules:Mine").run("auto")) == [1]
    file.write_text("import nothing_of_this_name\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be imported: ModuleNotFoundError"):
        two_stations("my_rules:Mine").run("auto")


@pytest.mark.parametrize("engine", ["kernel", "both"])
def test_the_compiled_loop_refuses_a_rule_of_ones_own(engine: str) -> None:
    with pytest.raises(InputError) as raised:
        two_stations(f"{RULES}:Nearest").run(engine)
    assert str(raised.value) == (
        f"settings: '{engine}' (run.engine) plays built-in rules only, and dispatch.own_rule is your own Python "
        f"({RULES}:Nearest); choose run.engine=auto or simpy"
    )


def test_auto_takes_the_kernel_where_every_rule_is_built_in_and_says_why() -> None:
    assert engine_for("auto") == ("kernel", "every rule chosen is built in")
    assert engine_for("auto", "a:B") == ("simpy", "dispatch.own_rule is your own Python (a:B)")
    assert engine_for("simpy", "a:B") == ("simpy", "run.engine=simpy")
    assert engine_for("both") == ("both", "run.engine=both")
