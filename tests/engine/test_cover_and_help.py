"""Keeping cover, moving units up, and help from other cities: who goes, when, and what stays as it was."""

from __future__ import annotations

import pytest

from sim.engine.log import LogKind
from sim.fleet.parts import ChangeKind

K = LogKind
WATER, AERIAL = 0, 1
S = 1000
KEEP_COVER = 2
NEAREST, BEST_COVER = 1, 2


# --- dispatch that keeps cover ----------------------------------------------------------------------------------------


def two_sides(tiny, slack_s: int, dispatch: int = KEEP_COVER):
    """One vehicle at cell 3, two at cell 8; a call at cell 5 is 2 min from the first and 3 min from the others."""
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), dispatch=dispatch)
    city.policy = {"slack_ms": slack_s * S, "cover_ms": 120 * S, "cover_bit": WATER}
    city.unit(city.station(3, people=6))
    far = city.station(8, people=12)
    city.unit(far)
    city.unit(far)
    city.incident(0, cell=5)
    return city


def test_a_station_with_two_vehicles_goes_if_it_is_later_by_no_more_than_the_slack(tiny, rows_of):
    assert [rows_of(two_sides(tiny, slack).run(), K.DISPATCH)[0][4] for slack in (59, 60)] == [0, 1]
    assert rows_of(two_sides(tiny, 600, dispatch=0).run(), K.DISPATCH)[0][4] == 0


def test_the_nearest_goes_if_the_cells_it_leaves_are_covered_by_another_station_all_the_same(tiny, rows_of):
    city = two_sides(tiny, slack_s=60)
    city.unit(city.station(2, people=6))  # covers cells 0 to 4; cell 5 would lose its cover
    assert rows_of(city.run(), K.DISPATCH)[0][4] == 1
    city = two_sides(tiny, slack_s=60)
    city.cell_weight = [1, 1, 1, 1, 1, 0, 1, 1, 1, 1]  # no incident is ever expected in cell 5
    city.unit(city.station(2, people=6))
    assert rows_of(city.run(), K.DISPATCH)[0][4] == 0


def test_of_two_that_cost_no_cover_the_earlier_goes_though_its_station_is_further(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), dispatch=KEEP_COVER)
    city.policy = {"slack_ms": 120 * S, "cover_ms": 600 * S, "cover_bit": WATER}  # each covers all of the other's cells
    city.unit(city.station(4), callout_ms=120_000)
    city.unit(city.station(7))
    city.incident(0, cell=5)
    assert rows_of(city.run(), K.DISPATCH)[0][4] == 1  # 120 s; the other would take 60 + 120 s


def test_a_ladder_costs_no_cover_where_the_engine_beside_it_keeps_its_crew(tiny, rows_of):
    def who_goes(people: int) -> int:
        city = tiny(handling_s=(0, 0), turnout_s=(0, 0), dispatch=KEEP_COVER, cards=[[(AERIAL, 1, True)]])
        city.policy = {"slack_ms": 60 * S, "cover_ms": 120 * S, "cover_bit": WATER}
        near = city.station(3, people=people)
        city.unit(near, WATER)
        city.unit(near, AERIAL)
        city.unit(city.station(8), AERIAL)
        city.incident(0, cell=5)
        return int(rows_of(city.run(), K.DISPATCH)[0][4])

    assert who_goes(people=8) == 1
    assert who_goes(people=7) == 2  # four leave three: the engine stays without its crew and cells 1 to 5 uncovered


def test_a_unit_on_its_way_home_goes_before_an_earlier_one_that_leaves_cells_uncovered(tiny, rows_of):
    def who_goes(slack_s: int) -> int:
        city = tiny(handling_s=(0, 0), turnout_s=(0, 0), dispatch=KEEP_COVER)
        city.policy = {"slack_ms": slack_s * S, "cover_ms": 60 * S, "cover_bit": WATER}
        city.unit(city.station(0))
        city.unit(city.station(5))
        city.changes[-1] = (700 * S, *city.changes[-1][1:])  # in service only after the first call
        city.incident(0, cell=2)  # unit 0 is there at 120 s, done at 720 s
        city.incident(720, cell=4)  # 60 s from cell 5, 120 s from cell 2
        return int(rows_of(city.run(), K.DISPATCH)[1][4])

    assert [who_goes(slack) for slack in (59, 60)] == [1, 0]


