"""Normal equations of a curve with effects of labels: sums over records by label, and their solution block by block.

No design matrix is made: an indicator's products with another are a cross-table. The block of the label with the most
values is diagonal, so it is eliminated first (Henderson's mixed-model equations, absorbed: Searle, Casella & McCulloch
1992, ch. 7), and a round costs little however many places there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.scores.keyed import Floats

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a curve, then one for each value of each label; make one with `columns_of`.

    names: of labels, the one with the most values last. values: (size,) of each, ascending. codes: (n,) of each, places
    in its values. parts: slices of the columns, the curve's first.
    """

    names: tuple[str, ...]
    values: tuple[Codes, ...]
    codes: tuple[Codes, ...]
    parts: tuple[slice, ...]

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return int(self.parts[-1].stop)

    def effects(self, solution: Floats) -> Floats:
        """Return the sum of effects of each record, (n,), or nought without labels."""
        total: Floats = np.zeros(len(self.codes[0]) if self.codes else 1)
        for code, part in zip(self.codes, self.parts[1:], strict=True):
            total = total + solution[part][code]
        return total

    def right(self, slopes: Floats, values: Floats) -> Floats:
        """Return X' values, (n_columns,); slopes (n, n_curve) are the curve's columns."""
        of_labels = [np.bincount(code, weights=values) for code in self.codes]
        return np.concatenate([slopes.T @ values, *of_labels])

    def normal(self, slopes: Floats, weight: Floats) -> Floats:
        """Return X' diag(weight) X, (n_columns, n_columns)."""
        out: Floats = np.zeros((self.n_columns, self.n_columns))
        weighted = slopes * weight[:, None]
        out[self.parts[0], self.parts[0]] = weighted.T @ slopes
        for number, (code, part) in enumerate(zip(self.codes, self.parts[1:], strict=True)):
            own = np.arange(part.start, part.stop)
            out[own, own] = np.bincount(code, weights=weight)
            blocks = [(self.parts[0], np.column_stack([np.bincount(code, weights=each) for each in weighted.T]))]
            for other, before in zip(self.codes[:number], self.parts[1:], strict=False):
                size = before.stop - before.start
                table = np.bincount(code * size + other, weights=weight, minlength=len(own) * size)
                blocks.append((before, table.reshape(len(own), size)))
            for before, block in blocks:
                out[part, before], out[before, part] = block, block.T
        return out

    def by_day(self, slopes: Floats, values: Floats, day: Codes) -> Floats:
        """Return X' values summed by day, (n_days, n_columns); `day` (n,) counts from 0."""
        n_days = int(day.max()) + 1
        sums = [np.column_stack([np.bincount(day, weights=values * each, minlength=n_days) for each in slopes.T])]
        for code, part in zip(self.codes, self.parts[1:], strict=True):
            size = part.stop - part.start
            table = np.bincount(day * size + code, weights=values, minlength=n_days * size)
            sums.append(table.reshape(n_days, size))
        return np.hstack(sums)

    def solve(self, normal: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Return the solution of the normal equations and the diagonal of their inverse, (n_columns,) each."""
        begin = self.parts[-1].start if self.codes else self.n_columns
        across, own = normal[:begin, begin:], np.diag(normal)[begin:]
        pulled = across / own
        inverse = np.linalg.inv(normal[:begin, :begin] - pulled @ across.T)
        first = inverse @ (right[:begin] - pulled @ right[begin:])
        second = (right[begin:] - across.T @ first) / own
        spread = 1.0 / own + np.einsum("ij,ij->j", pulled, inverse @ pulled)
        return np.concatenate([first, second]), np.concatenate([np.diag(inverse), spread])


def columns_of(n_curve: int, labels: Mapping[str, NDArray[Any]]) -> Columns:
    """Return the columns of a curve with n_curve parameters and of labels by name, (n,) each."""
    found = {name: np.unique(label, return_inverse=True) for name, label in labels.items()}
    names = tuple(sorted(found, key=lambda name: len(found[name][0])))
    sizes = [n_curve, *(len(found[name][0]) for name in names)]
    ends = np.cumsum(sizes).tolist()
    parts = tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True))
    return Columns(
        names,
        tuple(found[name][0].astype(np.int64) for name in names),
        tuple(found[name][1].ravel().astype(np.int64) for name in names),
        parts,
    )
