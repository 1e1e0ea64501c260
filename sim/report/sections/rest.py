"""The plan's indicators, other assumptions, how sure the results are, the list of assumptions, and how to reproduce."""

from __future__ import annotations

import hashlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Commands, Facts, Grid, Head, Paragraph, counted, number, word
from sim.report.context import Context, kept
from sim.report.numbers import count, diff_writer_of, is_clear, is_missing, p_value, points, small
from sim.report.pictures.curves import grouped_bars
from sim.report.pictures.marks import forest, mark_of
from sim.report.study import CLOCK, HEADLINE, n_rows
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PROGRAM = "dongguan-response"
_STANDINGS = ("plan", "standard", "published", "assumed", "fitted")


# --- the plan's indicators --------------------------------------------------------------------------------------------


def indicators(context: Context) -> list[Block]:
    """Return the plan's own indicators, by scheme and year."""
    study, words = context.study, context.words
    found = study.table("indicators", "indicator", "value", "target", "met")
    if found is None:
        return [context.missing("indicators")]
    pair = study.main()
    arms = [pair.base, pair.arm] if pair else study.arms()
    heads = (
        Head(words["indicators.indicator"], is_number=False), Head(words["head.arm"], is_number=False),
        *(Head(same(year)) for year in study.years), Head(words["indicators.target"]),
    )  # fmt: skip
    rows = []
    for name in dict.fromkeys(found["indicator"].tolist()):
        for arm in arms:
            of = found[(found["indicator"] == name) & (found["arm"] == arm)]
            if not of.empty:
                rows.append(_indicator(context, str(name), arm, of))
    return [
        Paragraph(words["indicators.text"]),
        Grid(words["indicators.table"], heads, tuple(rows), words["indicators.denominator"]),
    ]


def _indicator(context: Context, name: str, arm: str, rows: pd.DataFrame) -> tuple[Cell, ...]:
    study, words = context.study, context.words
    by_year = {int(r["year"]): r for r in rows.to_dict("records")}
    cells = []
    for year in study.years:
        row = by_year.get(year)
        target = None if row is None else row["target"]
        tone = "" if row is None or is_missing(target) else "gain" if row["met"] else "loss"
        cells.append(number(None if row is None else row["value"], small, tone=tone))
    targets = [same(small(r["target"])).with_unit(same(y)) for y, r in by_year.items() if not is_missing(r["target"])]
    told = list(dict.fromkeys(targets))
    first = rows.iloc[0]
    label = words.known("indicator", name)
    if "name_zh" in rows and "name_en" in rows:
        label = Bi(str(first["name_zh"]), str(first["name_en"]))
    return (word(label), word(study.label(arm)), *cells, word(join(told, "；", "; ") if told else same("–")))


# --- other assumptions ------------------------------------------------------------------------------------------------


def variants(context: Context) -> list[Block]:
    """Return the travel worlds beside published figures, the opening months, and every contrast."""
    return kept(
        Paragraph(context.words["variants.worlds_text"]),
        _worlds(context),
        _opening(context),
        *_primary(context),
        _exploratory(context),
    )


def _worlds(context: Context) -> Block:
    study, words = context.study, context.words
    found = study.table("travel_worlds", "travel", "benchmark", "model_value", "published_value", "source")
    if found is None:
        return context.missing("travel_worlds")
    heads = (
        Head(words["variants.travel"], is_number=False), Head(words["variants.benchmark"], is_number=False),
        Head(words["variants.model"]), Head(words["variants.published"]),
        Head(words["variants.source"], is_number=False),
    )  # fmt: skip
    rows = tuple(
        (
            word(words.known("travel", r["travel"])), word(_benchmark(context, r)), number(r["model_value"], small),
            number(r["published_value"], small), word(same(text(r["source"])), tone="source"),
        )
        for r in found.to_dict("records")
    )  # fmt: skip
    return Grid(words["variants.worlds_table"], heads, rows, words["variants.worlds_denominator"])


