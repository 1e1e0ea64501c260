"""Scenarios side by side: levels, paired differences, intervals, and who gains and loses.

Read `parts.py` (what is compared), `cube.py` (how a quantile is defined), `intervals.py` (how sure), `pairs.py`
(differences), `study.py` (how it comes together), `write.py` (files). Everything comes from the tables that
replications wrote; `headlines.sql` recomputes the headlines from the same files without this package.
"""

from __future__ import annotations

from sim.compare.money import frontier_table, value_table
from sim.compare.outcome import OutcomeModel, outcome_table
from sim.compare.parts import Arm, Contrast, Labels, Replication, Run, Tables, labels_of
from sim.compare.plausible import Factor, PlausibleArm, plausible_tables
from sim.compare.study import compare_arms
from sim.compare.worlds import frontier_in_worlds, one_more_in_worlds
from sim.compare.write import TABLE_VERSION, read_tables, write_tables

__all__ = [
    "TABLE_VERSION",
    "Arm",
    "Contrast",
    "Factor",
    "Labels",
    "OutcomeModel",
    "PlausibleArm",
    "Replication",
    "Run",
    "Tables",
    "compare_arms",
    "frontier_in_worlds",
    "frontier_table",
    "labels_of",
    "one_more_in_worlds",
    "outcome_table",
    "plausible_tables",
    "read_tables",
    "value_table",
    "write_tables",
]
