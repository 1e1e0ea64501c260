"""All settings of a run, composed of one choice per group. *What* changes the event log; *how* does not.

The groups' schemas live with the packages that read them; this module puts them together and adds those that belong
to no package. It reads no file but the YAML it is given. Next: `compose.py`, which makes settings from overrides.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from sim.config import ABOUT, Group, checked, configs_root, read_yaml
from sim.demand.planted_settings import PlantedSettings
from sim.demand.settings import CalendarSettings, DemandSettings, TimesSettings
from sim.errors import InputError, Problem, Problems, nearest_name
from sim.fleet.aviation import AviationSettings
from sim.fleet.duty import RosterSettings
from sim.fleet.mutual_aid import MutualAidSettings
from sim.fleet.settings import FleetSettings, ScheduleSettings, StaffingSettings
from sim.fleet.teams import TeamsSettings
from sim.fleet.vehicle_settings import VehicleSettings
from sim.money.settings import MoneySettings
from sim.outcome.settings import OutcomeSettings
from sim.own_rule import KEY as OWN_RULE
from sim.own_rule import find
from sim.scenes.hydrants import WaterSupplySettings
from sim.scenes.tunnels import RailSettings
from sim.scenes.villages import MicroStationSettings
from sim.travel.settings import TravelSettings
from sim.weather.settings import WeatherSettings

_STRICT = {"extra": "forbid"}
Engine = Literal["auto", "simpy", "kernel", "both"]


@dataclass
class CityChoice:
    """Which city."""

    __pydantic_config__ = _STRICT

    folder: Annotated[str, Field(min_length=1)]
    """Folder of the city's tables: a name under configs/city, or any path."""


@dataclass
class SitingChoice:
    """Where the stations stand."""

    __pydantic_config__ = _STRICT

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    world: Annotated[int, Field(ge=-1, le=10_000)] = -1
    """Number of the siting world; -1 takes them in turn, in strides through their list, each world once a round."""
    coordinates: str = ""
    """CSV of station coordinates that replaces the siting worlds; empty for none."""


@dataclass
class DispatchSettings:
    """Which units are sent, and which effects of time on an incident are reckoned with."""

    __pydantic_config__ = _STRICT

    name: str
    """ASCII name of the policy."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rule: Literal["nearest", "own_town_first", "keep_cover"]
    """nearest: the earliest expected arrival; own_town_first: the same among the incident's own town, then all;
    keep_cover: of those nearly as early, the unit whose leaving uncovers the fewest expected incidents."""
    own_rule: Annotated[str, Field(pattern=r"^([A-Za-z_][\w.]*:[A-Za-z_]\w*)?$")] = ""
    """A rule of your own in Python, as module:Name (docs/api.md), in the place of `rule`; empty for none. The SimPy
    engine plays it."""
    is_escalation_on: bool = True
    """Whether an incident that is not met in time outgrows its grade."""
    is_scene_delay_on: bool = True
    """Whether a late arrival lengthens the time on scene."""
    is_sent_on: bool = True
    """Whether units on their way home may be sent from where they are; if not, once they are home and ready."""
    slack_s: Annotated[float, Field(ge=0, le=3_600)] = 0.0
    """How much later than the earliest a unit may be expected under keep_cover, s."""
    cover_min: Annotated[float, Field(gt=0, le=240)] = 4.0
    """Drive within which a station covers a cell, for rules that weigh cover, min."""
    cover_capability: Annotated[str, Field(min_length=1)] = "water"
    """Code of the capability without which a station covers nothing."""


@dataclass
class MoveUpSettings:
    """Whether other stations send a unit to stand by in a station that has been emptied."""

    __pydantic_config__ = _STRICT

    name: str
    """ASCII name of the policy."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rule: Literal["none", "nearest", "best_cover"]
    """none; nearest: from the nearest station with two units ready; best_cover: from where the expected incidents newly
    covered exceed those that lose their cover by most. Where nobody is found, it is looked again whenever a station
    within the drive has one more unit ready."""
    after_min: Annotated[float, Field(ge=0, le=1_440)] = 0.0
    """How long a station must have been empty, min."""
    most_min: Annotated[float, Field(ge=0, le=1_440)] = 0.0
    """Longest drive from which a unit comes, min."""


