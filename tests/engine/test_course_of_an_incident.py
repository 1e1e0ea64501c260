"""Reveal, turn back, escalate, meet the critical task: by how much each moves which milestone."""

from __future__ import annotations

from sim.chance import quantile_table
from sim.engine.log import LogKind

WATER, AERIAL, RESCUE = 0, 1, 2
K = LogKind


def test_a_lower_true_grade_turns_back_the_unit_on_the_road_and_the_one_in_its_bay(tiny, rows_of):
    city = tiny(handling_s=(0, 0), cards=[[(WATER, 1, True), (AERIAL, 2, False), (RESCUE, 2, False)]])
    city.unit(city.station(0), WATER)
    city.unit(city.station(2), AERIAL)
    city.unit(city.station(9), RESCUE)
    city.turnout_s = (30, 30)
    city.incident(0, cell=1, grade=1, reported_grade=2)
    log = city.run()
    # water and aerial both need one cell; unit 0 is first by the order of ids, then the reveal turns the others back
    assert rows_of(log, K.ARRIVE, K.TURN_BACK) == [
        (90, "ARRIVE", 0, 0, 0),
        (90, "TURN_BACK", 0, 1, 1),
        (90, "TURN_BACK", 0, 2, 2),
    ]
    # unit 1 is at the very end of its leg (cell 1), one cell from home; unit 2 is one of eight cells out, at cell 8
    assert rows_of(log, K.HOME, unit=1) == [(150, "HOME", -1, -1, 1)]
    assert rows_of(log, K.HOME, unit=2) == [(150, "HOME", -1, -1, 2)]


def test_a_unit_still_turning_out_stands_down_where_it_is_and_its_crew_is_free_at_once(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(100, 100), minute_per_cell_s=10)
    city.cards = [[(WATER, 1, True), (AERIAL, 2, False)]]
    home, other = city.station(0, people=6), city.station(5, people=6)
    city.unit(home, WATER)
    city.unit(other, AERIAL, crew_min=6)
    city.incident(0, cell=0)  # keeps unit 0 on the road later
    city.incident(650, cell=0, grade=1, reported_grade=2)
    city.make_ready_s = 0
    log = city.run()
    # unit 0: arrive 100, clear 700 (in its own cell: home at once); it waits for nothing: the second call waits for it
    assert rows_of(log, K.DISPATCH, unit=1) == [(650, "DISPATCH", 1, 1, 1)]
    assert rows_of(log, K.ARRIVE, incident=1)[0][4] == 0
    assert rows_of(log, K.TURN_BACK) == [(700, "TURN_BACK", 1, 1, 1)]
    assert rows_of(log, K.HOME, unit=1) == []


def test_a_higher_true_grade_sends_for_what_lacks_when_the_first_unit_arrives(tiny, rows_of):
    city = tiny(handling_s=(0, 0), cards=[[(WATER, 1, True), (AERIAL, 2, False)]])
    station = city.station(0, people=30)
    city.unit(station, WATER)
    city.unit(station, AERIAL)
    city.incident(0, cell=2, grade=2, reported_grade=1)
    assert rows_of(city.run(), K.DISPATCH, K.ARRIVE) == [
        (0, "DISPATCH", 0, 0, 0),
        (165, "ARRIVE", 0, 0, 0),
        (165, "DISPATCH", 0, 1, 1),
        (330, "ARRIVE", 0, 1, 1),
    ]


def test_a_false_alarm_keeps_the_first_arrival_and_turns_the_rest_back(tiny, rows_of):
    city = tiny(
        handling_s=(0, 0), cards=[[(WATER, 1, True)], [(AERIAL, 1, False), (WATER, 1, True), (WATER, 1, False)]],
        priority=[3, 1],
    )  # fmt: skip
    city.unit(city.station(5), AERIAL)
    city.unit(city.station(3), WATER)
    city.unit(city.station(4), WATER)
    city.incident(0, cell=2, kind=0, reported_kind=1)
    log = city.run()
    # reported slots are 1, 2, 3; the first water unit takes over the true need, slot 0
    assert rows_of(log, K.DISPATCH) == [(0, "DISPATCH", 0, 1, 0), (0, "DISPATCH", 0, 2, 1), (0, "DISPATCH", 0, 3, 2)]
    assert rows_of(log, K.ARRIVE, K.TURN_BACK, K.MET) == [
        (105, "ARRIVE", 0, 2, 1), (105, "TURN_BACK", 0, 1, 0), (105, "TURN_BACK", 0, 3, 2), (105, "MET", 0, -1, -1),
    ]  # fmt: skip
    assert rows_of(log, K.CLEAR) == [(705, "CLEAR", 0, 0, 1)]


