"""What fits and the reading of records say, in both languages: their sentences are English, `words/said.yaml` has both.

A sentence that stands there in no form is shown as it is.
"""

from __future__ import annotations

import re
from functools import cache

from calibration.page.context import words
from sim.report.texts import Bi, same

PREFIX = "said."


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return each sentence's pattern with its Chinese form."""
    texts = [text for key, text in words().items() if key.startswith(PREFIX)]
    return tuple((re.compile(_pattern(text.en), re.DOTALL), text.zh) for text in texts)


def _pattern(form: str) -> str:
    seen: set[str] = set()

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    return re.sub(r"\\\{([a-d])\\\}", place, re.escape(form)) + r"\Z"


def said(text: str) -> Bi:
    """Return a sentence of the program in both languages."""
    for pattern, zh in _forms():
        if match := pattern.match(text):
            return Bi(zh.format(**match.groupdict()), text)
    return same(text)
