"""Claims about verifying: a changed byte is named, inputs and engine are told apart, the first difference is shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.cli import main
from sim.engine.log import EventLog, read_log
from sim.errors import InputError, RunDirectoryError
from sim.provenance import (
    COMPLETE,
    LOCK,
    MANIFEST,
    list_files,
    read_manifest,
    seal,
    sha256_of_file,
    software,
    source_digest,
    to_json,
)  # fmt: skip
from sim.run.compared import work_in
from sim.run.execute import gather_again
from sim.run.gather import Formats
from sim.run.verify import NOT_AGAIN, verify
from sim.run.work import RESULT


def reseal(folder: Path, **facts: object) -> None:
    """Seal a changed folder as a forger would, so that only making it again can tell."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    seal(folder, {name: manifest[name] for name in ("kind", "name", "arms", "gathered")} | facts)


def replace_in(path: Path, old: str, new: str) -> None:
    """Change a text in a file that holds it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def change_result(folder: Path, **values: object) -> None:
    """Change what a replication's result.json says."""
    path = folder / RESULT
    path.write_text(to_json(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_a_finished_run_comes_out_the_same_with_either_engine(finished: Path) -> None:
    for engine in ("kernel", "simpy"):
        verdict = verify(finished, engine=engine, workers=1)  # type: ignore[arg-type]
        assert verdict.is_same
        assert verdict.lines()[1:] == [
            "inputs: 4 of 4 replications the same",
            "engine: 4 of 4 event logs the same",
            "tables: 4 of 4 replications the same",
            "comparison: none was written",
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


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_one_changed_byte_in_any_file_is_caught_and_the_file_named(
    gathered_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file of a run directory, one at a time: first, middle and last byte; an empty one gets a byte."""
    files = sorted(path for path in gathered_copy.rglob("*") if path.is_file())
    names = {path.relative_to(gathered_copy).as_posix() for path in files}
    assert {MANIFEST, COMPLETE, LOCK, "report.html", "tables/headline.csv", "tables/towns.xlsx"} <= names
    for path in files:
        before = path.read_bytes()
        for at in {0, len(before) // 2, len(before) - 1}:
            path.write_bytes(flipped(before, at) if before else b"?")
            assert main(["verify", str(gathered_copy), "--files"]) == 2
            told = capsys.readouterr().err
            assert f"{path}: " in told
            assert "Traceback" not in told
            assert len(told.replace("dgsim:\n", "").splitlines()) == 1, "and no other file is blamed"
        path.write_bytes(before)
    assert main(["verify", str(gathered_copy), "--files"]) == 0


def test_a_damaged_mark_is_told_from_a_changed_manifest(finished_copy: Path) -> None:
    mark = (finished_copy / COMPLETE).read_bytes()
    for damaged in [*(flipped(mark, at) for at in range(len(mark))), mark[:40], mark + b"\n", b"", b"?" * 65]:
        (finished_copy / COMPLETE).write_bytes(damaged)
        with pytest.raises(RunDirectoryError, match="COMPLETE: is damaged"):
            read_manifest(finished_copy)
    (finished_copy / COMPLETE).write_bytes(mark)
    path = finished_copy / MANIFEST
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=r"manifest.json: was changed after the run"):
        read_manifest(finished_copy)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[:-40], "is cut short or damaged, no JSON"),
        (lambda text: "[]", "has version None, this program reads 2"),
        (lambda text: text.replace('"arms": {', '"legs": {'), "is not whole, it lacks arms"),
        (lambda text: text.replace('"seed": 20211231,', ""), "it lacks arms.nothing.seed, arms.plan.seed"),
    ],
)
def test_a_manifest_that_is_not_whole_is_a_clear_message_though_its_mark_is_right(
    finished_copy: Path, change: Callable[[str], str], told: str
) -> None:
    path = finished_copy / MANIFEST
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    (finished_copy / COMPLETE).write_text(sha256_of_file(path) + "\n", encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=told):
        verify(finished_copy)


def test_what_an_interrupted_command_left_is_named_as_that(finished_copy: Path) -> None:
    left = finished_copy / "arms" / "plan" / "replications" / ".part-r0002-77"
    left.mkdir()
    (left / "incidents.parquet").write_bytes(b"PAR1")
    (finished_copy / ".part-report.html").write_text("<html>", encoding="utf-8")
    with pytest.raises(RunDirectoryError) as caught:
        verify(finished_copy)
    told = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in told] == [str(finished_copy / ".part-report.html"), str(left)]
    assert all("left half-written, no part of the run; delete it" in line for line in told)


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
    assert "plan: the settings in config.yaml are not the manifest's" in verify(finished_copy, is_rerun=False).faults
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
    change_result(folder, log_digest="0" * 64)
    reseal(finished_copy)
    verdict = verify(finished_copy, replications=[0], workers=1)
    assert [r["difference"][:24] for r in verdict.replications] == ["the event log is another", ""]


def test_a_replication_that_is_not_there_cannot_be_asked_for(finished: Path) -> None:
    with pytest.raises(InputError, match="names no replication of this run"):
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
    assert verdict.faults == (
        "plan: the settings in config.yaml are not the manifest's",
        "plan: its key is not that of config.yaml with the city and source that result.json names",
        "plan: config.yaml: has seed = 20211230, configs/ has 20211231, and nothing says who gave it",
    )
    assert not verdict.is_same


def test_a_dropped_replication_is_caught_even_where_the_manifest_leaves_it_out(finished_copy: Path) -> None:
    shutil.rmtree(finished_copy / "arms" / "plan" / "replications" / "r0001")
    manifest = json.loads((finished_copy / MANIFEST).read_text(encoding="utf-8"))
    del manifest["arms"]["plan"]["replications"]["r0001"]
    reseal(finished_copy, arms=manifest["arms"])
    verdict = verify(finished_copy, is_rerun=False)
    assert verdict.faults == ("plan: replications are not exactly the 2 that run.json names",)
    assert not verdict.is_same


# --- sealed anew ------------------------------------------------------------------------------------------------------


def test_a_standing_or_source_sealed_anew_is_held_against_configs(finished_copy: Path) -> None:
    path = finished_copy / "arms" / "plan" / "config.yaml"
    text = path.read_text(encoding="utf-8")
    at = text.index("standing: assumed", text.index("demand.alarms_per_year:"))
    path.write_text(text[:at] + "standing: published" + text[at + len("standing: assumed") :], encoding="utf-8")
    reseal(finished_copy)
    (fault,) = verify(finished_copy, is_rerun=False).faults
    assert fault.startswith("plan: config.yaml: says of demand.alarms_per_year published: ")
    assert ", configs/ says assumed: " in fault


def test_what_was_given_by_somebody_may_differ_from_configs_and_what_was_not_may_not(finished_copy: Path) -> None:
    path = finished_copy / "arms" / "plan" / "config.yaml"
    assert "given on the command line" in path.read_text(encoding="utf-8")
    assert verify(finished_copy, is_rerun=False).is_same
    replace_in(path, "label_zh: ", "label_zh: 另")
    reseal(finished_copy)
    assert any("and nothing says who gave it" in fault for fault in verify(finished_copy, is_rerun=False).faults)


def test_a_studys_own_configuration_is_its_base_arms(finished_copy: Path) -> None:
    shutil.copyfile(finished_copy / "arms" / "plan" / "config.yaml", finished_copy / "config.yaml")
    reseal(finished_copy)
    told = "config.yaml: is not the configuration of arm nothing as the program writes it"
    assert verify(finished_copy, is_rerun=False).faults == (told,)


def test_a_key_forged_everywhere_does_not_come_out_of_the_configuration(finished_copy: Path) -> None:
    key = json.loads((finished_copy / "run.json").read_text(encoding="utf-8"))["arms"]["plan"]["key"]
    for path in [finished_copy / "run.json", finished_copy / MANIFEST, *finished_copy.rglob(RESULT)]:
        path.write_text(path.read_text(encoding="utf-8").replace(key, "f" * 64), encoding="utf-8")
    reseal(finished_copy)
    told = "plan: its key is not that of config.yaml with the city and source that result.json names"
    assert verify(finished_copy, is_rerun=False).faults == (told,)


def test_a_file_that_no_run_makes_is_named_though_the_manifest_lists_it(finished_copy: Path) -> None:
    (finished_copy / "arms" / "plan" / "findings.txt").write_text("ours", encoding="utf-8")
    reseal(finished_copy)
    assert verify(finished_copy, is_rerun=False).faults == ("arms/plan/findings.txt: is no file that a run makes",)


def test_counts_forged_in_a_result_do_not_come_out_again(finished_copy: Path) -> None:
    folder = finished_copy / "arms" / "plan" / "replications" / "r0000"
    counts = json.loads((folder / RESULT).read_text(encoding="utf-8"))["counts"]
    change_result(folder, counts=counts | {"n_unfilled": 0, "n_wait": 0, "n_measured": 1})
    reseal(finished_copy)
    verdict = verify(finished_copy, replications=[0], workers=1)
    assert [r["tables"] for r in verdict.replications] == [[], ["result.json (counts)"]]


def test_the_comparison_comes_out_again_and_a_forged_one_is_shown_where_it_differs(gathered_copy: Path) -> None:
    verdict = verify(gathered_copy, replications=[0], workers=1)
    assert verdict.is_same
    assert "comparison: tables and report the same" in verdict.lines()
    path = gathered_copy / "tables" / "headline.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("value")
    values = table.column(at).to_pylist()
    forged = pa.array([values[0] - 60, *values[1:]], type=table.schema.field(at).type)
    pq.write_table(table.set_column(at, table.schema.field(at), forged), path)
    replace_in(gathered_copy / "tables" / "towns.csv", "nothing", "anything")
    (gathered_copy / "tables" / "worst_towns.parquet").unlink()
    (gathered_copy / "tables" / "best.csv").write_text("us", encoding="utf-8")
    replace_in(gathered_copy / "report.html", '<section id="towns"', '<section class="good" id="towns"')
    reseal(gathered_copy)
    told = verify(gathered_copy, replications=[0], workers=1).lines()
    begin = told.index("comparison: NOT the same")
    names = [line.strip().partition(": ")[::2] for line in told[begin + 1 : -2]]
    assert [name for name, _ in names] == [
        "tables/best.csv", "tables/headline.parquet", "tables/towns.csv", "tables/worst_towns.parquet", "report.html",
    ]  # fmt: skip
    assert names[0][1] == "is not made again, so it was added"
    assert names[1][1] == f"comes out otherwise: row 0, value is {values[0] - 60!r}, made again {values[0]!r}"
    assert names[3][1] == "is missing"
    assert "comes out otherwise, first in section" in names[4][1]
    assert told[-1] == "verdict: NOT the same"


def test_a_comparison_that_the_manifest_does_not_note_is_not_believed(gathered_copy: Path) -> None:
    reseal(gathered_copy, gathered={})
    told = verify(gathered_copy, replications=[0], workers=1).gathered
    assert told is not None
    assert [text.partition(":")[0] for text in told] == ["tables", "report.html"]


# --- what made it -----------------------------------------------------------------------------------------------------


def test_a_report_made_anew_leaves_the_note_of_what_made_the_replications(finished_copy: Path) -> None:
    folder = finished_copy / "arms" / "plan" / "replications" / "r0001"
    made_with = json.loads((folder / RESULT).read_text(encoding="utf-8"))["software"]
    assert made_with == software()
    older = made_with | {"python": "3.10.0", "versions": made_with["versions"] | {"numpy": "1.0"}}
    change_result(folder, software=older)
    reseal(finished_copy)
    gather_again(work_in(finished_copy), gather=lambda work, formats: None, formats=Formats())
    assert json.loads((folder / RESULT).read_text(encoding="utf-8"))["software"] == older
    assert read_manifest(finished_copy)["software"] == software()
    verdict = verify(finished_copy, is_rerun=False)
    now = software()
    told = (f"python 3.10.0, now {now['python']}", f"numpy 1.0, now {now['versions']['numpy']}")
    assert verdict.other_software == told
    assert f"software: replications were made with {'; '.join(told)}" in verdict.lines()
    assert verdict.is_same, "other versions are told; whether they matter is told by making it again"


def test_replications_made_with_other_source_are_counted(finished_copy: Path) -> None:
    folder = finished_copy / "arms" / "plan" / "replications" / "r0001"
    noted = json.loads((folder / RESULT).read_text(encoding="utf-8"))["software"]
    change_result(folder, software=noted | {"source": noted["source"] | {"result": "0" * 64}})
    reseal(finished_copy)
    lines = verify(finished_copy, is_rerun=False).lines()
    assert "source: the program's source is not the one that 1 of 4 replications were made with" in lines
    assert any("its key is not that of config.yaml" in line for line in lines)