@dataclass
class ReliefSettings:
    """Whether a crew rests after long work while its shift goes on."""

    __pydantic_config__ = _STRICT

    name: str
    """ASCII name of the rule."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    rest_after_h: Annotated[float, Field(ge=0, le=72)] = 0.0
    """Hours from the order to leave the bay until home after which a mission is long; 0: no mission is."""
    rest_h: Annotated[float, Field(ge=0, le=72)] = 0.0
    """Hours for which the crew of a long mission cannot be sent again."""


@dataclass
class RunSettings:
    """How a run is made; nothing here changes what comes out of a replication."""

    __pydantic_config__ = _STRICT

    n_replications: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Number of replications; raising it runs only the new ones."""
    workers: Annotated[int, Field(ge=0, le=1_024)] = 0
    """Processes that work at once; 0 is one per core. A cluster with an address has workers of its own."""
    pool: str = "local"
    """Where replications are made: local, processes of this machine; dask, a Dask cluster on this machine that ends
    with the command; or the address of a Dask scheduler, tcp://HOST:PORT, whose workers share the outputs folder."""
    engine: Engine = "auto"
    """auto: kernel if all rules chosen are built in, else simpy; simpy: the reference model; kernel: its compiled
    twin, same log; both: the two, stopping at the first event that differs."""
    log: Literal["full", "digest"] = "digest"
    """full: keep the event log of every replication; digest: keep its SHA-256 only."""
    outputs: Annotated[str, Field(min_length=1)] = "outputs"
    """Folder under which run directories are made."""
    language: Literal["zh", "en"] = "zh"
    """Language in which a report opens; it can be switched in the page."""


def check_run(values: Mapping[str, Any], where: str) -> None:
    """Check what the types of a run's values do not tell.

    Raises
    ------
    InputError
        If the pool is neither local, dask nor the address of a scheduler.
    """
    pool = values.get("pool", "local")
    if pool not in ("local", "dask") and not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d+", pool):
        rule = "(run.pool) is neither local, dask nor the address of a Dask scheduler"
        mend = "write an address as `dask scheduler` prints it, tcp://HOST:8786"
        raise InputError([Problem(where, rule, pool, mend=mend)])


GROUPS: tuple[Group, ...] = (
    Group("city", "sim.settings:CityChoice"),
    Group("window", "sim.demand.settings:CalendarSettings"),
    Group("demand", "sim.demand.settings:DemandSettings"),
    Group("times", "sim.demand.settings:TimesSettings"),
    Group("travel", "sim.travel.settings:TravelSettings", check="sim.travel.settings:checked"),
    Group("siting", "sim.settings:SitingChoice"),
    Group("fleet", "sim.fleet.settings:FleetSettings"),
    Group("schedule", "sim.fleet.settings:ScheduleSettings"),
    Group("staffing", "sim.fleet.settings:StaffingSettings"),
    Group("roster", "sim.fleet.duty:RosterSettings", check="sim.fleet.duty:check_duty"),
    Group("teams", "sim.fleet.teams:TeamsSettings", check="sim.fleet.teams:check"),
    Group("aviation", "sim.fleet.aviation:AviationSettings", check="sim.fleet.aviation:check"),
    Group("dispatch", "sim.settings:DispatchSettings"),
    Group("move_up", "sim.settings:MoveUpSettings"),
    Group("relief", "sim.settings:ReliefSettings"),
    Group("mutual_aid", "sim.fleet.mutual_aid:MutualAidSettings"),
    Group("water_supply", "sim.scenes.hydrants:WaterSupplySettings"),
    Group("rail", "sim.scenes.tunnels:RailSettings"),
    Group("micro_stations", "sim.scenes.villages:MicroStationSettings"),
    Group("vehicles", "sim.fleet.vehicle_settings:VehicleSettings", check="sim.fleet.vehicle_settings:checked"),
    Group("planted", "sim.demand.planted_settings:PlantedSettings", check="sim.demand.planted_settings:checked"),
    Group("weather", "sim.weather.settings:WeatherSettings", check="sim.weather.settings:checked"),
    Group("money", "sim.money.settings:MoneySettings", is_what=False),
    Group("outcome", "sim.outcome.settings:OutcomeSettings", is_what=False, check="sim.outcome.settings:checked"),
    Group("run", "sim.settings:RunSettings", is_what=False, check="sim.settings:check_run"),
)
"""Every group of settings, in the order shown."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One choice per group, checked, and the seed. Treat it and its parts as frozen."""

    seed: int
    city: CityChoice
    window: CalendarSettings
    demand: DemandSettings
    times: TimesSettings
    travel: TravelSettings
    siting: SitingChoice
    fleet: FleetSettings
    schedule: ScheduleSettings
    staffing: StaffingSettings
    roster: RosterSettings
    teams: TeamsSettings
    aviation: AviationSettings
    dispatch: DispatchSettings
    move_up: MoveUpSettings
    relief: ReliefSettings
    mutual_aid: MutualAidSettings
    water_supply: WaterSupplySettings
    rail: RailSettings
    micro_stations: MicroStationSettings
    vehicles: VehicleSettings
    planted: PlantedSettings
    weather: WeatherSettings
    money: MoneySettings
    outcome: OutcomeSettings
    run: RunSettings

    def city_folder(self) -> Path:
        """Return the city's folder: a name under configs/city, or a path of its own."""
        return find_city(self.city.folder)

    def as_map(self) -> dict[str, Any]:
        """Return all values as nested plain maps, without `about`."""
        plain: dict[str, Any] = {"seed": self.seed}
        for group in GROUPS:
            values = asdict(getattr(self, group.name))
            plain[group.name] = {key: value for key, value in values.items() if key != ABOUT}
        return plain

    def what(self) -> dict[str, Any]:
        """Return what decides the event log: as `as_map`, without the groups that say how, and without the labels."""
        plain = self.as_map()
        what: dict[str, Any] = {"seed": plain["seed"]}
        for group in GROUPS:
            if group.is_what:
                labels = ("label_zh", "label_en")
                what[group.name] = {k: v for k, v in plain[group.name].items() if k not in labels}
        return what


