"""`dgsim check-city`: everything that is wrong with a city folder, at once, and what it amounts to if nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sim.commands.city_files import documentation
from sim.commands.options import add_overrides, parser_of

if TYPE_CHECKING:
    from sim.assemble import InputsBuilder
    from sim.city import City
    from sim.settings import Settings
    from sim.travel.settings import TravelSettings


def command(argv: Sequence[str]) -> int:
    """Make every part of a run's inputs but chance; print what the city holds, or raise all that is wrong with it."""
    parser = parser_of("check-city", "Report everything wrong with a city folder at once, or say what it holds.")
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="city folder, as new-city writes one")
    add_overrides(parser)
    parser.add_argument("--doc", action="store_true", help="print the columns of every file of a city folder instead")
    given = parser.parse_intermixed_args(list(argv))
    if given.doc or given.folder is None:
        if not given.doc:
            parser.error("name a city folder, or ask for --doc")
        print("\n".join(documentation()))
        return 0
    from sim.compose import compose_to_run
    from sim.compose.study import single_work
    from sim.run.check import check_inputs
    from sim.run.work import jobs_of

    work = single_work(compose_to_run([f"city.folder='{given.folder}'", *given.overrides]))
    builder = check_inputs(jobs_of(work))
    for line in summary(builder, work.arms[0].settings):
        print(line)
    return 0


def n_zones(travel: TravelSettings, city: City) -> int:
    """Return how many zones a given matrix has, 0 where driving times do not come from one."""
    from sim.travel.given import read_zones

    if not travel.matrix:
        return 0
    n_cells = city.cells.n_cells
    return len(read_zones(Path(travel.matrix_zones), n_cells)[0]) if travel.matrix_zones else n_cells


def summary(builder: InputsBuilder, settings: Settings) -> list[str]:
    """Return what a faultless city amounts to, one fact a line."""
    from sim.commands.city_facts import place_facts, travel_facts

    city, fleet = builder.city(settings), builder.fleet(settings, 0)
    changes = builder.changes(settings, 0)
    first, cells = changes.staff_steps[0], city.cells
    kinds = builder.demand_tables(settings).kinds
    lines = [
        f"{settings.city_folder()}: nothing is wrong",
        f"  {city.towns.n_towns} areas, {cells.n_cells} cells of {city.cell_m} m,"
        f" {int(cells.population.sum()):,} residents",
        f"  {fleet.stations.n_stations} stations, {fleet.units.n_units} units; on {first.day} {first.n_open} are open"
        f" with {first.n_vehicles} vehicles and {first.on_duty} people on duty",
        f"  {kinds.n_kinds} kinds of incident, {settings.demand.alarms_per_year:g} alarms a year"
        f" in {settings.demand.reference_year}",
        f"  window {settings.window.measure_from} to {settings.window.measure_to}",
    ]
    lines += [f"  {fact}" for fact in place_facts(settings.city_folder(), city)]
    lines += [f"  {fact}" for fact in travel_facts(builder.travel(settings), city, n_zones(settings.travel, city))]
    return [*lines, *(f"  note: {note.text}" for note in changes.notes)]
