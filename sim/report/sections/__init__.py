"""The sections of a report, in order: one module each, listed here and nowhere else.

A module says in `SECTION` which tables it needs and who makes its blocks; its words lie in `../words/<id>.yaml`, the
title among them. A section is shown where all of its tables are there and hold rows. `docs/report.md` tells how to add
one.
"""

from __future__ import annotations

from importlib import import_module

from sim.report.context import SectionEntry

ORDER = (
    "answer", "sweep", "times", "kinds", "hours", "towns", "beyond", "money", "one_more", "parts", "workload",
    "manning", "special", "places", "water", "stress", "rare", "indicators", "variants", "sensitivity", "certainty",
    "assumptions", "reproduce", "outcome",
)  # fmt: skip
"""Ids of the sections, which are the names of their modules."""


def registered() -> tuple[SectionEntry, ...]:
    """Return every section's entry, in the order of the page."""
    entries = tuple(import_module(f"{__name__}.{name}").SECTION for name in ORDER)
    assert tuple(entry.id for entry in entries) == ORDER, "a section's id is the name of its module"
    return entries