SEED_LIMIT = 2**31
GIVEN_FILES = ("siting.coordinates", "travel.graph", "travel.matrix", "travel.matrix_zones")
"""Settings that name a user's file; empty for none."""


def given_digests(settings: Settings, group: str = "") -> dict[str, str]:
    """Return the SHA-256 (hex) of every file that the settings, or those of one group, name: dotted key -> digest.

    The file of a dispatch rule of one's own is one of them.

    Raises
    ------
    InputError
        With every file that cannot be read, or if the dispatch rule of one's own cannot be found.
    """
    digests: dict[str, str] = {}
    problems = Problems()
    for key in GIVEN_FILES:
        head, name = key.split(".")
        path = str(getattr(getattr(settings, head), name)) if group in ("", head) else ""
        if path:
            try:
                with Path(path).open("rb") as file:
                    digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                problems.add(path, f"({key}) cannot be read ({error.strerror})", mend="name a readable file")
    problems.raise_if_any()
    if group in ("", "dispatch") and settings.dispatch.own_rule:
        digests[OWN_RULE] = find(settings.dispatch.own_rule).source_sha256
    return digests


def find_city(folder: str) -> Path:
    """Return the folder of a city given by name (under configs/city) or by path."""
    named = configs_root() / "city" / folder
    return named if named.is_dir() else Path(folder)


def check_city(folder: str, where: str, problems: Problems) -> Path | None:
    """Return the city's folder if it is one, else None after adding a problem."""
    found = find_city(folder)
    if (found / "city.yaml").is_file():
        return found
    cities = [p.parent.name for p in (configs_root() / "city").glob("*/city.yaml")]
    problems.add(where, "(city.folder) holds no city.yaml", value=folder, mend=nearest_name(folder, cities))
    return None


def settings_from(
    content: Mapping[str, Any], where_of: Mapping[str, str], problems: Problems, *, default_where: str = "settings"
) -> Settings | None:
    """Return the settings in nested maps, or None after adding every problem of every group.

    `where_of` maps dotted keys ("travel", "travel.local_kmh") to the file or command line that gave them.
    """
    n_before = len(problems.found)
    parts = parts_from(content, where_of, problems, default_where=default_where)
    return Settings(**parts) if len(problems.found) == n_before else None


def parts_from(
    content: Mapping[str, Any], where_of: Mapping[str, str], problems: Problems, *, default_where: str = "settings"
) -> dict[str, Any]:
    """Return the seed and the groups of `settings_from` that are faultless, by name, after adding every problem."""
    names = ["seed", ABOUT, *(group.name for group in GROUPS)]
    for key in [key for key in content if key not in names]:
        where = where_of.get(str(key), default_where)
        problems.add(where, f"({key}) is not a group of settings", mend=nearest_name(str(key), names))
    seed = content.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEED_LIMIT:
        where = where_of.get("seed", default_where)
        problems.add(where, f"(seed) must be a whole number from 0 to {SEED_LIMIT - 1}", value=seed)
    parts: dict[str, Any] = {"seed": seed}
    for group in GROUPS:
        values = content.get(group.name)
        places = _places_of(group.name, where_of, default_where)
        if not isinstance(values, Mapping):
            problems.add(places[""], f"({group.name}) is missing", mend=f"choose {group.name}=…")
            continue
        part = checked(group, values, places, problems)
        parts |= {} if part is None else {group.name: part}
    return parts


def _places_of(group: str, where_of: Mapping[str, str], default: str) -> dict[str, str]:
    """Return the places of one group's keys, relative to the group."""
    places = {"": where_of.get(group, default)}
    start = f"{group}."
    places |= {key[len(start) :]: where for key, where in where_of.items() if key.startswith(start)}
    return places


def load_settings(path: Path) -> Settings:
    """Return the settings stored in a run's `config.yaml`.

    Raises
    ------
    InputError
        If the file is unreadable or any setting is wrong.
    """
    problems = Problems()
    content = read_yaml(path, problems)
    problems.raise_if_any()
    settings = settings_from(content, {}, problems, default_where=str(path))
    problems.raise_if_any()
    assert settings is not None
    return settings


def what_key(settings: Settings, city_digest: str, source_digest: str) -> str:
    """Return the SHA-256 (hex) that keys a run: *what* settings, the city's files, and the source that gives meaning.

    The city counts by its contents, wherever its folder lies; so do `GIVEN_FILES`.
    """
    what = settings.what()
    what["city"] = {"digest": city_digest}
    for key, digest in given_digests(settings).items():
        group, name = key.split(".")
        what[group][name] = f"{what[group][name].partition(':')[2]} {digest}" if key == OWN_RULE else digest
    text = json.dumps({"what": what, "source": source_digest}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
