"""Makes again what lies in a run directory, into memory or a scratch folder, and tells what comes out otherwise.

A replication: its inputs, digest by part; the event log from them; its tables from that, byte for byte; and what
`result.json` says of all three. A comparison: its tables from the replications, its report from the tables.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sim.errors import DgsimError
from sim.provenance import sha256_of_file
from sim.run.gather import TABLES, tables_of
from sim.run.replication import counts_of, told_of
from sim.run.work import LOG, RESULT, Batch, Job, Work, read_result

REPORT = "report.html"
_SHOWN = 60


def remake_batch(batch: Batch) -> list[dict[str, Any]]:
    """Make the replications of a batch again, writing nothing, and return what differs in each."""
    from sim.assemble import InputsBuilder

    builder = InputsBuilder()
    return [remake(job, builder) for job in batch]


def remake(job: Job, builder: Any) -> dict[str, Any]:
    """Return what differs when one replication is made again: parts of the inputs, event log, tables."""
    from sim.assemble import build_inputs
    from sim.engine import simulate

    noted = read_result(job.folder)
    builder.take_tables(job.settings, job.tables)
    inputs = build_inputs(job.settings, job.replication, builder)
    digests = inputs.digests()
    parts = [name for name in sorted({*digests, *noted["inputs"]}) if digests.get(name) != noted["inputs"].get(name)]
    difference, tables = "", list[str]()
    if not parts:
        log = simulate(inputs, job.settings.run.engine)
        if log.digest() != noted["log_digest"] or _is_another_log(job.folder / LOG, log):
            difference = _difference(job.folder / LOG, log)
        else:
            tables, n_measured = _other_tables(job.folder, inputs, log, noted["files"])
            told = told_of(job, builder, log, digests, counts_of(inputs, log, n_measured))
            tables += [f"{RESULT} ({name})" for name, value in told.items() if noted.get(name) != value]
    told = {"parts": parts, "difference": difference, "tables": tables}
    return {"arm": job.arm, "replication": job.replication, **told}


def _is_another_log(stored: Path, log: Any) -> bool:
    """Return whether the rows that were kept, if any were, are not those of `log`."""
    from sim.engine.log import read_log

    return stored.is_file() and bool(read_log(stored).digest() != log.digest())


def _other_tables(folder: Path, inputs: Any, log: Any, noted: Mapping[str, str]) -> tuple[list[str], int]:
    """Return the files of a replication that do not come out of its log byte for byte, and the incidents measured."""
    from sim.engine.static import static_responses
    from sim.metrics import write_replication_tables

    with tempfile.TemporaryDirectory() as scratch:
        incidents = write_replication_tables(Path(scratch), inputs, log, static_responses(inputs))
        if (folder / LOG).is_file():
            log.write_parquet(Path(scratch) / LOG)
        made = {path.name: sha256_of_file(path) for path in Path(scratch).iterdir()}
    lying = {path.name: sha256_of_file(path) for path in folder.iterdir() if path.name != RESULT}
    names = sorted({*made, *lying, *noted})
    others = [name for name in names if not made.get(name) == lying.get(name) == noted.get(name)]
    return others, len(incidents["identity"])


def _difference(stored: Path, log: Any) -> str:
    """Return the first event that differs, with both sides, as far as the stored log can tell."""
    from sim.engine.log import read_log
    from sim.engine.parity import describe_rows, first_difference

    if not stored.is_file():
        return "the event log is another; its rows were not kept (run.log=full keeps them)"
    before = read_log(stored)
    at = first_difference(before, log)
    if at is None:
        return "the event log is another than result.json says, but the stored one is the same as the new one"
    sides = f"in the run\n{describe_rows(before, at)}\nnow\n{describe_rows(log, at)}"
    return f"the event log differs from row {at} on:\n{sides}"


# --- the comparison ---------------------------------------------------------------------------------------------------


def other_gathered(work: Work, gathered: Mapping[str, Any]) -> list[str]:
    """Return what of a run directory's comparison comes out otherwise when it is made again from its replications.

    `gathered`: the formats that the manifest notes; without any, no table and no report may lie there.
    """
    if not gathered:
        found = [path.name for path in (work.folder / TABLES, work.folder / REPORT) if path.exists()]
        return [f"{name}: the manifest notes no comparison, so nothing tells what it must be" for name in found]
    from sim.compare import write_tables

    try:
        with tempfile.TemporaryDirectory() as scratch:
            made, lying = Path(scratch), work.folder / TABLES
            write_tables(tables_of(work), made, csv=bool(gathered.get("csv")), xlsx=bool(gathered.get("xlsx")))
            names = sorted({path.name for folder in (made, lying) if folder.is_dir() for path in folder.iterdir()})
            told = [(f"{TABLES}/{name}", _other_file(lying / name, made / name)) for name in names]
        if gathered.get("report") or (work.folder / REPORT).exists():
            told.append((REPORT, _other_report(work.folder, str(gathered.get("language")))))
    except DgsimError as error:
        return [f"the comparison cannot be made again: {error}"]
    return [f"{name}: {difference}" for name, difference in told if difference]


def _other_file(lying: Path, made: Path) -> str:
    """Return how a table's file differs from the one made again; "" where it is the same bytes."""
    if not lying.is_file() or not made.is_file():
        return "is missing" if made.is_file() else "is not made again, so it was added"
    if lying.read_bytes() == made.read_bytes():
        return ""
    found = _first_cell(lying, made) if lying.suffix == ".parquet" else ""
    return f"comes out otherwise{found and f': {found}'}"


def _first_cell(lying: Path, made: Path) -> str:
    """Return the first cell in which two Parquet files differ, with both sides."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        before, now = pq.read_table(lying), pq.read_table(made)
    except (OSError, pa.ArrowInvalid) as error:
        return f"cannot be read ({error})"
    if before.schema != now.schema or before.num_rows != now.num_rows:
        sizes = [f"{table.num_rows} rows of {table.num_columns} columns" for table in (before, now)]
        return f"{sizes[0]}, made again {sizes[1]}" if sizes[0] != sizes[1] else "other columns"
    for name in now.column_names:
        pairs = zip(before.column(name).to_pylist(), now.column(name).to_pylist(), strict=True)
        at = next((i for i, (old, new) in enumerate(pairs) if repr(old) != repr(new)), None)
        if at is not None:
            return (
                f"row {at}, {name} is {before.column(name)[at].as_py()!r}, made again {now.column(name)[at].as_py()!r}"
            )
    return "the same cells in other bytes, as another version of pyarrow writes them"


def _other_report(folder: Path, language: str) -> str:
    """Return where a report first differs from the one that its tables make; "" where it is the same text."""
    from sim.report.build import render
    from sim.report.study import load_study

    path = folder / REPORT
    if not path.is_file():
        return "is missing"
    try:
        lying = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return f"is no text in UTF-8 ({error})"
    made = render(load_study(folder), language)
    if lying == made:
        return ""
    at = next(i for i, (old, new) in enumerate(zip_longest(lying, made)) if old != new)
    section = re.findall(r'<section id="([^"]+)"', made[:at])
    begin = max(at - _SHOWN // 2, 0)
    sides = [" ".join(text[begin : begin + _SHOWN].split()) for text in (lying, made)]
    where = f"section {section[-1]}" if section else "the head of the page"
    return f"comes out otherwise, first in {where}: …{sides[0]}…, made again …{sides[1]}…"
