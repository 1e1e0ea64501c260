"""Makes the report's own font file from an installed Noto Sans CJK SC: `python -m sim.report.make_font FONT.ttc`.

Run it once when characters are missing; its result is committed (`fonts/`), so that no report ever depends on a font of
the machine. Knows fonts only. Next: `font.py`, which cuts from that file what one page needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sim.report.font import FAMILY, FONT_PATH, write_subset

_SC_FACE = 2
"""Place of the Simplified Chinese face in Noto Sans CJK's collection file (JP, KR, SC, TC, HK, then the mono faces)."""

_RANGES = ((0x20, 0x7E), (0xA0, 0xFF), (0x2010, 0x2027), (0x2030, 0x203B), (0x2190, 0x2193), (0x2200, 0x22FF))
_SINGLE = "ΔΣαβδεμπσ▲▼△▽■□●○◆◇✓①②③④⑤⑥⑦⑧⑨⑩㎡‰℃№、。！？：；，（）《》【】「」“”‘’—…·"


def gb2312_characters() -> set[str]:
    """Return every character of the GB 2312 set: 6,763 Chinese ones and its punctuation and symbols."""
    found: set[str] = set()
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            text = bytes((high, low)).decode("gb2312", errors="ignore")
            found.update(text)
    return found


def characters_of(folder: Path) -> set[str]:
    """Return every character beyond ASCII in a folder's tables and settings, among them place names outside GB 2312."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".csv", ".yaml") and path.is_file():
            found.update(c for c in path.read_text(encoding="utf-8") if ord(c) > 0x7E)
    return found


def make_font(source: Path, configs: Path, target: Path) -> int:
    """Write the subset of `source` under the project's own family name and return its number of characters."""
    from fontTools.ttLib import TTCollection, TTFont

    wanted = gb2312_characters() | characters_of(configs) | set(_SINGLE)
    wanted |= {chr(code) for first, last in _RANGES for code in range(first, last + 1)}
    font: Any = TTCollection(str(source)).fonts[_SC_FACE] if source.suffix == ".ttc" else TTFont(str(source))
    wanted &= {chr(code) for code in font.getBestCmap()}
    write_subset(font, wanted, target, family=FAMILY)
    return len(wanted)


def main() -> None:
    """Read the command line and make the font."""
    from sim.config import configs_root

    parser = argparse.ArgumentParser(description="Make the report's font from Noto Sans CJK SC.")
    parser.add_argument("source", type=Path, help="NotoSansCJK-Regular.ttc, or the SC font alone (.otf)")
    given = parser.parse_args()
    n = make_font(given.source, configs_root(), FONT_PATH)
    print(f"{FONT_PATH.name}: {n:,} characters, {FONT_PATH.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
