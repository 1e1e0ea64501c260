"""The command that writes a synthetic city for people to try things on."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .make import compact, sprawl


def main(arguments: Sequence[str]) -> int:
    """Write a city and its records into a folder and say where they are."""
    parser = argparse.ArgumentParser(prog="python tests/calibration/cities", description=__doc__)
    parser.add_argument("city", choices=("compact", "sprawl"))
    parser.add_argument("folder", type=Path, help="where folders `city` and `records` go; must be absent or empty")
    parser.add_argument("--calls", type=int, default=20_000, help="expected number of calls (20000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, help="days of the log (by the number of calls, 1 to 3 years)")
    parser.add_argument("--resolution", type=int, choices=(1, 60), help="of the stamps, s")
    parser.add_argument("--marks", choices=("all", "arrival", "call_to_arrival"), help="what the records hold")
    parser.add_argument("--no-stations", action="store_true", help="the records do not name stations")
    parser.add_argument("--responses", action=argparse.BooleanOptionalAction, help="a row per unit as well")
    parser.add_argument("--heavy-tails", action="store_true", help="ways with Student's t of two degrees as noise")
    parser.add_argument("--wrong-station", type=float, help="share of units sent from anywhere, such as 0.15")
    parser.add_argument("--congestion", type=float, help="s.d. of the log factor that all ways of an hour share")
    parser.add_argument("--opens-late", action="store_true", help="a station opens in the middle of the log")
    given = parser.parse_args(arguments)
    if given.folder.is_dir() and any(given.folder.iterdir()):
        parser.error(f"{given.folder} is not empty: name another folder, or empty it")
    make = compact if given.city == "compact" else sprawl
    truth = make(given.folder, given.calls, given.seed, **_otherwise(given))
    print(f"{len(truth.calls)} calls, {len(truth.history)} responses, {truth.world.n_stations} stations")
    print(f"city: {truth.city_folder}\nrecords: {truth.records_folder}")
    return 0


def _otherwise(given: argparse.Namespace) -> dict[str, Any]:
    """Return the keywords of what was asked for."""
    said = {
        "days": given.days,
        "resolution_s": given.resolution,
        "marks": given.marks,
        "has_stations": False if given.no_stations else None,
        "has_responses": given.responses,
        "noise": "heavy" if given.heavy_tails else None,
        "wrong_station": given.wrong_station,
        "congestion_sd": given.congestion,
        "opens_late": True if given.opens_late else None,
    }
    return {key: value for key, value in said.items() if value is not None}
