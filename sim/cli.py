"""The command `dgsim`: finds the sub-command, gives it its arguments, and turns errors into messages.

A sub-command is a function (arguments) -> exit code, registered under the entry-point group `dgsim.commands`, so that
other packages bring their own. Nothing heavy is imported here: `dgsim --help` answers at once. Exit codes: 0 done, 1
a self-test that does not hold, 2 bad input or an unfit run directory, 130 interrupted (Ctrl-C), 143 terminated
(SIGTERM).
"""

from __future__ import annotations

import ast
import errno
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import DgsimError, Terminated, nearest_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Command = Callable[[Sequence[str]], int]
ENTRY_POINTS = "dgsim.commands"
_RESUMED = ("run", "study")
OWN = {
    "run": ("sim.commands.run:command", "run one scenario, or many with -m"),
    "study": ("sim.commands.study:command", "run a study: its arms side by side, one report"),
    "compare": ("sim.commands.compare:command", "compare finished runs"),
    "report": ("sim.commands.report:command", "write the report of a finished run or study again"),
    "verify": ("sim.commands.verify:command", "check a run directory and make its replications again"),
    "runs": ("sim.commands.runs:command", "list run directories and their state"),
    "show": ("sim.commands.show:command", "print the configuration with source and standing of each key"),
    "explain": ("sim.commands.explain:command", "tell one incident: who was considered, who went, and why"),
    "new-city": ("sim.commands.new_city:command", "write an example city folder to put your own files into"),
    "check-city": ("sim.commands.check_city:command", "report everything wrong with a city folder at once"),
    "selftest": ("sim.commands.selftest:command", "hold both engines against closed forms and known answers"),
    "audit-plan": ("sim.audit:command", "recompute the plan's own numbers"),
}
"""The commands of this package, also registered as entry points; listed here for `--help` and for a bare clone."""


def commands() -> dict[str, tuple[str, str]]:
    """Return every command: name -> (`module:function`, one line of help), own ones first."""
    from importlib import metadata  # half of what starting a command took; its own ones do without

    found = dict(OWN)
    for entry in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        if entry.name not in found:
            found[entry.name] = (entry.value, _told(entry))
    return found


def _told(entry: EntryPoint) -> str:
    """Return what the first line of a brought command's module says of it, or where it is from; nothing is run."""
    try:
        spec = find_spec(entry.module)
    except (ImportError, ValueError):  # a module made by hand has no spec
        spec = None
    if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
        docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
        told = docstring.partition("\n")[0].partition("`: ")[2].rstrip(".")
        if told:
            return told
    return f"(from {entry.dist.name if entry.dist is not None else entry.module})"


def help_text() -> str:
    """Return what `dgsim --help` prints."""
    known = commands()
    width = max(len(name) for name in known)
    lines = [f"  {name:<{width}}  {told}" for name, (_, told) in known.items()]
    return "\n".join(
        [
            "usage: dgsim COMMAND [ARGUMENTS]",
            "",
            "What each way of spending on fire stations does to response times.",
            "",
            *lines,
            "",
            "dgsim COMMAND --help tells more; docs/commands.md tells all.",
        ]
    )


def load_command(name: str) -> Command:
    """Return the function of a command.

    Raises
    ------
    DgsimError
        If there is none of that name; the message names the nearest.
    """
    known = OWN if name in OWN else commands()
    if name not in known:
        raise DgsimError(f"dgsim has no command {name!r}; {nearest_name(name, known)}")
    module, _, function = known[name][0].partition(":")
    command: Command = getattr(import_module(module), function)
    return command


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _make_printable()
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        from importlib import metadata

        print(metadata.version("dongguan-response"))
        return 0
    try:
        with _terminated_by_signal():
            return load_command(arguments[0])(arguments[1:])
    except DgsimError as error:
        print(f"dgsim: {error}" if "\n" not in str(error) else f"dgsim:\n{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"dgsim: interrupted; {_left_by(arguments[0])}", file=sys.stderr)
        return 130
    except Terminated:
        print(f"dgsim: terminated; {_left_by(arguments[0])}", file=sys.stderr)
        return 143
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        print(f"dgsim: {error.filename or 'the disk'}: {error.strerror}", file=sys.stderr)
        return 2


def _left_by(command: str) -> str:
    """Return what the same command finds after it was ended: only runs and studies are made in parts."""
    if command in _RESUMED:
        return "what is finished is kept, the same command goes on from there"
    return "the same command begins anew"


@contextmanager
def _terminated_by_signal() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, tidily; once, so that a second one does not disturb the tidying."""

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _make_printable() -> None:
    """Let a terminal that lacks a character show a substitute instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
