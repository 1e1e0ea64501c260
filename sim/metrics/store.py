"""Files of tables: Parquet with the schema's name and version in the metadata, the same bytes for the same content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problem

if TYPE_CHECKING:
    from sim.engine.log import EventLog
    from sim.inputs import RunInputs

Columns = dict[str, NDArray[Any]]
REPLICATION_SCHEMAS = {
    "incidents": 1,
    "workload": 1,
    "units": 1,
    "coverage": 1,
    "one_more": 1,
    "manning": 1,
    "mutual_aid": 1,
    "scenes": 2,
    "weather": 1,
    "planted": 1,
    "stress": 1,
    "breakdowns": 1,
    "turnouts": 3,
    "air": 1,
}
"""Version of each file that a replication may leave behind; it grows when a column changes its name or its meaning."""


def write_columns(path: Path, columns: Columns, schema: str, version: int) -> None:
    """Write columns of equal length as Parquet (zstd); object columns are texts, None or NaN being empty."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {name: _arrow(pa, values) for name, values in columns.items()}
    table = pa.table(arrays).replace_schema_metadata({"schema": schema, "schema_version": str(version)})
    wide = [name for name, values in columns.items() if values.dtype.kind in "iu" and values.dtype.itemsize >= 4]
    narrow = [name for name, values in columns.items() if name not in wide and values.dtype.kind not in "bf"]
    pq.write_table(
        table, path, compression="zstd", compression_level=1, use_dictionary=narrow,
        column_encoding=dict.fromkeys(wide, "DELTA_BINARY_PACKED"), write_statistics=False,
    )  # fmt: skip


def _arrow(pa: Any, values: NDArray[Any]) -> Any:
    if values.dtype.kind in "OUS":
        return pa.array([None if value is None else str(value) for value in values.tolist()], type=pa.string())
    return pa.array(np.ascontiguousarray(values))


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Return rows of the same keys as columns, texts as objects; no rows give no columns."""
    return {name: _column([row[name] for row in rows]) for name in rows[0]} if rows else {}


def _column(values: list[Any]) -> NDArray[Any]:
    if not isinstance(values[0], str):
        return np.array(values)
    texts = np.empty(len(values), dtype=object)
    texts[:] = values
    return texts


def read_columns(path: Path, schema: str, version: int, names: Iterable[str] | None = None) -> Columns:
    """Return the columns of a file written by `write_columns`, all of them or those named.

    Raises
    ------
    InputError
        If the file is missing or no Parquet, or holds another schema or another version of it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=None if names is None else list(names), use_threads=False)
    except (OSError, pa.ArrowInvalid) as cause:
        problem = Problem(str(path), f"cannot be read as Parquet ({cause})", mend="run the replication again")
        raise InputError([problem]) from cause
    metadata = table.schema.metadata or {}
    found = (metadata.get(b"schema", b"").decode(), metadata.get(b"schema_version", b"").decode())
    if found != (schema, str(version)):
        rule = f"is schema {found[0]!r} version {found[1] or 'none'}, not {schema!r} version {version}"
        raise InputError([Problem(str(path), rule, mend="run the replication again with this program")])
    return {name: table.column(name).to_numpy() for name in table.column_names}


def write_replication_tables(
    folder: Path, inputs: RunInputs, log: EventLog, static_ms: NDArray[np.int64], *, is_one_more_wanted: bool = True
) -> Columns:
    """Write `incidents`, `workload`, `units`, `coverage`, `manning` (and `one_more`); return the incident table.

    What only some runs have is written where they have it: `mutual_aid`, `scenes`, `weather`, `planted`, `stress`,
    `breakdowns`, with special teams or aircraft `turnouts`, with aircraft `air`.
    """
    from sim.metrics.breakdowns import breakdown_table, has_breakdowns
    from sim.metrics.coverage import coverage_table
    from sim.metrics.incidents import incident_table
    from sim.metrics.manning import manning_table
    from sim.metrics.mutual_aid import mutual_aid_table
    from sim.metrics.one_more import one_more_table
    from sim.metrics.planted import planted_table, stress_table
    from sim.metrics.rows import LogIndex
    from sim.metrics.scenes import is_plain, scenes_table
    from sim.metrics.special import special_tables
    from sim.metrics.weather import has_weather, weather_table
    from sim.metrics.workload import unit_workload_table, workload_table

    index = LogIndex(log)
    incidents = incident_table(inputs, log, static_ms)
    by_unit = unit_workload_table(inputs, log)
    tables = {
        "incidents": incidents,
        "workload": workload_table(inputs, log, by_unit),
        "units": by_unit,
        "coverage": coverage_table(inputs),
        "manning": manning_table(inputs, log),
    }
    if np.any(inputs.fleet.stations.help_grade):
        tables["mutual_aid"] = mutual_aid_table(inputs, log, index)
    if not is_plain(inputs):
        tables["scenes"] = scenes_table(inputs, incidents)
    if is_one_more_wanted:
        tables["one_more"] = one_more_table(inputs, incidents, static_ms)
    tables |= special_tables(inputs, index)
    if has_weather(inputs):
        tables["weather"] = weather_table(inputs, incidents)
    if len(inputs.demand.planted):
        tables["planted"] = planted_table(inputs, index, incidents)
        tables["stress"] = stress_table(inputs, index, incidents)
    if has_breakdowns(inputs):
        tables["breakdowns"] = breakdown_table(inputs)
    tables = {name: columns for name, columns in tables.items() if columns}
    for name, columns in tables.items():
        write_columns(folder / f"{name}.parquet", columns, name, REPLICATION_SCHEMAS[name])
    return incidents
