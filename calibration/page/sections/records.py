"""What the records were: rows read, kept, mended and rejected; and calls without a place."""

from __future__ import annotations

from calibration.backtest.run import Prepared
from calibration.page.context import day_of, words
from calibration.page.said import said
from sim.report.blocks import Block, Facts, Grid, Head, Paragraph, number, word
from sim.report.numbers import count, share
from sim.report.texts import Bi, join, same


def records(prepared: Prepared) -> list[Block]:
    """Return the section."""
    w, read, day = words(), prepared.records, prepared.samples.calls.day
    told = w(
        "records.text", first=day_of(day.min()), last=day_of(day.max()), n=count(len(day)), zone=read.time_zone,
        crs=read.crs,
    )  # fmt: skip
    return [Paragraph(told), _account(prepared), _unplaced(prepared), *_notes(prepared)]


def _account(prepared: Prepared) -> Grid:
    w, account = words(), prepared.records.account
    heads = (
        Head(w["records.file"], is_number=False), Head(w["records.what"], is_number=False),
        Head(w["records.action"], is_number=False), Head(w["records.n"]),
        Head(w["records.share"], w["unit.percent"]),
    )  # fmt: skip
    found = [
        (n, n / account.n_read[file] if account.n_read[file] else float("nan"))
        for file, n in ((file, account.n_kept[file]) for file in account.n_read)
    ] + [(int(n), float(part)) for _, _, _, n, part in account.counts.itertuples(index=False, name=None)]
    lines = zip(account.table("zh"), account.table("en"), found, strict=True)
    rows = tuple(
        (word(same(en[0])), word(Bi(zh[1], en[1])), word(Bi(zh[2], en[2])), number(n, count), number(part, share))
        for zh, en, (n, part) in lines
    )
    read = join([same(f"{file} {count(n)}") for file, n in account.n_read.items()], "，", ", ")
    return Grid(w["records.table"], heads, rows, w("records.denominator", read=read))


def _unplaced(prepared: Prepared) -> Paragraph:
    w, reasons = words(), prepared.placed.reasons
    if not reasons:
        return Paragraph(w["records.none_unplaced"])
    told = join([said(text) + same(f" {count(n)}") for text, n in reasons.items()], "；", "; ")
    return Paragraph(w("records.unplaced_text", n=count(sum(reasons.values())), reasons=told))


def _notes(prepared: Prepared) -> list[Block]:
    w, notes = words(), prepared.records.account.notes
    if not notes:
        return []
    return [Facts(tuple((w["records.notes"] if not i else same(""), said(note)) for i, note in enumerate(notes)))]
