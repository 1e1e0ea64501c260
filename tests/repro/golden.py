"""Golden runs: digests of short runs of the real city, committed in `golden.json`, part by part.

`python tests/repro/golden.py` makes the runs again and says what moved against the committed digests (exit code 1 if
anything did); with `--write` it stores them. A change of `golden.json` is a commit of its own that says what moved and
why. Each case has the digest of its event log and of every part of its inputs, so that a difference names its cause: a
part of the inputs, or, if no part moved, the engine. The file holds the first case whole, of the others what differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent / "golden.json"
COMMON = ("window=one_week", "seed=1", "schedule.is_outside_run_allowed=true")
# Replications 0 and 20 share a siting world and differ in chance; 13 has another world.
SCHEDULES, DISPATCHES, REPLICATIONS = ("none", "plan"), ("nearest", "own_town_first"), (0, 13, 20)
A_DAY = ("window.measure_to=2026-06-02", "window.warm_up_days=0", "window.run_out_days=0", "schedule=plan")
EVERY_LEVER = (
    "teams=plan", "roster=with_absences", "aviation=own", "move_up=best_cover", "dispatch=keep_cover",
    "relief=after_long_jobs", "mutual_aid=neighbours_and_province", "rail=along_the_track", "water_supply=plan",
    "micro_stations=one_three_five", "vehicles=aging", "weather=timeline", "schedule=plan",
)  # fmt: skip
DISASTERS = {
    "compound": ("window.measure_from=2026-06-08", "window.measure_to=2026-06-12"),
    "typhoon": ("window.measure_from=2026-09-15", "window.measure_to=2026-09-18"),
}
"""Planted events under which every lever is on, each with a window of days around them."""
PLAIN = "a day, schedule=plan, dispatch=nearest, replication 0"
"""The case that is also run as plain Python; the others would take minutes so."""

Digests = dict[str, dict[str, str]]
"""Case -> "log" or part of the inputs -> SHA-256 (hex)."""


def cases() -> dict[str, tuple[tuple[str, ...], int]]:
    """Return every case: name -> (overrides, replication)."""
    named: dict[str, tuple[tuple[str, ...], int]] = {}
    for schedule in SCHEDULES:
        for dispatch in DISPATCHES:
            for replication in REPLICATIONS:
                choices = (f"schedule={schedule}", f"dispatch={dispatch}")
                named[", ".join([*choices, f"replication {replication}"])] = ((*COMMON, *choices), replication)
    named[PLAIN] = ((*COMMON, *A_DAY), 0)
    for planted, window in DISASTERS.items():
        named[f"every lever, planted={planted}"] = ((*COMMON, *window, *EVERY_LEVER, f"planted={planted}"), 13)
    return named


def digests_of(names: Sequence[str], engine: str = "both") -> Digests:
    """Return the digests of some cases, made now."""
    from sim.assemble import InputsBuilder
    from sim.compose import compose
    from sim.engine import simulate

    builder, found = InputsBuilder(), Digests()
    for name in names:
        overrides, replication = cases()[name]
        inputs = builder.build(compose(overrides).settings, replication)
        found[name] = {"log": simulate(inputs, engine).digest()} | inputs.digests()
    return found


def folded(digests: Digests) -> Digests:
    """Return digests as `golden.json` keeps them: the first case whole, of the others what differs from it."""
    first = next(iter(digests))
    base = digests[first]
    return {
        name: {part: value for part, value in of.items() if name == first or value != base[part]}
        for name, of in digests.items()
    }


def unfolded(stored: Digests) -> Digests:
    """Return the whole digests of every case in the content of `golden.json`."""
    base = next(iter(stored.values()))
    return {name: base | of for name, of in stored.items()}


def stored_digests() -> Digests:
    """Return the committed digests."""
    return unfolded(json.loads(GOLDEN.read_text(encoding="utf-8"))) if GOLDEN.exists() else {}


def moved(before: Digests, now: Digests) -> list[str]:
    """Return what differs, a line per part: "part: in these cases"; cases that came or went are named too."""
    lines = [f"case gone: {name}" for name in before if name not in now]
    lines += [f"case new: {name}" for name in now if name not in before]
    both = [name for name in now if name in before]
    parts = sorted(
        {part for name in both for part in (*before[name], *now[name])}, key=lambda part: (part == "log", part)
    )
    for part in parts:
        differs = [name for name in both if before[name].get(part) != now[name].get(part)]
        if differs:
            lines.append(f"{part}: " + ("in every case" if len(differs) == len(both) else "; ".join(differs)))
    return lines


def verdict(lines: Sequence[str]) -> str:
    """Return what a list from `moved` means, in a sentence."""
    if not lines:
        return "nothing moved"
    if [line.split(":")[0] for line in lines] == ["log"]:
        return "the logs moved and no input did: the engine behaves otherwise"
    if any(line.startswith("log:") for line in lines):
        return "inputs moved and the logs with them"
    return "inputs moved, the logs did not"


def main(argv: Sequence[str]) -> int:
    """Say what moved; store it if asked."""
    parser = argparse.ArgumentParser(description="Make the golden runs again and say what moved.")
    parser.add_argument("--write", action="store_true", help="store the digests in golden.json")
    options = parser.parse_args(argv)
    now = digests_of(list(cases()))
    lines = moved(stored_digests(), now)
    print("\n".join([*lines, verdict(lines)]))
    if options.write:
        GOLDEN.write_text(json.dumps(folded(now), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"wrote {GOLDEN.name}")
    return 1 if lines and not options.write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
