"""Every sentence of the report exists in both languages, is used, and takes the same values in both."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from sim.report.sections import ORDER
from sim.report.texts import STATED, WORDS_FOLDER, Bi, Words, join, load_words, same

ONLY_LATIN = {"head.p80", "head.p90", "head.p95", "unit.percent", "reproduce.digest", "towns.worst_item"}
"""Texts without a Chinese word of their own."""


@pytest.fixture(scope="module")
def words() -> Words:
    return load_words()


@pytest.fixture(scope="module")
def sources(root: Path) -> str:
    files = [p for p in sorted((root / "sim" / "report").rglob("*")) if p.suffix in {".py", ".j2"}]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def places(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_given_in_both_languages_and_each_in_its_own(words: Words) -> None:
    assert len(words) > 200
    chinese = re.compile("[一-鿿]")
    assert [key for key, text in words.items() if not text.zh.strip() or not text.en.strip()] == []
    assert [key for key, text in words.items() if chinese.search(text.en) and key != "towns.schematic"] == []
    assert [
        k for k, text in words.items() if not chinese.search(text.zh) and text.zh.strip("。") and k not in ONLY_LATIN
    ] == []


def test_both_languages_take_the_same_values(words: Words) -> None:
    assert [key for key, text in words.items() if places(text.zh) != places(text.en)] == []


def test_every_key_named_in_the_program_has_a_text(words: Words, sources: str) -> None:
    named = set(re.findall(r'(?:words|w)(?:\[|\()"([a-z0-9_]+\.[a-z0-9_.]+)"', sources))
    assert len(named) > 100
    assert sorted(named - set(words)) == []


def test_every_text_is_used(words: Words, sources: str) -> None:
    literal = {key for key in words if f'"{key}"' in sources}
    families = {m + "." for m in re.findall(r'known\("([a-z_]+)"', sources)}
    families |= {m + "." for m in re.findall(r'f"([a-z_]+)\.\{', sources)} | {"answer.share_", "answer.late_"}
    titles = {key for key in words if key.endswith(".title")}
    stated = {key for key in words if key.endswith(STATED) and key.removesuffix(STATED) in words}
    unused = [key for key in words if key not in literal | titles | stated and not key.startswith(tuple(families))]
    assert unused == []


def test_a_value_with_two_languages_gives_each_its_own() -> None:
    text = Bi("到{town}用{n}秒", "{n} s to {town}").fill(town=Bi("甲", "A"), n=5)
    assert text == Bi("到甲用5秒", "5 s to A")
    assert join([Bi("甲", "A"), same("B")]) == Bi("甲、B", "A, B")


def test_a_key_without_one_of_the_languages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text("half.key: {zh: 只有中文}\n", encoding="utf-8")
    with pytest.raises(KeyError, match="en"):
        load_words(tmp_path)


def test_a_key_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("same.key: {zh: 同, en: same}\n", encoding="utf-8")
    with pytest.raises(KeyError, match=r"same\.key"):
        load_words(tmp_path)


def test_each_sections_words_lie_in_its_own_file() -> None:
    for path in sorted(WORDS_FOLDER.glob("*.yaml")):
        keys = [line.split(":")[0] for line in path.read_text(encoding="utf-8").splitlines() if line[:1] not in "# "]
        titles = [key for key in keys if key.endswith(".title") and key != "page.title"]
        assert titles == ([] if path.stem == "common" else [f"{path.stem}.title"])
    assert {path.stem for path in WORDS_FOLDER.glob("*.yaml")} == {"common", *ORDER}
