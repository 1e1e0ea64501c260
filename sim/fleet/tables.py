"""The fleet's tables in a city folder: types of unit, bay lists, and the role of each station.

`unit_types.csv` says what a unit can do and who it leaves with, `fleets.csv` lists the bays of a station (one row per
bay), `station_roles.csv` gives a class and a bay list to every station by rules: a rule holds for the standing or the
new stations (`group`), of one town or of any, for the n-th station of its group or for all. The most particular rule
wins: town and number, then town, then number, then neither. Next: `build.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import Problems, nearest_name
from sim.fleet.parts import UNIT_TRAITS_DTYPE, UnitMode, UnitTypes
from sim.fleet.settings import FleetSettings
from sim.tables import SOURCE, STANDING, STANDINGS, Column, Table, TableSpec, check_references, read_table
from sim.units import M_PER_KM, MM_S_PER_KMH, MS_PER_H, MS_PER_MIN

UNIT_TYPES = TableSpec(
    "unit_types",
    1,
    (
        Column("code", "str", "ASCII name of the type.", unique=True),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        Column("is_vehicle", "bool", "Whether it counts among a station's vehicles."),
        Column("capabilities", "str", "Codes of the city's capabilities that it has, separated by blanks."),
        Column("crew_min", "int", "Smallest crew it leaves with.", unit="people", minimum=1, maximum=100),
        Column("crew_preferred", "int", "Crew it leaves with if it can.", unit="people", minimum=1, maximum=100),
        SOURCE,
        STANDING,
        Column("mode", "str", "How it gets to an incident.", choices=tuple(mode.name.lower() for mode in UnitMode)),
        Column("callout_min", "float", "Added to turnout: to gather or launch.", unit="min", minimum=0, maximum=10_000),
        Column(
            "ready_min",
            "float",
            "From HOME to AVAILABLE; empty: as the times say.",
            unit="min",
            minimum=0,
            maximum=10_000,
            optional=True,
        ),
        Column(
            "access_min",
            "float",
            "From the address to the work; empty: as the kind of incident.",
            unit="min",
            minimum=0,
            maximum=10_000,
            optional=True,
        ),
        Column(
            "speed_kmh",
            "float",
            "Of flight or on the water; empty for a vehicle.",
            unit="km/h",
            minimum=1,
            maximum=1_000,
            optional=True,
        ),
        Column(
            "track_kmh", "float", "Along a railway track, on foot or by vehicle.", unit="km/h", minimum=0.1, maximum=200
        ),
        Column(
            "range_km",
            "float",
            "Furthest place from its base; empty: no limit.",
            unit="km",
            minimum=0.1,
            maximum=10_000,
            optional=True,
        ),
        Column(
            "duty_h", "float", "Flying time a day; empty: no limit.", unit="h", minimum=0.1, maximum=24, optional=True
        ),
        Column("motion_source", "str", "Where the columns from `mode` on come from."),
        Column("motion_standing", "str", "How well they are known.", choices=STANDINGS),
    ),
)
FLEETS = TableSpec(
    "fleets",
    1,
    (
        Column("fleet", "str", "Name of the bay list."),
        Column("bay", "int", "Number of the bay, from 1.", minimum=1, maximum=1000),
        Column("unit_type", "str", "Type of the unit in the bay."),
        SOURCE,
        STANDING,
    ),
    key=("fleet", "bay"),
)
GROUPS = ("existing", "new")
BRIGADES = ("national", "government")
STATION_ROLES = TableSpec(
    "station_roles",
    1,
    (
        Column("town", "str", "Code of the town the rule is for; empty: any.", optional=True),
        Column("group", "str", "Whether it is for stations that stand or for new ones.", choices=GROUPS),
        Column("number", "int", "Number within the town's group, from 1; empty: any.", minimum=1, optional=True),
        Column("station_class", "str", "Class of the station."),
        Column("fleet", "str", "Its bay list."),
        Column("brigade", "str", "Who runs it.", choices=BRIGADES),
        Column("later_class", "str", "Class after an upgrade.", optional=True),
        Column("added_fleet", "str", "Bay list that an upgrade adds.", optional=True),
        Column("name_zh", "str", "Chinese name, where the station has one.", optional=True),
        Column("name_en", "str", "English name, where the station has one.", optional=True),
        SOURCE,
        STANDING,
    ),
    key=("town", "group", "number"),
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a station is: one row of `station_roles.csv`; empty texts where the row is silent."""

    station_class: str
    fleet: str
    brigade: str
    later_class: str
    added_fleet: str
    name_zh: str
    name_en: str
    row: int