def test_help_by_air_is_asked_only_once_its_grade_releases_it(tiny, rows_of):
    def who_goes(reported_grade: int) -> int:
        city = tiny(handling_s=(0, 0), turnout_s=(0, 0), n_cells=10)
        city.flying_hours = (0,)
        city.unit(city.station(0))
        base = city.station(9)
        city.unit(base, mode=1, speed_mm_s=50_000, access_ms=0)
        city.help_grade[base] = 2
        city.policy = {"help_wait_ms": -1}
        city.incident(0, cell=5, grade=2, reported_grade=reported_grade)
        return int(rows_of(city.run(), K.DISPATCH)[0][4])

    assert [who_goes(grade) for grade in (1, 2)] == [0, 1]


def test_among_nearly_equal_ones_the_least_weight_left_uncovered_decides(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), dispatch=KEEP_COVER, cell_weight=[1, 9, 1, 1, 1, 1, 1, 1, 2, 1])
    city.policy = {"slack_ms": 120 * S, "cover_ms": 60 * S, "cover_bit": WATER}
    for cell in (2, 7):  # they cover 9 + 1 + 1 and 1 + 1 + 2
        city.unit(city.station(cell, people=6))
    city.incident(0, cell=4)  # 2 min and 3 min away
    assert rows_of(city.run(), K.DISPATCH)[0][4] == 1


# --- move-up ----------------------------------------------------------------------------------------------------------


def emptied(tiny, rule: int, most_s: int = 600, **fields):
    """Stations at cells 0 (one vehicle), 4 (one) and 8 (two); the first goes out at 0 s for a long job."""
    city = tiny(handling_s=(0, 0), turnout_s=(45, 45), make_ready_s=0, scene_s=7200, **fields)
    city.policy = {
        "move_up": rule, "move_up_after_ms": 300 * S, "move_up_most_ms": most_s * S, "cover_ms": 120 * S,
    }  # fmt: skip
    city.unit(city.station(0, people=6))
    city.unit(city.station(4, people=6))
    far = city.station(8, people=12)
    city.unit(far)
    city.unit(far)
    city.incident(0, cell=0)
    return city


def test_without_move_up_the_far_vehicle_comes_and_with_it_the_one_that_stands_by(tiny, rows_of):
    arrivals = []
    for rule in (0, NEAREST):
        city = emptied(tiny, rule)
        city.incident(2000, cell=1)
        arrivals.append(rows_of(city.run(), K.ARRIVE, incident=1))
    assert arrivals == [
        [(2000 + 45 + 3 * 60, "ARRIVE", 1, 0, 1)],
        [(2000 + 45 + 1 * 60, "ARRIVE", 1, 0, 3)],
    ]


@pytest.mark.parametrize(
    ("change", "recall_s"), [(None, 7245), ((ChangeKind.UNIT_FAILS, 3), 2225), ((ChangeKind.STATION_CLOSE, 2), 2225)]
)
def test_one_that_breaks_down_or_whose_station_closes_while_it_turns_out_from_its_post_is_called_home_afterwards(
    tiny, rows_of, change, recall_s
):
    city = emptied(tiny, NEAREST)
    city.cards, city.priority = [[(WATER, 1, True)], [(WATER, 1, True), (WATER, 1, False)]], [1, 1]
    city.traits[3] = {"callout_ms": 300_000}
    city.incident(2000, cell=1, kind=0, reported_kind=1)
    if change:
        city.change(2100, *change, 1)
    # unit 1 is there at 2000 + 45 + 180 s and finds that one is enough; unit 3 would have left at 2000 + 45 + 300 s.
    # Whole, it stands by until the station's own is back, after 45 s of turnout and two hours of work
    rows = rows_of(city.run(), K.TURN_BACK, K.RECALL, unit=3)
    assert rows[:2] == [(2225, "TURN_BACK", 1, 2, 3), (recall_s, "RECALL", 0, -1, 3)]


def test_nearest_moves_the_last_vehicle_of_the_nearest_station_with_two_ready(tiny, rows_of):
    log = emptied(tiny, NEAREST).run()
    assert rows_of(log, K.MOVE_UP, K.STAND_BY) == [(300, "MOVE_UP", 0, -1, 3), (300 + 480, "STAND_BY", 0, -1, 3)]
    assert rows_of(emptied(tiny, NEAREST, most_s=479).run(), K.MOVE_UP) == []


