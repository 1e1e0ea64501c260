"""What each of a city's plan tables must hold: the columns of `plan_*.csv`, `station_classes.csv` and `teams.csv`."""

from __future__ import annotations

from sim.tables import SOURCE, STANDING, Column, TableSpec

RELATIONS = ("=", "<", "<=", ">", ">=", "about")

_PLACE = Column("place", "str", "Chapter and section, box or annex where the value stands.")
_NAMES = (Column("name_zh", "str", "Chinese name."), Column("name_en", "str", "English name."))
_NOTE = Column("note", "str", "What the value leaves open.", optional=True)


def towns_spec(years: tuple[int, ...]) -> TableSpec:
    """Return the spec of `plan_towns.csv` for a programme that builds in `years`."""
    builds = tuple(Column(f"build_{year}", "int", f"Stations to be built in {year}.", minimum=0) for year in years)
    columns = (
        Column("code", "str", "Town code, as in towns.csv.", unique=True),
        Column("name_zh", "str", "Chinese name as the plan prints it.", unique=True),
        Column("built_up_km2", "float", "Built-up area.", unit="km2", minimum=0),
        Column("resident_pop_10k", "float", "Residents in ten thousands, at most four decimals.", minimum=0),
        Column("stations_now", "int", "Stations in the base year.", minimum=0),
        Column("stations_needed", "int", "Stations the town should have after the plan.", minimum=0),
        Column("stations_gap", "int", "Stations the town lacks.", minimum=0),
        Column(
            "new_hydrants", "int", "Street hydrants to be added; empty where none is printed.", minimum=0, optional=True
        ),
        Column("volunteers_10k", "float", "Volunteers taking part, ten thousands of times.", minimum=0, optional=True),
        *builds,
        Column("centre_station_status", "str", "Is the centre station up to norm?", choices=("met", "not_met", "none")),
        Column("note", "str", "The row's note as printed.", optional=True),
        SOURCE,
        STANDING,
    )
    return TableSpec("plan_towns", 1, columns, key=("code",))


TOTALS = TableSpec(
    "plan_totals",
    1,
    (
        Column("column", "str", "Column of plan_towns.csv whose total is printed."),
        Column("value", "float", "The total as printed."),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("column",),
)
INDICATORS = TableSpec(
    "plan_indicators",
    1,
    (
        Column("indicator", "str", "Id of the indicator."),
        *_NAMES,
        Column("role", "str", "Base-year value or target.", choices=("base", "target")),
        Column("year", "int", "Year of the value.", minimum=1900, maximum=2200),
        Column("relation", "str", "How the value bounds the indicator.", choices=RELATIONS),
        Column("value", "float", "The value; empty where the plan gives none.", optional=True),
        Column("unit", "str", "Unit of the value."),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("indicator", "year"),
)
FACTS = TableSpec(
    "plan_facts",
    1,
    (
        Column("id", "str", "Id of the fact.", unique=True),
        Column("topic", "str", "What the fact is about."),
        *_NAMES,
        Column("relation", "str", "How the value bounds the fact.", choices=RELATIONS),
        Column("value", "float", "The number; empty for a fact in words.", optional=True),
        Column("unit", "str", "Unit of the number, or `words`."),
        Column("first_year", "int", "First year it holds for.", minimum=1900, maximum=2200, optional=True),
        Column("last_year", "int", "Last year it holds for.", minimum=1900, maximum=2200, optional=True),
        _PLACE,
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("id",),
)
CLASSES = TableSpec(
    "station_classes",
    1,
    (
        Column("class", "str", "Id of the station class."),
        *_NAMES,
        Column(
            "figure",
            "str",
            "What is bounded.",
            choices=("area_km2", "on_duty", "vehicles", "floor_m2", "site_m2", "people_all"),
        ),
        Column("low", "float", "Lower bound; empty where none is given.", minimum=0, optional=True),
        Column("high", "float", "Upper bound; empty where none is given.", minimum=0, optional=True),
        Column("unit", "str", "Unit of the bounds."),
        Column("confidence", "str", "How the figure is known to us.", choices=("read", "remembered", "judged")),
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("class", "figure"),
)
BRIGADES = TableSpec(
    "plan_brigades",
    1,
    (
        Column("brigade", "str", "Id of the brigade that carries special teams.", unique=True),
        *_NAMES,
        Column("home_town", "str", "Town code of its home, where known.", optional=True),
        Column("people", "int", "People of its special teams together.", minimum=1),
        _PLACE,
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("brigade",),
)
TEAMS = TableSpec(
    "teams",
    1,
    (
        Column("team", "str", "Id of the special team.", unique=True),
        *_NAMES,
        Column("brigade", "str", "Brigade that carries it, where the plan names one.", optional=True),
        Column("crewed_year", "int", "Year by whose end crew and gear are complete, where given.", optional=True),
        Column("complete_year", "int", "Year by whose end the team is complete, where given.", optional=True),
        _PLACE,
        _NOTE,
        SOURCE,
        STANDING,
    ),
    key=("team",),
)
LISTS = TableSpec(
    "plan_team_lists",
    1,
    (
        Column("list", "str", "Place of the plan that lists teams."),
        Column("team", "str", "Id of the team, as in teams.csv."),
        Column("brigade", "str", "Brigade named beside it, if any.", optional=True),
        SOURCE,
        STANDING,
    ),
    key=("list", "team"),
)
VEHICLES = TableSpec(
    "plan_vehicles",
    1,
    (
        Column("norm", "str", "Id of the vehicle norm."),
        Column("vehicle", "str", "Id of the vehicle type."),
        *_NAMES,
        Column("number", "int", "Vehicles of this type.", minimum=0),
        Column("is_optional", "bool", "Left to choice by the norm."),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("norm", "vehicle"),
)
BOXES = TableSpec(
    "plan_boxes",
    1,
    (
        Column("box", "str", "Box of the plan."),
        Column("item", "str", "Id of the item in the box."),
        *_NAMES,
        Column("low", "float", "Lower bound, or the number itself.", minimum=0),
        Column("high", "float", "Upper bound, or the number itself.", minimum=0),
        Column("unit", "str", "Unit of the bounds."),
        Column("choose_one_of", "str", "Items with the same word here are alternatives.", optional=True),
        _PLACE,
        SOURCE,
        STANDING,
    ),
    key=("box", "item"),
)

REQUIRED = ("towns", "indicators", "classes")
"""Tables without which there is no plan; the others may be left out of a city folder."""

FILES: tuple[tuple[str, str, TableSpec | None], ...] = (
    ("towns", "plan_towns.csv", None),
    ("totals", "plan_totals.csv", TOTALS),
    ("indicators", "plan_indicators.csv", INDICATORS),
    ("facts", "plan_facts.csv", FACTS),
    ("outside", "plan_outside.csv", FACTS),
    ("classes", "station_classes.csv", CLASSES),
    ("brigades", "plan_brigades.csv", BRIGADES),
    ("teams", "teams.csv", TEAMS),
    ("lists", "plan_team_lists.csv", LISTS),
    ("vehicles", "plan_vehicles.csv", VEHICLES),
    ("boxes", "plan_boxes.csv", BOXES),
)
"""Short name that checks use, file in the city folder, and spec; None for the table whose columns its years decide."""
