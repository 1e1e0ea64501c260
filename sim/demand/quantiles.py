"""Quantile tables by name: a table of a city's defaults is read from its committed store, any other one is made.

A table's name says all that it depends on, so a stored table can stand for it; a test makes every stored table again
and compares. Made tables go through scipy and are stored with the run that used them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sim.chance import TABLE_SIZE, constant_table, quantile_table
from sim.errors import Problems
from sim.units import Q16

STORE_NAME = "quantile_tables.npz"


def lognormal_ms(median_ms: int, sigma: float) -> str:
    """Name the table of a log-normal duration with its median in ms."""
    return (
        f"lognormal_ms median={median_ms} sigma={sigma!r}" if sigma > 0 and median_ms > 0 else f"constant {median_ms}"
    )


def exponential_ms(median_ms: int) -> str:
    """Name the table of an exponential duration with its median in ms."""
    return f"exponential_ms median={median_ms}" if median_ms > 0 else f"constant {median_ms}"


def lognormal_factor(sigma: float) -> str:
    """Name the table of a log-normal factor with mean one, in 1/65536."""
    return f"lognormal_q16 sigma={sigma!r}" if sigma > 0 else f"constant {Q16}"


def gamma_factor(cv: float) -> str:
    """Name the table of a gamma factor with mean one and the given coefficient of variation, in 1/65536."""
    return f"gamma_q16 cv={cv!r}" if cv > 0 else f"constant {Q16}"


def make_table(name: str) -> NDArray[np.int32]:
    """Return the table that `name` describes, made with scipy.

    Raises
    ------
    InputError
        If its tail does not fit whole milliseconds of 31 bits (24.8 days).
    """
    family, *parts = name.split()
    if family == "constant":
        return constant_table(int(parts[0]))
    given = {key: float(value) for key, _, value in (part.partition("=") for part in parts)}
    from scipy import special  # what `scipy.stats` would call; that takes a second to import

    unit: Callable[[NDArray[np.float64]], Any]
    mean = float(Q16)
    if family == "gamma_q16":
        shape = 1.0 / (given["cv"] * given["cv"])
        unit, scale = lambda share: special.gammaincinv(shape, share), Q16 / shape
    elif family == "exponential_ms":
        unit, scale = lambda share: -special.log1p(-share), given["median"] / math.log(2.0)
        mean = scale
    else:
        sigma = given["sigma"]
        unit, scale = lambda share: np.exp(sigma * special.ndtri(share)), given.get("median", 0.0)
        if family == "lognormal_q16":
            scale = mean * math.exp(-(sigma**2) / 2.0)
        else:
            mean = scale * math.exp(sigma**2 / 2.0)
    try:
        return quantile_table(lambda share: np.asarray(unit(share) * scale), mean)
    except ValueError as error:
        problems = Problems()
        rule = f"has a tail that does not fit a table ({error})"
        problems.add("quantile tables", rule, value=name, mend="lower the median or the spread")
        problems.raise_if_any()
        raise


@dataclass(slots=True)
class QuantileStore:
    """The committed tables of a city by name, and those made since; `table` returns either."""

    stored: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    made: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    def table(self, name: str) -> NDArray[np.int32]:
        """Return (3072,) int32, the stored table of that name if there is one."""
        if name in self.stored:
            return self.stored[name]
        if name not in self.made:
            self.made[name] = make_table(name)
        return self.made[name]


def load_store(folder: Path) -> QuantileStore:
    """Return the store of a city folder; a folder without one has an empty store.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    return QuantileStore(read_tables(folder / STORE_NAME))


def is_table_of(name: str, values: NDArray[np.int32]) -> bool:
    """Return whether a table is the one of that name, up to what another machine may round otherwise."""
    made = make_table(name).astype(np.int64)
    return bool(np.all(np.abs(values.astype(np.int64) - made) <= 1 + made // 1_000_000))


def read_tables(path: Path) -> dict[str, NDArray[np.int32]]:
    """Return the tables of a file by name; none where there is no file.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            names, values = [str(name) for name in file["names"]], file["values"]
        if values.dtype != np.int32 or values.shape != (len(names), TABLE_SIZE):
            raise ValueError(f"holds {values.dtype} {values.shape}")
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        problems = Problems()
        reason = "is no file of tables" if "pickle" in str(error) else error
        problems.add(str(path), f"is damaged ({reason})", mend="restore it, or remove it to have the tables made again")
        problems.raise_if_any()
        raise
    return dict(zip(names, values, strict=True))


def write_tables(path: Path, tables: Mapping[str, NDArray[np.int32]]) -> None:
    """Write tables as a file that `read_tables` reads; it appears whole or not at all, and the same each time."""
    temporary = path.with_name(f".part-{path.name}")
    values = np.stack([tables[name] for name in sorted(tables)])
    np.savez_compressed(temporary, names=np.array(sorted(tables)), values=values)
    temporary.replace(path)


def write_store(folder: Path, names: Iterable[str]) -> None:
    """Make the named tables and write them as the store of a city folder."""
    wanted = {name for name in names if not name.startswith("constant")}
    write_tables(folder / STORE_NAME, {name: make_table(name) for name in wanted})
