"""What was assumed, what speaks against the fit, and what these records do not fix."""

from __future__ import annotations

from collections.abc import Sequence

from calibration.fit.demand import Demand
from calibration.model.fitted import Fitted
from calibration.model.params import not_identified, reasons_of
from calibration.page.context import words
from calibration.page.said import said
from sim.report.blocks import Block, Facts, Paragraph
from sim.report.texts import Bi


def limits(fitted: Fitted, demand: Demand) -> list[Block]:
    """Return the section."""
    w = words()
    assumed = [(w["limits.assumed"], text) for text in (*fitted.said, *fitted.sent.said)]
    misfit = [(w[f"part.{part}"], text) for part, texts in reasons_of(fitted, demand).items() for text in texts]
    vague = [(w[f"part.{part}"], text) for part, texts in not_identified(fitted, demand).items() for text in texts]
    return [
        Paragraph(w["limits.assumed_text"]), _facts(assumed, w["limits.assumed"]),
        Paragraph(w["limits.misfit_text"]), _facts(misfit, w["limits.misfit"]),
        Paragraph(w["limits.vague_text"]), _facts(vague, w["limits.vague"]),
    ]  # fmt: skip


def _facts(rows: Sequence[tuple[Bi, str]], name: Bi) -> Facts:
    if not rows:
        return Facts(((name, words()["limits.none"]),))
    return Facts(tuple((label, said(text)) for label, text in rows))
