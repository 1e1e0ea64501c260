"""What a section is made of: paragraphs, pictures, tables, lists of commands. Plain values; the template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.report.numbers import NOTHING, Write, chance_interval, count, interval, is_missing
from sim.report.texts import Bi, same


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `style` is text, lead, note, warn or missing."""

    text: Bi
    style: str = "text"
    block: str = "paragraph"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn once per language; `alt` says in words what it shows."""

    svg: Bi
    caption: Bi
    alt: Bi
    block: str = "picture"


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines to type."""

    lines: tuple[str, ...]
    block: str = "commands"


@dataclass(frozen=True, slots=True)
class Facts:
    """Short statements, each with a name."""

    rows: tuple[tuple[Bi, Bi], ...]
    block: str = "facts"


@dataclass(frozen=True, slots=True)
class Head:
    """Heading of a column; `unit` stands beneath it. A number column is right-aligned and sorts by value."""

    text: Bi
    unit: Bi | None = None
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: text, the value it sorts by, its interval, that of chance alone (Monte Carlo); `tone` colours it."""

    text: Bi
    value: float | None = None
    interval: str = ""
    monte_carlo: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `denominator` says what its numbers are counted over and is never left out."""

    caption: Bi
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    denominator: Bi
    notes: tuple[Bi, ...] = ()
    is_filtered: bool = False
    block: str = "table"

    def __post_init__(self) -> None:
        """Assert what the template relies on: rows as wide as the heading, and a denominator in both languages."""
        assert all(len(row) == len(self.heads) for row in self.rows), f"ragged table: {self.caption.en}"
        assert all((self.denominator.zh, self.denominator.en)), f"no denominator: {self.caption.en}"


Block = Paragraph | Picture | Commands | Facts | Grid


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section of the report."""

    id: str
    title: Bi
    blocks: Sequence[Block] = field(default_factory=tuple)
    intro: Bi | None = None


def word(text: Bi | object, tone: str = "") -> Cell:
    """Return a cell of text."""
    return Cell(text if isinstance(text, Bi) else same(text), tone=tone)


def number(value: Any, write: Write, low: Any = None, high: Any = None, *, mc: Any = None, tone: str = "") -> Cell:
    """Return a cell of a number with its interval and, in `mc` = (low, high), its Monte Carlo interval."""
    sort_by = None if is_missing(value) else float(value)
    inner = chance_interval(mc[0], mc[1], write) if mc else ""
    return Cell(same(write(value) or NOTHING), sort_by, interval(low, high, write), inner, tone)


def counted(n_incidents: Any, n_replications: Any) -> Cell:
    """Return the denominator of a row: its incidents, and beneath them the replications they are pooled over."""
    cell = number(n_incidents, count)
    return Cell(cell.text, cell.value, f"({count(n_replications)})")
