"""The page in headless Chromium: empty console, Chinese glyphs from the page's own font, language switch, sorting."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--enable-logging=stderr", "--v=0",
)  # fmt: skip

PROBE = """
<script>
function ink(text) {
  const canvas = document.createElement("canvas"); canvas.width = canvas.height = 64;
  const pen = canvas.getContext("2d"); pen.font = '48px "Dgsim Sans SC"'; pen.fillText(text, 4, 52);
  return Array.from(pen.getImageData(0, 0, 64, 64).data).filter((_, i) => i % 4 === 3);
}
function differ(a, b) { return a.filter((v, i) => Math.abs(v - b[i]) > 64).length; }
function all(selector) { return Array.from(document.querySelectorAll(selector)); }
function visible(selector) { return all(selector).filter(e => e.offsetParent !== null).length; }
function column(table, i) { return Array.from(table.tBodies[0].rows).map(r => r.cells[i].dataset.v); }
document.fonts.ready.then(function () {
  const found = { lang: document.documentElement.lang };
  found.faces = Array.from(document.fonts).map(f => [f.family, f.status]);
  found.check = document.fonts.check('16px "Dgsim Sans SC"', "莞埗滘");
  const none = ink("\\uE000"), signs = Array.from("莞埗滘消站").map(ink);
  found.blank = signs.map(s => s.reduce((a, b) => a + b, 0));
  found.against_missing = signs.map(s => differ(s, none));
  found.against_next = signs.map((s, i) => differ(s, signs[(i + 1) % signs.length]));
  found.svg_font = getComputedStyle(document.querySelector(".picture text")).fontFamily;
  found.zh_before = [visible("p .l-zh"), visible("p .l-en"), visible(".picture.l-zh"), visible(".picture.l-en")];
  document.querySelector('[data-to="en"]').click();
  found.en_after = [visible("p .l-zh"), visible("p .l-en"), visible(".picture.l-zh"), visible(".picture.l-en")];
  found.lang_after = document.documentElement.lang; found.title_after = document.title;
  const table = document.querySelector("#towns table"), head = table.querySelectorAll("th")[4];
  head.click(); found.up = column(table, 4); found.sorted = head.getAttribute("aria-sort");
  head.click(); found.down = column(table, 4);
  const box = document.querySelector(".filter input");
  box.value = "assumed"; box.dispatchEvent(new Event("input"));
  found.rows = all("#assumptions tbody tr").filter(r => !r.hidden).map(r => r.textContent);
  found.wide = document.documentElement.scrollWidth - window.innerWidth;
  const out = document.createElement("pre"); out.id = "found"; out.textContent = JSON.stringify(found);
  document.body.appendChild(out);
});
</script></body>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is not installed: the report cannot be checked in a browser"
    return found


