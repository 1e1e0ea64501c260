"""Arrays of one shape, one for each replication, kept in a file: memory does not grow with replications."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Series:
    """Arrays of one shape and type in a file of their own, in the order of replications.

    It pickles as the place of its file, which has to be there as long as anybody reads it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._n = path, 0
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype(np.float64)

    def __len__(self) -> int:
        return self._n

    def append(self, values: NDArray[Any]) -> None:
        """Add the array of one more replication.

        Raises
        ------
        ValueError
            If it has not the shape and type of the first.
        """
        if not self._n:
            self._shape, self._dtype = values.shape, values.dtype
        if (values.shape, values.dtype) != (self._shape, self._dtype):
            wanted = f"{self._dtype} {self._shape}"
            raise ValueError(f"a series of {wanted} cannot take {values.dtype} {values.shape}")
        with self._path.open("ab") as file:
            file.write(values.tobytes())
        self._n += 1

    def __getitem__(self, number: int) -> NDArray[Any]:
        values: NDArray[Any] = self.of_all(numbers=[number])[0]
        return values

    def of_all(self, *place: Any, numbers: Sequence[int] | None = None) -> NDArray[Any]:
        """Return what stands at a place of each replication's array, or of those `numbers`: (n, …), n replications.

        `place` indexes as numpy does; of an axis that begins it with a number no more is read than that.

        Raises
        ------
        IndexError
            If a replication or a place is not there; such a number counts from the beginning.
        """
        rest, shape, start = list(place), self._shape, 0
        while rest and isinstance(rest[0], int | np.integer):
            at, n = int(rest.pop(0)), shape[0]
            if not 0 <= at < n:
                raise IndexError(f"{self._path}: has no place {at} on an axis of {n}")
            shape = shape[1:]
            start += at * prod(shape)
        wanted = range(self._n) if numbers is None else numbers
        if not wanted or not all(0 <= number < self._n for number in wanted):
            raise IndexError(f"{self._path}: holds {self._n} replications, not {list(wanted)}")
        found: NDArray[Any] | None = None
        with self._path.open("rb") as file:
            for at, number in enumerate(wanted):
                file.seek((number * prod(self._shape) + start) * self._dtype.itemsize)
                whole = np.frombuffer(file.read(prod(shape) * self._dtype.itemsize), self._dtype).reshape(shape)
                values = whole[tuple(rest)]
                if found is None:
                    found = np.empty((len(wanted), *values.shape), self._dtype)
                found[at] = values
        assert found is not None
        return found
