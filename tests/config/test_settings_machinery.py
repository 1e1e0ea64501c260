"""Claims about documented settings: every fault of a group is reported at once, and every field is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.config import (
    ABOUT,
    About,
    Group,
    about_of,
    bounds_text,
    checked,
    configs_root,
    field_docs,
    field_types,
    item_schema,
    known_keys,
    leads_somewhere,
    leaves,
    read_about,
    read_yaml,
    states_number,
)
from sim.errors import Problems
from sim.settings import GROUPS, Settings

TRAVEL = next(group for group in GROUPS if group.name == "travel")
YAMLS = sorted(path for path in configs_root().rglob("*.yaml") if "city" not in path.parts[:-1])


def travel_values() -> dict[str, object]:
    content = read_yaml(configs_root() / "travel" / "norm.yaml", Problems())
    return {key: value for key, value in content.items() if key != ABOUT}


def test_every_fault_of_a_group_is_reported_with_place_key_value_and_rule() -> None:
    values = travel_values() | {"local_kmh": -3, "arterial_kmh": "fast", "unheard_of": 1}
    del values["ramp_s"]
    problems = Problems()
    assert checked(TRAVEL, values, {"": "norm.yaml", "local_kmh": "command line"}, problems) is None
    told = sorted(str(problem) for problem in problems.found)
    assert len(told) == 4
    assert told[0].startswith("command line: -3 (travel.local_kmh) must be greater than 0; it is: ")
    assert told[1].startswith("norm.yaml: 'fast' (travel.arterial_kmh) must be a valid number")
    assert told[2].startswith("norm.yaml: (travel.ramp_s) is missing")
    assert told[3].startswith("norm.yaml: (travel.unheard_of) is not a setting; ")


def test_what_single_fields_cannot_say_is_checked_by_the_group() -> None:
    problems = Problems()
    assert checked(TRAVEL, travel_values() | {"workday_peak_hours": [7, 23]}, {"": "here"}, problems) is None
    assert [problem.where for problem in problems.found] == ["here"]
    assert "night hours too" in problems.found[0].rule


def test_faultless_values_become_the_schema() -> None:
    problems = Problems()
    settings = checked(TRAVEL, travel_values(), {}, problems)
    assert problems.found == []
    assert settings.local_kmh == travel_values()["local_kmh"]


def test_a_dotted_key_is_known_through_lists_and_maps_and_nowhere_else() -> None:
    schedule = next(group for group in GROUPS if group.name == "schedule").load_schema()
    demand = next(group for group in GROUPS if group.name == "demand").load_schema()
    known = [(schedule, "rows.0.date"), (demand, "town_factor.any"), (demand, "surges.storm.hours")]
    unknown = [
        (schedule, "rows.first.date"),
        (schedule, "rows.0.dat"),
        (demand, "surges.storm.hour"),
        (demand, "about"),
    ]
    assert [leads_somewhere(schema, key.split(".")) for schema, key in known] == [True] * 3
    assert [leads_somewhere(schema, key.split(".")) for schema, key in unknown] == [False] * 4


def test_a_number_is_explained_by_the_longest_prefix_of_its_key() -> None:
    about = {"travel": About("assumed", "all"), "travel.hours": About("plan", "hours")}
    assert about_of("travel.hours.3", about) == About("plan", "hours")
    assert about_of("travel.speed", about) == About("assumed", "all")
    assert about_of("demand.x", about) is None


def test_an_about_without_source_or_known_standing_is_an_error() -> None:
    problems = Problems()
    read_about({ABOUT: {"a": {"standing": "guess", "source": "x"}, "b": {"standing": "plan"}}}, "f.yaml", problems)
    assert [problem.rule for problem in problems.found] == [
        "(about.a) has no known standing",
        "(about.b) has no source",
    ]


def test_a_key_given_twice_in_a_yaml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    problems = Problems()
    assert read_yaml(tmp_path / "twice.yaml", problems) == {}
    assert "cannot be read as YAML" in problems.found[0].rule


def fields_of(schema: type) -> list[tuple[type, str]]:
    found = []
    for name, kind in field_types(schema).items():
        if name != ABOUT:
            found.append((schema, name))
            item = item_schema(kind)
            found += fields_of(item[0]) if item is not None else []
    return found


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_field_has_a_docstring_and_every_number_bounds(group: Group) -> None:
    for schema, name in fields_of(group.load_schema()):
        kind = field_types(schema)[name]
        assert field_docs(schema).get(name), f"{schema.__name__}.{name} has no docstring"
        text = bounds_text(kind)
        if text.split(",")[0].removesuffix(" or null") in ("int", "float"):
            assert ">" in text, f"{schema.__name__}.{name} has no lower bound: {text}"
            assert "<" in text, f"{schema.__name__}.{name} has no upper bound: {text}"


@pytest.mark.parametrize("path", YAMLS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_number_in_the_configs_has_source_and_standing(path: Path) -> None:
    problems = Problems()
    content = read_yaml(path, problems)
    about = read_about(content, path.name, problems)
    assert problems.found == []
    group = path.parent.name
    if group == "study":  # its numbers are years and counts of replications
        return
    values = {key: value for key, value in content.items() if key not in (ABOUT, "hydra", "defaults")}
    unexplained = [key for key, value in leaves(values) if states_number(value) and about_of(key, about) is None]
    assert unexplained == []
    given = [key for key, _ in leaves(values)]
    idle = [key for key in about if not any(leaf == key or leaf.startswith(f"{key}.") for leaf in given)]
    assert idle == [], "explained, but not in the file"


def test_every_group_is_a_field_of_the_settings_and_has_a_folder() -> None:
    assert {group.name for group in GROUPS} | {"seed"} == {*Settings.__dataclass_fields__}
    assert [group.name for group in GROUPS if not list((configs_root() / group.name).glob("*.yaml"))] == []


def test_the_page_on_configuration_documents_every_key(root: Path) -> None:
    from sim.commands.show import documentation

    page = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    told = page.partition("<!-- keys: begin -->\n")[2].partition("<!-- keys: end -->")[0]
    mend = "put the output of `dgsim show --doc` between the marks of docs/configuration.md"
    assert told.strip() == "\n".join(documentation()).strip(), mend
    for group in GROUPS:
        assert [name for name in known_keys(group.load_schema()) if f"`{group.name}.{name}`" not in told] == []
