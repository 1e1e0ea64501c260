"""The page on scenarios says what each one changes, held against the files themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sim.compose import compose
from sim.compose.overrides import choices_of
from sim.config import configs_root

_ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \|(.*)\|$", re.MULTILINE)


def leaves(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of a nested map by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def choices_and_values(path: Path) -> dict[str, Any]:
    """Return what a file of choices sets: choices by group, and values by dotted key."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    entries = [entry for entry in content["defaults"] if isinstance(entry, dict)]
    chosen = {name.removeprefix("override /"): choice for entry in entries for name, choice in entry.items()}
    return chosen | leaves({key: content[key] for key in content if key not in ("defaults", "about", "hydra", "seed")})


def told() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the page's rows: by scenario, what it is told against and what it changes."""
    page = (configs_root().parent / "docs" / "scenarios.md").read_text(encoding="utf-8")
    rows = _ROW.findall(page)
    assert len({name for name, _, _ in rows}) == len(rows), "a scenario stands on the page twice"
    return {
        name: (base, dict(text.split("=") for text in re.findall(r"`([^`]+)`", changes)))
        for name, base, changes in rows
    }


def sets(name: str) -> dict[str, Any]:
    """Return everything a scenario sets, on top of the defaults."""
    default = choices_and_values(configs_root() / "config.yaml")
    return default | (choices_and_values(configs_root() / "scenario" / f"{name}.yaml") if name != "config" else {})


def test_every_scenario_stands_on_the_page() -> None:
    assert sorted(told()) == choices_of("scenario")


@pytest.mark.parametrize("scenario", choices_of("scenario"))
def test_a_scenario_differs_from_the_one_beside_it_in_what_the_page_says(scenario: str) -> None:
    base, changes = told()[scenario]
    ours, theirs = sets(scenario), sets(base)
    assert {key: str(value) for key, value in ours.items() if theirs.get(key) != value} == changes
    assert set(theirs) <= set(ours), "a value of the base is left out"


def test_no_two_scenarios_are_the_same() -> None:
    found = [tuple(sorted((key, str(value)) for key, value in sets(name).items())) for name in choices_of("scenario")]
    assert len(set(found)) == len(found)


def changes_more_than_one_choice(scenario: str) -> bool:
    """Whether composing it is more than composing one other choice, which every choice is put to already."""
    ours, default = sets(scenario), sets("config")
    changed = [key for key in ours if default.get(key) != ours[key]]
    return len(changed) > 1 or any("." in key for key in changed)


@pytest.mark.parametrize("scenario", [one for one in choices_of("scenario") if changes_more_than_one_choice(one)])
def test_scenarios_compose_and_overrides_come_after_them(scenario: str) -> None:
    assert compose([f"scenario={scenario}", "staffing.present_share=0.5"]).settings.staffing.present_share == 0.5


@pytest.mark.parametrize("scenario", choices_of("scenario"))
def test_a_scenario_says_why_in_its_first_line(scenario: str) -> None:
    lines = (configs_root() / "scenario" / f"{scenario}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# ")
    assert lines[1].endswith(".")
