"""What must hold of the files themselves: no index addresses, no place names in `sim/`, links that lead somewhere."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Written in parts, so that this file is not the one that holds them.
INDEX_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "tuna"),
        ("mirrors", "aliyun"),
        ("mirrors", "tuna"),
        ("npmjs", "org"),
        ("deb", "debian"),
        ("conda", "anaconda"),
    )
]
ELSEWHERE = ["/".join(parts) for parts in (("", "work", ""), ("..", "shared"), ("", "root", ""), ("/opt", "wheels"))]
TEXT = {"", ".css", ".csv", ".html", ".j2", ".js", ".json", ".lock", ".md", ".py"}
TEXT |= {".sql", ".toml", ".txt", ".yaml", ".yml"}


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    paths = [root / name for name in listed.split("\0") if name]
    assert root / "start.py" in paths
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="module")
def texts(tracked: list[Path]) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in tracked if path.suffix in TEXT}


def files_with(words: list[str], texts: dict[Path, str]) -> list[str]:
    """Every "file: word" where a text holds one of the words, whatever its case."""
    return [f"{path}: {word}" for path, text in texts.items() for word in words if word.lower() in text.lower()]


def test_no_file_names_the_host_of_a_package_index(texts: dict[Path, str]) -> None:
    assert files_with(INDEX_HOSTS, texts) == []


def test_no_file_names_a_place_outside_the_project(texts: dict[Path, str]) -> None:
    assert files_with(ELSEWHERE, texts) == []


NAMES_OF_PLACES = {
    "towns.csv": ("code", "name_zh", "name_en"),
    "sites.csv": ("name_zh", "name_en"),
    "rail.csv": ("line", "name_zh", "name_en"),
    "mutual_aid.csv": ("name_zh", "name_en"),
    "team_bases.csv": ("base", "name_zh", "name_en"),
    "air_bases.csv": ("base", "name_zh", "name_en"),
}
"""Tables of the city that comes with the program, and the columns in which they name its places."""
ALLOWED_IN_SIM = {
    "mainline": "a kind of railway beside metro and intercity; rail.csv has it for lines without a name of their own",
}
"""Words of those tables that the program may say, each with the reason."""


def city_words(root: Path) -> set[str]:
    """The example city, its towns, sites, lines and bases: codes, and names in both languages, also without 镇."""
    words = {"东莞", "Dongguan"}
    for name, columns in NAMES_OF_PLACES.items():
        with open(root / "configs" / "city" / "dongguan" / name, encoding="utf-8-sig", newline="") as rows:
            for row in csv.DictReader(rows):
                words |= {row[column] for column in columns}
                if name == "towns.csv":
                    words |= {re.sub("(街道|镇|园区|新区|开发区)$", "", row["name_zh"]), row["name_en"].split()[0]}
    return words - {""} - set(ALLOWED_IN_SIM)


@pytest.fixture(scope="module")
def sim_texts(root: Path) -> dict[str, str]:
    """Every text of `sim/` by its path, without the name of the distribution, which is the repository's."""
    distribution = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    sources = [path for path in sorted((root / "sim").rglob("*")) if path.suffix in TEXT and path.is_file()]
    assert len(sources) > 200
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8").replace(distribution, "")
        for path in sources
    }


def test_sim_knows_no_city(root: Path, sim_texts: dict[str, str]) -> None:
    words = city_words(root)
    assert len(words) > 300
    ascii_words, others = (
        [re.escape(w) for w in sorted(words, key=len) if w.isascii() is kind] for kind in (True, False)
    )
    known = re.compile(rf"\b(?:{'|'.join(ascii_words)})\b|{'|'.join(others)}", re.IGNORECASE)
    assert known.findall("sent to HUMEN, 虎门镇 or songshanhu") == ["HUMEN", "虎门", "songshanhu"]
    assert {path: found for path, text in sim_texts.items() if (found := known.findall(text))} == {}


