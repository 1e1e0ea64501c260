"""What every section is given: the study, the words, and the sentences about denominators that all of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.report.blocks import Block, Cell, Head, Paragraph, Picture, number
from sim.report.numbers import count, is_missing, writer_of
from sim.report.study import Pair, Study
from sim.report.texts import Bi, Words


@dataclass(frozen=True, slots=True)
class Context:
    """A study, the words to tell it with, the numbers of the sections that are shown, and those left out, by id."""

    study: Study
    words: Words
    numbers: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    leads: tuple[Bi, ...] = ()
    """What sections give page one to begin with, where the study is about them."""
    front: Front | None = None
    """Picture that such a section gives page one in place of the usual one; takes the name to draw it under."""

    def see(self, section: str) -> Bi:
        """Return "section 7", or the section's title where it is not shown."""
        if section in self.numbers:
            return self.words("note.see", number=self.numbers[section])
        return self.words("note.see_title", title=self.words[f"{section}.title"])

    def missing(self, table: str) -> Paragraph:
        """Return the line that says which table is not there."""
        return Paragraph(self.words("missing.table", table=table), "missing")

    def pooled(self, row: Any) -> Bi:
        """Return the denominator of figures over all incidents of a year, from a row that holds its counts."""
        words = self.words
        return words("note.pooled", incidents=count(row["n_incidents"]), replications=count(row["n_replications"]))

    def paired(self, row: Any) -> Bi:
        """Return the denominator of a paired difference."""
        return self.words("note.paired", pairs=count(row["n_pairs"]), incidents=count(row["n_incidents"]))

    def per_replication(self, arm: str) -> Bi:
        """Return the denominator of figures that are means over the replications of an arm."""
        row = self.study.index.arms.get(arm)
        if row is None or is_missing(row.get("n_replications")):
            return self.words["note.per_replication_unknown"]
        return self.words("note.per_replication", replications=count(row["n_replications"]))

    def metric_head(self, metric: str) -> Head:
        """Return the heading of a metric's column, with its unit."""
        unit = "unit.percent" if metric.startswith("share") else "unit.s"
        return Head(self.words[f"head.{metric}"], self.words[unit])

    def metric_cell(self, row: Any, metric: str) -> Cell:
        """Return the cell of a metric's row (value, low, high, mc_low, mc_high), a dash where there is none."""
        if row is None:
            return number(None, count)
        mc = (row.get("mc_low"), row.get("mc_high"))
        return number(row["value"], writer_of(metric), row.get("low"), row.get("high"), mc=mc)


Make = Callable[[Context], list[Block]]
Lead = Callable[[Context], list[Bi]]


Front = Callable[["Context", str], Picture | None]


def no_front(context: Context, name: str) -> Picture | None:
    """Return nothing: page one keeps its own picture."""
    return None


def always(study: Study) -> bool:
    """Return True: the section is shown whenever its tables are there."""
    return True


def no_lead(context: Context) -> list[Bi]:
    """Return nothing: page one does not begin with this section, whatever the study."""
    return []


@dataclass(frozen=True, slots=True)
class SectionEntry:
    """A section as its module registers it: id (also its module's and words' name), tables it needs, its maker.

    `needs`: without rows in any of these tables the section is not shown. `any_of`: nor without rows in all of these.
    Tables that it can do without are not listed. `lead`: the sentences with which page one begins where the study is
    about this section and nothing else; `front`: the picture it shows there then. `is_asked`: whether the study asks
    for the section, where tables alone do not tell.
    """

    id: str
    needs: tuple[str, ...]
    make: Make
    any_of: tuple[str, ...] = ()
    lead: Lead = no_lead
    front: Front = no_front
    is_asked: Callable[[Study], bool] = always

    def is_shown(self, study: Study) -> bool:
        """Return whether the study asks for it, and every table it needs, and one of any `any_of`, holds rows."""
        there = [study.table(name) is not None for name in self.any_of]
        if not self.is_asked(study):
            return False
        return all(study.table(name) is not None for name in self.needs) and (any(there) or not there)


def kept(*blocks: Block | None) -> list[Block]:
    """Return the blocks that there are."""
    return [block for block in blocks if block is not None]


def names(context: Context, pair: Pair) -> tuple[Bi, Bi]:
    """Return the names of the base and of the arm."""
    return context.study.label(pair.base), context.study.label(pair.arm)


__all__ = ["Context", "Lead", "Make", "Pair", "Picture", "SectionEntry", "kept", "names"]
