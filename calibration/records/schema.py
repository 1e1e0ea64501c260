"""What records may hold: every column of the incident and the unit-response file, declared once.

Reading, cleaning and the page docs/records.md all go by these declarations. Only a call time and a place are
compulsory. This module knows neither files nor cleaning. Next: `read.py` reads by it, `rules.py` says what is done with
faulty rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["id", "time", "date", "duration", "coordinate", "label", "flag"]
SCHEMA_VERSION = 1

FORMS: Mapping[FieldKind, str] = {
    "id": "any text",
    "time": "ISO 8601 with or without offset; year first with `-`, `/`, `.` or 年月日; day or month first with a "
    "four-digit year; AM/PM, 上午/下午; `YYYYMMDDHHMM[SS]`; Excel serial; epoch seconds or milliseconds; a time alone",
    "date": "as a time, without the time of day",
    "duration": "number with the unit in the column's name (`_s`, `_min`, `_h`) or in `units`; `h:mm:ss`",
    "coordinate": "number; a decimal comma where columns are parted by `;` or tab",
    "label": "any text",
    "flag": "true/false, yes/no, y/n, 1/0, 是/否; empty is no",
}
"""How the cells of each kind may be written."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record file.

    Parameters
    ----------
    name : its name in the schema.
    kind : decides the accepted forms (`FORMS`).
    doc : one line of meaning.
    aliases : other headers under which it is known without being declared, in any case and with any separators.
    unit : unit of what comes out of reading.
    between : for a duration, the two marks it lies between.
    limit_h : for a duration, the hours above which it is absurd (assumed; `limits_h` of `records.yaml` changes it).
    """

    name: str
    kind: FieldKind
    doc: str
    aliases: tuple[str, ...] = ()
    unit: str = ""
    between: tuple[str, str] | None = None
    limit_h: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """One record file: its name, its columns, and its time marks in the order in which they happen."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    marks: tuple[str, ...]

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(field.name for field in self.fields)

    def of_kind(self, kind: FieldKind) -> tuple[Field, ...]:
        """Return the columns of one kind, in order."""
        return tuple(field for field in self.fields if field.kind == kind)


def _time(name: str, doc: str, *aliases: str) -> Field:
    return Field(name, "time", doc, aliases, "s after the call")


def _duration(name: str, between: tuple[str, str], limit_h: float, *aliases: str) -> Field:
    first, last = (mark.replace("_", " ") for mark in between)
    return Field(name, "duration", f"From {first} to {last}.", aliases, "s", between, limit_h)


_UNIT = Field(
    "unit",
    "label",
    "Name of the unit; in the incident file, of the one that arrived first.",
    ("first_unit", "vehicle", "apparatus", "车辆"),
)
_STATION = Field("station", "label", "Station that the unit came from.", ("first_station", "home_station", "消防站"))
_EN_ROUTE = _time("en_route", "The unit left.", "enroute", "time_en_route", "mobile", "出动时间")
_ARRIVAL = _time(
    "arrival", "The unit was at the address.", "arrived", "time_arrived", "first_arrival", "arrival_time", "到场时间"
)
_CLEAR = _time("clear", "The unit was done and could be sent on.", "cleared", "time_clear", "clear_time", "结束时间")
_TURNOUT = _duration("turnout", ("dispatch", "en_route"), 1.0, "turnout_duration")
_TRAVEL = _duration("travel", ("en_route", "arrival"), 3.0, "travel_duration", "driving")
_ON_SCENE = _duration("on_scene", ("arrival", "clear"), 168.0, "scene_duration")
_TO_ARRIVAL = _duration("dispatch_to_arrival", ("dispatch", "arrival"), 4.0)

