"""`dgsim backtest CITY RECORDS`: fit one side of the records, predict the other, and say how well it does.

Steps: read and split -> fit -> predict -> score (`calibration/backtest/run.py`) -> files of one directory, renamed into
its place when it is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibration.commands.options import (
    LEAST_DRAWS,
    MOST_DRAWS,
    MOST_SEED,
    check_number,
    parser_for,
    read_day,
)
from calibration.commands.progress import Progress
from sim.errors import Problems

if TYPE_CHECKING:
    from calibration.backtest.run import Backtest, Prepared
    from calibration.backtest.split import Split
    from calibration.commands.made import Inputs

QUANTILES, SCORES = "quantiles.parquet", "scores.json"


def command(argv: Sequence[str]) -> int:
    """Make a backtest, or say that it is there already."""
    parser = parser_for("backtest", "Fit the model to one part of the records and score its prediction of the rest.")
    parser.add_argument(
        "--split", metavar="YYYY-MM-DD", help="first day held out (default: the last quarter of the days)"
    )
    parser.add_argument(
        "--by", choices=("date", "place"), default="date", help="hold out by date (default) or by place"
    )
    parser.add_argument("--draws", type=int, default=200, metavar="N", help="histories simulated (default: 200)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="directory to write (default: outputs/backtest/CITY-SPLIT)"
    )
    given = parser.parse_intermixed_args(list(argv))
    problems = Problems()
    at = read_day("--split", given.split, problems)
    check_number("--draws", given.draws, LEAST_DRAWS, MOST_DRAWS, problems)
    check_number("--seed", given.seed, 0, MOST_SEED, problems)
    if given.split is not None and given.by == "place":
        problems.add(
            "--split", "is a day, and --by place holds out no days", value=given.split, mend="give one of them"
        )
    problems.raise_if_any()
    from calibration.backtest.run import backtest, prepare
    from calibration.commands.checks import check_prepared
    from calibration.commands.made import city_name, inputs_of, is_there

    progress = Progress()
    prepared = prepare(given.city, given.records, tuple(given.overrides), given.time_zone, progress.step)
    check_prepared(prepared, given.overrides)
    split = _split(prepared, given.by, at, given.seed)
    options = {
        "split": str(split.at) if split.at else "place", "draws": given.draws, "seed": given.seed,
        "overrides": given.overrides, "time_zone": prepared.records.time_zone, "lang": given.lang,
    }  # fmt: skip
    inputs = inputs_of("backtest", given.city, given.records, prepared, argv, options)
    name = city_name(given.city)
    out = given.out or Path("outputs") / "backtest" / f"{name}-{options['split']}"
    if is_there(out, inputs, "backtest", is_fresh=given.fresh):
        print(f"{out}: is there already, made from the same records, city, options and program; nothing done")
        return 0
    found = backtest(
        prepared, split, n_draws=given.draws, seed=given.seed, told=progress.step,
        drawn=lambda n: progress.draw(n, given.draws),
    )  # fmt: skip
    _write(out, inputs, found, name, given, progress)
    _tell(found, out)
    return 0


def _split(prepared: Prepared, by: str, at: date | None, seed: int) -> Split:
    from calibration.backtest.split import by_date, by_place

    return by_date(prepared.samples, at) if by == "date" else by_place(prepared.samples, prepared.zones, seed=seed)


def _write(out: Path, inputs: Inputs, found: Backtest, name: str, given: Any, progress: Progress) -> None:
    from calibration.backtest.tables import figures, quantile_table
    from calibration.commands.made import PARAMS, REPORT, file_words, write_account, write_directory
    from calibration.commands.params import write_fitted
    from calibration.page.backtest import backtest_page
    from sim.provenance import to_json

    made = inputs.made(
        name, file_words((PARAMS, QUANTILES, SCORES)), {"seed": str(given.seed), "draws": str(given.draws)}
    )

    def fill(folder: Path) -> None:
        progress.step("writing tables")
        write_fitted(folder / PARAMS, found.fitted, found.generative.generator.demand, found.prepared)
        quantile_table(found).to_parquet(folder / QUANTILES, index=False)
        (folder / SCORES).write_text(to_json(figures(found), is_sorted=False), encoding="utf-8", newline="\n")
        write_account(folder, found.prepared)
        progress.step("writing the page")
        (folder / REPORT).write_text(backtest_page(found, made, given.lang), encoding="utf-8", newline="\n")
        progress.end()

    def timings() -> dict[str, Any]:
        return {"clean_and_fit_s": found.fit_s, "whole_s": progress.elapsed_s, "steps_s": progress.seconds}

    write_directory(out, inputs, fill, timings)


def _tell(found: Backtest, out: Path) -> None:
    for each in found.verdict.judgements:
        print(f"{each.outcome.value:<15} {each.name.en}: {each.reason.en}")
    print(found.verdict.sentence.en)
    print(f"report: {out / 'report.html'}")
