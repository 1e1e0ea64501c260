"""What a replay leaves on disk: one row per call, one per unit, the account of the records, and its own record.

The same command on the same files gives the same bytes: nothing here knows the time, the machine or the folder it is
written to.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from calibration.replay.compare import most_often
from calibration.replay.run import Replay, Side, Wish
from sim.errors import RunDirectoryError
from sim.provenance import city_digest, sha256_of_file, to_json, whole_folder

CALLS, UNITS, ACCOUNT, RECORD, REPORT = "calls.parquet", "units.parquet", "account.csv", "record.json", "report.html"
RECORD_VERSION = 1


def calls_table(found: Replay) -> pd.DataFrame:
    """Return one row per call played: what is on record, and before and after what was simulated.

    Arrivals are means over the draws, s after the call as the log counts, infinite where no draw reached the call;
    station and unit are those that came first most often.
    """
    given, prepared = found.given, found.prepared
    frame = prepared.records.incidents.iloc[given.calls.identity.astype(np.int64)]
    zone = given.calls.zone
    x_m, y_m = prepared.placed.x_m[given.calls.identity], prepared.placed.y_m[given.calls.identity]
    names = found.before.cast.resources.ground.station
    table = {
        "id": frame["id"].to_numpy(), "call_local_ms": given.calls.local_ms, "x_m": x_m, "y_m": y_m, "zone": zone,
        "kind": np.array(given.calls.kinds, dtype=object)[given.calls.kind], "n_units": given.n_needs,
        "recorded_first_s": given.first_s, "recorded_second_s": given.second_s,
        "recorded_station": _named(given.station, names), "recorded_unit": _named(given.unit, given.units),
    }  # fmt: skip
    for name, side in _sides(found):
        table |= _of_side(name, side)
    if found.after is not None:
        for arrival in ("first", "second"):
            table[f"change_{arrival}_s"] = table[f"after_{arrival}_s"] - table[f"before_{arrival}_s"]
    return pd.DataFrame(table)


def _sides(found: Replay) -> list[tuple[str, Side]]:
    return [("before", found.before)] + ([("after", found.after)] if found.after is not None else [])


def _of_side(name: str, side: Side) -> dict[str, Any]:
    played, cast = side.played, side.cast
    stations = cast.resources.ground.station
    return {
        f"{name}_first_s": mean_arrival(played.first_s), f"{name}_second_s": mean_arrival(played.second_s),
        f"{name}_station": _named(most_often(played.station(cast)).astype(np.int64), stations),
        f"{name}_unit": _named(most_often(played.unit).astype(np.int64), cast.resources.unit),
    }  # fmt: skip


def mean_arrival(arrival: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return means over draws (n_calls, n_draws): infinite where one of them is, NaN where there is none."""
    has = ~np.isnan(arrival)
    total = np.where(has, arrival, 0.0).sum(axis=1, dtype=np.float64)
    n = has.sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _named(at: Any, names: tuple[str, ...]) -> Any:
    """Return names by position, None at -1."""
    return np.array([*names, None], dtype=object)[at]


def units_table(found: Replay) -> pd.DataFrame:
    """Return one row per unit of either side: its station, type, and the share of the days that it was out."""
    frames = []
    for name, side in _sides(found):
        of = side.cast.resources
        busy = side.played.busy_s / side.played.span_s
        station = np.array(of.ground.station, dtype=object)[of.fleet.station]
        kind = np.array(of.fleet.types, dtype=object)[of.fleet.type]
        frames.append(
            pd.DataFrame({"unit": of.unit, "station": station, "type": kind, f"{name}_busy_share": busy}).set_index(
                ["unit", "station", "type"]
            )
        )
    whole = pd.concat(frames, axis=1) if len(frames) > 1 else frames[0]
    return whole.reset_index().sort_values(["station", "unit"], kind="stable").reset_index(drop=True)


