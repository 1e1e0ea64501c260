"""Read and clean a folder of records.

Steps: `records.yaml` -> files -> columns of the schema -> times, durations and places -> rejected rows -> mended values
-> frames. What cannot be understood without being told is one error that lists everything; what is wrong with single
rows goes into the account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.records.account import Ledger
from calibration.records.frames import (
    Records,
    empty_responses,
    incident_frame,
    response_frame,
    with_first_arrivals,
)
from calibration.records.marks import Calls, Timeline, call_times, is_near_in_time, is_placed_in_time, timeline
from calibration.records.part import Mask, Part, read_part
from calibration.records.places import check_crs, clean_places
from calibration.records.schema import INCIDENTS, RESPONSES, SCHEMA_VERSION, RecordSpec
from calibration.records.settings import NAME, RecordSettings, check_zone, read_settings
from calibration.records.sources import Sheet, find_file, match_columns, read_sheet
from calibration.records.stamps import resolution
from calibration.records.values import read_flags
from sim.errors import InputError, Problem, Problems, nearest_name

if TYPE_CHECKING:
    import pandas as pd

_PLACES = "lat and lon, x and y, zone, or cell"


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file whose columns are understood: its path, sheet and part."""

    path: Path
    sheet: Sheet
    part: Part


def read_records(folder: Path, time_zone: str = "", kinds: Collection[str] = ()) -> Records:
    """Return the records in `folder`, cleaned, with an account of every row.

    Parameters
    ----------
    folder : holds `incidents.*`, perhaps `responses.*`, perhaps `records.yaml` (see docs/records.md).
    time_zone : IANA name, where `records.yaml` gives none.
    kinds : the kinds that run cards know; others are flagged. Empty: those that `records.yaml` translates to, if any.

    Raises
    ------
    InputError
        With everything that has to be mended or declared before the files can be understood, or if no row is left.
    """
    problems = Problems()
    ledger = Ledger()
    if not folder.is_dir():
        raise InputError([Problem(str(folder), "is no folder", mend="give the folder that holds the records")])
    settings = read_settings(folder, problems)
    problems.raise_if_any()  # of files read by other settings than meant, any further message would mislead
    if time_zone and settings.time_zone and time_zone != settings.time_zone:
        rule, mend = f"contradicts time_zone of {NAME}, which is {settings.time_zone}", "leave one of them out"
        problems.add("--time-zone", rule, value=time_zone, mend=mend)
    zone = settings.time_zone or time_zone
    check_zone(zone, problems)
    opened = {spec.name: _open(folder, spec, settings, ledger, problems) for spec in (INCIDENTS, RESPONSES)}
    of_incidents, of_responses = opened["incidents"], opened["responses"]
    if of_incidents is not None:
        check_crs(of_incidents.part, settings.crs, problems)
        if of_responses is not None and "id" not in of_incidents.part.texts:
            rule = "(id) column is missing, so that no response can be told its incident"
            problems.add(of_incidents.part.where, rule, row=1, mend=f"add it, or map a header to id in {NAME}")
    problems.raise_if_any()
    assert of_incidents is not None  # its absence was a problem
    if of_responses is not None and of_responses.path == of_incidents.path:
        of_incidents = _once_each(of_incidents, ledger)
    incidents, by_id = _incidents(of_incidents, settings, zone, kinds, ledger)
    responses = empty_responses()
    if of_responses is not None:
        every_id = frozenset(of_incidents.part.text("id").tolist())
        responses = _responses(of_responses, (incidents, by_id, every_id), zone, ledger)
        incidents = with_first_arrivals(incidents, responses)
    files = [file for file in (of_incidents, of_responses) if file is not None]
    _note_extent(of_incidents.part.where, incidents, settings, ledger)
    return Records(
        incidents, responses, ledger.account(), _digest(files, settings, zone), zone, settings.crs or "WGS84",
        {file.part.where: _resolutions(file.part) for file in files},
    )  # fmt: skip