def _benchmark(context: Context, record: dict[Any, Any]) -> Bi:
    if record.get("doc_zh") and record.get("doc_en"):
        name = Bi(str(record["doc_zh"]), str(record["doc_en"]))
    else:
        name = context.words.known("benchmark", record["benchmark"])
    extra = [str(record[key]) for key in ("place", "unit") if record.get(key)]
    return name.with_unit(same(", ".join(extra))) if extra else name


def _opening(context: Context) -> Block | None:
    study, words = context.study, context.words
    pairs = [p for p in study.pairs() if p.purpose == "opening"]
    rows = [(p, year, study.contrast(p, "share_300", year)) for p in pairs for year in study.years]
    known = [(p, year, row) for p, year, row in rows if row is not None]
    if not known:
        return None

    def draw(language: str) -> Figure | None:
        marks = [mark_of(f"{p.label.of(language)}  {year}", r, "diff", 100, points(r["diff"])) for p, year, r in known]
        return forest(marks, words["towns.bar"].of(language), points, better=1, line_in=0.19)

    caption = words("variants.opening", year=study.year)
    return picture(draw, caption, words("variants.opening_alt", n=len(known)), "opening")


def _primary(context: Context) -> list[Block]:
    words = context.words
    found = context.study.table("contrasts", "p_adjusted", is_primary=True)
    if found is None:
        return [Paragraph(words["variants.no_primary"], "missing")]
    extra = (Head(words["variants.p"]), Head(words["variants.p_adjusted"]))
    return [_contrasts(context, found, words["variants.primary_table"], extra, is_primary=True)]


def _exploratory(context: Context) -> Block | None:
    study, words = context.study, context.words
    wanted = {"is_primary": False, "scope": "city", "group": HEADLINE, "clock": CLOCK, "year": study.year}
    found = study.table("contrasts", **wanted)
    if found is None:
        return None
    found = found[found["metric"].isin(("share_300", "p50", "p90"))]
    caption = words("variants.exploratory_table", year=study.year)
    return None if found.empty else _contrasts(context, found, caption, (), is_primary=False)


