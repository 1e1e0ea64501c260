"""Sets up the project once and runs it: `start.py run ...` is `dgsim ...`, `start.py test ...` is pytest.

Needs the standard library of Python 3.11+ and either pip or uv. What happens, in order:

1. look whether `.venv` is finished and still fits (the lock's SHA-256, this Python, this folder): if so go to 5;
2. make `.venv` without pip, its stamp missing, so that an interrupted set-up is seen and made again;
3. install exactly what `requirements.lock` lists, every file checked against its hash;
4. put this folder on the environment's path, write `dgsim`, and write the stamp last;
5. hand over to the command.

Everything it has to say goes to standard error. Exit code 2: the set-up is impossible, and the message says why.
The syntax here stays readable to Python 3.6, so that an old Python gets a sentence and not a SyntaxError.
"""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "start.py: this is Python {}.{} ({}); the project needs 3.11 or newer.\n"
        "  Install one (for example `apt install python3.11` or pyenv) and run: python3.11 start.py ...\n".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )
    sys.exit(2)

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
STAMP_NAME = "start-stamp.json"
BEGUN_NAME = "start-begun"
NEEDED_BYTES = 1_300_000_000  # a finished .venv is about 0.9 GB, the rest is pip's unpacking room
OLDEST_PIP = (22, 3)  # the first with `pip --python`

USAGE = """usage: python3 start.py [--venv DIR] run [ARGS]     set up if needed, then `dgsim ARGS`
       python3 start.py [--venv DIR] test [ARGS]    set up if needed, then the fast tests (`pytest ARGS`)
       python3 start.py [--venv DIR] setup          set up only
"""


class SetupError(Exception):
    """The set-up cannot go on; its text tells what is wrong and how to mend it."""


def say(text: str) -> None:
    """Write one line for the person at the terminal."""
    if sys.stderr is not None:
        print(f"start.py: {text}", file=sys.stderr, flush=True)


# ---- what a finished environment looks like ----


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex; a missing file is a SetupError."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise SetupError(f"{path} is missing: this is not a whole copy of the project; clone it again") from None


def wanted_stamp(root: Path, venv_dir: Path) -> dict[str, str]:
    """The stamp of an environment that fits: `project` may change by itself, all else means installing again."""
    return {
        "lock_sha256": sha256_of(root / "requirements.lock"),
        "python": f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}",
        "root": str(root),
        "venv": str(venv_dir),
        "project_sha256": sha256_of(root / "pyproject.toml"),
    }


