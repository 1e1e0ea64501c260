"""How to make the same again: the command, the seed, the program, and the digests of what went in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calibration.page.context import words
from sim.report.blocks import Block, Commands, Facts, Paragraph
from sim.report.texts import Bi, join, same


@dataclass(frozen=True, slots=True)
class Made:
    """What a page was made from: `city`: its name; `command`: what to type; digests (SHA-256, hex); `files`: those
    beside the page and what each holds; `facts`: seed, draws and the like by their word's key.
    """

    city: str
    command: str
    records_sha256: str
    city_sha256: str
    program: str
    files: Mapping[str, Bi]
    facts: Mapping[str, str]


def reproduce(made: Made) -> list[Block]:
    """Return the section."""
    w = words()
    rows = [
        (w["reproduce.version"], same(made.program)),
        *((w[f"reproduce.{key}"], same(value)) for key, value in made.facts.items()),
        (w["reproduce.records"], same(made.records_sha256)),
        (w["reproduce.city"], same(made.city_sha256)),
        (w["reproduce.files"], join([same(f"{name}: ") + told for name, told in made.files.items()], "；", "; ")),
    ]
    return [Paragraph(w["reproduce.text"]), Commands((made.command,)), Facts(tuple(rows))]