def test_best_cover_moves_a_stations_only_vehicle_where_that_covers_more(tiny, rows_of):
    log = emptied(tiny, BEST_COVER, most_s=240, cell_weight=[9, 9, 9, 1, 1, 1, 1, 1, 1, 1]).run()
    assert rows_of(log, K.MOVE_UP)[0] == (300, "MOVE_UP", 0, -1, 1)  # 18 won (cell 2 was covered), 2 lost
    log = emptied(tiny, BEST_COVER, most_s=240, cell_weight=[1, 1, 1, 9, 9, 9, 1, 1, 1, 1]).run()
    assert rows_of(log, K.MOVE_UP) == []


def test_a_vehicle_moved_up_goes_home_when_the_station_can_send_again(tiny, rows_of):
    city = emptied(tiny, NEAREST)
    city.scene_s = 3600
    log = city.run()
    back = 45 + 3600  # from its own cell: home as soon as it is clear
    assert rows_of(log, K.RECALL) == [(back, "RECALL", 0, -1, 3)]
    assert rows_of(log, K.HOME, unit=3) == [(back + 480, "HOME", -1, -1, 3)]


def test_a_vehicle_recalled_on_its_way_turns_round_where_it_is(tiny, rows_of):
    city = emptied(tiny, NEAREST)
    city.scene_s = 495  # back at 540: half of its eight cells are behind it
    assert rows_of(city.run(), K.RECALL, K.HOME, unit=3) == [
        (540, "RECALL", 0, -1, 3),
        (540 + 240, "HOME", -1, -1, 3),
    ]


def test_a_vehicle_on_its_way_to_a_post_is_sent_from_where_it_is_without_turnout(tiny, rows_of):
    city = emptied(tiny, NEAREST)
    city.incident(300 + 360, cell=1)  # it is in cell 2; the vehicle at cell 4 would need 45 + 180 s
    assert rows_of(city.run(), K.DISPATCH, K.ARRIVE, incident=1) == [
        (660, "DISPATCH", 1, 0, 3),
        (720, "ARRIVE", 1, 0, 3),
    ]


@pytest.mark.parametrize(("closes_s", "way_s"), [(540, 240), (1000, 480)])
def test_a_vehicle_moved_up_goes_home_and_out_of_service_when_its_own_station_closes(tiny, rows_of, closes_s, way_s):
    city = emptied(tiny, NEAREST)  # it sets out at 300 s and stands by from 780 s on
    city.change(closes_s, ChangeKind.STATION_CLOSE, 2, 0)
    city.incident(2000, cell=8)
    log = city.run()
    assert rows_of(log, K.RECALL, K.HOME, unit=3) == [
        (closes_s, "RECALL", 0, -1, 3),
        (closes_s + way_s, "HOME", -1, -1, 3),
    ]
    assert rows_of(log, K.DISPATCH, incident=1) == [(2000, "DISPATCH", 1, 0, 1)]  # that of cell 4: the other stays in


def one_comes_back(tiny, rule: int, back_s: int, **fields):
    """As `emptied`; of the two at cell 8 one goes out beside its station too and is back at 45 s + its work."""
    city = emptied(tiny, rule, scene_by_grade_s={2: back_s - 45}, **fields)
    city.incident(0, cell=8, grade=2)
    return city


def test_a_station_for_which_nobody_was_found_is_looked_at_again_when_one_more_stands_ready_within_reach(tiny, rows_of):
    moved = rows_of(one_comes_back(tiny, NEAREST, 945).run(), K.MOVE_UP, K.STAND_BY)
    assert moved == [(945, "MOVE_UP", 0, -1, 3), (945 + 480, "STAND_BY", 0, -1, 3)]  # looked at in vain at 300 s
    assert rows_of(one_comes_back(tiny, NEAREST, 200).run(), K.MOVE_UP) == [(300, "MOVE_UP", 0, -1, 3)]
    assert rows_of(one_comes_back(tiny, NEAREST, 945, most_s=479).run(), K.MOVE_UP) == []


def test_at_a_station_closed_meanwhile_no_further_look_is_taken(tiny, rows_of):
    city = one_comes_back(tiny, NEAREST, 945)
    city.change(900, ChangeKind.STATION_CLOSE, 0, 0)
    assert rows_of(city.run(), K.MOVE_UP) == []


