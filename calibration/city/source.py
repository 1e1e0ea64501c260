"""Rows of a city folder's tables with where they come from: the records' digest and the days fitted."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

FITTED, ASSUMED = "fitted", "assumed"


@dataclass(frozen=True, slots=True)
class Source:
    """Records that a folder is fitted to: their SHA-256, and the first and last local day."""

    digest: str
    first: date
    last: date

    def __str__(self) -> str:
        """Return how rows name the records."""
        return f"records {self.digest[:12]} from {self.first} to {self.last}"

    def row(self, standing: str, why: str) -> dict[str, str]:
        """Return the columns `source` and `standing`."""
        return {"source": f"{self}: {why}", "standing": standing}


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write rows as CSV; `columns` are needed where there may be no row."""
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns) or list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


def codes_of(names: Sequence[str], stem: str) -> tuple[str, ...]:
    """Return an ASCII code for each name, each once: the name's own letters, or `stem` and a number."""
    codes: list[str] = []
    for number, name in enumerate(names, start=1):
        code = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") if name.isascii() else ""
        if not code or code in codes:
            code = f"{stem}_{number}"
        codes.append(code)
    return tuple(codes)
