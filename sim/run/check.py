"""What is wrong with a run, found before anything is touched: the folder, the city's tables, what is assembled of them.

A *step* makes one part of the inputs from some groups of settings and from other parts; it is left out where one of
those failed, so that a fault is told once and not again by everything that rests on it. Every step is tried for every
arm and siting world, and all that they find is raised together. Next: `execute.py`, which makes what passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.city.forms import is_stated
from sim.engine import engine_for
from sim.errors import InputError, Problems
from sim.run.pool import pool_workers
from sim.run.work import Job, Work, check_folder, check_is_run, jobs_of
from sim.settings import GROUPS, Settings

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder

Build = Callable[["InputsBuilder", Settings, int], object]
ALL_GROUPS = frozenset(group.name for group in GROUPS)


@dataclass(frozen=True, slots=True)
class _Step:
    """A part of the inputs: the groups of settings and the earlier parts it is made from.

    `is_of_world`: it differs between siting worlds. `is_slow`: it takes seconds, and is for runs that will be made.
    """

    name: str
    build: Build
    groups: tuple[str, ...]
    after: tuple[str, ...] = ()
    is_of_world: bool = False
    is_slow: bool = False


FLEET = ("city", "siting", "fleet", "teams", "aviation", "staffing", "mutual_aid")
"""Groups that the stations and units of a run are made from."""
_STEPS = (
    _Step("city", lambda b, s, r: b.city(s), ("city",)),
    _Step("plan", lambda b, s, r: b.plan(s), ("city",)),
    _Step("demand tables", lambda b, s, r: b.demand_tables(s), ("city",)),
    _Step("roads", lambda b, s, r: b.roads(s) if _has_roads(s) else None, ("city",), ("city",)),
    _Step("fleet tables", lambda b, s, r: b.fleet_tables(s), ("city", "fleet"), ("demand tables",)),
    _Step("worlds", lambda b, s, r: b.world_name(s, r), ("city", "siting")),
    _Step("calendar", lambda b, s, r: b.calendar(s), ("city", "window", "demand"), ("city",)),
    _Step("durations", lambda b, s, r: b.durations(s), ("city", "times", "aviation"), ("demand tables",)),
    _Step(
        "intensity",
        lambda b, s, r: b.intensity(s),
        ("city", "window", "demand"),
        ("city", "demand tables", "calendar"),
    ),
    _Step(
        "policy",
        lambda b, s, r: b.policy(s),
        ("city", "times", "dispatch", "move_up", "relief", "mutual_aid", "water_supply"),
        ("demand tables",),
    ),
    _Step(
        "planting",
        lambda b, s, r: b.planting(s),
        ("city", "window", "demand", "planted"),
        ("intensity",),
    ),
    _Step("tracks", lambda b, s, r: b.check_tracks(s), ("city", "rail"), ("demand tables",)),
    _Step("villages", lambda b, s, r: b.check_villages(s), ("city", "micro_stations"), ("demand tables",)),
    _Step("climate", lambda b, s, r: b.climate(s), ("city", "weather", "demand")),
    _Step("flying windows", lambda b, s, r: b.flying_windows(s), ("city", "aviation")),
    _Step("travel", lambda b, s, r: b.travel(s), ("city", "travel"), ("city", "roads"), is_slow=True),
    _Step(
        "siting",
        lambda b, s, r: None if is_stated(s.city_folder()) else b.siting(s, r),
        ("city", "siting"),
        ("city", "worlds"),
        is_of_world=True,
    ),
    _Step(
        "fleet",
        lambda b, s, r: b.fleet(s, r),
        FLEET,
        ("city", "plan", "fleet tables", "siting"),
        is_of_world=True,
    ),
    _Step("cards", lambda b, s, r: b.asked_cards(s), ("city", "teams"), ("demand tables",)),
    _Step("air tasks", lambda b, s, r: b.air_tasks(s), ("city", "aviation"), ("demand tables",)),
    _Step(
        "boats",
        lambda b, s, r: (b.boat_tasks(s, r), b.waterways(s, r)),
        FLEET,
        ("city", "fleet"),
        is_of_world=True,
    ),
    _Step("prices", lambda b, s, r: b.prices(s), ("city", "fleet", "money"), ("plan", "fleet tables")),
    _Step("people", lambda b, s, r: b.check_people(s), ("city", "staffing", "window", "demand"), ("city", "calendar")),
    _Step("fire weights", lambda b, s, r: b.fire_weights(s), ("city", "outcome"), ("demand tables",)),
    _Step(
        "changes",
        lambda b, s, r: None if s.staffing.sharing == "demand" else b.changes(s, r),
        (*FLEET, "schedule", "roster", "window", "demand"),
        ("fleet", "calendar"),
        is_of_world=True,
    ),
    _Step(
        "changes by catchment",
        lambda b, s, r: b.changes(s, r) if s.staffing.sharing == "demand" else None,
        (*FLEET, "schedule", "roster", "window", "demand", "travel"),
        ("fleet", "calendar", "roads"),
        is_of_world=True,
    ),
    _Step(
        "roster",
        lambda b, s, r: _check_roster(b, s, r),
        (*FLEET, "roster"),
        ("fleet",),
        is_of_world=True,
    ),
    _Step("own rule", lambda b, s, r: b.own_rule(s), ("dispatch",)),
    _Step("engine", lambda b, s, r: engine_for(s.run.engine, s.dispatch.own_rule), ("dispatch", "run")),
)


def _has_roads(settings: Settings) -> bool:
    """Return whether the city must have tables of roads: one that states its places may leave them out."""
    folder = settings.city_folder()
    return not is_stated(folder) or (folder / "road_classes.csv").is_file()


def _check_roster(builder: InputsBuilder, settings: Settings, replication: int) -> None:
    from sim.fleet.rosters import check_brigades

    check_brigades(settings.roster, builder.fleet(settings, replication))


@dataclass(frozen=True, slots=True)
class Subject:
    """Settings to be checked: the groups of them that are whole, and the replications that will be made of them."""

    settings: Settings
    groups: frozenset[str] = ALL_GROUPS
    replications: tuple[int, ...] = (0,)


@dataclass(slots=True)
class _Checks:
    """Steps tried so far, each once for the same settings and world, and what they found."""

    builder: InputsBuilder
    problems: Problems
    is_passed: dict[tuple[str, ...], bool] = field(default_factory=dict)

    def check(self, subject: Subject, *, is_quick: bool) -> None:
        """Try every step for every siting world of a subject."""
        steps = [step for step in _STEPS if not (is_quick and step.is_slow)]
        passed: set[str] = set()
        for step in (step for step in steps if not step.is_of_world):
            self._try(step, subject, subject.replications[0], "", passed)
        worlds: dict[str, int] = {}
        for replication in subject.replications if "worlds" in passed else ():
            worlds.setdefault(self.builder.world_name(subject.settings, replication), replication)
        for world, replication in worlds.items():
            passed_here = set(passed)
            for step in (step for step in steps if step.is_of_world):
                self._try(step, subject, replication, world, passed_here)

    def _try(self, step: _Step, subject: Subject, replication: int, world: str, passed: set[str]) -> None:
        """Try a step unless something it rests on failed; note it in `passed` if it is made."""
        if not subject.groups.issuperset(step.groups) or not passed.issuperset(step.after):
            return
        key = (step.name, world, *(repr(getattr(subject.settings, group)) for group in step.groups))
        if key not in self.is_passed:
            self.is_passed[key] = self._is_made(lambda: step.build(self.builder, subject.settings, replication))
        if self.is_passed[key]:
            passed.add(step.name)

    def _is_made(self, make: Callable[[], object]) -> bool:
        try:
            make()
        except InputError as error:
            self.add(error)
            return False
        return True

    def add(self, error: InputError) -> None:
        """Note the problems of an error that are not known yet."""
        self.problems.found += [problem for problem in error.problems if problem not in self.problems.found]


def check_subjects(subjects: Iterable[Subject], problems: Problems) -> None:
    """Add what is wrong with the tables of the subjects' cities and with what is assembled of them, the travel aside.

    For settings of which parts are known to be wrong already: whatever can still be checked is.
    """
    from sim.assemble import InputsBuilder

    checks = _Checks(InputsBuilder(), problems)
    for subject in subjects:
        checks.check(subject, is_quick=True)


def check_inputs(jobs: Sequence[Job], *, is_fresh: bool = False) -> InputsBuilder:
    """Make the inputs of every arm and siting world, all but chance, and return the builder that keeps some of them.

    Parameters
    ----------
    is_fresh : the jobs' folders will be moved aside, so what is stored in them does not count.

    Raises
    ------
    InputError
        With the problems of all arms and worlds, each once.
    """
    from sim.assemble import InputsBuilder

    checks = _Checks(InputsBuilder(), Problems())
    for job in first_of_each_arm(jobs):
        if not is_fresh and job.tables.is_file():
            try:
                checks.builder.take_tables(job.settings, job.tables)
            except InputError as error:
                checks.add(error)
    for job in first_of_each_arm(jobs):
        replications = tuple(other.replication for other in jobs if other.key == job.key)
        checks.check(Subject(job.settings, replications=replications), is_quick=False)
    checks.problems.raise_if_any()
    return checks.builder


def first_of_each_arm(jobs: Sequence[Job]) -> list[Job]:
    """Return the first job of each key."""
    return list({job.key: job for job in reversed(jobs)}.values())[::-1]


def missing_of(work: Work, *, is_fresh: bool) -> list[Job]:
    """Return the jobs of which no folder is there, or all of them if what is there will be moved aside."""
    return [job for job in jobs_of(work) if is_fresh or not job.folder.exists()]


def check_before(work: Work, *, is_fresh: bool = False) -> InputsBuilder:
    """Find what is wrong with the run directory and the inputs of what is missing in it; touch nothing.

    Raises
    ------
    RunDirectoryError
        If the directory cannot take the work.
    ClusterError
        If the work is to be made on a cluster that cannot be used.
    InputError
        With every problem of the inputs.
    """
    _check_place(work, is_fresh=is_fresh)
    missing = missing_of(work, is_fresh=is_fresh)
    _check_pools(missing)
    return check_inputs(missing, is_fresh=is_fresh)


def check_all(works: Sequence[Work]) -> None:
    """Do what `check_before` does for several works, reporting the inputs of all of them together."""
    for work in works:
        _check_place(work, is_fresh=False)
    missing = [job for work in works if not work.folders for job in missing_of(work, is_fresh=False)]
    _check_pools(missing)
    check_inputs(missing)


def _check_pools(jobs: Sequence[Job]) -> None:
    """Stop if a cluster that jobs are to be made on cannot be used."""
    for pool in {job.settings.run.pool for job in jobs}:
        pool_workers(pool, 0)


def _check_place(work: Work, *, is_fresh: bool) -> None:
    if is_fresh:
        check_is_run(work.folder)
    else:
        check_folder(work)


def store_tables(jobs: Sequence[Job], builder: InputsBuilder) -> None:
    """Store the quantile tables made for an arm's own parameters, once, so that no later reader makes them again."""
    from sim.demand.quantiles import write_tables

    for job in first_of_each_arm(jobs):
        made = builder.tables_made(job.settings)
        if made:
            job.tables.parent.mkdir(parents=True, exist_ok=True)
            write_tables(job.tables, made)