def test_who_came_for_a_need_above_the_true_grade_takes_one_that_is_and_the_last_to_be_sent_is_turned_back(
    tiny, rows_of
):
    card = [(WATER, 1, True), (WATER, 1, False), (AERIAL, 1, False), (WATER, 2, False)]
    city = tiny(handling_s=(0, 0), turnout_s=(30, 30), cards=[card])
    for cell, skill in ((4, WATER), (3, WATER), (9, AERIAL), (2, WATER)):
        city.unit(city.station(cell), skill)
    city.incident(0, cell=5, grade=1, reported_grade=2)
    city.recorded_s = {(0, 0): {"turnout": 400}, (0, 1): {"turnout": 400}}
    log = city.run()
    # unit 3 is there at 30 + 180 s, unit 2 at 30 + 240 s; units 0 and 1 still turn out: 0 takes the second need
    assert rows_of(log, K.ARRIVE, K.TURN_BACK, K.MET) == [
        (210, "ARRIVE", 0, 3, 3), (210, "TURN_BACK", 0, 3, 1), (210, "MET", 0, -1, -1),
        (270, "ARRIVE", 0, 2, 2), (460, "ARRIVE", 0, 1, 0),
    ]  # fmt: skip
    assert rows_of(log, K.CLEAR) == [(810, "CLEAR", 0, 0, 3), (870, "CLEAR", 0, 2, 2), (1060, "CLEAR", 0, 1, 0)]


def test_who_came_for_a_need_above_the_true_grade_takes_one_that_waits(tiny, rows_of):
    city = tiny(handling_s=(0, 0), cards=[[(RESCUE, 1, True), (WATER, 2, False)]], flying_hours=tuple(range(24)))
    city.unit(city.station(0), RESCUE, WATER, mode=1, speed_mm_s=50_000, access_ms=60_000)
    city.policy["air_tasks"] = (1 << WATER,)
    city.incident(0, cell=5, grade=1, reported_grade=2)
    log = city.run()  # asked for water alone, it is there at 45 + 100 s; at the scene it does what it can
    assert rows_of(log, K.WAIT, K.ARRIVE, K.MET, K.CLEAR, K.UNFILLED) == [
        (0, "WAIT", 0, 0, -1), (145, "ARRIVE", 0, 1, 0), (145, "MET", 0, -1, -1), (745, "CLEAR", 0, 0, 0),
    ]  # fmt: skip


def test_who_came_for_a_need_above_the_true_grade_and_can_serve_no_other_stays(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), cards=[[(WATER, 1, True), (AERIAL, 2, False)]])
    city.unit(city.station(0), WATER)
    city.unit(city.station(4), AERIAL)
    city.incident(0, cell=5, grade=1, reported_grade=2)
    assert rows_of(city.run(), K.ARRIVE, K.TURN_BACK, K.CLEAR) == [
        (60, "ARRIVE", 0, 1, 1), (300, "ARRIVE", 0, 0, 0), (660, "CLEAR", 0, 1, 1), (900, "CLEAR", 0, 0, 0),
    ]  # fmt: skip


def test_an_unmet_incident_outgrows_its_grade_at_its_latent_time_and_a_met_one_does_not(tiny, rows_of):
    card = [[(WATER, 1, True), (WATER, 2, False)]]
    for latent_s, escalates in ((284, True), (285, False)):
        city = tiny(cards=card, latent_s={(0, 1): latent_s})
        station = city.station(0, people=30)
        city.unit(station)
        city.unit(station)
        city.incident(0, cell=3)  # arrives at 60 + 45 + 180 = 285 after the call
        log = city.run()
        expected = [(284, "ESCALATE", 0, -1, -1)] if escalates else []
        assert rows_of(log, K.ESCALATE) == expected
        assert len(rows_of(log, K.DISPATCH)) == (2 if escalates else 1)


def test_access_counts_the_critical_task_is_met_at_work_not_at_the_kerb(tiny, rows_of):
    city = tiny(access_s=90, latent_s={(0, 1): 300})
    city.unit(city.station(0))
    city.incident(0, cell=3)  # at the address 285, at work 375: the clock of 300 runs out between
    log = city.run()
    assert rows_of(log, K.ESCALATE) == [(300, "ESCALATE", 0, -1, -1)]
    assert [int(v) for v in log.rows["value"][log.rows["kind"] == K.MET]] == [375_000, 375_000]


