"""The STRESS-DES checklist, answered: what a report of a discrete-event study must say, and where this project says it.

Monks, Currie, Onggo, Robinson, Kunc & Taylor, Strengthening the reporting of empirical simulation studies: introducing
the STRESS guidelines, Journal of Simulation 13 (2019) 55-67. Items and their numbers are the guideline's, the answers
the project's; numbers in them are read from the program when the page is made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number and name, what is said, and pages or files (links from `docs/`) that say it at length."""

    number: str
    name: str
    answer: str
    where: tuple[str, ...]


SECTIONS = ("Objectives", "Logic", "Data", "Experimentation", "Implementation", "Code access")


def checklist() -> tuple[Item, ...]:
    """Return the answered items in the guideline's order."""
    from sim.compose import compose
    from sim.settings import GROUPS

    settings = compose([]).settings
    window, run = settings.window, settings.run
    groups = ", ".join(f"`{group.name}`" for group in GROUPS if group.is_what)
    return (
        Item(
            "1.1",
            "Purpose of the model",
            "What each way of spending on fire stations does to response times, town by"
            " town and year by year, before the money is committed.",
            ("../README.md",),
        ),
        Item(
            "1.2",
            "Model outputs",
            "Every table and its measures, with the instants they are taken between, what counts"
            " as censored, and how intervals are made.",
            ("measures.md", "report.md"),
        ),
        Item(
            "1.3",
            "Experimentation aims",
            "Scenarios one by one with their reason; studies with their question, the"
            " comparison declared beforehand, and what is exploratory.",
            ("scenarios.md", "../experiments/README.md"),
        ),
        Item(
            "2.1",
            "Base model overview diagram",
            "The way of one incident through the program, told by the types that"
            " cross from part to part (a table in place of a drawing).",
            ("contracts.md",),
        ),
        Item(
            "2.2",
            "Base model logic",
            "Event by event in the reference model, which is written to be read; the meaning"
            " of every row of the event log.",
            ("../sim/engine/model.py", "contracts.md"),
        ),
        Item(
            "2.3",
            "Scenario logic",
            "A scenario differs from the defaults in the settings it names and in nothing else;"
            f" groups that change what happens: {groups}.",
            ("configuration.md", "scenarios.md"),
        ),
        Item(
            "2.4",
            "Algorithms",
            "Rules of dispatch, move-up and crews; siting; driving times; calls by thinning under"
            " ceilings; nothing is optimised by simulation.",
            ("../sim/engine/rules.py", "../sim/engine/choice.py", "travel.md", "city.md", "demand.md"),
        ),
        Item(
            "2.5.1",
            "Entities",
            "Incidents with place, kind, grade and what callers told; each has needs, one unit each.",
            ("demand.md",),
        ),
        Item(
            "2.5.2",
            "Activities",
            "Call handling, turnout, travel, access, work, the way home, making ready; with a"
            " patient: transport and hand-over.",
            ("demand.md", "travel.md", "replay.md"),
        ),
        Item(
            "2.5.3",
            "Resources",
            "Stations, units, people on duty by shift; special teams, boats, aircraft, help from outside.",
            ("fleet.md",),
        ),
        Item(
            "2.5.4",
            "Queues",
            "One queue of needs that found no unit: by priority, call time, incident and slot. It is"
            " read whenever a unit is freed.",
            ("../sim/engine/needs.py",),
        ),
        Item(
            "2.5.5",
            "Entry and exit points",
            "Incidents enter at their drawn call and leave when their last unit does;"
            " needs that nobody served are counted, never dropped.",
            ("contracts.md", "measures.md"),
        ),
        Item(
            "3.1",
            "Data sources",
            "Every value of every table and setting has a source and a standing; `dgsim show` prints them.",
            ("city.md", "demand.md", "fleet.md", "travel.md"),
        ),
        Item(
            "3.2",
            "Pre-processing",
            "From the plan's figures to tables; from a brigade's records to fitted parameters,"
            " each rejected row with its reason.",
            ("city.md", "records.md", "backtest.md"),
        ),
        Item(
            "3.3",
            "Input parameters",
            "Every key with type, bounds, value and meaning; every column of every table.",
            ("configuration.md", "your-city.md"),
        ),
        Item(
            "3.4",
            "Assumptions",
            "Marked `assumed` wherever they stand, listed in each report, varied together in plausible worlds.",
            ("city.md", "configuration.md", "report.md"),
        ),
        Item(
            "4.1",
            "Initialisation",
            f"A run starts empty, {window.warm_up_days} days before its window by default, and"
            f" runs out for {window.run_out_days}; missions take hours, so that the warm-up is many times as long.",
            ("configuration.md",),
        ),
        Item(
            "4.2",
            "Run length",
            f"By default {window.measure_from} to {window.measure_to}, the years of the plan and"
            " the first full year after the last build.",
            ("configuration.md",),
        ),
        Item(
            "4.3",
            "Estimation approach",
            f"Independent replications ({run.n_replications} by default), every comparison"
            " paired on common random numbers; Monte Carlo, siting and assumptions shown apart.",
            ("measures.md",),
        ),
        Item(
            "5.1",
            "Software or programming language",
            "Python; SimPy for the reference model, numba for its compiled"
            " twin; every package with version and hash in the lock.",
            ("../requirements.lock", "performance.md"),
        ),
        Item(
            "5.2",
            "Random sampling",
            "Philox4x32-10 keyed by seed, replication, stream, identity and slot, so that no"
            f" draw depends on the order of events; seed {settings.seed} by default.",
            ("../sim/chance.py", "demand.md"),
        ),
        Item(
            "5.3",
            "Model execution",
            "Events in the total order of time, kind, entity and mission; whole milliseconds;"
            " replications spread over processes, the results the same for any number.",
            ("../sim/engine/events.py", "commands.md"),
        ),
        Item(
            "5.4",
            "System specification",
            "Each run notes machine, versions and seconds; times measured here are on a page of their own.",
            ("performance.md", "../outputs/README.md"),
        ),
        Item(
            "6.1",
            "Computer model sharing statement",
            "The whole program, its tables and studies are in this"
            " repository under the MIT licence; `dgsim verify` makes a run again bit for bit.",
            ("../LICENSE", "commands.md"),
        ),
    )


def checklist_lines() -> list[str]:
    """Return the checklist as Markdown."""
    lines = ["| item | what | where |", "|---|---|---|"]
    items = checklist()
    for place, section in enumerate(SECTIONS, start=1):
        lines.append(f"| **{place}** | **{section}** | |")
        for item in items:
            if item.number.split(".")[0] == str(place):
                where = ", ".join(f"[{path.rsplit('/', 1)[-1]}]({path})" for path in item.where)
                lines.append(f"| {item.number} {item.name} | {item.answer} | {where} |")
    return lines
