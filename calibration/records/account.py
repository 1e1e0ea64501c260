"""The written account of cleaning: what was done with which row and why, with counts and shares.

`Ledger` is filled while records are read; `Account` is what is left of it. Codes are those of `rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from calibration.records.rules import ACTIONS_ZH, RULES
from sim.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("file", "row", "code", "action", "column", "value")
Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows of one file to which one rule applied.

    `rows` (n,) int64, as counted in the file; `values` (n,) texts of the column as they stood there.
    """

    file: str
    code: str
    column: str
    rows: NDArray[np.int64]
    values: NDArray[Any]


@dataclass(slots=True)
class Ledger:
    """Collects entries and notes while records are read."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    n_read: dict[str, int] = field(default_factory=dict)
    n_kept: dict[str, int] = field(default_factory=dict)

    def note(self, file: str, code: str, column: str, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Enter the rows to which `code` applied; nothing when there are none."""
        if code not in RULES:
            raise ValueError(f"no rule has the code {code!r}")
        if len(rows):
            self.entries.append(Entry(file, code, column, rows, values))

    def account(self) -> Account:
        """Return the account of everything entered."""
        import pandas as pd

        frames = [
            pd.DataFrame(
                {
                    "file": entry.file,
                    "row": entry.rows,
                    "code": entry.code,
                    "action": RULES[entry.code].action,
                    "column": entry.column,
                    "value": entry.values.astype(object),
                }
            )
            for entry in self.entries
        ]
        rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
        rows = rows.astype({name: "int64" if name == "row" else "str" for name in COLUMNS})
        order = {code: i for i, code in enumerate(RULES)}
        rows = rows.assign(order=rows["code"].map(order)).sort_values(["file", "order", "row"], kind="stable")
        kept = rows.drop(columns="order").reset_index(drop=True)
        return Account(kept, tuple(self.notes), dict(self.n_read), dict(self.n_kept))


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rows read.

    Parameters
    ----------
    rows : one row per rule applied to a row of a file: file, row, code, action, column, value as it stood there.
    notes : what detection took and what the whole log lacks, one sentence each.
    n_read, n_kept : rows by file name.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...]
    n_read: Mapping[str, int]
    n_kept: Mapping[str, int]

    @property
    def rejected(self) -> pd.DataFrame:
        """The rejected rows, each with its one reason."""
        return self.rows[self.rows["action"] == "reject"].reset_index(drop=True)

    @property
    def counts(self) -> pd.DataFrame:
        """By file and code: action, rows it applied to (`n`) and their share of the rows read."""
        import pandas as pd

        distinct = self.rows.drop_duplicates(["file", "row", "code"])
        rows = [
            (file, code, rule.action, n, n / self.n_read[file])
            for file in sorted(self.n_read)
            for code, rule in RULES.items()
            if (n := int(((distinct["file"] == file) & (distinct["code"] == code)).sum()))
        ]
        return pd.DataFrame(rows, columns=["file", "code", "action", "n", "share"])

    def table(self, language: Language = "en") -> list[tuple[str, str, str, str, str]]:
        """Return (file, reason, action, rows, share of rows read) as texts, for a report; first the rows kept."""
        kept = {"en": "kept", "zh": "保留"}[language]
        lines = [
            (file, kept, "", f"{self.n_kept[file]:,}", _percent(self.n_kept[file], n))
            for file, n in self.n_read.items()
        ]
        for file, code, _, n, _ in self.counts.itertuples(index=False, name=None):
            rule = RULES[code]
            is_english = language == "en"
            label, action = (rule.label_en, rule.action) if is_english else (rule.label_zh, ACTIONS_ZH[rule.action])
            lines.append((file, label, action, f"{n:,}", _percent(n, self.n_read[file])))
        return lines

    def text(self, language: Language = "en") -> str:
        """Return the account as lines of text, notes last."""
        lines = ["  ".join(part for part in line if part) for line in self.table(language)]
        return "\n".join([*lines, *self.notes])

    def write(self, path: Path, only_rejected: bool = False) -> None:
        """Write the rows as CSV or Parquet, by the ending of `path`; raise `InputError` for another ending."""
        rows = self.rejected if only_rejected else self.rows
        if path.suffix == ".parquet":
            rows.to_parquet(path, index=False)
        elif path.suffix == ".csv":
            rows.to_csv(path, index=False, lineterminator="\n")
        else:
            raise InputError([Problem(str(path), "has no known ending", mend="write .csv or .parquet")])


def _percent(n: int, of: int) -> str:
    return f"{100 * n / of:.1f} %" if of else "-"