@dataclass(frozen=True, slots=True)
class FleetTables:
    """The fleet's tables of a city folder, checked against each other.

    `roles` is keyed by (town or "", group, number or 0); `bays` gives the unit types (as ids) of each bay list.
    """

    unit_types: UnitTypes
    bays: Mapping[str, tuple[int, ...]]
    roles: Mapping[tuple[str, str, int], Role]
    roles_where: str

    def role(self, town: str, group: str, number: int) -> Role | None:
        """Return the most particular rule for the `number`-th station of a town's group, or None."""
        for key in ((town, group, number), (town, group, 0), ("", group, number), ("", group, 0)):
            if key in self.roles:
                return self.roles[key]
        return None


def load_fleet_tables(
    folder: Path, capability_bits: Mapping[str, int], settings: FleetSettings | None = None
) -> FleetTables:
    """Return the fleet tables of the city folder `folder`.

    Parameters
    ----------
    capability_bits : bit number of each capability of the city's register, by code.
    settings : which table of roles to take, and a common smallest crew if any; the defaults without.

    Raises
    ------
    InputError
        With all problems of the three tables: unknown capabilities, unit types and bay lists, gaps in the bays, crews
        whose smallest is above the preferred one.
    """
    settings = settings or FleetSettings(name="default", label_zh="", label_en="")
    problems = Problems()
    types = read_table(folder / "unit_types.csv", UNIT_TYPES, problems)
    fleets = read_table(folder / "fleets.csv", FLEETS, problems)
    roles = read_table(folder / settings.roles, STATION_ROLES, problems)
    masks = _masks(types, capability_bits, problems)
    _check_crews(types, problems)
    _check_motion(types, problems)
    for code in settings.classes_left_out:
        if code not in roles["station_class"]:
            mend = nearest_name(code, roles["station_class"])
            problems.add("settings", f"(fleet.classes_left_out) is in no rule of {roles.where}", value=code, mend=mend)
    check_references(fleets, "unit_type", types.names("code"), "unit_types.csv", problems)
    bays = _bays(fleets, {code: i for i, code in enumerate(types["code"])}, problems)
    for column in ("fleet", "added_fleet"):
        check_references(roles, column, fleets.names("fleet"), "fleets.csv", problems)
    for i in range(roles.n_rows):
        if (roles["later_class"][i] is None) != (roles["added_fleet"][i] is None):
            rule = "an upgrade needs both later_class and added_fleet"
            problems.add(roles.where, rule, row=roles.row_number(i), mend="give both or neither")
    problems.raise_if_any()
    return FleetTables(
        _unit_types(types, masks, settings.crew_min_for_all),
        bays,
        _roles(roles, settings.classes_left_out),
        roles.where,
    )


def load_unit_types(path: Path, capability_bits: Mapping[str, int], problems: Problems) -> UnitTypes | None:
    """Return the types of unit of a table like `unit_types.csv`, or None after adding what is wrong with it."""
    n_before = len(problems.found)
    types = read_table(path, UNIT_TYPES, problems)
    masks = _masks(types, capability_bits, problems)
    _check_crews(types, problems)
    _check_motion(types, problems)
    return _unit_types(types, masks, 0) if len(problems.found) == n_before else None


def _masks(types: Table, capability_bits: Mapping[str, int], problems: Problems) -> list[int]:
    """Return the bit mask of each type's capabilities."""
    masks: list[int] = []
    for i, text in enumerate(types["capabilities"]):
        mask = 0
        for code in text.split():
            if code not in capability_bits:
                mend = nearest_name(code, capability_bits)
                rule = "(capabilities) is not in the city's register of capabilities"
                problems.add(types.where, rule, value=code, row=types.row_number(i), mend=mend)
            else:
                mask |= 1 << capability_bits[code]
        masks.append(mask)
    return masks


