"""A road graph of one's own: milliseconds by hand over streets and one-way streets, and graphs that fall apart."""

from __future__ import annotations

import numpy as np
import osmium
import pytest

from sim.city import load_city
from sim.errors import InputError, Problems
from sim.travel import travel_of
from sim.travel.osm import read_net
from sim.travel.settings import Period, checked

CELLS = "cell_id,crs,x_m,y_m,area_m2,population\n" + "".join(
    f"{i},plane,{x},{y},1000000,10\n" for i, (x, y) in enumerate([(0, 0), (4000, 0), (4000, 3000)])
)
SPEEDS = {
    "name": "hand", "label_zh": "", "label_en": "", "local_kmh": 36.0, "arterial_kmh": None, "expressway_kmh": None,
    "night_factor": 1.0, "peak_factor": 0.5, "acceleration_ms2": 0.4, "start_s": 0.0, "ramp_s": None, "detour": 1.0,
    "graph_kmh": {"residential": 36.0, "primary": 72.0},
}  # fmt: skip
SPREAD = {4_000: 100_000**2 / 12 / 400_000, 3_000: 100_000**2 / 12 / 300_000, 7_000: 100_000**2 / 12 / 700_000}


def osm(folder, ways, nodes=((0, 0), (4000, 0), (4000, 3000))):
    """Write ways (ids of nodes, tags) between nodes given in metres of the city's plane."""
    plane = load_city(folder).plane
    lines = ["<osm version='0.6'>"]
    for number, (x, y) in enumerate(nodes):
        lat, lon = plane.lat_lon(x, y)
        lines.append(f"<node id='{number}' lat='{lat:.9f}' lon='{lon:.9f}'/>")
    for number, (refs, tags) in enumerate(ways):
        lines.append(f"<way id='{number}'>" + "".join(f"<nd ref='{ref}'/>" for ref in refs))
        lines += [f"<tag k='{key}' v='{value}'/>" for key, value in tags.items()] + ["</way>"]
    path = folder / "roads.osm"
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


@pytest.fixture
def folder(make_city):
    return make_city(areas__csv=None, cells__csv=CELLS)


def driven(folder, path, tmp_path, **more):
    settings = checked({**SPEEDS, "graph": str(path), **more}, "hand")
    return travel_of(load_city(folder), settings, folder, tmp_path / "cache").duration_ms


def at_rest(cruise_ms, spread):
    return round(cruise_ms + spread + 25_000)  # v / a = 10 / 0.4 s


def test_trips_go_over_the_streets_at_the_speed_of_their_class(folder, tmp_path):
    path = osm(folder, [([0, 1], {"highway": "residential"}), ([1, 2], {"highway": "primary"})])
    ms = driven(folder, path, tmp_path)
    # 4 km at 10 m/s; 3 km at 20 m/s; both for the way round the corner, though the straight line is 5 km.
    assert ms[Period.DAY, 0, 1] == ms[Period.DAY, 1, 0] == at_rest(400_000, SPREAD[4_000])
    assert ms[Period.DAY, 1, 2] == at_rest(150_000, 100_000**2 / 12 / 150_000)
    assert ms[Period.DAY, 0, 2] == at_rest(550_000, 100_000**2 / 12 / 550_000)
    assert ms[Period.PEAK, 0, 1] == round(800_000 + 200_000**2 / 12 / 800_000 + 12_500)


def test_a_class_without_a_speed_is_no_road_and_a_one_way_street_leads_one_way(folder, tmp_path):
    ring = [([0, 1, 2], {"highway": "residential", "oneway": "yes"}), ([2, 0], {"highway": "residential"})]
    ms = driven(folder, osm(folder, [*ring, ([1, 2], {"highway": "steps"})]), tmp_path, is_matrix_one_way=False)
    assert ms[Period.DAY, 0, 1] == at_rest(400_000, SPREAD[4_000])
    assert ms[Period.DAY, 1, 0] == at_rest(300_000 + 500_000, 100_000**2 / 12 / 800_000)


