"""The command `dgsim selftest`: a row a check, exit code 1 where one does not hold."""

from __future__ import annotations

import json

import pytest

from sim.cli import main
from sim.verification import known, suite
from sim.verification.checks import AT_LEAST, Check, Told


def test_every_check_is_a_row_and_a_faultless_program_leaves_with_0(tmp_path, capsys):
    path = tmp_path / "told.json"
    assert main(["selftest", "--case", "philox", "--case", "golden_log", "--json", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "[1/2] philox: The generator's known answers (Salmon et al. 2011)"
    assert [line.split()[:2] for line in lines[2:5]] == [["zeros", "-"], ["ones", "-"], ["pi", "-"]]
    assert [line.split()[1:] for line in lines[6:8]] == [
        [engine, "=", digest, digest, "1", "holds"]
        for engine in ("simpy", "kernel")
        for digest in [str(int(known.GOLDEN_LOG[:12], 16))]
    ]
    assert lines[8].startswith("2 cases, 5 checks, 0 do not hold; ")
    told = json.loads(path.read_text(encoding="utf-8"))
    assert [(case["case"], [check["verdict"] for check in case["checks"]]) for case in told] == [
        ("philox", ["holds"] * 3),
        ("golden_log", ["holds"] * 2),
    ]


def test_a_check_that_fails_is_told_in_words_and_leaves_with_1(monkeypatch, capsys):
    monkeypatch.setattr(known, "GOLDEN_LOG", "f" * 64)
    assert main(["selftest", "--case", "golden_log", "--engine", "kernel", "--lang", "zh"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[-1] == "fails"
    assert lines[3].strip() == "^ 小城事件日志的 SHA-256 前 48 位"
    assert lines[4].startswith("1 个案例，1 项检验，1 项未通过")


def test_an_unknown_case_is_named_with_the_nearest(capsys):
    assert main(["selftest", "--case", "erlang_d"]) == 2
    assert "'erlang_d' is no case; did you mean 'erlang_c'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (2.0, "2"), (0.28217, "0.2822"), (-97.585, "-97.58"), (1e-7, "1e-07")]
)
def test_numbers_have_four_digits_or_are_whole(value, text):
    assert suite.number(value) == text


def test_a_bound_has_no_standard_error_in_its_row():
    check = Check("p", Told("p", "p"), "", "p", "s", 0.5, 0.75, 0.0, "-", 3, AT_LEAST)
    assert suite.as_row(check) == ("p", "-", "≥ 0.5 s", "0.75", "", "", "3", "holds")


def test_a_case_without_checks_does_not_hold():
    assert not suite.Outcome(known.CASES[0], ()).holds
