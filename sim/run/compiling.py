"""The first time anything is run, the engine is compiled: said as such, with progress, and kept on disk.

The folder of machine code is named by the source, numba and the processor (`sim/compiled.py`); a mark in it says which
engine has been compiled whole, so that an interrupted compilation is told and finished by the next command.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.compiled import kept_machine_code, n_compiled_functions
from sim.engine import engine_for

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder
    from sim.run.work import Job
    from sim.settings import Settings

ABOUT_S = 45
"""Seconds on one idle core of 2020 or later; measured at 25 to 40."""
_MIN_SHOWN_S = 1.0


def compile_first(job: Job, builder: InputsBuilder, say: Callable[[str], None]) -> None:
    """Compile what a job needs before workers begin, unless it is kept on disk already: play the job's first day."""
    from sim.run.estimate import first_days
    from sim.run.replication import make_replication

    if _mark(job.settings) is None:
        return
    with told_compiling(job.settings, say), tempfile.TemporaryDirectory() as scratch:
        trial = replace(job, settings=first_days(job.settings, 1), folder=Path(scratch) / "first")
        make_replication(trial, builder)


@contextmanager
def told_compiling(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Say that the block compiles the engine, if it does, show how far it is, and mark the machine code as whole."""
    mark = _mark(settings)
    if mark is None:
        yield
        return
    say(f"compiling the engine once (about {ABOUT_S} s), kept in {mark.parent}")
    with _progress():
        yield
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError:
        return  # a disk that refuses it: compiled anew next time, and said again


def _mark(settings: Settings) -> Path | None:
    """Return the mark that the engine of some settings is compiled whole; None where it is there or nothing is."""
    folder = kept_machine_code()
    if folder is None:
        return None
    mark = folder / f"whole-{engine_for(settings.run.engine, settings.dispatch.own_rule)[0]}"
    return None if mark.exists() else mark


@contextmanager
def _progress() -> Iterator[None]:
    """Show how many functions are compiled, when that takes a while."""
    from numba.core import event
    from tqdm import tqdm

    form = "{desc} {n_fmt} of about {total_fmt} functions |{bar}| {elapsed}"
    total = n_compiled_functions()
    bar = tqdm(total=total, desc="compiling", delay=_MIN_SHOWN_S, bar_format=form, disable=None)

    class Counting(event.Listener):  # type: ignore[misc]
        def on_start(self, _event: Any) -> None:
            pass

        def on_end(self, _event: Any) -> None:
            bar.update(int(bar.n < total))

    with bar, event.install_listener("numba:compile", Counting()):
        yield