def test_a_cell_joins_at_its_nearest_node_by_the_detour_at_the_speed_of_local_streets(folder, tmp_path):
    nodes = ((0, 600), (4000, 0), (4000, 3000))
    path = osm(folder, [([0, 1], {"highway": "residential"}), ([1, 2], {"highway": "residential"})], nodes)
    ms = driven(folder, path, tmp_path, detour=1.5)
    cruise = 600 * 150 + 404_500  # 600 m x 1.5 at 10 m/s, and the slanting street of 4,044.7 m
    assert abs(ms[Period.DAY, 0, 1] - at_rest(cruise, 150_000**2 / 12 / cruise)) <= 100


def test_graphml_as_osmnx_saves_it_gives_the_same_as_osm(folder, tmp_path):
    import networkx as nx

    plane, graph = load_city(folder).plane, nx.MultiDiGraph(crs="epsg:4326")
    for number, (x, y) in enumerate([(0, 0), (4000, 0), (4000, 3000)]):
        lat, lon = plane.lat_lon(x, y)
        graph.add_node(number, x=str(lon), y=str(lat))
    for a, b, kind, length in ((0, 1, "residential", 4000), (1, 2, "['primary', 'track']", 3000)):
        for ends in ((a, b), (b, a)):
            graph.add_edge(*ends, highway=kind, length=str(length))
        graph.add_edge(a, b, highway=kind, length=str(9 * length))  # a parallel way that is longer
    nx.write_graphml(graph, folder / "roads.graphml")
    by_osm = osm(folder, [([0, 1], {"highway": "residential"}), ([1, 2], {"highway": "primary"})])
    made = driven(folder, folder / "roads.graphml", tmp_path)
    assert abs(made - driven(folder, by_osm, tmp_path)).max() <= 100  # nodes stand on whole metres


def test_a_large_graph_is_searched_from_a_few_cells_at_a_time_and_gives_the_same(folder, tmp_path, monkeypatch):
    path = osm(folder, [([0, 1], {"highway": "residential"}), ([1, 2], {"highway": "primary"})])
    whole = driven(folder, path, tmp_path)
    monkeypatch.setattr("sim.travel.network.MOST_HELD", 4)  # one row of three nodes at a time
    assert np.array_equal(driven(folder, path, tmp_path / "anew"), whole)


GRAPHML = """<graphml><key id="d0" for="node" attr.name="x"/><key id="d1" for="node" attr.name="y"/>
<key id="d2" for="edge" attr.name="highway"/><key id="d3" for="edge" attr.name="length"/>
<graph edgedefault="{direction}">{nodes}<edge source="0" target="1"{more}><data key="d2">residential</data>
<data key="d3">{length}</data></edge><edge source="1" target="2"><data key="d2">steps</data></edge></graph></graphml>"""


def graphml(folder, length="4000", direction="undirected", more="", places=((0, 0), (4000, 0), (4000, 3000))):
    plane, nodes = load_city(folder).plane, ""
    for number, place in enumerate(places):
        lat, lon = plane.lat_lon(*place)
        nodes += f"<node id='{number}'><data key='d0'>{lon:.9f}</data><data key='d1'>{lat:.9f}</data></node>"
    path = folder / "own.graphml"
    path.write_text(GRAPHML.format(nodes=nodes, length=length, direction=direction, more=more), encoding="utf-8")
    return path


def net_of(folder, path):
    problems = Problems()
    net = read_net(path, tuple(SPEEDS["graph_kmh"]), load_city(folder).plane, problems)
    return net, [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("direction", "more", "ways"),
    [
        ("undirected", "", [(0, 1), (1, 0)]),
        ("directed", "", [(0, 1)]),
        ("directed", " directed='false'", [(0, 1), (1, 0)]),
    ],
)
def test_an_edge_of_graphml_leads_as_the_graph_or_itself_says(folder, direction, more, ways):
    net, told = net_of(folder, graphml(folder, direction=direction, more=more))
    assert told == []
    assert list(zip(net.start.tolist(), net.end.tolist(), strict=True)) == ways
    assert net.length_m.tolist() == [4000.0] * len(ways)


