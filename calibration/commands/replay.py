"""`dgsim replay CITY RECORDS`: given calls once more, on the stations of then and on others, compared call by call.

Steps: read -> change -> fit what is not on record -> play before and after (`calibration/replay/run.py`) -> files of
one directory, renamed into its place when it is whole.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibration.commands.options import MOST_SEED, check_number, parser_for, read_day
from calibration.commands.progress import Progress
from sim.errors import Problems

if TYPE_CHECKING:
    from calibration.commands.made import Inputs
    from calibration.replay.run import Replay, Wish

CALLS, UNITS, STAGES = "calls.parquet", "units.parquet", "stages.json"
_DRAWS, _MOST_DRAWS = 20, 2000
_SPEEDS = (0.05, 20.0)


def command(argv: Sequence[str]) -> int:
    """Replay the calls of a log, or say that it is done already."""
    given = _parser().parse_intermixed_args(list(argv))
    wish = _wish(given)
    from calibration.commands.made import city_name, inputs_of, is_there
    from calibration.replay.run import prepare_for, replay

    progress = Progress()
    prepared = prepare_for(wish, progress.step)
    inputs = inputs_of("replay", wish.city, wish.records, prepared, argv, _options(given, wish))
    name = city_name(wish.city)
    out = given.out or Path("outputs") / "replay" / f"{name}-{inputs.sha256[:12]}"
    if is_there(out, inputs, "replay", is_fresh=given.fresh):
        print(f"{out}: is there already, made from the same records, city, options and program; nothing done")
        return 0
    found = replay(wish, prepared, progress.step, lambda n: progress.draw(n, wish.n_draws))
    _write(out, inputs, found, name, given.lang, progress)
    print(f"{len(found.given.calls)} calls replayed: {out}")
    print(f"report: {out / 'report.html'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = parser_for("replay", "Replay a log's calls on the stations of then and on others, compared call by call.")
    parser.set_defaults(seed=None)
    parser.add_argument(
        "--durations", choices=("recorded", "fitted", "both"), default="both",
        help="recorded: nothing is drawn; fitted: all is; both: what is not on record (default)",
    )  # fmt: skip
    for option, form, told in (
        ("--close", "STATION[,STATION]", "stations that close"),
        ("--add", "CODE,LAT,LON[,UNITS]", "a station more, with so many units (default: 1)"),
        ("--move", "CODE,LAT,LON", "a station, with its units, elsewhere"),
        ("--units", "STATION=+N[:TYPE]", "units that a station gets, or with - loses"),
    ):
        parser.add_argument(option, action="append", default=[], metavar=form, help=f"{told}; may be given again")
    parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first day played (default: the log's)")
    parser.add_argument("--until", dest="last", metavar="YYYY-MM-DD", help="last day played (default: the log's)")
    parser.add_argument(
        "--home-speed", type=float, metavar="F", help="speed homeward over outward (default: as fitted, else 1)"
    )
    parser.add_argument("--draws", type=int, metavar="N", help=f"replays, each with other chance (default: {_DRAWS})")
    parser.add_argument("--out", type=Path, metavar="DIR", help="directory to write (default: outputs/replay/CITY-KEY)")
    return parser


def _wish(given: argparse.Namespace) -> Wish:
    """Return what is asked for, or raise everything wrong with it at once."""
    from calibration.replay.edits import read_edits
    from calibration.replay.given import Durations
    from calibration.replay.run import Wish

    problems, durations = Problems(), Durations(given.durations)
    edits = read_edits(given.close, given.add, given.move, given.units, problems)
    first, last = read_day("--from", given.first, problems), read_day("--until", given.last, problems)
    low, high = _SPEEDS
    if given.home_speed is not None and not low <= given.home_speed <= high:
        rule = f"must lie between {low:g} and {high:g}"
        problems.add("--home-speed", rule, value=given.home_speed, mend="1 is as fast as outward")
    for option, value, least, most in (("--draws", given.draws, 1, _MOST_DRAWS), ("--seed", given.seed, 0, MOST_SEED)):
        if value is None:
            continue
        check_number(option, value, least, most, problems)
        if durations is Durations.RECORDED:
            rule = "says nothing with --durations recorded, as nothing is drawn"
            problems.add(option, rule, value=value, mend="leave it out, or take --durations both")
    problems.raise_if_any()
    n_draws = 1 if durations is Durations.RECORDED else given.draws or _DRAWS
    return Wish(
        given.city, given.records, tuple(given.overrides), given.time_zone, durations, edits, first, last,
        given.home_speed, n_draws, given.seed or 0,
    )  # fmt: skip


def _options(given: argparse.Namespace, wish: Wish) -> dict[str, Any]:
    """Return everything on the command line that decides what comes out, with digests of the files it names."""
    from dataclasses import asdict

    from sim.provenance import sha256_of_file

    named = {text: Path(text.partition("=")[2]) for text in wish.overrides}
    files = {text.partition("=")[0]: sha256_of_file(path) for text, path in named.items() if path.is_file()}
    return {
        "durations": wish.durations.value, "edits": asdict(wish.edits), "first": str(wish.first),
        "last": str(wish.last), "home_speed": wish.home_speed, "draws": wish.n_draws, "seed": wish.seed,
        "overrides": list(wish.overrides), "files": files, "time_zone": wish.time_zone, "lang": given.lang,
    }  # fmt: skip


def _write(out: Path, inputs: Inputs, found: Replay, name: str, lang: str, progress: Progress) -> None:
    from calibration.commands.made import REPORT, file_words, write_account, write_directory
    from calibration.page.replay import replay_page
    from calibration.replay.tables import calls_table, stages_table, units_table
    from sim.provenance import to_json

    wish = found.wish
    drawn = {} if found.is_exact else {"seed": str(wish.seed), "draws": str(wish.n_draws)}
    made = inputs.made(name, file_words((CALLS, UNITS, STAGES)), drawn)

    def fill(folder: Path) -> None:
        progress.step("writing tables")
        calls_table(found).to_parquet(folder / CALLS, index=False)
        units_table(found).to_parquet(folder / UNITS, index=False)
        (folder / STAGES).write_text(to_json(stages_table(found), is_sorted=False), encoding="utf-8", newline="\n")
        write_account(folder, found.prepared)
        progress.step("writing the page")
        (folder / REPORT).write_text(replay_page(found, made, lang), encoding="utf-8", newline="\n")
        progress.end()

    def timings() -> dict[str, Any]:
        return {"whole_s": progress.elapsed_s, "steps_s": progress.seconds}

    write_directory(out, inputs, fill, timings)
