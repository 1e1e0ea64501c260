"""Tables on disk: found again, checked at every use, built again when anything about them changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.errors import InputError
from sim.travel import source
from sim.travel.cache import cached_array
from sim.travel.source import CellsGraph, build_travel


def never():
    raise AssertionError("must not be built again")


def square():
    return np.arange(12, dtype=np.int32).reshape(3, 2, 2)


def folder_digest(folder: Path) -> str:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return hashlib.sha256(b"".join(str(p.relative_to(folder)).encode() + p.read_bytes() for p in files)).hexdigest()


def test_a_second_use_reads_the_same_bytes_and_builds_nothing(tmp_path):
    first, first_digest = cached_array(tmp_path, "k", square)
    before = folder_digest(tmp_path)
    again, digest = cached_array(tmp_path, "k", never)
    assert isinstance(again, np.memmap)
    assert (again.tobytes(), digest) == (first.tobytes(), first_digest)
    assert folder_digest(tmp_path) == before


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: flip_last_byte(entry / "array.npy"),
        lambda entry: (entry / "array.npy").write_bytes((entry / "array.npy").read_bytes()[:-5]),
        lambda entry: (entry / "array.npy").write_bytes(b""),
        lambda entry: (entry / "array.npy").unlink(),
        lambda entry: (entry / "entry.json").write_text("{"),
        lambda entry: (entry / "entry.json").unlink(),
        lambda entry: np.save(entry / "array.npy", np.zeros((3, 2, 2), dtype=np.int32)),
    ],
    ids=["one bit", "cut short", "emptied", "array gone", "note torn", "note gone", "another array"],
)
def test_an_entry_that_was_altered_is_built_again(tmp_path, spoil):
    _, digest = cached_array(tmp_path, "k", square)
    spoil(tmp_path / "k")
    built = []
    array, digest_again = cached_array(tmp_path, "k", lambda: built.append(1) or square())
    assert built == [1]
    assert (array.tolist(), digest_again) == (square().tolist(), digest)
    cached_array(tmp_path, "k", never)
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_an_entry_under_another_key_is_not_believed(tmp_path):
    cached_array(tmp_path, "k", square)
    (tmp_path / "k").rename(tmp_path / "other")
    with pytest.raises(AssertionError, match="built again"):
        cached_array(tmp_path, "other", never)


def test_a_build_that_fails_leaves_nothing_behind(tmp_path):
    with pytest.raises(AssertionError):
        cached_array(tmp_path, "k", never)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_error_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="cannot hold the travel tables \\(No space left on device\\); free 1 MB"):
        cached_array(tmp_path, "k", square)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_folder_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot hold the travel tables"):
        cached_array(tmp_path / "file", "k", square)


def test_what_decides_durations_changes_the_key_and_nothing_else_does(
    make_city, make_settings, plain_roads, monkeypatch
):
    def key(city=None, world=None, roads=plain_roads):
        return CellsGraph(city or make_city(["AAB"], ["AB"]), roads, world or make_settings()).key()

    assert key() == key()
    city = make_city(["AAB"], ["AB"])
    people = replace(city, cells=replace(city.cells, population=city.cells.population * 2))
    assert key(city=people) == key()
    others = [
        key(city=make_city(["ABB"], ["AB"])),
        key(city=make_city(["AAB"], ["AB"], ["AB"], [(1, 2)])),
        key(city=make_city(["AAB"], ["AB"], ["AB"], [(0, 2)])),
        key(world=make_settings(local_kmh=36.1)),
        key(world=make_settings(peak_factor=0.6)),
        key(roads=replace(plain_roads, detour={**plain_roads.detour, "local": 1.4})),
    ]
    monkeypatch.setattr(source, "source_digest", lambda: "other code")
    others.append(key())
    monkeypatch.undo()
    assert len({key(), *others}) == len(others) + 1


def test_two_worlds_share_a_cache_folder_without_meeting(make_city, make_settings, plain_roads, tmp_path):
    city = make_city(["AAA"])
    slow = build_travel(city, make_settings(), plain_roads, tmp_path)
    fast = build_travel(city, make_settings(local_kmh=72.0), plain_roads, tmp_path)
    assert slow.digest != fast.digest
    assert build_travel(city, make_settings(), plain_roads, tmp_path).digest == slow.digest


def test_hours_are_part_of_the_digest(make_city, make_settings, plain_roads, tmp_path):
    city = make_city(["AA"])
    early = build_travel(city, make_settings(workday_peak_hours=[7]), plain_roads, tmp_path)
    late = build_travel(city, make_settings(workday_peak_hours=[8]), plain_roads, tmp_path)
    assert early.duration_ms.tobytes() == late.duration_ms.tobytes()
    assert early.digest != late.digest
