"""`dgsim calibrate CITY RECORDS`: fit the model to records and write its parameters, with what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibration.commands.city_out import OPTION, check_target
from calibration.commands.city_out import write as write_folder
from calibration.commands.options import MOST_SEED, check_number, parser_for, read_day
from calibration.commands.progress import Progress
from sim.errors import InputError, Problem, Problems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from calibration.backtest.run import Prepared


def command(argv: Sequence[str]) -> int:
    """Fit the model, or say that it is there already."""
    parser = parser_for("calibrate", "Fit the model to records; writes its parameters and a page of the fit.")
    parser.add_argument("--from", dest="begin", metavar="YYYY-MM-DD", help="first day that is fitted (default: all)")
    parser.add_argument("--until", dest="end", metavar="YYYY-MM-DD", help="last day that is fitted (default: all)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="directory to write (default: outputs/calibrate/CITY-FIRST-LAST)"
    )
    parser.add_argument(
        OPTION, type=Path, metavar="DIR", help="write the fit as a city folder too, and say how far its runs are off"
    )
    given = parser.parse_intermixed_args(list(argv))
    problems = Problems()
    begin, end = read_day("--from", given.begin, problems), read_day("--until", given.end, problems)
    check_number("--seed", given.seed, 0, MOST_SEED, problems)
    if begin and end and begin > end:
        problems.add("--from", "lies after --until", value=given.begin, mend=f"--until is {given.end}")
    check_target(given.city_out, problems)
    problems.raise_if_any()
    from calibration.backtest.run import prepare
    from calibration.commands.checks import check_prepared
    from calibration.commands.made import city_name, inputs_of, is_there

    progress = Progress()
    prepared = prepare(given.city, given.records, tuple(given.overrides), given.time_zone, progress.step)
    check_prepared(prepared, given.overrides)
    is_used, first, last = _used(prepared, begin, end)
    options = {
        "first": str(first), "last": str(last), "seed": given.seed, "overrides": given.overrides,
        "time_zone": prepared.records.time_zone, "lang": given.lang,
    }  # fmt: skip
    inputs = inputs_of("calibrate", given.city, given.records, prepared, argv, options)
    name = city_name(given.city)
    out = given.out or Path("outputs") / "calibrate" / f"{name}-{first}-{last}"
    if is_there(out, inputs, "fit", is_fresh=given.fresh) and given.city_out is None:
        print(f"{out}: is there already, made from the same records, city, options and program; nothing done")
        return 0
    from calibration.commands.made import PARAMS, REPORT, file_words, write_account, write_directory
    from calibration.commands.params import generator_of, write_fitted
    from calibration.model.fitted import fit_model
    from calibration.model.settle import settle
    from calibration.page.fit import fit_page

    samples = prepared.samples
    fitted = fit_model(samples, prepared.ground, prepared.zones, is_used, seed=given.seed, told=progress.step)
    progress.step("playing the calls fitted")
    fitted = settle(fitted, samples, is_used, seed=given.seed)
    progress.step("demand")
    generator = generator_of(prepared, is_used)
    demand = generator.demand
    made = inputs.made(name, file_words((PARAMS,)), {"seed": str(given.seed)})

    def fill(folder: Path) -> None:
        progress.step("writing tables and the page")
        write_fitted(folder / PARAMS, fitted, demand, prepared)
        write_account(folder, prepared)
        page = fit_page(fitted, demand, prepared, is_used, made, given.lang)
        (folder / REPORT).write_text(page, encoding="utf-8", newline="\n")
        progress.end()

    def timings() -> dict[str, Any]:
        return {"whole_s": progress.elapsed_s, "steps_s": progress.seconds}

    write_directory(out, inputs, fill, timings)
    print(f"parameters: {out / PARAMS}")
    print(f"report: {out / REPORT}")
    if given.city_out is not None:
        write_folder(given.city_out, fitted, generator, prepared, progress)
    return 0


def _used(prepared: Prepared, begin: date | None, end: date | None) -> tuple[NDArray[np.bool_], date, date]:
    """Return which calls are fitted, and the first and last day of these."""
    from calibration.page.context import day_of

    calls = prepared.samples.calls
    origin = date(1970, 1, 1)
    is_used = calls.day >= (begin - origin).days if begin else calls.day == calls.day
    if end:
        is_used = is_used & (calls.day <= (end - origin).days)
    if not is_used.any():
        span = f"the log runs from {day_of(calls.day[0])} to {day_of(calls.day[-1])}"
        raise InputError([Problem("records", "have no call between --from and --until", mend=span)])
    return is_used, day_of(calls.day[is_used][0]), day_of(calls.day[is_used][-1])
