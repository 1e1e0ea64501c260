"""What `records.yaml` beside the record files may declare, and how it is read.

Everything in it may be left out as long as the files leave no doubt. It knows the schema, not the files.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import ConfigDict

from calibration.records.schema import COLON_UNITS, RESPONSES, SPECS, UNITS_S, RecordSpec
from sim.config import Group, checked, read_yaml
from sim.errors import Problems, nearest_name

NAME = "records.yaml"
DateOrder = Literal["year_first", "day_first", "month_first"]


@dataclass(frozen=True, slots=True)
class FileSettings:
    """How one record file is to be read."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    file: str = ""
    """Name of the file beside `records.yaml`; else `incidents` or `responses` with any ending is looked for."""
    columns: dict[str, str] = field(default_factory=dict)
    """Own header -> column of the schema, for headers that are not known by themselves; "" leaves a column out."""
    units: dict[str, str] = field(default_factory=dict)
    """Column of a duration -> s, min, h, mm:ss or hh:mm, where its header does not end in the unit."""
    limits_h: dict[str, float] = field(default_factory=dict)
    """Column of a duration -> hours above which it is absurd, instead of the schema's."""


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """The content of `records.yaml`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    time_zone: str = ""
    """IANA name of the zone that local times are in, and by which hour and weekday are told. Needed, here or from the
    caller."""
    crs: str = ""
    """Reference of the coordinates: needed for `x`, `y` (such as EPSG:25833); WGS84 if left out with `lat`, `lon`."""
    date_order: DateOrder | None = None
    """Order in 03/04/2025; needed only where the file itself does not tell."""
    date_format: str = ""
    """Form of the times as in Python's strptime (such as %d-%b-%y %H:%M), if it is none of the accepted ones."""
    kinds: dict[str | int, str] = field(default_factory=dict)
    """Own word or code -> kind of incident; a kind that is not in it is flagged."""
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest coordinate, by `lat` and `lon` or `x` and `y`, that the city's surroundings can have."""
    incidents: FileSettings = field(default_factory=FileSettings)
    """How the incident file is read: `file`, `columns`, `units`, `limits_h`."""
    responses: FileSettings = field(default_factory=FileSettings)
    """How the unit-response file is read: the same."""

    def of(self, spec: RecordSpec) -> FileSettings:
        """Return the settings of one of the two files."""
        return self.responses if spec is RESPONSES else self.incidents


_SCHEMA = Group("", "calibration.records.settings:RecordSettings")


def read_settings(folder: Path, problems: Problems) -> RecordSettings:
    """Return what `folder/records.yaml` declares, defaults where there is none; faults go to `problems`."""
    path = folder / NAME
    if not path.is_file():
        return RecordSettings()
    n_before = len(problems.found)
    content = read_yaml(path, problems)
    settings = checked(_SCHEMA, content, {"": NAME}, problems) if len(problems.found) == n_before else None
    if settings is None:
        return RecordSettings()
    for spec in SPECS:
        _check_file(spec, settings.of(spec), problems)
    return _check(settings, problems)


def check_zone(name: str, problems: Problems) -> bool:
    """Return whether `name` is a time zone of the IANA; a missing or unknown one is a problem."""
    if not name:
        problems.add(NAME, "(time_zone) is missing", mend="write the IANA name, such as Asia/Shanghai or Europe/Berlin")
    elif name not in available_timezones():
        close = difflib.get_close_matches(name, sorted(available_timezones()), n=1, cutoff=0.5)
        mend = f"did you mean {close[0]!r}?" if close else "write a name such as Asia/Shanghai or Europe/Berlin"
        problems.add(NAME, "(time_zone) is no time zone of the IANA", value=name, mend=mend)
    else:
        return True
    return False


def _check(settings: RecordSettings, problems: Problems) -> RecordSettings:
    pair = set(settings.bounds)
    if pair and pair not in ({"lat", "lon"}, {"x", "y"}):
        problems.add(NAME, "(bounds) needs lat and lon, or x and y", value=sorted(pair), mend="give both, [low, high]")
    for name, (low, high) in settings.bounds.items():
        if not low < high:
            problems.add(NAME, f"(bounds.{name}) must be low, high", value=[low, high], mend="exchange the two")
    return settings


def _check_file(spec: RecordSpec, settings: FileSettings, problems: Problems) -> None:
    durations = tuple(field.name for field in spec.of_kind("duration"))
    known_units = (*UNITS_S, *COLON_UNITS)
    for target in settings.columns.values():
        if target and target not in spec.names:
            rule = f"({spec.name}.columns) is not a column of the schema"
            problems.add(NAME, rule, value=target, mend=nearest_name(target, spec.names))
    for key, given in (("units", settings.units), ("limits_h", settings.limits_h)):
        for name in given:
            if name not in durations:
                rule = f"({spec.name}.{key}) is not a duration of the schema"
                problems.add(NAME, rule, value=name, mend=nearest_name(name, durations))
    for name, unit in settings.units.items():
        if unit not in known_units:
            rule = f"({spec.name}.units.{name}) is not a unit"
            problems.add(NAME, rule, value=unit, mend=f"one of {', '.join(known_units)}")
    for name, limit in settings.limits_h.items():
        if not limit > 0:
            problems.add(NAME, f"({spec.name}.limits_h.{name}) must be above zero", value=limit)
