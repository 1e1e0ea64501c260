"""Every sentence of a report in both languages: `words/` read once, and the pair of texts that travels to the page.

Knows no number and no table. Next: `numbers.py`, which writes values so that they can stand in these sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("zh", "en")
HTML_LANG = {"zh": "zh-CN", "en": "en"}
WORDS_FOLDER = Path(__file__).resolve().parent / "words"


@dataclass(frozen=True, slots=True)
class Bi:
    """One text in Chinese and in English."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """Return the text in `language` ("zh" or "en")."""
        return self.zh if language == "zh" else self.en

    def fill(self, **values: object) -> Bi:
        """Return both texts with `{name}` replaced; a `Bi` value gives each language its own."""
        zh = {key: value.zh if isinstance(value, Bi) else value for key, value in values.items()}
        en = {key: value.en if isinstance(value, Bi) else value for key, value in values.items()}
        return Bi(self.zh.format(**zh), self.en.format(**en))

    def with_unit(self, unit: Bi) -> Bi:
        """Return the text with a unit, or another remark, in each language's own brackets."""
        return Bi(f"{self.zh}（{unit.zh}）", f"{self.en} ({unit.en})")

    def __add__(self, other: Bi) -> Bi:
        return Bi(self.zh + other.zh, self.en + other.en)


def same(text: object) -> Bi:
    """Return a text that reads the same in both languages."""
    return Bi(str(text), str(text))


def join(texts: list[Bi], zh: str = "、", en: str = ", ") -> Bi:
    """Return the texts in a row, with each language's own comma."""
    return Bi(zh.join(text.zh for text in texts), en.join(text.en for text in texts))


STATED = "_stated"
"""End of the keys of texts for a city that states where its stations stand: no siting is uncertain there."""


@dataclass(frozen=True, slots=True)
class Words(Mapping[str, Bi]):
    """The report's texts by key; `words("key", n=3)` fills one."""

    entries: dict[str, Bi]

    def __getitem__(self, key: str) -> Bi:
        return self.entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __call__(self, key: str, **values: object) -> Bi:
        """Return the text of `key` with its places filled."""
        text = self.entries[key]
        return text.fill(**values) if values else text

    def of_stated(self) -> Words:
        """Return the texts for a city that states its stations: where there is `key_stated`, it stands for `key`."""
        own = {key.removesuffix(STATED): text for key, text in self.entries.items() if key.endswith(STATED)}
        return Words({**self.entries, **own})

    def known(self, prefix: str, name: object) -> Bi:
        """Return the text of `prefix.name`, or the name itself where the report has no words for it."""
        return self.entries.get(f"{prefix}.{name}", same(name))


def load_words(folder: Path = WORDS_FOLDER) -> Words:
    """Return the texts of all files in `words/`, each key once.

    A key that lacks a language or stands in two files is a fault of the program and raises `KeyError`.
    """
    import yaml

    entries: dict[str, Bi] = {}
    for path in sorted(folder.glob("*.yaml")):
        for key, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if key in entries:
                raise KeyError(f"{path.name}: {key} stands in another file too")
            entries[key] = Bi(str(entry["zh"]), str(entry["en"]))
    return Words(entries)
