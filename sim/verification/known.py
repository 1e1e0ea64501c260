"""Cases of known answers: the generator's published vectors, and the log of a small city whose every bit is fixed.

The city draws its calls by decimal arithmetic and looks its durations up in constant tables, so that no library's
rounding is in it: the same log on every machine, with either engine.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.chance import philox4x32
from sim.verification.checks import Case, Check, Size, Told
from sim.verification.played import prepared
from sim.verification.sizes import exactly
from sim.verification.small_city import CallClass, SmallCity

ALL_ONES = 0xFFFFFFFF
PHILOX: tuple[tuple[str, Sequence[int], Sequence[int]], ...] = (
    ("zeros", (0,) * 6, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ("ones", (ALL_ONES,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        "pi",
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)
"""Name, counter and key, words: philox4x32-10 of Random123's kat_vectors."""
GOLDEN_LOG = "bd7ac39a328c032111e0d6019f09adde006750f336ca3faf10d9cbd6c860c5dc"
"""SHA-256 of the event log of `golden_city`, replication 0. It changes with the meaning of the model, and only then."""
_BITS = 12


def known_words(engine: str, size: Size) -> list[Check]:
    """Hold the generator against the vectors that its authors published."""
    del size
    source = "Salmon et al. 2011, Random123 kat_vectors"
    checks = []
    for name, given, words in PHILOX:
        n_same = sum(int(a) == int(b) for a, b in zip(words, philox4x32(*given), strict=True))
        told = Told(f"Philox4x32-10, vector {name}: words that agree", f"Philox4x32-10，向量 {name}：一致的字数")
        checks.append(exactly(name, told, source, "", float(len(words)), float(n_same), engine, 1))
    return checks


def golden_city() -> SmallCity:
    """Return two stations, three units, two classes with priorities, constant work, ways of one and two minutes."""
    classes = (CallClass(6.0, 600.0, 1), CallClass(18.0, 300.0, 2))
    drive_s = ((60.0, 120.0), (120.0, 60.0))
    return SmallCity(classes, (2, 1), (0, 1), drive_s, (700, 300), "constant", 0.0, is_sent_on=True)


def golden_log(engine: str, size: Size) -> list[Check]:
    """Hold the log of the golden city against its digest."""
    from sim.engine import simulate

    del size
    with prepared("golden", golden_city()) as ready:
        digest = simulate(ready.inputs(0), engine).digest()
    told = Told("event log of a small city, first 48 bits of its SHA-256", "小城事件日志的 SHA-256 前 48 位")
    expected, found = (float(int(text[:_BITS], 16)) for text in (GOLDEN_LOG, digest))
    return [exactly("log_digest", told, "committed with the program", "", expected, found, engine, 1)]


CASES = (
    Case("philox", Told("The generator's known answers", "随机数发生器已知答案"), "Salmon et al. 2011", known_words,
         uses_engine=False),
    Case("golden_log", Told("A log known to the last bit", "逐位已知的事件日志"), "committed", golden_log),
)  # fmt: skip
"""Cases of this module."""
