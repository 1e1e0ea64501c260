"""Errors a user can act on: where, which value, which rule, how to mend it.

Checks collect every problem in a `Problems` list and raise once, so that a user mends a file in one pass. The command
prints the message without a traceback and leaves with the error's `exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

GOES_ON = "finished replications are kept, the same command goes on from there"
"""What an error says that ends a command without loss."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: the place, the value, the rule it breaks and the mend."""

    where: str
    rule: str
    value: object = None
    row: int | None = None
    mend: str = ""

    def __str__(self) -> str:
        place = self.where if self.row is None else f"{self.where} row {self.row}"
        value = "" if self.value is None else f" {self.value!r}"
        mend = f"; {self.mend}" if self.mend else ""
        return f"{place}:{value} {self.rule}{mend}"


class DgsimError(Exception):
    """Base of every error that the command shows as a message instead of a traceback."""

    exit_code = 2


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt no error, so that nothing but the command catches it."""


class InputError(DgsimError):
    """Input files or settings break rules; holds all the problems found, in the order found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)  # crosses from a worker process as problems, not as their text


class RunDirectoryError(DgsimError):
    """A run directory is not what it should be: foreign, half-written, or changed after it was finished."""


class EngineError(DgsimError):
    """The engine met a state its rules forbid; always a fault of the program or of hand-made inputs."""


@dataclass(slots=True)
class Problems:
    """A growing list of problems; `raise_if_any` ends a round of checks."""

    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, rule: str, *, value: object = None, row: int | None = None, mend: str = "") -> None:
        """Note one problem and go on checking."""
        self.found.append(Problem(where, rule, value, row, mend))

    def raise_if_any(self) -> None:
        """Raise `InputError` with all problems noted so far, if there are any."""
        if self.found:
            raise InputError(self.found)


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the known name most like `name`, or the list of known names when none is near."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5) or [k for k in names if name and name in k][:1]
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known: {shown}"
