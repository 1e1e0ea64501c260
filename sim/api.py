"""For notebooks: open a finished study's tables as data frames, run one replication, look at its event log.

Everything here is a thin layer over the parts that the commands use; `docs/api.md` shows it at work. Data frames are
pandas; nothing is imported before it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import InputError, Problem, nearest_name

if TYPE_CHECKING:
    import pandas as pd

    from sim.engine.log import EventLog
    from sim.inputs import RunInputs
    from sim.settings import Settings


def settings(*overrides: str) -> Settings:
    """Return checked settings from overrides as on the command line, such as `settings("travel=norm", "seed=7")`.

    Raises
    ------
    InputError
        With everything that is wrong with them.
    """
    from sim.compose import compose

    return compose(overrides).settings


@dataclass(frozen=True, slots=True)
class Played:
    """One replication in memory: what went in, what happened, and the table of incidents made from it."""

    inputs: RunInputs
    log: EventLog
    incidents: pd.DataFrame

    def log_frame(self) -> pd.DataFrame:
        """Return the event log with kinds by name and calendar times."""
        return log_frame(self.log, self.inputs)


def run_replication(*overrides: str, replication: int = 0) -> Played:
    """Run one replication of the settings that `overrides` make, on no disk; with the engine of `run.engine`.

    Raises
    ------
    DgsimError
        If settings or the city's tables are wrong.
    """
    import pandas as pd

    from sim.assemble import build_inputs
    from sim.metrics import incident_table
    from sim.run.compiling import told_compiling
    from sim.run.replication import play

    chosen = settings(*overrides)
    inputs = build_inputs(chosen, replication)
    with told_compiling(chosen, print):
        log, static_ms = play(inputs, chosen.run.engine, {})
    return Played(inputs, log, pd.DataFrame(incident_table(inputs, log, static_ms)))


def log_frame(log: EventLog, inputs: RunInputs | None = None) -> pd.DataFrame:
    """Return an event log as a data frame: `kind` by name and, with the inputs, `time` as local date and time."""
    import pandas as pd

    from sim.engine.log import LOG_DTYPE, LogKind

    frame = pd.DataFrame({name: log.column(name) for name in LOG_DTYPE.names or ()})
    frame["kind"] = frame["kind"].map({int(kind): kind.name for kind in LogKind})
    if inputs is not None:
        start = pd.Timestamp(inputs.calendar.start)
        frame.insert(0, "time", start + pd.to_timedelta(frame["time_ms"], unit="ms"))
    return frame


@dataclass(frozen=True, slots=True)
class Results:
    """A finished run directory (run, study, sweep or comparison)."""

    folder: Path
    note: dict[str, Any]

    @property
    def arms(self) -> list[str]:
        """Names of the arms, in order."""
        return list(self.note["arms"])

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return sorted(path.stem for path in (self.folder / "tables").glob("*.parquet"))

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the tables that `docs/measures.md` explains."""
        import pandas as pd

        if name not in self.tables:
            raise InputError(
                [Problem(str(self.folder), "is not one of its tables", name, mend=nearest_name(name, self.tables))]
            )
        return pd.read_parquet(self.folder / "tables" / f"{name}.parquet")

    def incidents(self, arm: str, replication: int = 0) -> pd.DataFrame:
        """Return the incidents of one replication of one arm."""
        return self._of_replication(arm, replication, "incidents")

    def log(self, arm: str, replication: int = 0) -> EventLog:
        """Return the stored event log of one replication (run.log=full keeps it)."""
        from sim.engine.log import read_log

        return read_log(self._path(arm, replication, "log"))

    def _of_replication(self, arm: str, replication: int, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_parquet(self._path(arm, replication, name))

    def _path(self, arm: str, replication: int, name: str) -> Path:
        from sim.run.work import replication_folder

        if arm not in self.arms:
            raise InputError(
                [Problem(str(self.folder), "is not one of its arms", arm, mend=nearest_name(arm, self.arms))]
            )
        where = replication_folder(self.folder / self.note["arms"][arm]["folder"], replication)
        path = where / f"{name}.parquet"
        if not path.is_file():
            there = ", ".join(sorted(p.stem for p in where.glob("*.parquet"))) or "no tables"
            raise InputError([Problem(str(path), "is not there", mend=f"this replication has {there}")])
        return path


def load(folder: str | Path) -> Results:
    """Return a finished run directory.

    Raises
    ------
    RunDirectoryError
        If it is none, or was never finished, or its manifest was changed.
    """
    from sim.provenance import read_manifest
    from sim.run.work import read_note

    read_manifest(Path(folder))
    return Results(Path(folder), read_note(Path(folder)))