def test_sim_holds_no_coordinates_of_the_city(root: Path, sim_texts: dict[str, str]) -> None:
    with open(root / "configs" / "city" / "dongguan" / "towns.csv", encoding="utf-8-sig", newline="") as rows:
        seats = [(float(row["seat_lat"]), float(row["seat_lon"])) for row in csv.DictReader(rows)]
    reach = 0.2  # degrees: the towns lie so far round their seats
    ranges = [(min(axis) - reach, max(axis) + reach) for axis in zip(*seats, strict=True)]
    number = re.compile(r"(?<![\w.])\d{2,3}\.\d{2,}")

    def inside(text: str) -> list[str]:
        return [n for n in number.findall(text) if any(low < float(n) < high for low, high in ranges)]

    assert inside("seat 22.82, 113.67, and 1.82 beside") == ["22.82", "113.67"]
    assert {path: found for path, text in sim_texts.items() if (found := inside(text))} == {}


def lock_entries(root: Path) -> dict[str, tuple[str, int]]:
    """Name -> (version, number of hashes) of requirements.lock; a line of another form fails."""
    entries: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (root / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"([a-z0-9-]+)==([0-9a-z.]+)( ; [^\\]+)? \\", line):
            name = found[1]
            assert name not in entries, f"{name} is locked twice: Pythons would differ"
            entries[name] = (found[2], 0)
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line):
            entries[name] = (entries[name][0], entries[name][1] + 1)
        else:
            assert re.match(r"    # ", line), f"neither an entry nor a hash: {line}"
    return entries


def test_the_lock_holds_one_hashed_version_of_each_package_and_no_address(root: Path) -> None:
    entries = lock_entries(root)
    assert [name for name, (_, n_hashes) in entries.items() if n_hashes == 0] == []
    assert "://" not in (root / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_satisfies_every_range_of_pyproject(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    entries = lock_entries(root)
    wanted = [Requirement(text) for text in project["project"]["dependencies"] + project["dependency-groups"]["dev"]]
    assert [str(want) for want in wanted if not want.specifier.contains(entries[want.name][0])] == []


def test_locked_packages_need_nothing_that_is_not_locked(root: Path) -> None:
    """They are installed without resolving, so the lock itself must hold all that they ask for, here and now."""
    entries, lacking = lock_entries(root), []
    for name in entries:
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # locked for another platform or Python
        for want in map(Requirement, asked):
            if want.marker is not None and not want.marker.evaluate({"extra": ""}):
                continue
            version, _ = entries.get(canonicalize_name(want.name), ("", 0))
            if not version or not want.specifier.contains(version):
                lacking.append(f"{name} needs {want}")
    assert lacking == []


def test_no_boundary_data_or_lock_with_addresses_is_committed(tracked: list[Path]) -> None:
    bad = [p.name for p in tracked if p.suffix in {".geojson", ".shp", ".kml"} or p.name in {"uv.lock", "pylock.toml"}]
    assert bad == []


def test_the_readme_has_the_two_commands_that_ci_runs_word_for_word(root: Path) -> None:
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("python3 ")] == [
        "python3 start.py run study build_schedule",
        "python3 start.py test",
    ]
    ci = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert 'eval "$(readme_command run)"' in ci
    assert 'eval "$(readme_command test)"' in ci


def test_every_relative_link_of_the_pages_leads_to_a_file(texts: dict[Path, str]) -> None:
    broken = [
        f"{page}: {target}"
        for page, text in texts.items()
        if page.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)", text)
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.slow
def test_a_wheel_holds_the_program_and_its_configs_and_imports_from_anywhere(root: Path, tmp_path: Path) -> None:
    build = f"import hatchling.build; print(hatchling.build.build_wheel({str(tmp_path)!r}))"
    built = subprocess.run([sys.executable, "-c", build], cwd=root, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        names = wheel.namelist()
        wheel.extractall(tmp_path / "site")
    configs = [p.relative_to(root / "configs").as_posix() for p in (root / "configs").rglob("*") if p.is_file()]
    assert "city/dongguan/towns.csv" in configs
    assert [name for name in configs if f"sim/_configs/{name}" not in names] == []
    assert {name.split("/")[0].split("-")[0] for name in names} == {"sim", "calibration", "dongguan_response"}
    site = tmp_path / "site" / "sim"
    code = f"import sys; sys.path.insert(0, {str(site.parent)!r}); import sim.cli, sim.config; "
    code += "print(sim.cli.__file__); print(sim.config.configs_root())"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [str(site / "cli.py"), str(site / "_configs")]
