"""The page of a replay: its sections in order."""

from __future__ import annotations

from calibration.page.context import words
from calibration.page.replay.answer import answer
from calibration.page.replay.curves import curves
from calibration.page.replay.figures import Figures, figures_of
from calibration.page.replay.load import load
from calibration.page.replay.origin import origin
from calibration.page.replay.who import who
from calibration.page.sections.records import records
from calibration.page.sections.reproduce import Made, reproduce
from calibration.replay.run import Replay
from sim.report.blocks import Block, Section
from sim.report.build import page_of

__all__ = ["Figures", "figures_of", "replay_page"]


def replay_page(found: Replay, made: Made, lang: str) -> str:
    """Return the page as HTML; the same replay gives the same text. `lang`: zh or en, in which it opens."""
    figures = figures_of(found)
    parts: dict[str, list[Block]] = {"answer": answer(figures)}
    if figures.changes:
        parts["who"] = who(figures)
    parts |= {
        "curves": curves(figures),
        "load": load(figures),
        "given": origin(figures),
        "records": records(found.prepared),
        "reproduce": reproduce(made),
    }
    w = words()
    sections = [Section(name, w[f"replay.{name}.title"], blocks) for name, blocks in parts.items()]
    return page_of(w, sections, w("replay.page", city=made.city), lang)
