"""`dgsim replay`: given calls once more, on the stations of then and on others, compared call by call."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sim.commands.options import add_language, add_overrides, parser_of

if TYPE_CHECKING:
    from calibration.replay.run import Wish

_DRAWS = 20
_MOST_DRAWS = 10_000


def command(argv: Sequence[str]) -> int:
    """Replay the calls of a log and write tables and a report into a folder."""
    given = _parser().parse_intermixed_args(list(argv))
    from calibration.replay.page import page_of_replay
    from calibration.replay.run import replay
    from calibration.replay.write import check_target, key_of, write_replay

    wish, begun = _wish(given), time.perf_counter()

    def told(step: str) -> None:
        print(f"{time.perf_counter() - begun:7.1f} s  {step}", file=sys.stderr)

    found = replay(wish, told)
    key = key_of(found)
    folder = given.out or Path("outputs") / "replay" / f"{wish.city.resolve().name}-{key[:12]}"
    check_target(folder, key)
    told("writing")
    write_replay(found, folder, page_of_replay(found, given.lang or "zh"))
    told("done")
    print(f"{len(found.given.calls)} calls replayed: {folder}")
    print(f"report: {folder / 'report.html'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("replay", "Replay a log's calls on the stations of then and on others; compare call by call.")
    parser.add_argument("city", type=Path, metavar="CITY", help="city folder: stations.csv at least")
    parser.add_argument("records", type=Path, metavar="RECORDS", help="folder of the records (docs/records.md)")
    add_overrides(parser)
    parser.add_argument(
        "--durations", choices=("recorded", "fitted", "both"), default="both",
        help="recorded: nothing is drawn; fitted: all is; both: what is not on record (default)",
    )  # fmt: skip
    several = {"action": "append", "default": []}
    parser.add_argument("--close", metavar="STATION[,…]", help="stations that close", **several)
    parser.add_argument("--add", metavar="CODE,LAT,LON[,UNITS]", help="a station more, with units (1)", **several)
    parser.add_argument("--move", metavar="CODE,LAT,LON", help="a station with its units elsewhere", **several)
    parser.add_argument("--units", metavar="STATION=+1[:TYPE]", help="units that a station gets or loses", **several)
    parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first day played (the log's first)")
    parser.add_argument("--until", dest="last", metavar="YYYY-MM-DD", help="last day played (the log's last)")
    parser.add_argument("--home-speed", type=float, default=1.0, metavar="F", help="speed homeward over outward (1)")
    parser.add_argument("--draws", type=int, metavar="N", help=f"replays with other chance ({_DRAWS})")
    parser.add_argument("--seed", type=int, metavar="N", help="of the chance (0)")
    parser.add_argument("--time-zone", default="", metavar="ZONE", help="of local times, if records.yaml has none")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the result (outputs/replay/CITY-KEY)")
    add_language(parser)
    return parser


def _wish(given: argparse.Namespace) -> Wish:
    """Return what is asked for, or raise everything wrong with it at once."""
    from calibration.replay.edits import read_edits
    from calibration.replay.given import Durations
    from calibration.replay.run import Wish
    from sim.errors import Problems

    problems, durations = Problems(), Durations(given.durations)
    edits = read_edits(given.close, given.add, given.move, given.units, problems)
    days = {}
    for option, text in (("--from", given.first), ("--until", given.last)):
        try:
            days[option] = None if text is None else date.fromisoformat(text)
        except ValueError:
            problems.add(option, "is no day", value=text, mend="write YYYY-MM-DD")
    if not 0.05 <= given.home_speed <= 20:
        problems.add("--home-speed", "is not 0.05 to 20", value=given.home_speed, mend="1 is as fast as outward")
    if durations is Durations.RECORDED and (given.draws is not None or given.seed is not None):
        rule = "say nothing with --durations recorded, as nothing is drawn"
        problems.add("--draws and --seed", rule, mend="leave them out, or take --durations both")
    if given.draws is not None and not 1 <= given.draws <= _MOST_DRAWS:
        problems.add("--draws", f"is not 1 to {_MOST_DRAWS}", value=given.draws)
    if given.seed is not None and given.seed < 0:
        problems.add("--seed", "is below 0", value=given.seed)
    for name, folder in (("CITY", given.city), ("RECORDS", given.records)):
        if not folder.is_dir():
            problems.add(name, "is no folder", value=str(folder), mend="name a folder that exists")
    problems.raise_if_any()
    n_draws = 1 if durations is Durations.RECORDED else given.draws or _DRAWS
    return Wish(
        given.city, given.records, tuple(given.overrides), given.time_zone, durations, edits, days["--from"],
        days["--until"], given.home_speed, n_draws, given.seed or 0,
    )  # fmt: skip
