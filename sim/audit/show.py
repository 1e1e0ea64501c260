"""Show the outcomes of an audit: a page for the terminal in Chinese or English, a CSV for spreadsheets, JSON."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from dataclasses import asdict, fields
from pathlib import Path

from sim.audit.checks import AGREES, Outcome
from sim.errors import InputError, Problem

LANGUAGES = ("en", "zh")

_WORDS = {
    "en": {
        "agrees": "agrees",
        "disagrees": "DISAGREES",
        "printed": "printed",
        "expected": "expected",
        "recomputed": "recomputed",
        "use": "model uses",
        "why": "why",
        "rows": "holds in {recomputed} rows",
        "rows_out": "not so in",
        "change": "CHANGED",
        "source": "source",
        "total": "{n} checks: {n_agree} agree, {n_out} disagree. Printed values are kept as printed; none is mended.",
    },
    "zh": {
        "agrees": "相符",
        "disagrees": "不符",
        "printed": "原文",
        "expected": "应为",
        "recomputed": "重算",
        "use": "模型采用",
        "why": "理由",
        "rows": "逐行相符 {recomputed} 行",
        "rows_out": "例外",
        "change": "已变",
        "source": "出处",
        "total": "共{n}项：{n_agree}项相符，{n_out}项不符。原文数字一律照录，不作改动。",
    },
}


def page(outcomes: list[Outcome], lang: str, width: int) -> str:
    """Return the outcomes as text of at most `width` columns (East Asian letters count two), one block per check."""
    words = _WORDS[lang]
    blocks = ["\n".join(_block(outcome, words, lang, width)) for outcome in outcomes]
    n_agree = sum(outcome.verdict == AGREES for outcome in outcomes)
    total = words["total"].format(n=len(outcomes), n_agree=n_agree, n_out=len(outcomes) - n_agree)
    return "\n\n".join([*blocks, "\n".join(_wrapped(total, 0, width))]) + "\n"


def _block(outcome: Outcome, words: dict[str, str], lang: str, width: int) -> list[str]:
    is_zh = lang == "zh"
    head = f"{outcome.item:>3}  {_padded(words[outcome.verdict], 9)}  "
    subject = _wrapped(outcome.subject_zh if is_zh else outcome.subject_en, 16, width)
    relation = "" if outcome.relation == "=" else outcome.relation + " "
    unit = f" {outcome.unit_zh if is_zh else outcome.unit}".rstrip()
    printed, recomputed = (
        (outcome.printed_zh, outcome.recomputed_zh) if is_zh else (outcome.printed, outcome.recomputed)
    )
    label = words["printed" if outcome.is_printed else "expected"]
    details = [f"{label} {relation}{printed}{unit} | {words['recomputed']} {recomputed}{unit}"]
    if outcome.kind == "rule":
        details = [words["rows"].format(recomputed=recomputed)]
    if outcome.rows_out:
        details.append(f"{words['rows_out']}: {', '.join(outcome.rows_out_zh if is_zh else outcome.rows_out)}")
    details.append(f"{words['use']}: {outcome.use_zh if is_zh else outcome.use_en}")
    details.append(f"{words['why']}: {outcome.why_zh if is_zh else outcome.why_en}")
    details.append(f"{words['source']}: {outcome.source} ({outcome.standing})")
    if outcome.change:
        details.append(f"{words['change']}: {outcome.change}")
    return [head + subject[0].lstrip(), *subject[1:], *(line for text in details for line in _wrapped(text, 16, width))]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    """Return `text` in lines of at most `width` columns; breaks at blanks, and anywhere beside an East Asian letter."""
    lines = [""]
    for piece in _pieces(text):
        if _columns(lines[-1] + piece.rstrip()) > width - indent and lines[-1]:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [" " * indent + line.rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for letter in text:
        is_wide = unicodedata.east_asian_width(letter) in "WF"
        is_mark = unicodedata.category(letter).startswith("P")
        if pieces[-1] and not is_mark and (is_wide or _columns(pieces[-1][-1]) == 2 or pieces[-1].endswith(" ")):
            pieces.append("")
        pieces[-1] += letter
    return pieces


def as_csv(outcomes: list[Outcome]) -> str:
    """Return the outcomes as CSV, one row per check, with a header."""
    buffer = io.StringIO(newline="")
    names = [field.name for field in fields(Outcome)]
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(names)
    for outcome in outcomes:
        row = asdict(outcome) | {name: " ".join(getattr(outcome, name)) for name in ("rows_out", "rows_out_zh")}
        writer.writerow([row[name] for name in names])
    return buffer.getvalue()


def as_json(outcomes: list[Outcome]) -> str:
    """Return the outcomes as JSON: `schema_version` and `checks`, one object per check."""
    checks = [asdict(outcome) for outcome in outcomes]
    return json.dumps({"schema_version": 1, "checks": checks}, ensure_ascii=False, indent=2) + "\n"


def write_file(path: Path, text: str, encoding: str) -> None:
    """Write `text` to `path` under a temporary name, then rename.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(text.encode(encoding))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        problem = Problem(
            str(path), f"cannot be written ({error.strerror})", mend="give a path in a folder you can write"
        )
        raise InputError([problem]) from error
