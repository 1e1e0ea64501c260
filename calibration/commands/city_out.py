"""`--city-out DIR` of `dgsim calibrate`: the fit as a city folder, what it lost, and its runs beside the records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calibration.commands.progress import Progress
from sim.errors import Problems

if TYPE_CHECKING:
    from calibration.backtest.run import Prepared
    from calibration.model.fitted import Fitted
    from calibration.model.generate import Generator

OPTION = "--city-out"


def check_target(folder: Path | None, problems: Problems) -> None:
    """Note a target that is no new or empty folder."""
    if folder is None or not folder.exists():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        problems.add(OPTION, "is there already and not empty", value=str(folder), mend="name a new folder")


def write(folder: Path, fitted: Fitted, generator: Generator, prepared: Prepared, progress: Progress) -> None:
    """Write the folder, run it, and print what it does not hold and how far its first arrivals are off the records'.

    Raises
    ------
    DgsimError
        If it cannot be written or run.
    """
    from calibration.city import arrivals, write_city
    from sim.provenance import whole_folder

    progress.step("writing the city")
    with whole_folder(folder) as part:
        lost = write_city(part, fitted, generator, prepared)
    print(f"city: {folder}")
    print("not carried over:")
    for each in lost:
        print(f"  - {each}")
    compared = arrivals(folder, fitted, prepared.samples, told=progress.step)
    progress.end()
    for line in compared.lines():
        print(line)
