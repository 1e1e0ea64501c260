"""The road tables of a city folder: read whole, refused whole."""

from __future__ import annotations

import shutil

import pytest

from sim.errors import InputError
from sim.travel.roads import RoadLink, load_roads

CLASSES = """road_class,name_zh,name_en,detour,source,standing
local,街,street,1.4,s,assumed
arterial,路,arterial,1.3,s,assumed
expressway,高速,expressway,1.2,s,assumed
"""
HEADER = "from_town,to_town,road_class,road,length_km,source,standing\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "road_classes.csv").write_text(CLASSES, encoding="utf-8")

    def write(*rows):
        (tmp_path / "road_links.csv").write_text(
            HEADER + "".join(f"{row},s,assumed\n" for row in rows), encoding="utf-8"
        )
        return tmp_path

    return write


def test_links_are_read_in_order_with_or_without_a_length(folder, make_city):
    city = make_city(["ABC"], ["AB", "BC"])
    roads = load_roads(folder("A,B,arterial,r,", "C,A,expressway,x,12.5"), city)
    assert roads.detour == {"local": 1.4, "arterial": 1.3, "expressway": 1.2}
    assert roads.links == (RoadLink(0, 1, "arterial", "r"), RoadLink(2, 0, "expressway", "x", 12_500.0))


def test_all_faults_of_both_tables_are_reported_at_once(folder, make_city):
    city = make_city(["ABC"], ["AB", "BC"])
    path = folder(
        "A,Bee,arterial,r,",
        "A,A,arterial,r,",
        "A,C,arterial,r,",
        "B,A,arterial,r,-2",
        "A,B,arterial,q,",
        "B,A,arterial,q,",
    )
    text = CLASSES.replace("arterial,路,arterial,1.3", "arterial,路,arterial,0.9")
    (path / "road_classes.csv").write_text(text.replace("expressway,高速", "motorway,高速"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_roads(path, city)
    message = str(caught.value)
    for part in (
        "road_links.csv row 2: 'Bee' (to_town) is not in towns.csv",
        "row 3: 'A' is both ends of the link",
        "row 4: ('A', 'C') is an arterial between towns without a common border",
        "row 7: ('B', 'A') is given in both directions",
        "-2",
        "0.9",
        "'motorway'",
    ):
        assert part in message


def test_the_committed_links_join_all_adjacent_towns(committed_city, committed_roads):
    arterials = {
        tuple(sorted((link.from_town, link.to_town))) for link in committed_roads.links if link.road_class == "arterial"
    }
    assert arterials == {tuple(sorted(pair)) for pair in committed_city.adjacent_pairs.tolist()}
    assert sum(link.road_class == "expressway" for link in committed_roads.links) == 34


def test_a_folder_without_road_tables_names_the_files(tmp_path, make_city, configs):
    shutil.copy(configs / "city" / "dongguan" / "road_classes.csv", tmp_path)
    with pytest.raises(InputError, match=r"road_links\.csv"):
        load_roads(tmp_path, make_city(["AA"]))