def browse(chromium: str, folder: Path, html: str, *options: str) -> tuple[str, list[str]]:
    """Open a page and return (what the browser printed, its console lines)."""
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    command = [chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


@pytest.fixture(scope="module")
def probed(chromium: str, html: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """What the probe found in the page, and the console's lines."""
    folder = tmp_path_factory.mktemp("browser")
    dom, console = browse(chromium, folder, html.replace("</body>", PROBE), "--virtual-time-budget=8000", "--dump-dom")
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, flags=re.DOTALL)
    assert found, console
    return json.loads(unescape(found[1])), console


def test_the_console_stays_empty(probed: tuple[dict[str, Any], list[str]]) -> None:
    assert probed[1] == []


def test_an_error_on_the_console_would_be_seen(chromium: str, html: str, tmp_path: Path) -> None:
    broken = html.replace("</body>", "<script>undefined_function();</script></body>")
    _, console = browse(chromium, tmp_path, broken, "--dump-dom")
    assert any("undefined_function" in line for line in console)


def test_chinese_glyphs_are_drawn_by_the_font_in_the_page(probed: tuple[dict[str, Any], list[str]]) -> None:
    found = probed[0]
    assert found["faces"] == [['"Dgsim Sans SC"', "loaded"]] or found["faces"] == [["Dgsim Sans SC", "loaded"]]
    assert found["check"] is True
    assert min(found["blank"]) > 10_000
    assert min(found["against_missing"]) > 100
    assert min(found["against_next"]) > 100
    assert "Dgsim Sans SC" in found["svg_font"]


def test_the_switch_shows_one_language_at_a_time(probed: tuple[dict[str, Any], list[str]]) -> None:
    found = probed[0]
    zh, en, zh_pictures, en_pictures = found["zh_before"]
    assert zh > 20
    assert zh_pictures > 8
    assert (en, en_pictures) == (0, 0)
    assert found["en_after"] == [0, zh, 0, zh_pictures]
    assert (found["lang"], found["lang_after"]) == ("zh-CN", "en")
    assert "schemes compared" in found["title_after"]


def test_a_click_on_a_heading_sorts_by_value_and_a_second_turns_it_round(
    probed: tuple[dict[str, Any], list[str]],
) -> None:
    found = probed[0]
    values = [float(v) for v in found["up"]]
    assert len(values) == 34
    assert values == sorted(values)
    assert [float(v) for v in found["down"]] == sorted(values, reverse=True)
    assert found["sorted"] == "ascending"


def test_the_filter_leaves_the_rows_that_hold_the_word(probed: tuple[dict[str, Any], list[str]]) -> None:
    rows = probed[0]["rows"]
    assert len(rows) == 1
    assert "travel.local_kmh" in rows[0]


@pytest.mark.parametrize("size", ["1280,2000", "794,2000", "390,2000"])
def test_the_page_is_not_blank_at_desktop_paper_and_phone_width(
    chromium: str, html: str, tmp_path: Path, size: str
) -> None:
    from matplotlib.image import imread

    shot = tmp_path / "shot.png"
    browse(chromium, tmp_path, html, f"--window-size={size}", f"--screenshot={shot}")
    pixels = np.asarray(imread(shot))[:, :, :3]
    is_ink = pixels.min(axis=2) < 0.6
    assert 0.01 < is_ink.mean() < 0.5
    bands = np.array_split(is_ink, 10)
    assert sum(band.any() for band in bands) >= 9


def test_the_page_does_not_scroll_sideways(probed: tuple[dict[str, Any], list[str]]) -> None:
    assert probed[0]["wide"] <= 0


def test_at_phone_width_only_pictures_and_tables_scroll(chromium: str, html: str, tmp_path: Path) -> None:
    text = json.dumps(html).replace("</", "<\\/")
    outer = f"""<iframe id="phone" style="width:390px;height:3000px;border:0"></iframe><script>
    const phone = document.getElementById("phone");
    phone.onload = function () {{
      const page = phone.contentDocument;
      page.fonts.ready.then(function () {{
        const out = Array.from(page.querySelectorAll("body *")).filter(e => e.getBoundingClientRect().right > 391
          && !e.closest(".scroll, .picture, .commands")).map(e => e.tagName + " " + e.className);
        const told = document.createElement("pre"); told.id = "found";
        told.textContent = JSON.stringify([page.documentElement.clientWidth, page.documentElement.scrollWidth, out]);
        document.body.appendChild(told);
      }});
    }};
    phone.srcdoc = {text};</script>"""
    for language in ("zh", "en"):
        shown = outer.replace('data-lang=\\"zh\\"', f'data-lang=\\"{language}\\"', 1)
        dom, console = browse(chromium, tmp_path, shown, "--virtual-time-budget=8000", "--dump-dom")
        found = re.search(r'<pre id="found">(.*?)</pre>', dom, flags=re.DOTALL)
        assert found, console
        assert json.loads(unescape(found[1])) == [390, 390, []]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_one_fits_one_sheet(chromium: str, html: str, tmp_path: Path, language: str) -> None:
    alone = html.replace("</style>", "main section:not(#answer), footer { display: none; }</style>", 1)
    alone = alone.replace('data-lang="zh"', f'data-lang="{language}"', 1)
    target = tmp_path / "page.pdf"
    browse(chromium, tmp_path, alone, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    assert len(re.findall(rb"/MediaBox", target.read_bytes())) == 1


def test_printing_gives_a4_pages_with_the_font_embedded(chromium: str, html: str, tmp_path: Path) -> None:
    target = tmp_path / "page.pdf"
    browse(chromium, tmp_path, html, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    data = target.read_bytes()
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert 5 < len(boxes) < 60
    assert all(abs(float(w) - 595) < 2 and abs(float(h) - 842) < 2 for w, h in boxes)
