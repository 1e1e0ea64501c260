"""Claims about the command: it answers at once, has no traceback for what a user can mend, finds brought commands."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from sim import cli
from sim.cli import OWN, commands, load_command, main
from sim.errors import InputError, Problem, RunDirectoryError

SHORT = [
    "window=one_week",
    "window.measure_to='2026-06-03'",
    "window.warm_up_days=0",
    "window.run_out_days=1",
    "schedule.is_outside_run_allowed=true",
    "run.n_replications=2",
    "run.workers=1",
]


def dgsim(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    code = "import sys; from sim.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True)


def test_importing_the_command_loads_nothing_heavy() -> None:
    code = "import sys, sim.cli; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("numpy", "pandas", "hydra", "omegaconf", "pydantic", "numba", "matplotlib", "scipy", "simpy", "yaml"):
        assert f"'{heavy}'" not in loaded


def test_help_comes_in_well_under_a_second() -> None:
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        done = dgsim("--help")
        seconds.append(time.perf_counter() - begun)
        assert done.returncode == 0
        assert [name for name in OWN if f"  {name}" not in done.stdout] == []
    assert min(seconds) < 0.8


@pytest.mark.parametrize("name", sorted(OWN))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"dgsim {name}" in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stady"]) == 2
    assert capsys.readouterr().err == "dgsim: dgsim has no command 'stady'; did you mean 'study'?\n"


def test_without_arguments_it_prints_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: dgsim COMMAND" in capsys.readouterr().out


def test_the_entry_points_of_the_project_are_the_commands_listed_here(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    registered = project["entry-points"]["dgsim.commands"]
    of_sim = {name: target for name, target in registered.items() if target.startswith("sim.")}
    assert of_sim == {name: target for name, (target, _) in OWN.items()}
    assert sorted(set(registered) - set(of_sim)) == ["backtest", "calibrate", "replay"]


def test_a_command_of_another_package_is_told_by_the_first_line_of_its_module() -> None:
    assert commands()["backtest"] == (
        "calibration.commands.backtest:command",
        "fit one side of the records, predict the other, and say how well it does",
    )


def test_another_package_brings_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    brought = metadata.EntryPoint("greet", "tests_brought:greet", cli.ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [brought] if group == cli.ENTRY_POINTS else [])
    module = type(sys)("tests_brought")
    module.greet = lambda arguments: len(arguments)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests_brought", module)
    monkeypatch.setattr(metadata.EntryPoint, "dist", None, raising=False)
    assert commands()["greet"] == ("tests_brought:greet", "(from tests_brought)")
    assert main(["greet", "a", "b"]) == 2
    assert load_command("run") is not None


def test_a_command_that_is_not_made_in_parts_begins_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load_command", lambda name: fail)
    assert main(["backtest"]) == 130
    assert capsys.readouterr().err == "dgsim: interrupted; the same command begins anew\n"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (InputError([Problem("a.csv", "is bad", row=3)]), 2, "dgsim: a.csv row 3: is bad\n"),
        (InputError([Problem("a", "x"), Problem("b", "y")]), 2, "dgsim:\na: x\nb: y\n"),
        (RunDirectoryError("gone"), 2, "dgsim: gone\n"),
        (
            KeyboardInterrupt(),
            130,
            "dgsim: interrupted; what is finished is kept, the same command goes on from there\n",
        ),
        (OSError(28, "No space left on device", "/x"), 2, "dgsim: /x: No space left on device\n"),
    ],
    ids=["one problem", "two problems", "run directory", "Ctrl-C", "disk full"],
)
def test_errors_become_messages_and_exit_codes(
    error: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> int:
        raise error

    monkeypatch.setattr(cli, "load_command", lambda name: fail)
    assert main(["run"]) == code
    assert capsys.readouterr().err == told


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "load_command", lambda name: fail)
    with pytest.raises(ZeroDivisionError):
        main(["run"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "travel=nrom"], "did you mean 'norm'?"),
        (["run", "-m", "travel=nrom,norm"], "did you mean 'norm'?"),
        (["study", "build_shedule"], "did you mean 'build_schedule'?"),
        (["study", "build_schedule", "sead=3"], "did you mean 'seed'?"),
        (["show", "run.worker=3"], "did you mean 'run.workers'?"),
        (["verify", "nowhere"], "there is no such run directory"),
        (["verify", "nowhere", "--replications", "x"], "write 0,3"),
        (["report", "nowhere"], "there is no such run directory"),
        (["compare", "nowhere"], "there is no such run directory"),
        (["explain", "nowhere", "3"], "there is no such run directory"),
    ],
)
def test_bad_input_is_a_message_with_exit_code_two(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_show_prints_every_key_with_standing_source_and_giver(capsys: pytest.CaptureFixture[str]) -> None:
    from sim.config import leaves
    from sim.settings import GROUPS

    assert main(["show", "travel=norm", "staffing.present_share=0.6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    keys = {line.split(" = ")[0] for line in lines if " = " in line}
    from sim.compose import compose

    assert {key for key, _ in leaves(compose(["travel=norm"]).settings.as_map())} <= keys
    share = next(line for line in lines if line.startswith("staffing.present_share"))
    assert share == "staffing.present_share = 0.6   [assumed: given on the command line] (command line)"
    ramp = next(line for line in lines if line.startswith("travel.ramp_s"))
    assert "[assumed: " in ramp
    assert ramp.endswith("(configs/travel/norm.yaml)")
    assert [
        f"# {group.name}=" for group in GROUPS if not any(line.startswith(f"# {group.name}=") for line in lines)
    ] == []


def test_a_dry_run_tells_replications_time_and_disk_and_makes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", "build_schedule", "--dry-run"]) == 0
    told = capsys.readouterr().out
    n = sum(int(line.split()[1]) for line in told.splitlines()[1:])
    assert told.startswith(f"outputs/study/build_schedule: {n} replications on ")
    assert "MB of disk (" in told
    assert main(["study", "build_schedule", "--dry-run", "run.n_replications=1", "seed=5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].split()[0] for line in lines[1:]] == ["1"] * (len(lines) - 1)
    assert lines[0].startswith(f"outputs/study/build_schedule: {len(lines) - 1} replications on ")
    assert all(line.endswith(" run.n_replications=1 seed=5") for line in lines[1:])
    assert main(["study", "build_schedule", "--dry-run", "run.n_replications=1", "window=one_week"]) == 2
    assert "schedule plan: plans 84 builds before the run" in capsys.readouterr().err
    assert main(["run", "-m", "--dry-run", *SHORT, "travel=norm,measured"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "job_0000 travel=norm",
        "job_0001 travel=measured",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_run_goes_from_the_command_line_to_a_report_and_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *SHORT, "--lang", "en"]) == 0
    folder = next((tmp_path / "outputs" / "run").iterdir()).relative_to(tmp_path)
    assert f"report: {folder}/report.html" in capsys.readouterr().out
    assert main(["runs"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["state", "done", "kind", "name", "changed", "MB", "what", "folder"]
    assert line.split()[:4] == ["complete", "2/2", "run", folder.name]
    assert line.endswith(f"  {folder}")
    assert main(["verify", str(folder), "--workers", "1"]) == 0
    assert capsys.readouterr().out.endswith("verdict: the same\n")
    assert main(["explain", str(folder), "0"]) == 0
    told = capsys.readouterr().out
    assert "the call has been handled" in told
    assert "sent: first by the rule among those that can go" in told
    assert main(["explain", str(folder), "0", "--lang", "zh"]) == 0
    assert "派出：可出动的力量中按规则居首" in capsys.readouterr().out
    assert main(["run", *SHORT]) == 0
    assert "0 replications made, 2 kept" in capsys.readouterr().out
    (folder / "report.html").write_text("", encoding="utf-8")
    assert main(["verify", str(folder)]) == 2
    assert "report.html: was changed after the run" in capsys.readouterr().err


def test_runs_lists_an_outputs_folder_one_kind_or_one_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    texts = ("key", "label_zh", "label_en", "purpose", "base", "first_line_zh", "first_line_en")
    arm = dict.fromkeys(texts, "") | {"n_replications": 3, "overrides": ["travel=norm"], "choices": {}, "folder": "."}
    notes = {
        "run/abc": {"kind": "run", "name": "abc", "arms": {"run": arm}},
        "study/pair": {"kind": "study", "name": "pair", "arms": {"nothing": arm, "plan": arm}},
    }
    for where, content in notes.items():
        (tmp_path / where).mkdir(parents=True)
        (tmp_path / where / "run.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "run" / "mine").mkdir()
    (tmp_path / "study" / "torn").mkdir()
    (tmp_path / "study" / "torn" / "run.json").write_text(
        json.dumps(notes["study/pair"] | {"arms": {"plan": {}}}), encoding="utf-8"
    )

    def told(folder: Path) -> list[list[str]]:
        assert main(["runs", str(folder)]) == 0
        return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]

    assert [line[:4] for line in told(tmp_path)] == [
        ["unfinished", "0/3", "run", "abc"],
        ["foreign", "-", "-", "mine"],
        ["unfinished", "0/6", "study", "pair"],
        ["damaged", "-", "-", "torn"],
    ]
    assert "travel=norm" in told(tmp_path / "run")[0]
    assert [line[3] for line in told(tmp_path / "study")] == ["pair", "torn"]
    (one,) = told(tmp_path / "study" / "pair")
    assert one[-6:-1] == ["0.0", "2", "arms:", "nothing,", "plan"]
    assert main(["runs", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_a_real_process_leaves_with_two_and_no_traceback(tmp_path: Path) -> None:
    done = dgsim("run", "trafel=norm", folder=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'travel'?" in done.stderr
    assert "Traceback" not in done.stderr
