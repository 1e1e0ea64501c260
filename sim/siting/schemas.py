"""What the tables of siting worlds and a user's list of stations must hold."""

from __future__ import annotations

from sim.tables import SOURCE, STANDING, Column, TableSpec

METHODS = ("p_median", "p_centre", "random")

WORLDS = TableSpec(
    "worlds",
    1,
    (
        Column("world", "str", "ASCII name; the world's table has it too.", unique=True),
        Column("method", "str", "How sites were chosen.", choices=METHODS),
        Column("weight", "str", "What was weighed.", choices=("people_and_sites", "none")),
        Column(
            "weight_range_percent",
            "int",
            "Each cell's weight is multiplied by a drawn factor of 1 plus or minus up to so much.",
            "%",
            0,
            100,
        ),
        Column("land_percent", "int", "Share of the built-up cells, drawn, in which a plot can be had.", "%", 1, 100),
        Column(
            "n_spare_per_town",
            "int",
            "Sites in each town beyond those of the plan, chosen after all of them, for schedules that build more.",
            minimum=0,
            maximum=100,
        ),
        Column("distance", "str", "Travel times that were used: travel world and period.", optional=True),
        Column("seed", "int", "Seed of the draws.", minimum=0, maximum=2**32 - 1),
        SOURCE,
        STANDING,
    ),
    key=("world",),
)

SITES = TableSpec(
    "siting world",
    1,
    (
        Column("world", "str", "Name of the world."),
        Column("method", "str", "How sites were chosen.", choices=METHODS),
        Column("town", "str", "Code of the town."),
        Column("k", "int", "Number of the site within its town, from 1; standing stations come first.", minimum=1),
        Column("cell", "int", "Cell of the site.", minimum=0),
        Column("x_m", "int", "Middle of that cell, east of the origin.", "m"),
        Column("y_m", "int", "Middle of that cell, north of the origin.", "m"),
        Column("is_existing", "bool", "Whether the station stands before the plan."),
        Column("order_in_city", "int", "Position in the citywide order of building, from 0.", minimum=0, unique=True),
    ),
    key=("town", "k"),
)

COORDINATES = TableSpec(
    "stations",
    1,
    (
        Column("town", "str", "Code of the town that runs the station."),
        Column("k", "int", "Number of the site within its town, from 1; standing stations come first.", minimum=1),
        Column("name", "str", "Name of the station.", optional=True),
        Column("is_existing", "bool", "Whether the station stands before the plan."),
        Column("crs", "str", "What the coordinates are.", choices=("wgs84", "plane")),
        Column("lat", "float", "Latitude, for wgs84.", "degrees", -90, 90, optional=True),
        Column("lon", "float", "Longitude, for wgs84.", "degrees", -180, 180, optional=True),
        Column("x_m", "float", "Metres east of the city's origin, for plane.", "m", optional=True),
        Column("y_m", "float", "Metres north of the city's origin, for plane.", "m", optional=True),
    ),
    key=("town", "k"),
)