def record_of(found: Replay) -> dict[str, Any]:
    """Return what was played, from what, with what shares on record: enough to play it again."""
    wish, given = found.wish, found.given
    return {
        "version": RECORD_VERSION,
        "key": key_of(found),
        "command": command_of(wish),
        "records_digest": found.prepared.records.digest,
        "city_digest": city_digest(wish.city),
        "given_files": given_files(wish),
        "durations": wish.durations.value,
        "draws": wish.n_draws,
        "seed": wish.seed,
        "calls": len(given.calls),
        "stages": {
            stage.value: {"needed": it.n, "recorded": it.n_recorded, "assumed": it.assumed}
            for stage, it in given.shares.items()
        },
        "said": [*found.prepared.samples.said, *given.said],
        "rows": {
            name: {"read": n, "kept": found.prepared.records.account.n_kept[name]}
            for name, n in found.prepared.records.account.n_read.items()
        },
    }


def given_files(wish: Wish) -> dict[str, str]:
    """Return the SHA-256 of every file that an override names, by the override's key."""
    parts = [text.partition("=") for text in wish.overrides]
    return {key: sha256_of_file(Path(value)) for key, _, value in parts if value and Path(value).is_file()}


def key_of(found: Replay) -> str:
    """Return the digest of everything that the result depends on."""
    wish = found.wish
    edits = json.dumps(dataclasses.asdict(wish.edits), sort_keys=True)
    parts = [
        str(RECORD_VERSION), found.prepared.records.digest, city_digest(wish.city), edits, wish.durations.value,
        str(wish.first), str(wish.last), repr(wish.home_speed), str(wish.n_draws), str(wish.seed),
        *(text for text in wish.overrides if not Path(text.partition("=")[2]).is_file()),
        *(f"{key}={digest}" for key, digest in sorted(given_files(wish).items())),
    ]  # fmt: skip
    return hashlib.sha256("|".join(parts).encode("utf-8")).hexdigest()


def command_of(wish: Wish) -> str:
    """Return the command that makes this replay."""
    import shlex

    words = ["dgsim", "replay", str(wish.city), str(wish.records), "--durations", wish.durations.value]
    edits = wish.edits
    words += ["--close", ",".join(edits.close)] if edits.close else []
    for place in edits.add:
        words += ["--add", f"{place.station},{place.lat!r},{place.lon!r},{_units_text(place.units)}"]
    for place in edits.move:
        words += ["--move", f"{place.station},{place.lat!r},{place.lon!r}"]
    for change in edits.units:
        words += ["--units", f"{change.station}={'+' if change.sign > 0 else '-'}{_units_text(change.units)}"]
    words += ["--from", str(wish.first)] if wish.first else []
    words += ["--until", str(wish.last)] if wish.last else []
    words += ["--home-speed", repr(wish.home_speed)] if wish.home_speed != 1.0 else []
    words += ["--time-zone", wish.time_zone] if wish.time_zone else []
    if wish.durations.value != "recorded":
        words += ["--draws", str(wish.n_draws), "--seed", str(wish.seed)]
    return shlex.join([*words, *wish.overrides])


def _units_text(units: Any) -> str:
    return "+".join(f"{it.n}:{it.type}" if it.type else str(it.n) for it in units)


def check_target(folder: Path, key: str) -> None:
    """Raise an error where the folder holds anything but an earlier result of the same replay."""
    if not folder.exists():
        return
    record = folder / RECORD
    if record.is_file() and json.loads(record.read_text(encoding="utf-8")).get("key") == key:
        return
    raise RunDirectoryError(f"{folder}: holds something else than this replay; name another folder with --out")


def write_replay(found: Replay, folder: Path, page: str) -> None:
    """Write everything into `folder`, which is whole or not there.

    Raises
    ------
    RunDirectoryError
        If it holds something else.
    """
    check_target(folder, key_of(found))
    with whole_folder(folder, is_replacing=True) as part:
        calls_table(found).to_parquet(part / CALLS, index=False)
        units_table(found).to_parquet(part / UNITS, index=False)
        found.prepared.records.account.write(part / ACCOUNT)
        (part / RECORD).write_text(to_json(record_of(found), is_sorted=False), encoding="utf-8")
        (part / REPORT).write_text(page, encoding="utf-8", newline="\n")