def test_the_critical_task_is_met_sooner_if_one_that_comes_later_is_at_work_sooner(tiny):
    city = tiny(cards=[[(WATER, 1, True), (WATER, 1, False)]], latent_s={(0, 1): 400})
    city.unit(city.station(0))
    city.unit(city.station(5))
    city.incident(0, cell=2)  # both are sent at 60 s and there at 225 and 285; the first walks for 300 s
    for walk_s, told in (
        (115, [(225, "MET", 525_000), (285, "MET", 400_000)]),
        (116, [(225, "MET", 525_000), (285, "MET", 401_000), (400, "ESCALATE", 2), (400, "MET", 401_000)]),
        (240, [(225, "MET", 525_000), (400, "ESCALATE", 2), (400, "MET", 525_000)]),
    ):
        city.recorded_s = {(0, 0): {"access": 300}, (0, 1): {"access": walk_s}}
        rows = city.run().rows
        shown = [(int(row["time_ms"]) // 1000, K(int(row["kind"])).name, int(row["value"])) for row in rows]
        assert [row for row in shown if row[1] in ("MET", "ESCALATE")] == told


def test_escalation_can_be_switched_off(tiny, rows_of):
    city = tiny(latent_s={(0, 1): 1}, is_escalation_on=False)
    city.unit(city.station(0))
    city.incident(0, cell=3)
    assert rows_of(city.run(), K.ESCALATE) == []


def test_escalation_keeps_the_units_at_the_scene_for_the_higher_grade(tiny, rows_of):
    city = tiny(
        cards=[[(WATER, 1, True), (AERIAL, 1, True)]], latent_s={(0, 1): 400}, scene_by_grade_s={1: 600, 2: 1800}
    )
    city.unit(city.station(0), WATER)
    city.incident(0, cell=3)  # no aerial anywhere: never met; arrives 285, clear 885 at grade 1, 2085 at grade 2
    log = city.run()
    assert rows_of(log, K.ESCALATE) == [(400, "ESCALATE", 0, -1, -1)]
    assert rows_of(log, K.CLEAR) == [(2085, "CLEAR", 0, 0, 0)]


def test_the_work_takes_longer_the_later_the_unit_comes_up_to_the_cap(tiny):
    tenth_per_minute_q16 = 6554
    for cell, delay_s in ((3, 285), (9, 645), (20, 900)):  # the last arrives at 1305, beyond the cap of 900
        city = tiny(n_cells=40, scene_slope_q16={0: tenth_per_minute_q16})
        city.unit(city.station(0))
        city.incident(0, cell=cell)
        rows = city.run().rows
        work_ms = int(rows["value"][rows["kind"] == K.CLEAR][0])
        assert work_ms == 600_000 + (600_000 * (tenth_per_minute_q16 * delay_s // 60) >> 16)
        assert abs(work_ms / 600_000 - (1 + 0.1 * delay_s / 60)) < 1e-4


def test_the_effect_of_delay_on_the_work_can_be_switched_off(tiny, rows_of):
    city = tiny(scene_slope_q16={0: 6554}, is_scene_delay_on=False)
    city.unit(city.station(0))
    city.incident(0, cell=3)
    assert rows_of(city.run(), K.CLEAR) == [(885, "CLEAR", 0, 0, 0)]


def test_needs_that_still_wait_when_the_last_unit_leaves_are_unfilled(tiny, rows_of):
    city = tiny(cards=[[(WATER, 1, True), (WATER, 1, False)]])
    city.unit(city.station(0))
    city.incident(0, cell=0)
    log = city.run()
    assert rows_of(log, K.UNFILLED, K.CLOSED) == [(705, "UNFILLED", 0, 1, -1), (705, "CLOSED", 0, -1, -1)]


def test_the_critical_task_is_met_by_whichever_unit_sent_for_it_is_at_work_first(tiny, rows_of):
    """The unit in the critical slot is expected first but drives slower; the other, just as able, meets the task."""
    slow_then_fast = None
    for seed in range(50):  # the slots' own noise is drawn: take a seed that turns the order round
        city = tiny(handling_s=(0, 0), turnout_s=(0, 0), latent_s={(0, 1): 240}, seed=seed)
        city.quantiles["travel_own"] = quantile_table(lambda p: 131072 * p, 65536.0)
        city.cards = [[(WATER, 1, True), (WATER, 1, False)]]
        city.unit(city.station(2), WATER)
        city.unit(city.station(1), WATER)
        city.incident(0, cell=5)
        log = city.run()
        arrivals = rows_of(log, K.ARRIVE)
        if arrivals[0][3] == 1 and arrivals[0][0] < 240 < arrivals[1][0]:
            slow_then_fast = log
            break
    assert slow_then_fast is not None
    assert rows_of(slow_then_fast, K.MET)[0][0] == arrivals[0][0]
    assert rows_of(slow_then_fast, K.ESCALATE) == []


def test_one_capable_unit_fewer_than_the_critical_needs_does_not_meet_the_task(tiny, rows_of):
    city = tiny(handling_s=(0, 0), turnout_s=(0, 0), latent_s={(0, 1): 250}, is_scene_delay_on=False)
    city.cards = [[(WATER, 1, True), (WATER, 1, True), (WATER, 1, False)]]
    for cell in (4, 3, 0):
        city.unit(city.station(cell), WATER)
    city.incident(0, cell=5)  # at work after 60, 120 and 300 s: two are enough
    assert rows_of(city.run(), K.MET, K.ESCALATE) == [(120, "MET", 0, -1, -1)]
    city.access_s = 150  # at work after 210 and 270 s: the clock of 250 runs out before the second
    assert rows_of(city.run(), K.ESCALATE) == [(250, "ESCALATE", 0, -1, -1)]
