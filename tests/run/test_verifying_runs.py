"""Claims about verifying: a changed byte is named, inputs and engine are told apart, the first difference is shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.engine.log import EventLog, read_log
from sim.errors import InputError, RunDirectoryError
from sim.provenance import COMPLETE, MANIFEST, list_files, read_manifest, seal, sha256_of_file, source_digest, to_json
from sim.run.verify import NOT_AGAIN, verify
from sim.run.work import RESULT


def reseal(folder: Path) -> None:
    """Seal a changed folder as a forger would, so that only making it again can tell."""
    kept = ("kind", "name", "arms")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    seal(folder, {name: manifest[name] for name in kept})


def test_a_finished_run_comes_out_the_same_with_either_engine(finished: Path) -> None:
    for engine in ("kernel", "simpy"):
        verdict = verify(finished, engine=engine, workers=1)  # type: ignore[arg-type]
        assert verdict.is_same
        assert verdict.lines()[1:] == [
            "inputs: 4 of 4 replications the same",
            "engine: 4 of 4 event logs the same",
            "tables: 4 of 4 replications the same",
            NOT_AGAIN,
            "verdict: the same",
        ]


def test_the_mark_holds_the_manifest_and_the_manifest_every_file(finished: Path) -> None:
    assert (finished / COMPLETE).read_text(encoding="ascii").strip() == sha256_of_file(finished / MANIFEST)
    manifest = read_manifest(finished)
    names = {path.relative_to(finished).as_posix() for path in list_files(finished)}
    assert set(manifest["files"]) == names
    assert {"config.yaml", "run.json", "arms/plan/config.yaml", f"arms/plan/replications/r0001/{RESULT}"} <= names
    assert manifest["arms"]["plan"]["seed"] == 20211231
    assert (
        manifest["arms"]["plan"]["replications"]["r0001"]["siting_world"]
        != manifest["arms"]["plan"]["replications"]["r0000"]["siting_world"]
    )
    assert manifest["software"]["source"]["all"] == source_digest(is_result_only=False)
    assert len(manifest["software"]["source"]["lock"]) == 64
    assert manifest["software"]["versions"]["numpy"]


def test_one_changed_byte_in_any_file_is_caught_and_the_file_named(finished_copy: Path) -> None:
    for path in [*list_files(finished_copy), finished_copy / MANIFEST, finished_copy / COMPLETE]:
        before = path.read_bytes()
        middle = len(before) // 2
        path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
        with pytest.raises(RunDirectoryError) as caught:
            verify(finished_copy, is_rerun=False)
        named = MANIFEST if path.name == COMPLETE else path.name
        assert named in str(caught.value)
        path.write_bytes(before)
    assert verify(finished_copy, is_rerun=False).n_files == len(list_files(finished_copy))


def test_missing_added_and_unfinished_are_told_apart(finished_copy: Path) -> None:
    (finished_copy / "arms" / "plan" / "config.yaml").unlink()
    (finished_copy / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunDirectoryError) as caught:
        verify(finished_copy)
    told = str(caught.value).splitlines()
    assert [line.rpartition("copy/")[2].split(":")[0] for line in told] == ["arms/plan/config.yaml", "notes.txt"]
    assert "is missing" in told[0]
    assert "added after the run" in told[1]
    (finished_copy / COMPLETE).unlink()
    with pytest.raises(RunDirectoryError, match="has no COMPLETE, so it was cut short"):
        verify(finished_copy)
    with pytest.raises(RunDirectoryError, match="there is no such run directory"):
        verify(finished_copy / "nowhere")


def test_other_inputs_are_named_by_part_and_the_engine_is_not_blamed(finished_copy: Path) -> None:
    path = finished_copy / "arms" / "plan" / "config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "make_ready_min: " in text
    line = next(line for line in text.splitlines() if "make_ready_min: " in line)
    path.write_text(text.replace(line, line.partition(":")[0] + ": 77.0", 1), encoding="utf-8")
    reseal(finished_copy)
    verdict = verify(finished_copy, workers=1)
    assert not verdict.is_same
    assert [(r["arm"], r["parts"], r["difference"]) for r in verdict.replications if r["parts"]] == [
        ("plan", ["policy"], ""),
        ("plan", ["policy"], ""),
    ]
    assert "  plan r0000: other policy" in verdict.lines()
    assert verdict.lines()[-1] == "verdict: NOT the same"


def test_another_log_is_shown_from_its_first_differing_event_with_both_sides(finished_copy: Path) -> None:
    folder = finished_copy / "arms" / "plan" / "replications" / "r0001"
    log = read_log(folder / "log.parquet")
    rows = log.rows.copy()
    rows["value"][200] += 1_000
    EventLog(rows).write_parquet(folder / "log.parquet")
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    result["log_digest"] = EventLog(rows).digest()
    (folder / RESULT).write_text(to_json(result), encoding="utf-8")
    reseal(finished_copy)
    verdict = verify(finished_copy, workers=1)
    (differs,) = [r for r in verdict.replications if r["difference"]]
    assert (differs["arm"], differs["replication"]) == ("plan", 1)
    told = differs["difference"].splitlines()
    assert told[0] == "the event log differs from row 200 on:"
    marked = [line for line in told if line.startswith("->")]
    assert len(marked) == 2
    assert f"value={int(rows['value'][200])}" in marked[0]
    assert f"value={int(log.rows['value'][200])}" in marked[1]


def test_without_a_stored_log_another_digest_is_still_caught(finished_copy: Path) -> None:
    folder = finished_copy / "arms" / "nothing" / "replications" / "r0000"
    (folder / "log.parquet").unlink()
    result = json.loads((folder / RESULT).read_text(encoding="utf-8")) | {"log_digest": "0" * 64}
    (folder / RESULT).write_text(to_json(result), encoding="utf-8")
    reseal(finished_copy)
    verdict = verify(finished_copy, replications=[0], workers=1)
    assert [r["difference"][:24] for r in verdict.replications] == ["the event log is another", ""]


def test_a_replication_that_is_not_there_cannot_be_asked_for(finished: Path) -> None:
    with pytest.raises(InputError, match="has no such replication"):
        verify(finished, replications=[9])


def test_the_stored_log_is_what_result_json_says(finished: Path) -> None:
    folder = finished / "arms" / "plan" / "replications" / "r0000"
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    assert read_log(folder / "log.parquet").digest() == result["log_digest"]
    assert result["counts"]["n_log_rows"] == pq.read_metadata(folder / "log.parquet").num_rows
    assert result["counts"]["n_measured"] == pq.read_metadata(folder / "incidents.parquet").num_rows


def test_forged_tables_with_new_hashes_everywhere_are_caught_by_writing_them_again(finished_copy: Path) -> None:
    folder = finished_copy / "arms" / "plan" / "replications" / "r0001"
    path = folder / "incidents.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("call_ms")
    forged = table.column(at).to_numpy() + 1_000
    pq.write_table(table.set_column(at, table.schema.field(at), [forged]), path)
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    result["files"][path.name] = sha256_of_file(path)
    (folder / RESULT).write_text(to_json(result), encoding="utf-8")
    reseal(finished_copy)
    verdict = verify(finished_copy, workers=1)
    assert not verdict.is_same
    assert [(r["arm"], r["replication"], r["tables"]) for r in verdict.replications if r["tables"]] == [
        ("plan", 1, ["incidents.parquet"])
    ]
    assert "tables: 3 of 4 replications the same" in verdict.lines()
    assert "  plan r0001: other incidents.parquet" in verdict.lines()


def test_another_seed_in_the_configuration_is_caught_by_the_files_alone(finished_copy: Path) -> None:
    path = finished_copy / "arms" / "plan" / "config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "seed: 20211231" in text
    path.write_text(text.replace("seed: 20211231", "seed: 20211230", 1), encoding="utf-8")
    reseal(finished_copy)
    verdict = verify(finished_copy, is_rerun=False)
    assert verdict.faults == ("plan: the settings in config.yaml are not the manifest's",)
    assert not verdict.is_same


def test_a_dropped_replication_is_caught_even_where_the_manifest_leaves_it_out(finished_copy: Path) -> None:
    shutil.rmtree(finished_copy / "arms" / "plan" / "replications" / "r0001")
    manifest = json.loads((finished_copy / MANIFEST).read_text(encoding="utf-8"))
    del manifest["arms"]["plan"]["replications"]["r0001"]
    seal(finished_copy, {name: manifest[name] for name in ("kind", "name", "arms")})
    verdict = verify(finished_copy, is_rerun=False)
    assert verdict.faults == ("plan: replications are not exactly the 2 that run.json names",)
    assert not verdict.is_same
