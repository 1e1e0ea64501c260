"""`fire_outcomes.csv` of a city folder: how deadly and how costly each kind of fire is beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems
from sim.tables import SOURCE, STANDING, Column, TableSpec, check_references, read_table

FIRE = "fire"
FIRE_OUTCOMES = TableSpec(
    "fire_outcomes",
    1,
    (
        Column("kind", "str", "Code of a kind of fire.", unique=True),
        Column(
            "deaths", "float", "Deaths per fire beside the other kinds; only ratios matter.", minimum=0, maximum=1e6
        ),
        Column("loss", "float", "Loss per fire beside the other kinds; only ratios matter.", minimum=0, maximum=1e6),
        SOURCE,
        STANDING,
    ),
)


@dataclass(frozen=True, slots=True)
class FireWeights:
    """Weights by kind, 0 for what is no fire: `deaths`, `loss` (n_kinds,); `is_fire` (n_kinds,)."""

    deaths: NDArray[np.float64]
    loss: NDArray[np.float64]
    is_fire: NDArray[np.bool_]


def load_fire_weights(folder: Path, kinds: Sequence[str], families: Sequence[str]) -> FireWeights:
    """Return the weights of a city's kinds of fire.

    Raises
    ------
    InputError
        With all problems: no table, kinds that are unknown or no fires, fires without a row.
    """
    problems = Problems()
    table = read_table(folder / "fire_outcomes.csv", FIRE_OUTCOMES, problems)
    fires = [kind for kind, family in zip(kinds, families, strict=True) if family == FIRE]
    check_references(table, "kind", fires, "kinds.csv among the fires", problems)
    told = table.names("kind")
    lacking = [] if told is None else [kind for kind in fires if kind not in told]
    if lacking:
        mend = "give each kind of fire a row, with weights of 0 where it does not count"
        problems.add(table.where, f"has no row for {', '.join(lacking)}", mend=mend)
    problems.raise_if_any()
    row = {str(kind): place for place, kind in enumerate(table["kind"])}
    deaths, loss = (
        np.array([float(table[name][row[kind]]) if kind in row else 0.0 for kind in kinds])
        for name in ("deaths", "loss")
    )
    return FireWeights(deaths, loss, np.array([kind in row for kind in kinds]))
