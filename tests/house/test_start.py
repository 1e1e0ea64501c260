"""start.py sets up once, sees whatever no longer fits, and says in a sentence why it cannot.

Each test runs it in a small clone of its own, with a stand-in `uv` first on the path that notes each call and does what
`FAKE_UV` says; the environment it makes is a real one.
"""

from __future__ import annotations

import ast
import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from subprocess import DEVNULL
from types import ModuleType

import pytest

PYTHON = getattr(sys, "_base_executable", sys.executable)

FAKE_UV = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$FAKE_UV" in
  kill) kill -9 $PPID ;;
  slow) sleep 0.5 ;;
  ?*) echo "$FAKE_UV"; exit 1 ;;
esac
"""

CLI = """
import sys
import importlib.metadata

def main():
    groups = importlib.metadata.entry_points(group="dgsim.commands")
    print(__file__, sys.argv[1:], sorted(point.name for point in groups))
    return 7
"""


class Clone:
    """A small clone of the project and the calls its stand-in uv has had."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder / "a clone 克隆"
        self.tools = folder / "tools"
        (self.folder / "sim").mkdir(parents=True)
        self.tools.mkdir()
        shutil.copy(source / "start.py", self.folder)
        shutil.copy(source / "pyproject.toml", self.folder)
        (self.folder / "sim" / "__init__.py").write_text("")
        (self.folder / "sim" / "cli.py").write_text(CLI)
        (self.folder / "requirements.lock").write_text("setuptools==1 \\\n    --hash=sha256:00\nsimpy==1\n")
        (self.tools / "uv").write_text(FAKE_UV)
        (self.tools / "uv").chmod(0o755)

    def command(self, *args: str) -> list[str]:
        return [PYTHON, str(self.folder / "start.py"), *args]

    def environment(self, uv: str) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.tools}:/usr/bin:/bin", "FAKE_UV": uv, "PYTHONUTF8": "1"}

    def start(self, *args: str, uv: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*args), env=self.environment(uv), capture_output=True, text=True, encoding="utf-8", timeout=60
        )

    @property
    def n_installs(self) -> int:
        calls = self.tools / "calls"
        return calls.read_text().count("-r ") // 2 if calls.exists() else 0  # each is two calls: build tools, lock


@pytest.fixture
def clone(tmp_path: Path, root: Path) -> Clone:
    return Clone(tmp_path, root)