def read_stamp(venv_dir: Path) -> dict[str, str]:
    """The stamp of the last finished set-up; empty if there is none, or the environment's Python is gone."""
    try:
        stamp = json.loads((venv_dir / STAMP_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and python_of(venv_dir).exists() else {}


def without_project(stamp: Mapping[str, str]) -> dict[str, str]:
    """The part of a stamp whose change means installing again."""
    return {key: value for key, value in stamp.items() if key != "project_sha256"}


def scripts_of(venv_dir: Path) -> Path:
    """Where an environment keeps its commands."""
    return venv_dir / ("Scripts" if os.name == "nt" else "bin")


def python_of(venv_dir: Path) -> Path:
    """The environment's interpreter."""
    return scripts_of(venv_dir) / ("python.exe" if os.name == "nt" else "python")


def packages_of(venv_dir: Path) -> Path:
    """The environment's site-packages."""
    if os.name == "nt":
        return venv_dir / "Lib" / "site-packages"
    return venv_dir / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


# ---- making it ----


def ensure_environment(root: Path, venv_dir: Path) -> None:
    """Leave a finished, fitting environment at `venv_dir`, installing only if there is none."""
    wanted = wanted_stamp(root, venv_dir)
    if read_stamp(venv_dir) == wanted:
        return
    with only_one_setup(venv_dir):
        found = read_stamp(venv_dir)  # another start.py may have finished while this one waited
        if without_project(found) != without_project(wanted):
            install_environment(root, venv_dir, bool(found))
        if found != wanted:
            (venv_dir / STAMP_NAME).unlink(missing_ok=True)
            link_project(root, venv_dir)
            write_whole(venv_dir / STAMP_NAME, json.dumps(wanted, indent=1, ensure_ascii=False))


@contextlib.contextmanager
def only_one_setup(venv_dir: Path) -> Iterator[None]:
    """Hold the set-up's lock file, so that two terminals do not install into one folder at once."""
    venv_dir.parent.mkdir(parents=True, exist_ok=True)
    with open(venv_dir.with_name(venv_dir.name + ".lock"), "a", encoding="utf-8") as held:
        try:
            import fcntl
        except ImportError:  # Windows: unlocked
            yield
            return
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another set-up of {venv_dir} is running; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def install_environment(root: Path, venv_dir: Path, was_finished: bool) -> None:
    """Make `venv_dir` anew and install the lock into it; no stamp is left until the caller writes one."""
    if venv_dir.exists():
        clear_old(venv_dir)
        say(f"{venv_dir} " + ("does not fit any more" if was_finished else "was left unfinished") + ": making it anew")
    installer = find_installer()
    check_room(venv_dir.parent)
    say(f"setting up {venv_dir}, once: downloads about 0.3 GB, takes 10 s to a few minutes")
    began = time.monotonic()
    venv_dir.mkdir()
    (venv_dir / BEGUN_NAME).write_text("made by start.py\n", encoding="utf-8")
    make_bare(venv_dir)
    lock = root / "requirements.lock"
    with tempfile.TemporaryDirectory(prefix="start-") as scratch:
        # One locked package comes as source only. Its build tool is installed first, from the lock, so that
        # nothing unhashed is fetched for it.
        build_tools = Path(scratch) / "build-tools.txt"
        build_tools.write_text(lock_entry(lock.read_text(encoding="utf-8"), "setuptools"), encoding="utf-8")
        for requirements in (build_tools, lock):
            run_installer(installer_command(installer, venv_dir, requirements))
    say(f"ready after {time.monotonic() - began:.0f} s")


def clear_old(venv_dir: Path) -> None:
    """Remove an environment that start.py made; anything else at that place is a SetupError."""
    if venv_dir.is_symlink() or not venv_dir.is_dir():
        raise SetupError(f"{venv_dir} is not a folder made by start.py; move it away, or name another with --venv DIR")
    if any(venv_dir.iterdir()):
        if not (venv_dir / BEGUN_NAME).exists():
            raise SetupError(
                f"{venv_dir} was not made by start.py and is left alone; move it away, or name another with --venv DIR"
            )
        (venv_dir / STAMP_NAME).unlink(missing_ok=True)
        for child in venv_dir.iterdir():  # the mark goes last: a removal cut short is still known as ours
            if child.name != BEGUN_NAME:
                shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
        (venv_dir / BEGUN_NAME).unlink()
    venv_dir.rmdir()


def make_bare(venv_dir: Path) -> None:
    """A virtual environment without pip, which needs no ensurepip (Debian ships Python without it)."""
    try:
        import venv
    except ImportError:
        raise SetupError("this Python has no `venv` module; install it (Debian: `apt install python3-venv`)") from None
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(venv_dir)


def check_room(folder: Path) -> None:
    """A SetupError if the disk under `folder` clearly cannot hold the environment."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"the disk under {folder} has {free / 1e9:.1f} GB free, the set-up needs {NEEDED_BYTES / 1e9:.1f} GB; "
            "free some space and run the same command again"
        )


def lock_entry(lock_text: str, name: str) -> str:
    """The lines of one package in a lock file, with its hashes."""
    taken: list[str] = []
    for line in lock_text.splitlines():
        if line.startswith(f"{name}==") or (taken and line.startswith(" ")):
            taken.append(line)
        elif taken:
            break
    if not taken:
        raise SetupError(f"requirements.lock has no entry for {name}; restore it with `git checkout requirements.lock`")
    return "\n".join(taken) + "\n"


# ---- the installer: uv, or this Python's pip ----


def find_installer(pythons: Sequence[str] = ()) -> list[str]:
    """The command that installs packages: uv if it is on the path, else the first Python that has a usable pip."""
    uv = shutil.which("uv")
    if uv:
        return [uv]
    reasons: list[str] = []
    for python in pythons or dict.fromkeys([sys.executable, getattr(sys, "_base_executable", sys.executable)]):
        ask = [python, "-m", "pip", "--version"]
        asked = subprocess.run(ask, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=clean_env())
        words = asked.stdout.split()
        if asked.returncode != 0 or len(words) < 2:
            reasons.append(f"{python} has no pip")
            continue
        if tuple(int(part) for part in words[1].split(".")[:2] if part.isdigit()) < OLDEST_PIP:
            reasons.append(f"the pip of {python} is {words[1]}, older than 22.3")
            continue
        return [python]
    raise SetupError(
        f"no way to install packages: {'; '.join(reasons)}, and `uv` is not on the path.\n"
        "  Install one of them (Debian: `apt install python3-pip`; elsewhere: `python3 -m ensurepip --upgrade`)"
    )


def installer_command(installer: Sequence[str], venv_dir: Path, requirements: Path) -> list[str]:
    """The full command that installs a hashed requirements file into the environment: it and nothing else.

    The lock is complete, so nothing is resolved: a release made after the lock cannot be drawn in by an extra.
    """
    hashed = ["--no-deps", "--require-hashes", "--no-build-isolation", "-r", str(requirements)]
    if Path(installer[0]).stem == "uv":
        return [*installer, "pip", "install", "--python", str(python_of(venv_dir)), *hashed]
    pip = [*installer, "-m", "pip", "--python", str(python_of(venv_dir)), "--disable-pip-version-check", "--no-input"]
    return [*pip, "install", "--no-compile", "--use-pep517", *hashed]


def run_installer(command: Sequence[str]) -> None:
    """Run it, counting packages on a terminal; a failure becomes a SetupError that names its cause."""
    shows = sys.stderr is not None and sys.stderr.isatty()
    lines: list[str] = []
    n_collected = 0
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=clean_env(),
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            lines.append(line.rstrip())
            n_collected += line.startswith("Collecting ")
            if shows and line.startswith(("Collecting ", "Installing ")):
                print(f"\r  {n_collected} packages: {line.strip()[:60]:<60}", end="", file=sys.stderr, flush=True)
    if shows and n_collected:
        print(f"\r{'':<80}\r", end="", file=sys.stderr, flush=True)
    if running.returncode != 0:
        raise SetupError(explain_failure("\n".join(lines)))


CAUSES = (  # what installers print, and what it means
    (
        r"no space left|errno 28|os error 28|quota exceeded",
        "the disk is full; free some space and run the same command again",
    ),
    (
        r"do not match the hashes|hash mismatch",
        "a downloaded package is not the one the lock names, and was not installed; try again, and if it stays so, do "
        "not trust the package index in use",
    ),
    (
        r"name resolution|connection ?error|timed? ?out|proxyerror|network is unreachable|connection refused|dns error"
        r"|error sending request|could not connect|failed to fetch",
        "the package index cannot be reached; connect to the network (or give pip your mirror or proxy) and run the "
        "same command again",
    ),
    (
        r"no matching distribution|could not find a version|no solution found",
        "the package index in use lacks a locked package, or has no build of it for this Python and machine",
    ),
)


def explain_failure(output: str) -> str:
    """What an installer's output means, with its last lines."""
    tail = "\n".join(f"  | {line[:200]}" for line in output.splitlines()[-8:])
    for signs, meaning in CAUSES:
        if re.search(signs, output, re.IGNORECASE):
            return f"{meaning}\n{tail}"
    return f"installing the locked packages failed\n{tail}"


def clean_env() -> dict[str, str]:
    """This process's environment without what would lead an installer to another place than the new environment."""
    misleading = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}
    return {key: value for key, value in os.environ.items() if key not in misleading}


# ---- the project itself inside the environment ----


def link_project(root: Path, venv_dir: Path) -> None:
    """Make the environment import this folder, know its entry points, and have its command `dgsim`."""
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = project["name"].replace("-", "_")
    packages = packages_of(venv_dir)
    for stale in packages.glob(f"{module}-*.dist-info"):
        shutil.rmtree(stale)
    info = packages / f"{module}-{project['version']}.dist-info"
    info.mkdir()
    write_whole(packages / f"{module}.pth", f"{root}\n")
    write_whole(info / "METADATA", f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    write_whole(info / "INSTALLER", "start.py\n")
    write_whole(info / "entry_points.txt", entry_points_text(project))
    names = ["METADATA", "INSTALLER", "entry_points.txt", "RECORD"]
    write_whole(info / "RECORD", f"{module}.pth,,\n" + "".join(f"{info.name}/{name},,\n" for name in names))
    for name, target in project["scripts"].items():
        write_command(venv_dir, name, target)


def entry_points_text(project: Mapping[str, Any]) -> str:
    """entry_points.txt of an installed distribution, from its [project] table."""
    groups: dict[str, dict[str, str]] = {"console_scripts": project["scripts"], **project["entry-points"]}
    lines: list[str] = []
    for group, members in groups.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in members.items()), ""]
    return "\n".join(lines)


