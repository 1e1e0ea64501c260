"""What special teams are asked for: needs that a city's `team_cards.csv` adds to its run cards.

An added need stands behind the card's own needs of the same grade, and needs added at one grade in the order of the
table. Incidents stay as they are; a need that nobody can serve stays unfilled. Which teams there are is the fleet's
affair (`sim/fleet/teams.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.demand.schemas import MAX_GRADE
from sim.demand.types import RunCards
from sim.errors import Problems
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, check_references, read_table

if TYPE_CHECKING:
    from sim.demand.kinds import DemandTables

TEAM_CARDS = TableSpec(
    "team_cards",
    1,
    (
        Column("kind", "str", "Code of the kind."),
        Column("need_no", "int", "Position among the kind's added needs, from 0.", minimum=0, maximum=999),
        Column("capability", "str", "Code of the capability that one unit must have."),
        Column("from_grade", "int", "Lowest grade at which it is needed.", minimum=1, maximum=MAX_GRADE),
        Column("is_critical", "bool", "Whether the incident grows until it is met."),
        SOURCE,
        STANDING,
    ),
    key=("kind", "need_no"),
)


@dataclass(frozen=True, slots=True)
class AskedCards:
    """Run cards with added needs; `is_added`: (n_needs,) bool, which rows of `cards` those are."""

    cards: RunCards
    is_added: NDArray[np.bool_]


def load_team_cards(folder: Path, tables: DemandTables, is_asked_for: bool) -> AskedCards:
    """Return the city's run cards with the needs of special teams, or as they are when nobody asks for teams.

    Raises
    ------
    InputError
        With all problems: no table, unknown kinds and capabilities, a grade that the kind never reaches.
    """
    cards = tables.run_cards
    if not is_asked_for:
        return AskedCards(cards, np.zeros(len(cards.capability), dtype=np.bool_))
    problems = Problems()
    added = read_table(folder / "team_cards.csv", TEAM_CARDS, problems)
    check_references(added, "kind", tables.kinds.code, "kinds.csv", problems)
    check_references(added, "capability", tables.capability_bit, "capabilities.csv", problems)
    problems.raise_if_any()
    most = dict(zip(tables.kinds.code, tables.kinds.max_grade.tolist(), strict=True))
    for i in range(added.n_rows):
        kind = str(added["kind"][i])
        if added["from_grade"][i] > most[kind]:
            rule = f"(from_grade) kind {kind!r} never grows beyond grade {most[kind]}"
            problems.add(added.where, rule, value=int(added["from_grade"][i]), row=added.row_number(i), mend="lower it")
    problems.raise_if_any()
    return _with(cards, added, tables)


def _with(cards: RunCards, added: Table, tables: DemandTables) -> AskedCards:
    """Return the cards with the rows of a checked table in their places."""
    kinds = np.array([tables.kinds.code.index(kind) for kind in added["kind"]], dtype=np.int64)
    kind = np.concatenate([np.repeat(np.arange(len(tables.kinds.code)), np.diff(cards.start)), kinds])
    is_added = np.concatenate([np.zeros(len(cards.capability), dtype=np.bool_), np.ones(added.n_rows, dtype=np.bool_)])
    number = np.concatenate([np.arange(len(cards.capability)), added["need_no"]])
    grade = np.concatenate([cards.from_grade, added["from_grade"]])
    bits = np.array([tables.capability_bit[code] for code in added["capability"]], dtype=np.int8)
    order = np.lexsort((number, is_added, grade, kind))
    both = RunCards(
        start=np.concatenate([[0], np.cumsum(np.bincount(kind, minlength=tables.kinds.n_kinds))]).astype(np.int32),
        capability=np.concatenate([cards.capability, bits])[order].astype(np.int8),
        from_grade=grade[order].astype(np.int8),
        is_critical=np.concatenate([cards.is_critical, added["is_critical"]])[order].astype(np.bool_),
    )
    return AskedCards(both, is_added[order])
