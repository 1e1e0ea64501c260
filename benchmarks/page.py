"""Tables as Markdown, which also reads well on a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of equally many cells as a padded table; the first row is its head."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    shown = [f"| {' | '.join(row)} |" for row in padded]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])


def between_marks(page: str, name: str, text: str) -> str:
    """Return a page in which `text` stands between the marks `<!-- NAME: begin -->` and `<!-- NAME: end -->`.

    Raises
    ------
    ValueError
        If the page has not both marks.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{page.split(begin)[0]}{begin}\n{text}\n{end}{page.split(end)[1]}"
