"""The report's own font: where it lies, and a subset of it for one page as WOFF bytes.

Pages and pictures use this font and no other, so that they look the same on every machine. Knows nothing of what a page
says. Next: `make_font.py`, which made the file.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FAMILY = "Dgsim Sans SC"
"""Name of the font, its own as the licence asks of a changed version."""

FONT_PATH = Path(__file__).resolve().parent / "fonts" / "DgsimSansSC-Regular.otf"

_FEATURES = ("kern", "ccmp", "mark")
_FIXED_TIME = 3_720_000_000  # seconds since 1904, as fonts count; any fixed number keeps the bytes the same


def write_subset(font: Any, characters: Iterable[str], target: Path | io.BytesIO, *, family: str) -> None:
    """Write the part of a fontTools `font` that draws `characters`, under the name `family`; changes `font`."""
    from fontTools.subset import Options, Subsetter

    options = Options(layout_features=list(_FEATURES), hinting=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
    options.name_languages = [0x409]
    options.drop_tables += ["VORG", "vhea", "vmtx", "DSIG", "GSUB"]
    options.glyph_names = False
    options.notdef_outline = True
    subsetter = Subsetter(options=options)
    subsetter.populate(unicodes=sorted({ord(c) for c in characters}))
    subsetter.subset(font)
    _rename(font, family)
    font["head"].created = font["head"].modified = _FIXED_TIME
    font.recalcTimestamp = False
    font.save(target if isinstance(target, io.BytesIO) else str(target))


def _rename(font: Any, family: str) -> None:
    post_script = family.replace(" ", "") + "-Regular"
    names = {1: family, 2: "Regular", 3: post_script, 4: family, 6: post_script}
    for record in list(font["name"].names):
        if record.nameID in names:
            record.string = names[record.nameID]
    cff = font["CFF "].cff
    cff.fontNames = [post_script]
    top = cff.topDictIndex[0]
    for key, value in (("FullName", family), ("FamilyName", family)):
        if hasattr(top, key):
            setattr(top, key, value)


def page_font(text: str) -> str:
    """Return the WOFF font with the characters of `text` as base64; characters the font lacks are left out."""
    from fontTools.ttLib import TTFont

    font = TTFont(str(FONT_PATH))
    font.flavor = "woff"
    known = {chr(code) for code in font.getBestCmap()}
    stream = io.BytesIO()
    write_subset(font, set(text) & known, stream, family=FAMILY)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def missing_characters(text: str) -> list[str]:
    """Return the characters of `text` that the font cannot draw, sorted; white space is not drawn."""
    from fontTools.ttLib import TTFont

    known = {chr(code) for code in TTFont(str(FONT_PATH)).getBestCmap()}
    return sorted({c for c in text if not c.isspace()} - known)