def _check_motion(types: Table, problems: Problems) -> None:
    for i in range(types.n_rows):
        if (types["mode"][i] == "road") != math.isnan(types["speed_kmh"][i]):
            rule = "(speed_kmh) is for aircraft and boats, and each of them has one"
            mend = "give it, or make the mode road"
            problems.add(types.where, rule, value=types["code"][i], row=types.row_number(i), mend=mend)


def _check_crews(types: Table, problems: Problems) -> None:
    for i in range(types.n_rows):
        if types["crew_min"][i] > types["crew_preferred"][i]:
            rule = f"(crew_min) is above the preferred crew of {types['crew_preferred'][i]}"
            problems.add(types.where, rule, value=int(types["crew_min"][i]), row=types.row_number(i), mend="lower it")


def _bays(fleets: Table, type_ids: Mapping[str, int], problems: Problems) -> dict[str, tuple[int, ...]]:
    """Return the unit type ids of each bay list, in the order of bays."""
    listed: dict[str, dict[int, int]] = {}
    for i in range(fleets.n_rows):
        listed.setdefault(fleets["fleet"][i], {})[int(fleets["bay"][i])] = type_ids.get(fleets["unit_type"][i], -1)
    for name, bays in listed.items():
        if fleets.is_whole and sorted(bays) != list(range(1, len(bays) + 1)):
            rule = f"bays of {name!r} are not numbered 1 to {len(bays)} without a gap"
            problems.add(fleets.where, rule, value=sorted(bays), mend="number them anew")
    return {name: tuple(bays[bay] for bay in sorted(bays)) for name, bays in listed.items()}


def _unit_types(types: Table, masks: list[int], crew_min_for_all: int) -> UnitTypes:
    crew_min = np.minimum(crew_min_for_all, types["crew_preferred"]) if crew_min_for_all else types["crew_min"]
    return UnitTypes(
        code=tuple(types["code"]),
        name_zh=tuple(types["name_zh"]),
        name_en=tuple(types["name_en"]),
        is_vehicle=types["is_vehicle"],
        capabilities=np.array(masks, dtype=np.uint64),
        crew_min=crew_min.astype(np.int16),
        crew_preferred=types["crew_preferred"].astype(np.int16),
        traits=_traits(types),
    )


def _traits(types: Table) -> NDArray[np.void]:
    """Return how each type moves, in the engine's whole units: (n_types,) `UNIT_TRAITS_DTYPE`."""
    out = np.zeros(types.n_rows, dtype=UNIT_TRAITS_DTYPE)
    out["mode"] = [UnitMode[name.upper()] for name in types["mode"]]
    columns = (
        ("callout_ms", "callout_min", MS_PER_MIN, 0), ("ready_ms", "ready_min", MS_PER_MIN, -1),
        ("access_ms", "access_min", MS_PER_MIN, -1), ("speed_mm_s", "speed_kmh", MM_S_PER_KMH, 0),
        ("track_mm_s", "track_kmh", MM_S_PER_KMH, 0), ("range_m", "range_km", M_PER_KM, 0),
        ("duty_ms", "duty_h", MS_PER_H, 0),
    )  # fmt: skip
    for field, column, factor, empty in columns:
        out[field] = [empty if math.isnan(value) else int(value * factor + 0.5) for value in types[column]]
    out.flags.writeable = False
    return out


def _roles(roles: Table, left_out: Sequence[str]) -> dict[tuple[str, str, int], Role]:
    result: dict[tuple[str, str, int], Role] = {}
    texts = ("station_class", "fleet", "brigade", "later_class", "added_fleet", "name_zh", "name_en")
    for i in range(roles.n_rows):
        if roles["station_class"][i] in left_out:
            continue
        number = roles["number"][i]
        key = (roles["town"][i] or "", roles["group"][i], 0 if math.isnan(number) else int(number))
        result[key] = Role(row=roles.row_number(i), **{name: roles[name][i] or "" for name in texts})
    return result
