"""The trace of docs/replay.md, worked out by hand there: every row of its log, in both engines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.engine import simulate
from sim.engine.log import LogKind
from sim.engine.static import static_responses
from sim.inputs import RunInputs
from sim.metrics import incident_table


@pytest.fixture(scope="module")
def inputs(root: Path) -> RunInputs:
    told = (root / "docs" / "replay.md").read_text(encoding="utf-8")
    made: dict[str, object] = {}
    exec(compile(told.split("```python\n")[1].split("```")[0], "docs/replay.md", "exec"), made)
    assert isinstance(made["inputs"], RunInputs)
    return made["inputs"]


def test_every_row_is_as_worked_out_by_hand(inputs):
    rows = simulate(inputs, "both").rows
    at_start = rows["kind"] == LogKind.CHANGE
    assert at_start.sum() == 2 + 2 + 3
    found = [
        (
            int(row["time_ms"]) / 1000,
            LogKind(int(row["kind"])).name,
            *(int(row[n]) for n in ("incident", "slot", "unit")),
        )
        for row in rows[~at_start]
    ]
    assert found == [
        (60, "CALL", 0, -1, -1),
        (60, "DISPATCH", 0, 0, 0),
        (120, "ENROUTE", 0, 0, 0),
        (130, "CALL", 1, -1, -1),
        (130, "DISPATCH", 1, 0, 2),
        (190, "ENROUTE", 1, 0, 2),
        (260, "CALL", 2, -1, -1),
        (260, "WAIT", 2, 0, -1),
        (360, "ARRIVE", 0, 0, 0),
        (360, "REVEAL", 0, 0, 0),
        (360, "MET", 0, -1, -1),
        (420, "ARRIVE", 1, 0, 2),
        (420, "REVEAL", 1, 0, 2),
        (420, "MET", 1, -1, -1),
        (820, "TRANSPORT", 1, 0, 2),
        (960, "CLEAR", 0, 0, 0),
        (960, "CLOSED", 0, -1, -1),
        (960, "DISPATCH", 2, 0, 0),
        (960, "ENROUTE", 2, 0, 0),
        (1285, "DELIVER", 1, 0, 2),
        (1540, "CALL", 3, -1, -1),
        (1540, "DISPATCH", 3, 0, 1),
        (1585, "HANDED_OVER", 1, 0, 2),
        (1585, "CLEAR", 1, 0, 2),
        (1585, "CLOSED", 1, -1, -1),
        (1600, "ENROUTE", 3, 0, 1),
        (1610, "ARRIVE", 2, 0, 0),
        (1610, "REVEAL", 2, 0, 0),
        (1610, "MET", 2, -1, -1),
        (1860, "HOME", -1, -1, 2),
        (1910, "CLEAR", 2, 0, 0),
        (1910, "CLOSED", 2, -1, -1),
        (1980, "AVAILABLE", -1, -1, 2),
        (2160, "CALL", 4, -1, -1),
        (2160, "DISPATCH", 4, 0, 0),
        (2160, "ENROUTE", 4, 0, 0),
        (2320, "CALL", 5, -1, -1),
        (2320, "DISPATCH", 5, 0, 2),
        (2320, "WAIT", 5, 1, -1),
        (2330, "ARRIVE", 3, 0, 1),
        (2330, "REVEAL", 3, 0, 1),
        (2330, "MET", 3, -1, -1),
        (2380, "ENROUTE", 5, 0, 2),
        (2390, "ARRIVE", 4, 0, 0),
        (2390, "REVEAL", 4, 0, 0),
        (2390, "MET", 4, -1, -1),
        (2430, "CLEAR", 3, 0, 1),
        (2430, "CLOSED", 3, -1, -1),
        (2430, "DISPATCH", 5, 1, 1),
        (2430, "ENROUTE", 5, 1, 1),
        (2890, "CLEAR", 4, 0, 0),
        (2890, "CLOSED", 4, -1, -1),
        (3080, "ARRIVE", 5, 0, 2),
        (3080, "REVEAL", 5, 0, 2),
        (3170, "ARRIVE", 5, 1, 1),
        (3170, "MET", 5, -1, -1),
        (3280, "CLEAR", 5, 0, 2),
        (3320, "CLEAR", 5, 1, 1),
        (3320, "CLOSED", 5, -1, -1),
        (3320, "HOME", -1, -1, 1),
        (3440, "AVAILABLE", -1, -1, 1),
        (3527.5, "HOME", -1, -1, 0),
        (3647.5, "AVAILABLE", -1, -1, 0),
        (4192.5, "HOME", -1, -1, 2),
        (4312.5, "AVAILABLE", -1, -1, 2),
        (4312.5, "END", -1, -1, -1),
    ]


def test_dispatchers_reckon_with_the_matrix_and_the_mean_turnout_whatever_the_record_says(inputs):
    rows = simulate(inputs).rows
    sent = rows[rows["kind"] == LogKind.DISPATCH]
    expected = {(int(row["incident"]), int(row["slot"])): int(row["value"]) / 1000 for row in sent}
    assert expected == {
        (0, 0): 300, (1, 0): 290, (2, 0): 705, (3, 0): 790, (4, 0): 230, (5, 0): 800, (5, 1): 740,
    }  # fmt: skip


def test_the_tables_of_a_run_are_made_of_it_as_of_any_other(inputs):
    log = simulate(inputs)
    table = incident_table(inputs, log, static_responses(inputs))
    assert table["identity"].tolist() == [0, 1, 2, 3, 4, 5]
    assert (table["first_arrival_ms"] // 1000).tolist() == [300, 290, 1350, 790, 230, 760]
    assert (table["queue_ms"] // 1000).tolist() == [0, 0, 700, 0, 0, 0]
    # alone in the idle city: call 2 by unit 2 from zone 3 (60 + 225), calls 3 and 5 by units of their own zones
    assert (table["static_arrival_ms"] // 1000).tolist() == [300, 290, 285, 60, 290, 60]


def test_where_none_is_sent_on_units_go_home_first(inputs):
    """Worked out by hand as the other: unit 0 is ready again at 1392.5, unit 2 at 1980 and 3363.75, unit 1 at 3475."""
    stays = replace(inputs, policy=replace(inputs.policy, is_sent_on=False))
    rows = simulate(stays, "both").rows
    arrivals = [
        (int(row["time_ms"]) / 1000, int(row["incident"]), int(row["slot"]), int(row["unit"]))
        for row in rows[rows["kind"] == LogKind.ARRIVE]
    ]
    assert arrivals == [
        (360, 0, 0, 0),
        (420, 1, 0, 2),
        (2102.5, 2, 0, 0),
        (2330, 3, 0, 1),
        (2450, 4, 0, 2),
        (3535, 5, 1, 1),
        (4123.75, 5, 0, 2),
    ]
