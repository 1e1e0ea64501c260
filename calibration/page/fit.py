"""The page of a fit: its sections in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.backtest.run import Prepared
from calibration.fit.demand import Demand
from calibration.model.fitted import Fitted
from calibration.page.context import words
from calibration.page.sections.fitted import fitted_parts, over_the_day, sites
from calibration.page.sections.limits import limits
from calibration.page.sections.records import records
from calibration.page.sections.reproduce import Made, reproduce
from calibration.page.sections.sending import demand_table, sending, units_sent
from calibration.page.sections.way import way
from sim.report.blocks import Block, Section
from sim.report.build import page_of


def fit_page(
    fitted: Fitted, demand: Demand, prepared: Prepared, is_used: NDArray[np.bool_], made: Made, lang: str
) -> str:
    """Return the page as HTML; the same fit gives the same text. `lang`: zh or en, in which it opens."""
    parts: dict[str, tuple[str, list[Block]]] = {
        "answer": ("fitted", fitted_parts(fitted, demand, int((is_used & prepared.samples.calls.is_response).sum()))),
        "hours": ("hours", over_the_day(fitted)),
        "sites": ("sites", sites(fitted)),
        "way": ("way", way(fitted, prepared, is_used)),
        "sending": ("sending", sending(fitted)),
        "units": ("units", units_sent(fitted)),
        "demand": ("demand", demand_table(demand)),
        "records": ("records", records(prepared)),
        "limits": ("limits", limits(fitted, demand)),
        "reproduce": ("reproduce", reproduce(made)),
    }
    w = words()
    sections = [Section(name, w[f"{word}.title"], blocks) for name, (word, blocks) in parts.items()]
    return page_of(w, sections, w("fit.title", city=made.city), lang)
