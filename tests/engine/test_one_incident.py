"""One unit, one incident: the whole log, second by second, in both engines."""

from __future__ import annotations


def test_the_log_of_one_call_is_exact(tiny, rows_of):
    city = tiny()
    station = city.station(cell=2)
    city.unit(station)
    city.incident(at_s=100, cell=5)
    # handling 60, turnout 45, three cells at 60 s, ten minutes of work, three cells home, five minutes made ready
    assert rows_of(city.run())[3:] == [
        (160, "CALL", 0, -1, -1),
        (160, "DISPATCH", 0, 0, 0),
        (205, "ENROUTE", 0, 0, 0),
        (385, "ARRIVE", 0, 0, 0),
        (385, "REVEAL", 0, 0, 0),
        (385, "MET", 0, -1, -1),
        (985, "CLEAR", 0, 0, 0),
        (985, "CLOSED", 0, -1, -1),
        (1165, "HOME", -1, -1, 0),
        (1465, "AVAILABLE", -1, -1, 0),
        (1465, "END", -1, -1, -1),
    ]
