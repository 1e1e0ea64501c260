"""The report of a study directory: sections in order, put into one page that needs nothing else.

Steps: read the study -> each section's blocks -> HTML by the template -> the font with exactly the characters used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Section
from sim.report.context import Context, Make, SectionEntry, no_front
from sim.report.font import FAMILY, page_font
from sim.report.study import Study, load_study
from sim.report.texts import HTML_LANG, LANGUAGES, Bi, Words, load_words, same

if TYPE_CHECKING:
    from sim.compare import Run

REPORT = "report.html"
_FOLDER = Path(__file__).resolve().parent / "page"


def write_report(folder: Path, lang_default: str = "zh", run: Run = map) -> Path:
    """Write `report.html` into a study directory from its tables and return its path.

    Parameters
    ----------
    lang_default : "zh" or "en", the language the page opens in (and the only one shown where scripts are off).
    run : makes the sections, here or in other processes; the page is the same.

    Raises
    ------
    InputError
        If the directory holds no tables, or one cannot be read.
    """
    page = render(load_study(folder), lang_default, run)
    path = folder / REPORT
    part = folder / f".part-{REPORT}"
    part.write_text(page, encoding="utf-8", newline="\n")
    os.replace(part, path)
    return path


def render(study: Study, lang_default: str = "zh", run: Run = map) -> str:
    """Return the page of a study; the same tables give the same text. `run` as for `write_report`."""
    entries, context = _told(study)
    if run is map:
        made: Iterable[list[Block]] = (entry.make(context) for entry in entries)
    else:
        made = run(_blocks_in, [(study.folder, entry.id) for entry in entries])
    pairs = zip(entries, made, strict=True)
    sections = [Section(entry.id, context.words[f"{entry.id}.title"], blocks) for entry, blocks in pairs]
    place = study.place()
    title = context.words("page.title", place=place) if place.zh else context.words["page.title_bare"]
    return page_of(context.words, sections, title, lang_default)


def _told(study: Study) -> tuple[list[SectionEntry], Context]:
    """Return the sections that are shown, and what each of them is given."""
    from sim.report.sections import registered

    known = registered()
    entries = [entry for entry in known if entry.is_shown(study)]
    numbers = {entry.id: place + 1 for place, entry in enumerate(entries)}
    left_out = tuple(entry.id for entry in known if entry.id not in numbers and entry.is_asked(study))
    words = load_words().of_stated() if study.states_stations else load_words()
    context = Context(study, words, numbers, left_out)
    told = {entry.id: entry.lead(context) for entry in entries}
    front = next((entry.front for entry in entries if told[entry.id] and entry.front is not no_front), None)
    return entries, replace(context, leads=tuple(text for texts in told.values() for text in texts), front=front)


def _blocks_in(job: tuple[Path, str]) -> list[Block]:
    """Return the blocks of one section of the study in a folder; for a process that makes sections of one report."""
    folder, name = job
    makes, context = _known(folder)
    return makes[name](context)


@lru_cache(maxsize=1)
def _known(folder: Path) -> tuple[dict[str, Make], Context]:
    entries, context = _told(load_study(folder))
    return {entry.id: entry.make for entry in entries}, context


def page_of(words: Words, sections: Sequence[Section], title: Bi, lang_default: str = "zh") -> str:
    """Return the page that holds these sections; of `words` those of the frame are used (`page.*`).

    The first section is what the link past the contents leads to, so its id is `answer`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["both"] = both
    values: dict[str, Any] = {
        "w": words, "sections": sections, "title": title, "default": lang_default, "languages": LANGUAGES,
        "html_lang": HTML_LANG, "style": (_FOLDER / "style.css").read_text(encoding="utf-8"), "family": FAMILY,
        "script": (_FOLDER / "page.js").read_text(encoding="utf-8"), "program": same(_program()),
    }  # fmt: skip
    page = environment.get_template("page.html.j2").render(**values)
    return page.replace("@FONT@", page_font(page))


def _program() -> str:
    from sim.report.sections.reproduce import PROGRAM

    return PROGRAM


def both(text: Bi) -> Any:
    """Return a text for the page: once where both languages agree, else once per language."""
    from markupsafe import Markup, escape

    if text.zh == text.en:
        return escape(text.zh)
    spans = [f'<span class="l-{k}" lang="{HTML_LANG[k]}">{escape(text.of(k))}</span>' for k in LANGUAGES]
    return Markup("".join(spans))