INCIDENTS = RecordSpec(
    "incidents",
    "One row per incident. Times are those of the unit that arrived first; `responses` may give every unit's.",
    (
        Field(
            "id",
            "id",
            "Identifies the incident; without it rows are numbered.",
            ("incident_id", "incident", "incident_number", "call_id", "警情编号"),
        ),
        Field(
            "call",
            "time",
            "The call came in. Compulsory.",
            ("call_time", "time_of_call", "received", "call_received", "alarm_time", "报警时间", "接警时间"),
            "ms UTC since 1970",
        ),
        Field(
            "call_date",
            "date",
            "Local date of the call, where `call` is a time of day alone.",
            ("date_of_call", "报警日期"),
        ),
        Field("lat", "coordinate", "Latitude.", ("latitude", "纬度"), "degrees"),
        Field("lon", "coordinate", "Longitude.", ("lng", "long", "longitude", "经度"), "degrees"),
        Field("x", "coordinate", "Easting in the declared `crs`.", ("x_m", "easting", "eastings"), "m"),
        Field("y", "coordinate", "Northing in the declared `crs`.", ("y_m", "northing", "northings"), "m"),
        Field("zone", "label", "Area or zone, by name.", ("area", "district", "town", "镇街")),
        Field("cell", "label", "Address cell, by id.", ("cell_id", "address_cell")),
        Field(
            "kind",
            "label",
            "Kind of incident; `kinds` of `records.yaml` translates it.",
            ("type", "incident_type", "category", "警情类型"),
        ),
        Field(
            "grade", "label", "Grade or priority given at the call.", ("priority", "severity", "alarm_grade", "等级")
        ),
        Field(
            "cancelled",
            "flag",
            "Called off before anybody arrived.",
            ("is_cancelled", "canceled", "stood_down", "撤销"),
        ),
        Field("walk_in", "flag", "Reported at a station's door, so that nobody drove.", ("is_walk_in", "still_alarm")),
        _time(
            "dispatch",
            "The unit that arrived first was ordered out.",
            "dispatched",
            "dispatch_time",
            "time_dispatched",
            "调度时间",
        ),
        _UNIT,
        _STATION,
        _EN_ROUTE,
        _ARRIVAL,
        _CLEAR,
        _duration("handling", ("call", "dispatch"), 6.0, "call_handling", "dispatch_delay"),
        _TURNOUT,
        _TRAVEL,
        _TO_ARRIVAL,
        _duration("call_to_arrival", ("call", "arrival"), 6.0, "total_response"),
        _ON_SCENE,
    ),
    ("dispatch", "en_route", "arrival", "clear"),
)

RESPONSES = RecordSpec(
    "responses",
    "One row per unit sent to an incident. This file may be missing.",
    (
        Field(
            "incident_id",
            "id",
            "Incident it was sent to (`id` there). Compulsory.",
            ("incident", "incident_number", "call_id", "警情编号"),
        ),
        _UNIT,
        _STATION,
        Field("type", "label", "Type of the unit.", ("unit_type", "vehicle_type")),
        Field(
            "cancelled", "flag", "Turned back before it arrived.", ("cancelled_en_route", "canceled", "is_cancelled")
        ),
        Field(
            "destination",
            "label",
            "Zone or hospital that the unit carried somebody to.",
            ("destination_zone", "hospital"),
        ),
        _time("dispatch", "The unit was ordered out.", "dispatched", "dispatch_time", "time_dispatched", "调度时间"),
        _EN_ROUTE,
        _ARRIVAL,
        _time("depart", "The unit left the scene for the destination.", "departed_scene", "left_scene", "transport"),
        _time("delivered", "The unit reached the destination.", "at_destination", "at_hospital"),
        _CLEAR,
        _time("available", "The unit was ready at its station again.", "in_quarters", "back_in_service", "归队时间"),
        _duration("waiting", ("call", "dispatch"), 168.0),
        _TURNOUT,
        _TRAVEL,
        _TO_ARRIVAL,
        _ON_SCENE,
        _duration("arrival_to_depart", ("arrival", "depart"), 12.0),
        _duration("transporting", ("depart", "delivered"), 6.0),
        _duration("hand_over", ("delivered", "clear"), 12.0, "handover"),
        _duration("returning", ("clear", "available"), 12.0),
    ),
    ("dispatch", "en_route", "arrival", "depart", "delivered", "clear", "available"),
)

SPECS = (INCIDENTS, RESPONSES)
UNITS_S: Mapping[str, float] = {"s": 1.0, "min": 60.0, "h": 3600.0}
"""Units of a duration, in seconds; `mm:ss` and `hh:mm` say how two numbers with a colon are meant."""
COLON_UNITS = ("mm:ss", "hh:mm")
_UNIT_ENDINGS = {
    "s": "s",
    "sec": "s",
    "secs": "s",
    "seconds": "s",
    "秒": "s",
    "min": "min",
    "mins": "min",
    "minutes": "min",
    "分钟": "min",
    "h": "h",
    "hours": "h",
    "小时": "h",
}


def plain(header: str) -> str:
    """Return a header without case and separators, as aliases are compared."""
    return re.sub(r"[\s_\-./()（）]+", "_", header.strip().casefold()).strip("_")


def field_of(spec: RecordSpec, header: str) -> tuple[str, str] | None:
    """Return the column that a header stands for and the unit it names (or ""), None for a header nobody knows."""
    name = plain(header)
    known = {alias: field.name for field in spec.fields for alias in (*map(plain, field.aliases), field.name)}
    if name in known:
        return known[name], ""
    stem, _, ending = name.rpartition("_")
    owner = known.get(stem)
    if owner is not None and ending in _UNIT_ENDINGS and spec[owner].kind == "duration":
        return owner, _UNIT_ENDINGS[ending]
    return None
