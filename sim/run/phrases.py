"""What `explain` says, in both languages: the table of phrases in `words/`, read when first asked.

Knows no incident and no unit. `candidates.py` gives the reasons in these words, `sim/commands/explain.py` the rest.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sim.report.texts import Bi, Words, load_words

PHRASES_FOLDER = Path(__file__).resolve().parent / "words"


@cache
def phrases() -> Words:
    """Return the table of phrases."""
    return load_words(PHRASES_FOLDER)


def phrase(key: str, **values: object) -> Bi:
    """Return the phrase of `key` in both languages, its places filled."""
    return phrases()(key, **values)
