"""What `explain` says is said in both languages, each in its own, whatever the incident and the levers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.commands.explain import command
from sim.engine.log import NOT_OF_AN_INCIDENT, LogKind
from sim.provenance import to_json
from sim.run.phrases import phrases
from sim.run.work import RESULT, read_result, replication_folder
from tests.report.test_report_words import places

CHINESE = re.compile("[一-鿿]")
ENGLISH = re.compile(r"[A-Za-z]{2,}[ ,:;]+[A-Za-z]{2,}")
"""Two words of English in a row: a sentence, or the beginning of one."""


def prose(text: str) -> str:
    """Return a phrase without its places and without what stands in backticks, a command to be typed."""
    return re.sub(r"`[^`]*`|{[^}]*}", "", text)


def test_every_phrase_is_given_in_both_languages_and_each_in_its_own() -> None:
    table = phrases()
    assert len(table) > 50
    assert [key for key, text in table.items() if CHINESE.search(text.en) or not text.en.strip()] == []
    in_chinese = {key: prose(text.zh) for key, text in table.items()}
    assert [key for key, text in in_chinese.items() if not CHINESE.search(text) and key != "unit.where"] == []
    assert [key for key, text in in_chinese.items() if ENGLISH.search(text)] == []


def test_both_languages_take_the_same_values() -> None:
    assert [key for key, text in phrases().items() if places(text.zh) != places(text.en)] == []


def test_every_phrase_is_used_and_every_one_that_is_asked_for_exists(root: Path) -> None:
    modules = [*(root / "sim" / "run").glob("*.py"), root / "sim" / "commands" / "explain.py"]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    named = set(re.findall(r'"((?:head|differs|unit|craft|why_not|why_behind)\.[a-z_]+)"', sources))
    named |= {f"place.{name}" for name in re.findall(r'"(in_bay|returning|moving_up|standing_by)"', sources)}
    named |= {
        f"why_not.{name}"
        for name in re.findall(r'"(turning_out|en_route|on_scene|transporting|handing_over)"', sources)
    }
    told = set(LogKind) - {*NOT_OF_AN_INCIDENT, LogKind.END}
    assert named | {f"told.{kind.name.lower()}" for kind in told} == set(phrases())


@pytest.mark.parametrize("incident", ["0", "7", "20"])
def test_the_same_story_is_told_in_chinese_without_an_english_sentence(
    finished: Path, incident: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(finished), incident, "--arm", "plan", "--replication", "1"]
    assert command([*asked, "--lang", "en"]) == 0
    english = capsys.readouterr().out.splitlines()
    assert command([*asked, "--lang", "zh"]) == 0
    chinese = capsys.readouterr().out.replace(str(finished), "").splitlines()
    assert len(chinese) == len(english) > 10
    assert [line for line in chinese if not CHINESE.search(line) or ENGLISH.search(line)] == []
    assert [line for line in english if CHINESE.search(line)] == []


def test_that_a_run_is_not_the_stored_one_is_said_in_chinese(
    finished_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = replication_folder(finished_copy / "arms" / "plan", 0)
    stored = read_result(folder)
    (folder / RESULT).write_text(to_json({**stored, "log_digest": "0" * 64}), encoding="utf-8")
    assert command([str(finished_copy), "0", "--arm", "plan", "--lang", "zh"]) == 2
    assert (
        "并非所存的那次运行：重新计算后，这次重复与 result.json 所记不符（输入相同而事件日志不同）"
        in capsys.readouterr().out
    )
