"""What is changed in a replay: stations that close, are added or move, and units that come and go.

Texts are read here and held against the stations that there are; `resources.py` makes the change. The forms:

    close: CODE[,CODE...]    add: CODE,lat,lon[,UNITS]    move: CODE,lat,lon    units: CODE=+UNITS or CODE=-UNITS

UNITS is `2`, or by type `1:engine+1:ladder`; without a type the commonest is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sim.errors import Problems, nearest_name

_UNITS = re.compile(r"(\d+)(?::(.+))?")
_MOST_UNITS = 50


@dataclass(frozen=True, slots=True)
class UnitCount:
    """So many units of a type; type "": the commonest."""

    n: int
    type: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a station is put: degrees in the city's own system where that is geographic, else WGS84."""

    station: str
    lat: float
    lon: float
    units: tuple[UnitCount, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitChange:
    """Units that a station gets (`sign` 1) or loses (-1)."""

    station: str
    sign: int
    units: tuple[UnitCount, ...]


@dataclass(frozen=True, slots=True)
class Edits:
    """Everything that is changed; nothing is a replay of what was."""

    close: tuple[str, ...] = ()
    add: tuple[Place, ...] = ()
    move: tuple[Place, ...] = ()
    units: tuple[UnitChange, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether anything is changed."""
        return bool(self.close or self.add or self.move or self.units)


def read_edits(
    close: Sequence[str], add: Sequence[str], move: Sequence[str], units: Sequence[str], problems: Problems
) -> Edits:
    """Return what the texts of the options say, after adding what cannot be read."""
    closed = [code.strip() for text in close for code in text.split(",") if code.strip()]
    if close and not closed:
        problems.add("--close", "names no station", mend="name one or more, separated by commas")
    added = [_place("--add", text, problems, has_units=True) for text in add]
    moved = [_place("--move", text, problems, has_units=False) for text in move]
    changed = [_unit_change(text, problems) for text in units]
    return Edits(
        tuple(dict.fromkeys(closed)), tuple(it for it in added if it), tuple(it for it in moved if it),
        tuple(it for it in changed if it),
    )  # fmt: skip


def check_stations(edits: Edits, stations: Sequence[str], problems: Problems) -> None:
    """Add a problem for each station that does not exist, exists already, or is named twice or in opposed senses."""
    known = set(stations)
    named = [("--close", code) for code in edits.close] + [("--move", it.station) for it in edits.move]
    named += [("--units", change.station) for change in edits.units]
    for option, code in named:
        if code not in known and not (option == "--units" and code in {it.station for it in edits.add}):
            problems.add(option, "is not a station of the city", value=code, mend=nearest_name(code, stations))
    for code in sorted(set(edits.close) & {code for option, code in named if option != "--close"}):
        problems.add("--close", "closes a station that is moved or given other units", value=code, mend="drop one")
    if known and known <= set(edits.close) and not edits.add:
        mend = "leave one open, or add another with --add"
        problems.add("--close", f"closes every station of the city ({len(known)})", mend=mend)
    for option, places in (("--add", edits.add), ("--move", edits.move)):
        codes = [it.station for it in places]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            problems.add(option, "names a station twice", value=code, mend="give one place for it")
    for it in edits.add:
        if it.station in known:
            problems.add("--add", "is a station already", value=it.station, mend="take another code, or --move it")


def _place(option: str, text: str, problems: Problems, *, has_units: bool) -> Place | None:
    parts = [part.strip() for part in text.split(",")]
    wanted = "CODE,lat,lon[,UNITS]" if has_units else "CODE,lat,lon"
    if not 3 <= len(parts) <= (4 if has_units else 3) or not parts[0]:
        problems.add(option, "cannot be read", value=text, mend=f"write {wanted}")
        return None
    try:
        lat, lon = float(parts[1]), float(parts[2])
    except ValueError:
        problems.add(option, "(lat, lon) are no numbers", value=",".join(parts[1:3]), mend=f"write {wanted}")
        return None
    units = _counts(option, parts[3] if len(parts) > 3 else "1", problems) if has_units else ()
    return None if units is None else Place(parts[0], lat, lon, units)


def _unit_change(text: str, problems: Problems) -> UnitChange | None:
    station, _, change = (part.strip() for part in text.partition("="))
    if not station or change[:1] not in ("+", "-"):
        problems.add("--units", "cannot be read", value=text, mend="write STATION=+1, STATION=-1 or STATION=+1:TYPE")
        return None
    units = _counts("--units", change[1:], problems)
    return None if units is None else UnitChange(station, 1 if change[0] == "+" else -1, units)


def _counts(option: str, text: str, problems: Problems) -> tuple[UnitCount, ...] | None:
    found = []
    for part in text.split("+"):
        match = _UNITS.fullmatch(part.strip())
        if match is None or not 1 <= int(match[1]) <= _MOST_UNITS:
            mend = f"write a number from 1 to {_MOST_UNITS}, or numbers by type such as 1:engine+1:ladder"
            problems.add(option, "(units) cannot be read", value=text, mend=mend)
            return None
        found.append(UnitCount(int(match[1]), (match[2] or "").strip()))
    return tuple(found)