def _contrasts(
    context: Context, found: pd.DataFrame, caption: Bi, extra: tuple[Head, ...], *, is_primary: bool
) -> Grid:
    words, study = context.words, context.study
    heads = (
        Head(words["variants.contrast"], is_number=False), Head(words["head.year"], is_number=False),
        Head(words["head.metric"], is_number=False), Head(words["head.difference"]), *extra,
        Head(words["variants.verdict"], is_number=False), Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    rows = []
    for r in found.to_dict("records"):
        metric = str(r["metric"])
        unit = words["unit.points" if metric.startswith("share") else "unit.s"]
        told = words("variants.against", arm=study.label(r["arm"]), base=study.label(r["base"]))
        year = same(r["year"]) if r["year"] else words["year.all"]
        cells = [word(told), word(year), word(words[f"metric.{metric}"].with_unit(unit))]
        is_sure = is_clear(r["low"], r["high"]) and (
            not is_primary or is_missing(r["p_adjusted"]) or r["p_adjusted"] < 0.05
        )
        better = 1 if metric.startswith("share") else -1
        tone = "" if not is_sure else "gain" if (r["diff"] > 0) == (better > 0) else "loss"
        mc = (r.get("mc_low"), r.get("mc_high"))
        cells.append(number(r["diff"], diff_writer_of(metric), r["low"], r["high"], mc=mc, tone=tone))
        cells += [number(r[name], p_value) for name in ("p_value", "p_adjusted")] if is_primary else []
        verdict = words["variants.clear" if is_sure else "variants.unclear"]
        verdict = verdict if is_primary else verdict.with_unit(words["variants.exploratory"])
        rows.append((*cells, word(verdict), counted(r["n_incidents"], r["n_pairs"])))
    notes = (words["note.intervals"], *((words["variants.p_note"],) if is_primary else ()))
    return Grid(caption, heads, tuple(rows), words["note.pooled_each"], notes)


# --- how sure ---------------------------------------------------------------------------------------------------------


def certainty(context: Context) -> list[Block]:
    """Return chance against siting, and how many replications are enough."""
    return kept(Paragraph(context.words["certainty.text"]), *_spread(context), _guide(context))


def _spread(context: Context) -> list[Block]:
    study, words = context.study, context.words
    pair = study.main()
    arms = [pair.base, pair.arm] if pair else study.arms()[:1]
    found = [
        (arm, metric, study.headline(arm, metric, study.year))
        for metric in ("share_300", "p50", "p90", "mean")
        for arm in arms
    ]
    rows = [(a, m, r) for a, m, r in found if r is not None and "siting_sd" in r and not is_missing(r["value"])]
    if not rows:
        return [context.missing("headline")]
    shares = [entry for entry in rows if entry[1].startswith("share")]
    times = [entry for entry in rows if not entry[1].startswith("share")]

    def name(entry: tuple[str, str, Any]) -> Bi:
        return context.words[f"head.{entry[1]}"] + same(" · ") + study.label(entry[0])

    def draw(language: str) -> Figure | None:
        size = max(len(shares), len(times))
        blank = [("", float("nan"), float("nan"))] * (size - len(shares))
        bars = [(name(e).of(language), 100 * e[2]["mc_sd"], 100 * e[2]["siting_sd"]) for e in shares] + blank
        bars += [(name(e).of(language), e[2]["mc_sd"], e[2]["siting_sd"]) for e in times]
        series = [
            (words["certainty.chance"].of(language), [b[1] for b in bars]),
            (words["certainty.siting"].of(language), [b[2] for b in bars]),
        ]
        titles = [words["unit.points"].of(language), words["unit.s"].of(language)]
        return grouped_bars([b[0] for b in bars], series, titles, size)

    text = join(
        [name(e) + same(f" {small(_scaled(e, 'mc_sd'))} / {small(_scaled(e, 'siting_sd'))}") for e in rows], "；", "; "
    )
    caption = words("certainty.picture", year=study.year)
    heads = (
        Head(words["head.metric"], is_number=False), Head(words["head.arm"], is_number=False),
        Head(words["certainty.low_mc"]), Head(words["certainty.low_siting"]),
        Head(words["head.incidents"], words["unit.replications"]),
    )  # fmt: skip
    told = tuple(
        (
            word(words[f"head.{m}"].with_unit(words["unit.points" if m.startswith("share") else "unit.s"])),
            word(study.label(a)), number(_scaled((a, m, r), "mc_sd"), small),
            number(_scaled((a, m, r), "siting_sd"), small), counted(r["n_incidents"], r["n_replications"]),
        )
        for a, m, r in rows
    )  # fmt: skip
    grid = Grid(words("certainty.sd_table", year=study.year), heads, told, words["note.pooled_each"])
    return kept(picture(draw, caption, words("certainty.alt", text=text), "certainty"), grid)


def _scaled(entry: tuple[str, str, Any], column: str) -> float:
    return float(entry[2][column]) * (100 if entry[1].startswith("share") else 1)


def _guide(context: Context) -> Block:
    """Return how many replications would do, for the main pair's figures and every declared contrast."""
    words, study = context.words, context.study
    found = study.table(
        "replication_guide", "arm", "base", "metric", "n_now", "half_width_now", "target", "n_for_half_width"
    )
    if found is None:
        return context.missing("replication_guide")
    pair = study.main()
    told = {pair.arm, pair.base} if pair else set(study.arms()[:2])
    heads = (
        Head(words["head.arm"], is_number=False), Head(words["head.metric"], is_number=False),
        Head(words["head.year"], is_number=False), Head(words["certainty.now"]), Head(words["certainty.half"]),
        Head(words["certainty.target"]), Head(words["certainty.needed"]),
    )  # fmt: skip
    rows = []
    for r in found.to_dict("records"):
        if not r["base"] and r["arm"] not in told:
            continue
        arm, metric = study.label(str(r["arm"])), str(r["metric"])
        name = words("variants.against", arm=arm, base=study.label(str(r["base"]))) if r["base"] else arm
        factor, unit = (100, "unit.points") if metric.startswith("share") else (1, "unit.s")
        needed = word(words["certainty.many"]) if r["n_for_half_width"] < 0 else number(r["n_for_half_width"], count)
        year = same(r["year"]) if r.get("year") else words["year.all"]
        cells = [word(name), word(words.known("metric", metric).with_unit(words[unit])), word(year)]
        widths = [number(_times(r[column], factor), small) for column in ("half_width_now", "target")]
        rows.append((*cells, number(r["n_now"], count), *widths, needed))
    return Grid(words["certainty.guide_table"], heads, tuple(rows), words["certainty.guide_denominator"])


def _times(value: Any, factor: float) -> float | None:
    return None if is_missing(value) else float(value) * factor


# --- assumptions ------------------------------------------------------------------------------------------------------


def assumptions(context: Context) -> list[Block]:
    """Return every input number with its standing and source."""
    words = context.words
    found = context.study.table("assumptions", "key", "value", "standing", "source")
    if found is None:
        return [context.missing("assumptions")]
    standings = [str(s) for s in found["standing"]]
    known = [s for s in _STANDINGS if s in standings] + sorted({s for s in standings if s not in _STANDINGS})
    counts = join([words.known("standing", s) + same(f" {count(standings.count(s))}") for s in known])
    n = count(len(found))
    heads = tuple(
        Head(words[f"assumptions.{name}"], is_number=False) for name in ("key", "value", "standing", "source")
    )
    rows = tuple(
        (
            word(same(r["key"]), tone="key"), word(same(r["value"])),
            word(words.known("standing", r["standing"]), tone=f"standing-{r['standing']}"),
            word(same(text(r["source"])), tone="source"),
        )
        for r in found.to_dict("records")
    )  # fmt: skip
    grid = Grid(
        words["assumptions.table"], heads, rows, words("assumptions.denominator", n=n, counts=counts), is_filtered=True
    )
    return [Paragraph(words("assumptions.text", n=n, assumed=count(standings.count("assumed")))), grid]


def text(value: Any) -> str:
    """Return a source as words: an address without its scheme, so that the page holds none that could be opened."""
    return "" if value is None else str(value).replace("https://", "").replace("http://", "")


# --- reproduce --------------------------------------------------------------------------------------------------------


def reproduce(context: Context) -> list[Block]:
    """Return commands, seed, program and digests; nothing that depends on when or where the report is made."""
    study, words = context.study, context.words
    note = study.note
    kind, name = str(note.get("kind", "")), str(note.get("name", ""))
    command = f"dgsim study {name}" if kind == "study" else f"dgsim {kind or 'report'} …"
    first = next(iter(study.configs.values()), {})
    replications = study.table("arms", "n_replications")
    told = [
        (words["reproduce.study"], same(f"{kind} {name}".strip() or "–")),
        (words["reproduce.seed"], same(first.get("seed", "–"))),
        (words["reproduce.years"], same(", ".join(str(year) for year in study.years) or "–")),
        (words["reproduce.versions"], same(f"{PROGRAM} {_version()}")),
    ]
    if replications is not None:
        listed = join(
            [study.label(r["arm"]) + same(f" {count(r['n_replications'])}") for r in replications.to_dict("records")],
            "；",
            "; ",
        )
        told.append((words["reproduce.replications"], listed))
    lines = (command, "dgsim verify RUN_DIR", "dgsim report RUN_DIR")
    return [Paragraph(words["reproduce.text"]), Commands(lines), Facts(tuple(told)), _digests(context)]


def _version() -> str:
    try:
        return metadata.version(PROGRAM)
    except metadata.PackageNotFoundError:
        return "–"


def _digests(context: Context) -> Grid:
    words, study = context.words, context.study
    heads = (
        Head(words["reproduce.table"], is_number=False), Head(words["reproduce.rows"]),
        Head(words["reproduce.digest"], is_number=False),
    )  # fmt: skip
    rows = []
    for path in study.files():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        rows.append((word(same(path.name), tone="key"), number(n_rows(path), count), word(same(digest), tone="digest")))
    return Grid(words["reproduce.tables"], heads, tuple(rows), words["reproduce.digest_denominator"])


__all__ = ["assumptions", "certainty", "indicators", "reproduce", "text", "variants"]
