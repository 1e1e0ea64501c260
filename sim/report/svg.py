"""Drawing one picture: the page's font and colours in matplotlib, and its SVG small, clean and the same each time.

Text stays text (the page holds the font), so that it can be searched and read aloud. Uses matplotlib's objects, not its
global figures. Next: `pictures/`, one module per kind of picture.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Picture
from sim.report.font import FAMILY, FONT_PATH
from sim.report.texts import LANGUAGES, Bi

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 7.1
"""Width of a picture: the text column of an A4 page (180 mm)."""

# Okabe and Ito's palette for colour-blind readers, darkened where it has to carry text.
INK, SOFT, FAINT = "#1f2933", "#5f6b7a", "#d7dde4"
BASE, PLAN = "#7b8794", "#005f9e"
GAIN, LOSS = "#00795c", "#b8420b"
ACCENT = "#b7791f"

_LONGEST, _WIDE = 36, 2
"""Letters of a name in one line, and how many of them a Chinese one is worth."""

Draw = Callable[[str], "Figure | None"]


def picture(draw: Draw, caption: Bi, alt: Bi, name: str) -> Picture | None:
    """Return the picture drawn in each language, or None where `draw` finds nothing to draw."""
    texts = []
    with style():
        for language in LANGUAGES:
            figure = draw(language)
            if figure is None:
                return None
            texts.append(to_svg(figure, f"{name}-{language}"))
    return Picture(Bi(*texts), caption, alt)


@contextmanager
def style() -> Iterator[None]:
    """Set matplotlib's settings for the time of drawing."""
    import matplotlib as mpl
    from matplotlib import font_manager

    if not any(entry.fname == str(FONT_PATH) for entry in font_manager.fontManager.ttflist):
        font_manager.fontManager.addfont(str(FONT_PATH))
    settings: dict[Any, Any] = {
        "font.family": [FAMILY], "font.size": 8.5, "axes.unicode_minus": True, "svg.fonttype": "none",
        "svg.hashsalt": "report", "text.color": INK, "axes.labelcolor": SOFT, "axes.edgecolor": FAINT,
        "axes.labelsize": 8.5, "axes.titlesize": 9, "axes.titlelocation": "left", "axes.titlepad": 6,
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": False,
        "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelsize": 8, "ytick.labelsize": 8,
        "xtick.major.size": 0, "ytick.major.size": 0, "lines.linewidth": 1.6, "grid.color": "#e6eaee",
        "grid.linewidth": 0.7, "figure.facecolor": "none", "axes.facecolor": "none", "path.simplify": True,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


def new_figure(height_in: float, n_columns: int = 1, n_rows: int = 1, **options: Any) -> tuple[Figure, Any]:
    """Return a figure of the page's width and its axes (as `Figure.subplots` gives them)."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(WIDTH_IN, height_in), layout=ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04))
    return figure, figure.subplots(n_rows, n_columns, **options)


def bare(axes: Axes, grid: str = "x") -> None:
    """Leave a light grid along one axis and no frame."""
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    axes.grid(True, axis=grid)  # type: ignore[arg-type]


def wrapped(name: str) -> str:
    """Return a name in two lines where it is so long that it would take the panels' room."""
    widths = [_WIDE if ord(letter) > 0x2E7F else 1 for letter in name]
    if sum(widths) <= _LONGEST:
        return name
    half = sum(widths) / 2
    breaks = [i for i in range(1, len(name)) if name[i - 1] == " " or widths[i - 1] == _WIDE]
    at = min(breaks, key=lambda i: abs(sum(widths[:i]) - half), default=len(name))
    return f"{name[:at].rstrip()}\n{name[at:]}"


def to_svg(figure: Figure, name: str) -> str:
    """Return the figure as SVG to stand inside HTML: no address, no date, ids of its own, two decimals."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    stream = io.StringIO()
    FigureCanvasSVG(figure)
    _settle(figure)
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return clean(stream.getvalue(), name)


def _settle(figure: Figure) -> None:
    """Lay the figure out and round what came of it: the solver's last digits differ from one time to the next."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        box = axes.get_position(original=True)
        axes.set_position((round(box.x0, 4), round(box.y0, 4), round(box.width, 4), round(box.height, 4)))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(float(x), 4), round(float(y), 4)))


def clean(svg: str, name: str) -> str:
    """Return matplotlib's SVG without what HTML does not need; those ids that are used are numbered after `name`."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img" aria-hidden="true">', svg, count=1
    )
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    new = {old: f"{name}-{i}" for i, old in enumerate(used)}
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{new[m[1]]}"' if m[1] in new else "", svg)
    svg = re.sub(r'(href="#|url\(#)([^")]+)', lambda m: m[1] + new[m[2]], svg)
    svg = re.sub(r'(?<= d=")[^"]*', _short_path, svg)
    svg = re.sub(r'(?:(?<= x=")|(?<= y=")|(?<=transform="))[^"]*', _short_numbers, svg)
    svg = re.sub(r"<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    return re.sub(r">\s+<", "><", svg).strip()


def _short_numbers(match: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), match[0])


def _short_path(match: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", _short_numbers(match)).strip()
