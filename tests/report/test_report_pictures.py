"""The pictures: towns outlined from their cells, SVG without what a page does not need, a font of the project's own."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from sim.city import City, load_city
from sim.report.font import FAMILY, FONT_PATH, missing_characters, page_font
from sim.report.make_font import characters_of, gb2312_characters
from sim.report.pictures.map import Loop, town_outlines
from sim.report.pictures.marks import tone
from sim.report.svg import GAIN, LOSS, SOFT, clean, new_figure, style, to_svg


@pytest.fixture(scope="module")
def city(root: Path) -> City:
    return load_city(root / "configs" / "city" / "dongguan")


def area(loop: Loop) -> float:
    """The signed area of a closed outline (holes are negative), in cells."""
    x, y = (np.array(axis, dtype=float) for axis in zip(*loop, strict=True))
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2


def test_outlines_enclose_exactly_the_cells_of_each_town(city: City) -> None:
    for town, loops in enumerate(town_outlines(city)):
        assert sum(area(loop) for loop in loops) == np.sum(city.cells.town == town)


def test_outlines_turn_at_every_point(city: City) -> None:
    for loops in town_outlines(city):
        for loop in loops:
            for before, here, after in zip(loop[-1:] + loop[:-1], loop, loop[1:] + loop[:1], strict=True):
                assert (before[0] == here[0]) != (here[0] == after[0])


def test_a_difference_is_coloured_only_when_its_interval_leaves_zero_out() -> None:
    assert [tone(*ends, better) for *ends, better in ((1, 2, 1), (1, 2, -1), (-2, -1, -1), (-1, 2, 1))] == [
        GAIN,
        LOSS,
        GAIN,
        SOFT,
    ]
    assert tone(float("nan"), 1, 1) == SOFT


def test_svg_has_no_address_no_date_and_ids_of_its_own() -> None:
    with style():
        svgs = []
        for name in ("a", "b"):
            figure, axes = new_figure(1.0)
            axes.plot([0, 1], [0, 1], "o")
            axes.set_title("标题 title")
            svgs.append(to_svg(figure, name))
    assert svgs[0] == svgs[1].replace("b-", "a-")
    for svg, name in zip(svgs, "ab", strict=True):
        assert svg.startswith('<svg viewBox="')
        assert "://" not in svg
        assert "metadata" not in svg
        ids, uses = set(re.findall(r' id="([^"]+)"', svg)), set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
        assert uses
        assert uses == ids
        assert all(one.startswith(f"{name}-") for one in ids)
        assert "标题 title" in svg
        assert FAMILY in svg


def test_cleaning_shortens_coordinates_but_not_words() -> None:
    svg = '<svg viewBox="0 0 9 9"><path d="M 1.23456 2\nL 3.999999 4" id="x"/><text x="1.23456">0.123456</text></svg>'
    path, text = '<path d="M 1.23 2 L 4 4"/>', '<text x="1.23">0.123456</text>'
    assert clean(svg, "n") == f'<svg viewBox="0 0 9 9" role="img" aria-hidden="true">{path}{text}</svg>'


def test_the_font_holds_gb2312_and_every_character_of_the_configs(root: Path) -> None:
    assert len(gb2312_characters()) > 7_000
    wanted = gb2312_characters() | characters_of(root / "configs")
    assert {"埗", "滘"} <= wanted
    lacking = set(missing_characters("".join(sorted(wanted))))
    assert lacking <= {c for c in wanted if not c.isprintable()}


def test_the_font_has_a_name_of_its_own_and_keeps_its_licence() -> None:
    names = TTFont(str(FONT_PATH))["name"].names
    assert {str(n) for n in names if n.nameID in (1, 4)} == {FAMILY}
    assert any("Open Font License" in str(n) for n in names if n.nameID == 13)
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONT_PATH.parent / "OFL.txt").read_text(encoding="utf-8")


def test_a_pages_font_holds_its_characters_and_no_others() -> None:
    data = base64.b64decode(page_font("高埗道滘 12"))
    assert data[:4] == b"wOFF"
    font = TTFont(io.BytesIO(data))
    assert {chr(code) for code in font.getBestCmap()} == set("高埗道滘 12")
    assert page_font("高埗") == page_font("埗高高")


def test_a_long_name_stands_in_two_lines_so_that_the_panels_keep_their_room() -> None:
    from sim.report.svg import wrapped

    assert wrapped("As many stations, by demand") == "As many stations, by demand"
    assert wrapped("Build as planned, 0.45 permille vs Build nothing, 0.45 permille") == (
        "Build as planned, 0.45 permille\nvs Build nothing, 0.45 permille"
    )
    assert wrapped("按规划" * 8) == "按规划" * 4 + "\n" + "按规划" * 4