# --- files and columns ------------------------------------------------------------------------------------------------


def _open(
    folder: Path, spec: RecordSpec, settings: RecordSettings, ledger: Ledger, problems: Problems
) -> _Opened | None:
    n_before = len(problems.found)
    path = find_file(folder, spec, settings.of(spec), problems)
    if path is None:
        if spec is INCIDENTS and len(problems.found) == n_before:
            mend = f"name the file: incidents.csv, .parquet or .xlsx, or incidents.file in {NAME}"
            problems.add(str(folder), "holds no incident file", mend=mend)
        return None
    sheet = read_sheet(path, problems)
    if sheet is None:
        return None
    positions, units, unused = match_columns(spec, sheet, settings.of(spec), problems)
    _check_compulsory(spec, sheet, positions, unused, problems)
    dates = (settings.date_order, settings.date_format)
    part = read_part(spec, sheet, positions, units, settings.of(spec), dates, problems)
    _note_reading(part, unused, ledger)
    return _Opened(path, sheet, part)


def _check_compulsory(
    spec: RecordSpec, sheet: Sheet, positions: Mapping[str, int], unused: tuple[str, ...], problems: Problems
) -> None:
    name = "call" if spec is INCIDENTS else "incident_id"
    if name not in positions:
        near = nearest_name(name, unused) if unused else ""
        mend = f"map a header to {name} under {spec.name}.columns in {NAME}; {near}".rstrip("; ")
        problems.add(sheet.where, f"({name}) column is missing", row=1, mend=mend)
    is_placed = ({"lat", "lon"} <= positions.keys() or {"x", "y"} <= positions.keys()
                 or "zone" in positions or "cell" in positions)  # fmt: skip
    if spec is INCIDENTS and not is_placed:
        mend = f"map headers to {_PLACES} under incidents.columns in {NAME}"
        problems.add(sheet.where, "has no place", row=1, mend=mend)


def _note_reading(part: Part, unused: tuple[str, ...], ledger: Ledger) -> None:
    for name, stamps in part.stamps.items():
        forms = ", ".join(f"{form} ({n})" for form, n in stamps.forms)
        ledger.notes.append(f"{part.where}: {name} read as {forms or 'empty'}, resolution {stamps.resolution_s:g} s")
    for name, durations in part.durations.items():
        ledger.notes.append(f"{part.where}: {name} has resolution {durations.resolution_s:g} s")
    if unused:
        ledger.notes.append(f"{part.where}: headers not used: {', '.join(unused)}")


def _once_each(opened: _Opened, ledger: Ledger) -> _Opened:
    """Return the incidents of a file that repeats them with every unit: what is the unit's is left to the responses.

    Rows that differ in what is the incident's stay, for the rule on repeated ids.
    """
    part = opened.part
    own = {name: texts for name, texts in part.texts.items() if name not in RESPONSES.names}
    where = f"{part.where} (incidents)"
    part = replace(
        part,
        where=where,
        texts=own,
        stamps={name: stamps for name, stamps in part.stamps.items() if name in own},
        durations={name: durations for name, durations in part.durations.items() if name in own},
    )
    once = part.take(~_repeated(*own.values()))
    ledger.notes.append(f"{where}: {len(part.rows)} rows of units give {len(once.rows)} of incidents")
    sheet = replace(opened.sheet, where=where, cells=tuple(once.texts.values()), rows=once.rows, ragged=())
    return _Opened(opened.path, sheet, once)


# --- rows -------------------------------------------------------------------------------------------------------------


def _whole_rows(opened: _Opened, key: str, ledger: Ledger) -> Part:
    """Return the rows that match the header, without repeated ones if they have a `key` to be told apart by."""
    sheet, part = opened.sheet, opened.part
    lines = np.array([line for line, _ in sheet.ragged], dtype=np.int64)
    texts = np.array([text for _, text in sheet.ragged], dtype=object)
    ledger.note(part.where, "ragged_row", "", lines, texts)
    ledger.n_read[part.where] = len(part.rows) + len(lines)
    is_repeated = _repeated(*sheet.cells)
    if key in part.texts:
        return part.reject("duplicate_row", key, is_repeated, ledger)
    part.note("duplicate_unsure", key, is_repeated, ledger)
    return part


