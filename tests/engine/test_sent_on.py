"""A unit on its way home is sent on from where it is: the zone nearest to the point of its way, wherever zones lie."""

from __future__ import annotations

import pytest

from sim.engine.log import LogKind

K = LogKind
# Station at zone 0; the first call at zone 1, 9 km east; zone 2 lies 3 km north of the middle of the way between them,
# zones 3 and 4 at a third and at two thirds of it, zone 5 beside zone 1.
PLACES = [(0, 0), (9000, 0), (4500, 3000), (3000, 100), (6000, -100), (9000, 10)]


def sent_on(tiny, second_at_s, home_factor_q16=65536):
    """A call at zone 1 (driving 60 s, ten minutes there), and on the way home, from 705 s on, a second one at zone 2.

    Driving takes a minute between zones whose numbers are neighbours, so that what is driven tells from where.
    """
    city = tiny(
        n_cells=6, xy_m=PLACES, handling_s=(0, 0), home_factor_q16=home_factor_q16, minute_per_cell_s=60, scene_s=600
    )
    city.unit(city.station(cell=0))
    city.incident(at_s=0, cell=1)
    city.incident(at_s=second_at_s, cell=2)
    return city


@pytest.mark.parametrize(
    ("second_at_s", "from_zone"),
    [
        (705, 1),  # it leaves zone 1 at this instant
        (710, 1),  # 750 m on: zone 1 is nearer by a hair than its neighbour 10 m to the north
        (719, 4),  # 2.1 km on: zone 4 is 0.9 km away
        (735, 3),  # half-way: zones 3 and 4 are as near, neither is where it comes from, so the first of them
        (745, 3),  # 3 km from home
        (760, 0),
    ],
)
def test_the_way_to_the_next_call_begins_at_the_zone_nearest_to_where_the_unit_is(
    tiny, rows_of, second_at_s, from_zone
):
    arrivals = rows_of(sent_on(tiny, second_at_s).run(), K.ARRIVE)
    assert arrivals == [
        (105, "ARRIVE", 0, 0, 0),
        (second_at_s + 60 * abs(from_zone - 2), "ARRIVE", 1, 0, 0),
    ]


def test_at_half_the_speed_homeward_the_unit_is_half_as_far(tiny, rows_of):
    # 60 s after leaving zone 1 it would be home at full speed; at half the speed it is at 4.5 km: zone 3 of the two
    log = sent_on(tiny, 765, home_factor_q16=2 * 65536).run()
    assert rows_of(log, K.ARRIVE)[1] == (765 + 60, "ARRIVE", 1, 0, 0)


def test_cells_on_a_lattice_given_as_zones_make_the_same_log_as_their_grid(tiny):
    def city(xy_m):
        city = tiny(xy_m=xy_m)
        for cell in (0, 6):
            city.unit(city.station(cell=cell))
        for at_s in range(0, 6000, 449):
            city.incident(at_s=at_s, cell=at_s // 449 % 10)
        return city

    # no call comes as a unit is exactly half-way between two cells, where the grid takes the one to the east
    assert city(None).run().rows.tobytes() == city([(1000 * c, 0) for c in range(10)]).run().rows.tobytes()