@pytest.fixture
def start(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", root / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_run_hands_its_arguments_to_dgsim_and_returns_its_exit_code(clone: Clone) -> None:
    done = clone.start("run", "study", "x", "-m", "a=1,2")
    assert done.returncode == 7
    project = tomllib.loads((clone.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    commands = sorted(project["entry-points"]["dgsim.commands"])
    assert done.stdout == f"{clone.folder / 'sim' / 'cli.py'} ['study', 'x', '-m', 'a=1,2'] {commands}\n"


def test_second_start_installs_nothing_and_says_nothing(clone: Clone) -> None:
    clone.start("run")
    assert clone.n_installs == 1
    assert clone.start("run").stderr == ""
    assert clone.n_installs == 1


def test_packages_are_installed_hashed_and_the_build_tool_comes_from_the_lock_first(clone: Clone) -> None:
    clone.start("setup")
    first, second = (clone.tools / "calls").read_text().splitlines()
    assert "build-tools.txt" in first
    assert second.endswith(f"--require-hashes --no-build-isolation -r {clone.folder / 'requirements.lock'}")
    assert "--no-deps --require-hashes" in first
    assert "--no-deps --require-hashes" in second


def test_a_changed_lock_installs_again(clone: Clone) -> None:
    clone.start("setup")
    lock = clone.folder / "requirements.lock"
    lock.write_text(lock.read_text() + "numpy==2\n")
    assert "does not fit any more" in clone.start("setup").stderr
    assert clone.n_installs == 2


def test_a_changed_pyproject_links_anew_without_installing(clone: Clone) -> None:
    clone.start("setup")
    project = clone.folder / "pyproject.toml"
    header = '[project.entry-points."dgsim.commands"]\n'
    assert header in project.read_text()
    project.write_text(project.read_text().replace(header, header + 'newcomer = "sim.cli:main"\n'))
    assert "'newcomer'" in clone.start("run").stdout
    assert clone.n_installs == 1


def test_a_set_up_killed_on_the_way_is_made_again(clone: Clone) -> None:
    assert clone.start("run", uv="kill").returncode == -9
    assert (clone.folder / ".venv").is_dir()
    again = clone.start("run")
    assert again.returncode == 7
    assert "was left unfinished" in again.stderr


def test_a_moved_clone_is_set_up_anew_and_runs_from_its_new_place(clone: Clone) -> None:
    clone.start("setup")
    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    assert clone.start("run").stdout.startswith(str(clone.folder / "sim" / "cli.py"))
    assert clone.n_installs == 2


def test_two_starts_at_once_install_once(clone: Clone) -> None:
    both = [
        subprocess.Popen(clone.command("run"), env=clone.environment("slow"), stdout=DEVNULL, stderr=DEVNULL)
        for _ in "ab"
    ]
    assert [one.wait(60) for one in both] == [7, 7]
    assert clone.n_installs == 1


def test_a_folder_it_did_not_make_is_left_alone(clone: Clone) -> None:
    (clone.folder / ".venv").mkdir()
    (clone.folder / ".venv" / "mine.txt").write_text("keep")
    done = clone.start("run")
    assert done.returncode == 2
    assert "was not made by start.py" in done.stderr
    assert [path.name for path in (clone.folder / ".venv").iterdir()] == ["mine.txt"]


def test_it_works_without_standard_input(clone: Clone) -> None:
    clone.start("setup")
    line = f"exec '{PYTHON}' '{clone.folder / 'start.py'}' run <&-"
    done = subprocess.run(
        ["/bin/sh", "-c", line], env=clone.environment(""), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (7, "")


def test_another_environment_can_stand_beside_the_first(clone: Clone) -> None:
    clone.start("--venv", str(clone.folder / ".venv-second"), "setup")
    assert (clone.folder / ".venv-second" / "start-stamp.json").exists()
    assert not (clone.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("NewConnectionError: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("error: Failed to fetch: dns error: failed to lookup address", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "is not the one the lock names"),
        ("ERROR: No matching distribution found for numpy==2.4.6", "lacks a locked package"),
        ("something nobody foresaw", "something nobody foresaw"),
    ],
)
def test_a_failed_install_is_one_message_that_names_its_cause(clone: Clone, printed: str, said: str) -> None:
    done = clone.start("run", uv=printed)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone.folder / ".venv" / "start-stamp.json").exists()


def test_an_old_python_gets_a_sentence(root: Path) -> None:
    code = f"import runpy, sys; sys.version_info = (3, 9, 1); runpy.run_path({str(root / 'start.py')!r})"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("start.py: this is Python 3.9 ")
    assert "needs 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_can_read_its_syntax(root: Path) -> None:
    ast.parse((root / "start.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(("answer", "said"), [("exit 1", "has no pip"), ("echo pip 21.1 from x", "is 21.1, older")])
def test_a_python_without_usable_pip_gets_a_sentence(
    start: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, said: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{answer}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(start.SetupError, match=said):
        start.find_installer([str(python)])


def test_pip_installs_into_the_environment_from_outside(start: ModuleType) -> None:
    command = start.installer_command(["/usr/bin/python3"], Path("/v"), Path("/l"))
    assert command[:5] == ["/usr/bin/python3", "-m", "pip", "--python", "/v/bin/python"]
    assert command[-5:] == ["--no-deps", "--require-hashes", "--no-build-isolation", "-r", "/l"]


def test_too_little_room_is_said_before_anything_is_made(
    start: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2, 1, 1))
    with pytest.raises(start.SetupError, match=r"0\.0 GB free, the set-up needs 1\.3 GB"):
        start.check_room(tmp_path)


def test_a_disk_that_fills_on_the_way_is_one_message(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(*_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(start, "ensure_environment", fill)
    assert start.main(["run"]) == 2
    assert "the disk is full" in capsys.readouterr().err


@pytest.mark.parametrize("args", [["fly"], ["setup", "x"], ["--venv"]])
def test_an_unknown_command_shows_the_usage(
    start: ModuleType, capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    assert start.main(args) == 2
    assert "usage: python3 start.py" in capsys.readouterr().err


def test_test_runs_the_fast_suite_on_two_workers_and_passes_the_rest_on(start: ModuleType) -> None:
    command = start.command_for("test", ["-k", "x"], Path("/v"))
    assert command[1:] == ["-m", "pytest", "-m", "not slow", "-n", "2", "-k", "x"]
