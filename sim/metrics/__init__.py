"""From the event log to tables: what each incident, unit, station and cell experienced in one replication.

`incidents.py` makes the table every headline comes from, `workload.py` what units and stations had to do, `manning.py`
which vehicles stood idle for want of people, `coverage.py` whom a station with a crew can reach, `one_more.py` what one
further station in each town would change, `mutual_aid.py` what help from outside did, `scenes.py` what its place added
to an incident, `states.py` the dated states behind them, `store.py` their files. Definitions are in `docs/measures.md`.
Nothing here compares scenarios (`sim.compare`) and nothing decides or draws.
"""

from __future__ import annotations

from sim.metrics.coverage import coverage_table
from sim.metrics.incidents import incident_table
from sim.metrics.manning import manning_table
from sim.metrics.mutual_aid import mutual_aid_table
from sim.metrics.one_more import one_more_table
from sim.metrics.scenes import scenes_table
from sim.metrics.store import Columns, read_columns, write_columns, write_replication_tables
from sim.metrics.workload import unit_workload_table, workload_table

__all__ = [
    "Columns",
    "coverage_table",
    "incident_table",
    "manning_table",
    "mutual_aid_table",
    "one_more_table",
    "read_columns",
    "scenes_table",
    "unit_workload_table",
    "workload_table",
    "write_columns",
    "write_replication_tables",
]