def _repeated(*columns: NDArray[np.object_]) -> Mask:
    import pandas as pd

    repeated: Mask = pd.DataFrame(dict(enumerate(columns))).duplicated().to_numpy()
    return repeated


def _incidents(
    opened: _Opened, settings: RecordSettings, zone: str, kinds: Collection[str], ledger: Ledger
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the incident frame and the position of each id in it."""
    part = _whole_rows(opened, "id", ledger)
    ids = part.text("id")
    part = part.reject("duplicate_id", "id", (ids != "") & _repeated(ids), ledger)
    is_given = part.texts["call"] != ""
    part = part.reject("call_missing", "call", ~is_given, ledger)
    part = part.reject("call_unreadable", "call", ~is_placed_in_time(part), ledger)
    part = part.reject("call_far", "call", ~is_near_in_time(part), ledger)
    places = clean_places(part, settings.bounds, ledger)
    part = places.part
    ledger.n_kept[part.where] = len(part.rows)
    if not len(part.rows):
        raise _nothing_left(part.where, ledger)
    calls = call_times(part, zone, ledger)
    times = timeline(part, calls, zone, ledger)
    part = _translated(part, settings, kinds, ledger)
    _flag(part, times, ledger)
    frame = incident_frame(part, calls, times, places.coordinates, zone)
    return frame, {name: i for i, name in enumerate(frame["id"])}


def _responses(
    opened: _Opened, of: tuple[pd.DataFrame, Mapping[str, int], frozenset[str]], zone: str, ledger: Ledger
) -> pd.DataFrame:
    """Return the response frame; `of` is the incident frame, its ids' positions, and every id of the incident file."""
    incidents, by_id, every_id = of
    part = _whole_rows(opened, "unit", ledger)
    ids = part.texts["incident_id"]
    part = part.reject("incident_missing", "incident_id", ids == "", ledger)
    is_known = np.array([name in every_id for name in part.texts["incident_id"]], dtype=np.bool_)
    if not is_known.any():
        raise _none_belongs(part, every_id)
    part = part.reject("incident_unknown", "incident_id", ~is_known, ledger)
    is_kept = np.array([name in by_id for name in part.texts["incident_id"]], dtype=np.bool_)
    part = part.reject("incident_rejected", "incident_id", ~is_kept, ledger)
    ledger.n_kept[part.where] = len(part.rows)
    incident = np.array([by_id[name] for name in part.texts["incident_id"]], dtype=np.int64)
    utc = incidents["call_ms"].to_numpy()[incident]
    local = utc + incidents["offset_s"].to_numpy()[incident] * 1000
    calls = Calls(local, utc, resolution(utc / 1000.0))
    times = timeline(part, calls, zone, ledger)
    _flag(part, times, ledger)
    _flag_twice(part, utc / 1000.0, times, ledger)
    return response_frame(part, incident, times)


def _translated(part: Part, settings: RecordSettings, kinds: Collection[str], ledger: Ledger) -> Part:
    """Return the part with kinds in the city's words; unknown ones are flagged and keep their own."""

    words = {str(own): kind for own, kind in settings.kinds.items()}
    known = set(kinds) or set(words.values())
    if "kind" not in part.texts or not known:
        return part
    texts = np.array([words.get(text, text) for text in part.texts["kind"]], dtype=object)
    is_unknown = np.array([bool(text) and text not in known for text in texts], dtype=np.bool_)
    part.note("kind_unknown", "kind", is_unknown, ledger)
    return replace(part, texts={**part.texts, "kind": texts})


def _flag(part: Part, times: Timeline, ledger: Ledger) -> None:
    """Enter cancelled rows, walk-ins, and those that nobody arrived at."""
    is_excused = np.zeros(len(part.rows), dtype=np.bool_)
    for field in part.spec.of_kind("flag"):
        is_set, is_unreadable = read_flags(part.text(field.name))
        part.note(field.name, field.name, is_set, ledger)
        part.note("cell_unreadable", field.name, is_unreadable, ledger)
        is_excused |= is_set
    is_known = np.isfinite(times.offset_s["arrival"])
    for field in part.spec.of_kind("duration"):
        if field.between and field.between[1] == "arrival":
            is_known |= np.isfinite(times.interval_s[field.name])
    if is_known.any():
        part.note("never_arrives", "arrival", ~is_known & ~is_excused, ledger)


def _flag_twice(part: Part, call_s: NDArray[np.float64], times: Timeline, ledger: Ledger) -> None:
    """Enter responses of a unit that begin before its response before them, in order of dispatch, is clear."""
    units, unit = np.unique(part.text("unit").astype(str), return_inverse=True)
    start_s = call_s + times.offset_s["dispatch"]
    order = np.lexsort((part.rows, start_s, unit))
    clear_s = (call_s + times.offset_s["clear"])[order]
    is_same = (unit[order][1:] == unit[order][:-1]) & (units[unit[order][1:]] != "")
    is_twice = np.zeros(len(part.rows), dtype=np.bool_)
    is_twice[order[1:]] = is_same & (start_s[order][1:] < clear_s[:-1])
    part.note("unit_twice", "unit", is_twice, ledger)


# --- the whole --------------------------------------------------------------------------------------------------------


def _nothing_left(where: str, ledger: Ledger) -> InputError:
    counts = ledger.account().counts
    shares = ", ".join(f"{code} {n}" for code, n in zip(counts["code"], counts["n"], strict=True))
    return InputError(
        [Problem(where, f"has no row left: {shares}", mend="mend the rows or declare how they are written")]
    )


def _none_belongs(part: Part, every_id: frozenset[str]) -> InputError:
    """Return the error of a response file none of whose rows names an incident on file."""
    rule = "(incident_id) names no incident on file, nor does any other row"
    first = next(iter(part.texts["incident_id"]), None)
    row = int(part.rows[0]) if len(part.rows) else None
    mend = f"ids there look like {min(every_id)!r}: write both alike, or map another header under responses.columns"
    return InputError([Problem(part.where, rule, first, row, mend)])


def _note_extent(where: str, incidents: pd.DataFrame, settings: RecordSettings, ledger: Ledger) -> None:
    """Note what the whole log is too short for, and what places could not be held against."""
    if len(incidents) == 1:
        ledger.notes.append(f"{where}: one incident only: nothing can be fitted to it and nothing held out")
    if incidents["date"].nunique() == 1:
        day = incidents["date"].iloc[0].date()
        ledger.notes.append(f"{where}: all calls are of one day ({day}): no weekday, month or drift can be told")
    if not settings.bounds and incidents["lat"].notna().any():
        ledger.notes.append(
            f"{where}: places were held against their own median, as {NAME} gives no bounds; latitude and longitude "
            "exchanged in every row would not be seen where both stay below 90 degrees"
        )


def _resolutions(part: Part) -> dict[str, float]:
    times = {name: stamps.resolution_s for name, stamps in part.stamps.items()}
    return {**times, **{name: durations.resolution_s for name, durations in part.durations.items()}}


def _digest(files: list[_Opened], settings: RecordSettings, zone: str) -> str:
    """Return the SHA-256 over the schema's version, the settings, the zone, and the bytes of the files."""
    said = json.dumps([SCHEMA_VERSION, asdict(settings), zone], sort_keys=True, ensure_ascii=False)
    whole = hashlib.sha256(said.encode("utf-8"))
    for file in files:
        whole.update(hashlib.sha256(file.path.read_bytes()).digest())
    return whole.hexdigest()