def test_best_cover_looks_again_when_a_vehicle_is_back_where_the_gain_exceeds_the_loss(tiny, rows_of):
    """The only other vehicle, at cell 4, is out until 900 s; cells within 120 s of either are covered."""
    city = tiny(
        handling_s=(0, 0), turnout_s=(45, 45), make_ready_s=0, scene_s=7200, scene_by_grade_s={2: 855},
        cell_weight=[9, 9, 9, 1, 1, 1, 1, 1, 1, 1],
    )  # fmt: skip
    city.policy = {"move_up": BEST_COVER, "move_up_after_ms": 300 * S, "move_up_most_ms": 240 * S, "cover_ms": 120 * S}
    city.unit(city.station(0, people=6))
    city.unit(city.station(4, people=6))
    city.incident(0, cell=0)
    city.incident(0, cell=4, grade=2)
    # 18 won (cell 2 was covered from cell 4), 4 lost (cells 3 to 6)
    assert rows_of(city.run(), K.MOVE_UP) == [(900, "MOVE_UP", 0, -1, 1)]


def test_a_station_filled_within_the_waiting_time_calls_nobody(tiny, rows_of):
    city = emptied(tiny, NEAREST)
    city.scene_s = 200
    log = city.run()
    assert rows_of(log, K.MOVE_UP) == []


# --- help from other cities -------------------------------------------------------------------------------------------


def helped(tiny, *, wait_s: int | None = None, grade: int = 1, reported: int = 1):
    """The city's engine at cell 0 and its only ladder busy far away; another city's ladder at cell 9, from grade 3."""
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), cards=[[(WATER, 1, True)], [(AERIAL, 1, True)]], priority=[1, 1])
    city.unit(city.station(0))
    city.help_grade[city.station(9)] = 3
    city.unit(1, AERIAL)
    if wait_s is not None:
        city.policy = {"help_wait_ms": wait_s * S}
    city.incident(100, cell=4, kind=1, grade=grade, reported_grade=reported)
    return city


def test_help_is_not_asked_below_its_grade_and_the_need_stays_unfilled(tiny, rows_of):
    log = helped(tiny).run()
    assert rows_of(log, K.DISPATCH) == []
    assert [row[1] for row in rows_of(log, K.UNFILLED)] == ["UNFILLED"]


def test_help_comes_at_once_for_an_incident_reported_at_its_grade(tiny, rows_of):
    log = helped(tiny, grade=3, reported=3).run()
    assert rows_of(log, K.DISPATCH, K.ARRIVE) == [(100, "DISPATCH", 0, 0, 1), (100 + 300, "ARRIVE", 0, 0, 1)]


def test_help_comes_after_the_wait_that_releases_it_whatever_the_grade(tiny, rows_of):
    log = helped(tiny, wait_s=700).run()
    assert rows_of(log, K.DISPATCH, K.ARRIVE) == [(800, "DISPATCH", 0, 0, 1), (800 + 300, "ARRIVE", 0, 0, 1)]


@pytest.mark.parametrize("wait_s", [None, 50_000])
def test_an_escalation_to_the_grade_of_help_releases_it_at_that_instant(tiny, rows_of, wait_s):
    city = helped(tiny, wait_s=wait_s)
    city.cards[1] = [(WATER, 1, False), (AERIAL, 1, True)]
    city.scene_s = 7200
    city.latent_s = {(1, 1): 900, (1, 2): 1500}
    log = city.run()
    assert rows_of(log, K.REVEAL) == [(100 + 240, "REVEAL", 0, 0, 0)]
    assert rows_of(log, K.ESCALATE) == [(1000, "ESCALATE", 0, -1, -1), (1600, "ESCALATE", 0, -1, -1)]
    assert rows_of(log, K.DISPATCH) == [(100, "DISPATCH", 0, 0, 0), (1600, "DISPATCH", 0, 1, 1)]


def test_an_escalation_nobody_has_seen_releases_no_help(tiny, rows_of):
    city = helped(tiny)
    city.latent_s = {(1, 1): 900, (1, 2): 1500}
    log = city.run()
    assert len(rows_of(log, K.ESCALATE)) == 2
    assert rows_of(log, K.DISPATCH) == []


@pytest.mark.parametrize("help_wait_s", [None, 800])
def test_incidents_the_city_serves_itself_are_the_same_with_help_and_without(tiny, rows_of, help_wait_s):
    logs = []
    for has_help in (False, True):
        city = tiny()
        city.unit(city.station(0))
        if has_help:
            city.help_grade[city.station(2)] = 3
            city.unit(1)
            city.policy = {} if help_wait_s is None else {"help_wait_ms": help_wait_s * S}
        city.incident(0, cell=3)
        city.incident(100, cell=2)  # waits from 160 s until the engine is clear at 885 s
        logs.append(rows_of(city.run(), K.DISPATCH, K.ARRIVE, K.WAIT))
    assert logs[0] == logs[1]