def write_command(venv_dir: Path, name: str, target: str) -> None:
    """A command of the environment that calls `module:function`; works in folders with spaces and long paths."""
    module, function = target.split(":")
    guard = 'if __name__ == "__main__":  # worker processes that are spawned import this file'
    call = f"import sys\n\nfrom {module} import {function}\n\n{guard}\n    sys.exit({function}())\n"
    path = scripts_of(venv_dir) / name
    write_whole(path, f"#!/bin/sh\n'''exec' \"{python_of(venv_dir)}\" \"$0\" \"$@\"\n' '''\n{call}")
    path.chmod(0o755)
    if os.name == "nt":
        write_whole(path.with_suffix(".cmd"), f'@"%~dp0python.exe" "%~dp0{name}" %*\n')


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the whole new one."""
    part = path.with_name(path.name + ".part")
    with open(part, "w", encoding="utf-8", newline="\n") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(part, path)


# ---- the commands ----


def command_for(verb: str, args: Sequence[str], venv_dir: Path) -> list[str]:
    """What `start.py VERB ARGS` runs inside the environment."""
    python = str(python_of(venv_dir))
    if verb == "run":
        return [python, str(scripts_of(venv_dir) / "dgsim"), *args]
    return [python, "-m", "pytest", "-m", "not slow", "-n", "2", *args]


def hand_over(command: Sequence[str], folder: Path) -> int:
    """Run the command in `folder` as this process; its exit code is ours."""
    os.chdir(folder)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    if os.name != "nt":
        os.execve(command[0], list(command), environment)
    return subprocess.run(command, env=environment).returncode


def open_standard_input() -> None:
    """Give a process started without standard input an empty one: test workers talk through pipes at low numbers."""
    try:
        os.fstat(0)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)


def main(argv: Sequence[str]) -> int:
    """Set up and run; returns the exit code."""
    args = list(argv)
    venv_dir = ROOT / ".venv"
    if args[:1] == ["--venv"] and len(args) > 1:
        venv_dir = Path(args[1]).absolute()
        args = args[2:]
    verb, rest = (args[0], args[1:]) if args else ("setup", [])
    if verb not in ("run", "test", "setup") or (verb == "setup" and rest):
        sys.stderr.write(USAGE)
        return 0 if verb in ("-h", "--help") else 2
    open_standard_input()
    try:
        ensure_environment(ROOT, venv_dir)
    except SetupError as problem:
        say(str(problem))
        return 2
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        say("the disk is full; free some space and run the same command again" if full else str(problem))
        return 2
    except KeyboardInterrupt:
        say("interrupted; the next start begins the set-up again")
        return 130
    if verb == "setup":
        say(f"{venv_dir} is ready: python3 start.py run | python3 start.py test")
        return 0
    return hand_over(command_for(verb, rest, venv_dir), ROOT if verb == "test" else Path.cwd())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
