"""One record file on its way through reading: its texts by column of the schema, and the row each stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.records.account import Ledger
from calibration.records.schema import RecordSpec
from calibration.records.settings import NAME, DateOrder, FileSettings
from calibration.records.sources import Sheet
from calibration.records.stamps import UNREADABLE, Stamps, date_evidence, read_stamps
from calibration.records.values import Durations, read_durations, unit_needed
from sim.errors import Problems

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one file.

    Parameters
    ----------
    spec, where, settings : schema, name and settings of the file.
    rows : (n,) int64, place in the file.
    texts : by column of the schema that the file has, (n,) object array of `str`.
    stamps, durations : the columns of those kinds, read.
    """

    spec: RecordSpec
    where: str
    settings: FileSettings
    rows: NDArray[np.int64]
    texts: Mapping[str, NDArray[Any]]
    stamps: Mapping[str, Stamps]
    durations: Mapping[str, Durations]
    has_decimal_comma: bool

    def reject(self, code: str, column: str, is_hit: Mask, ledger: Ledger) -> Part:
        """Return the part without the rows hit, after entering them."""
        self.note(code, column, is_hit, ledger)
        return self.take(~is_hit) if is_hit.any() else self

    def note(self, code: str, column: str, is_hit: Mask, ledger: Ledger) -> None:
        """Enter the rows hit with the text of `column`; a column the file lacks, or none, has no value."""
        rows = self.rows[is_hit]
        values = self.texts[column][is_hit] if column in self.texts else np.full(len(rows), "", dtype=object)
        ledger.note(self.where, code, column, rows, values)

    def take(self, keep: Mask) -> Part:
        """Return the part with the rows to keep."""
        return replace(
            self,
            rows=self.rows[keep],
            texts={name: texts[keep] for name, texts in self.texts.items()},
            stamps={name: stamps.take(keep) for name, stamps in self.stamps.items()},
            durations={name: durations.take(keep) for name, durations in self.durations.items()},
        )

    def text(self, name: str) -> NDArray[Any]:
        """Return a column's texts, empty ones if the file lacks it."""
        return self.texts[name] if name in self.texts else np.full(len(self.rows), "", dtype=object)


def read_part(
    spec: RecordSpec,
    sheet: Sheet,
    positions: Mapping[str, int],
    units: Mapping[str, str],
    settings: FileSettings,
    dates: tuple[DateOrder | None, str],
    problems: Problems,
) -> Part:
    """Return the sheet's columns with times and durations read; what cannot be told apart is a problem.

    `dates` are the declared order of day and month and the declared form.
    """
    texts = {name: sheet.cells[position] for name, position in positions.items()}
    timed = [name for name in texts if spec[name].kind in ("time", "date")]
    order, date_format = dates
    if order is None and not date_format:
        order = _told_order(sheet.where, [texts[name] for name in timed], problems)
    stamps = {name: read_stamps(texts[name], order, date_format) for name in timed}
    for name in timed:
        _check_form(sheet, name, positions, stamps[name], problems)
    lengths = {}
    for name in (name for name in texts if spec[name].kind == "duration"):
        unit = units.get(name, "")
        without = unit_needed(texts[name], unit, sheet.has_decimal_comma)
        if without is None:
            lengths[name] = read_durations(texts[name], unit, sheet.has_decimal_comma)
            continue
        rule = f"({sheet.header[positions[name]]}) is a duration whose unit is not told"
        mend = f"write '{name}: …' (s, min, h, mm:ss or hh:mm) under {spec.name}.units in {NAME}"
        problems.add(sheet.where, rule, value=without, mend=mend)
    return Part(spec, sheet.where, settings, sheet.rows, texts, stamps, lengths, sheet.has_decimal_comma)


def _told_order(where: str, columns: list[NDArray[Any]], problems: Problems) -> DateOrder | None:
    """Return the order of day and month that the file proves; none or both proven is a problem."""
    found = [date_evidence(texts) for texts in columns]
    proof = set().union(*(proof for _, proof in found))
    if len(proof) == 1 or not any(has_any for has_any, _ in found):
        return next(iter(proof), None)
    said = "day and month cannot be told apart" if not proof else "some dates have the day first, others the month"
    problems.add(where, said, mend=f"write date_order: day_first or date_order: month_first in {NAME}")
    return "day_first"


def _check_form(sheet: Sheet, name: str, positions: Mapping[str, int], stamps: Stamps, problems: Problems) -> None:
    """Add a problem for a column most of whose cells have no accepted form."""
    is_bad = stamps.state == UNREADABLE
    n_given = int((stamps.state != 0).sum())
    if 2 * is_bad.sum() > n_given:
        first = int(np.flatnonzero(is_bad)[0])
        text = sheet.cells[positions[name]][first]
        rule = f"({sheet.header[positions[name]]}) is no time, nor are {int(is_bad.sum())} of the {n_given} given"
        mend = f"write the form as date_format in {NAME}, or map the header to another column"
        problems.add(sheet.where, rule, value=text, row=int(sheet.rows[first]), mend=mend)