def test_what_a_graphml_lacks_is_told(folder):
    assert net_of(folder, graphml(folder, places=((0, 0),)))[1] == [
        "own.graphml: '0 -> 1' names a node that the file does not hold; save the whole graph"
    ]
    for length in ("", "nan", "-4", "inf", "4 km"):
        (told,) = net_of(folder, graphml(folder, length=length))[1]
        assert "(length) of an edge is no length in m" in told
    path = folder / "own.graphml"
    path.write_text("<osm/>")
    assert net_of(folder, path)[1] == [
        "own.graphml: cannot be read as GraphML (it holds no graph); save it with osmnx.save_graphml"
    ]


def test_a_node_that_is_nowhere_on_earth_is_told(folder):
    path = folder / "roads.osm"
    path.write_text("<osm><node id='7' lat='nan' lon='110'/></osm>")
    assert net_of(folder, path)[1] == [
        "roads.osm: cannot be read as OpenStreetMap XML (node 7 lies at lat nan, lon 110); save it as .osm again"
    ]


def test_a_pbf_file_holds_the_same_roads_as_the_xml_that_it_was_made_of(folder, tmp_path):
    ways = [([0, 1], {"highway": "residential"}), ([1, 2], {"highway": "primary", "oneway": "-1"})]
    xml = osm(folder, [*ways, ([0, 2], {"highway": "steps"})])
    pbf = tmp_path / "roads.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for thing in osmium.FileProcessor(str(xml)):
            writer.add(thing)
    plane, problems = load_city(folder).plane, Problems()
    one, other = (read_net(path, SPEEDS["graph_kmh"], plane, problems) for path in (xml, pbf))
    assert not problems.found
    for name in ("x_m", "y_m", "start", "end", "length_m", "road_class"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert one.classes == other.classes == ("primary", "residential")


def test_a_graph_in_pieces_far_cells_and_wrong_files_are_one_clear_error_each(folder, tmp_path):
    far = ((0, 0), (100, 0), (9_000, 0), (9_100, 0))
    street = {"highway": "residential"}
    with pytest.raises(InputError, match=r"roads.osm: '2 parts' falls apart: 50% of its 4 nodes lie outside the part"):
        driven(folder, osm(folder, [([0, 1], street), ([2, 3], street)], far), tmp_path)
    with pytest.raises(InputError, match=r"'cells 1, 2' \(2 of 3 cells\) lie more than 3 km from any road"):
        driven(folder, osm(folder, [([0, 1], street)], far[:2]), tmp_path)
    with pytest.raises(InputError, match=r"holds no road of a class that travel.graph_kmh gives a speed"):
        driven(folder, osm(folder, [([0, 1], {"highway": "steps"})], far[:2]), tmp_path)
    with pytest.raises(InputError, match=r"has 1 nodes in ways that it does not hold"):
        driven(folder, osm(folder, [([0, 7], street)], far[:2]), tmp_path)
    for name, rule in (
        ("x.osm.pbf", "cannot be read as OpenStreetMap PBF"),
        ("x.graphml", "cannot be read as GraphML"),
    ):
        (tmp_path / name).write_text("nothing")
        with pytest.raises(InputError, match=rule):
            driven(folder, tmp_path / name, tmp_path)


def test_a_graph_needs_speeds_and_a_detour_and_speeds_need_a_graph():
    with pytest.raises(InputError) as raised:
        checked({**SPEEDS, "graph": "x.osm", "graph_kmh": {}, "detour": None}, "hand")
    told = [str(problem) for problem in raised.value.problems]
    assert told[0] == "hand: (graph_kmh) is missing; choose travel=network, or give each highway class a speed"
    assert told[1] == "hand: (detour) is missing; choose travel=network, or say the detour to the nearest road"
    with pytest.raises(InputError, match=r"\(graph\) names no road graph for graph_kmh; give travel.graph=FILE"):
        checked(SPEEDS, "hand")
