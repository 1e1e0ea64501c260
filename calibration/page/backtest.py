"""The page of a backtest: its sections in order."""

from __future__ import annotations

from calibration.backtest.run import Backtest
from calibration.page.context import words
from calibration.page.sections.answer import answer
from calibration.page.sections.calls import calls, skills
from calibration.page.sections.distribution import distribution
from calibration.page.sections.drawn import drawn
from calibration.page.sections.groups import groups
from calibration.page.sections.limits import limits
from calibration.page.sections.load import load
from calibration.page.sections.measured import measured
from calibration.page.sections.records import records
from calibration.page.sections.reproduce import Made, reproduce
from sim.report.blocks import Block, Section
from sim.report.build import page_of


def backtest_page(found: Backtest, made: Made, lang: str) -> str:
    """Return the page as HTML; the same backtest gives the same text. `lang`: zh or en, in which it opens."""
    parts: dict[str, list[Block]] = {
        "answer": answer(found),
        "distribution": distribution(found),
        "calls": calls(found),
        "skill": skills(found),
        "groups": groups(found),
        "load": load(found),
        "drawn": drawn(found),
        "records": records(found.prepared),
        "limits": limits(found.fitted, found.generative.generator.demand),
        "measured": measured(),
        "reproduce": reproduce(made),
    }
    w = words()
    sections = [Section(name, w[f"{name}.title"], blocks) for name, blocks in parts.items()]
    return page_of(w, sections, w("backtest.title", city=made.city), lang)
