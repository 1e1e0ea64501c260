"""A study's axis: what a numeric setting does over its values, as a picture, a table, and in a sentence for page one.

The axis is declared in the study (`sweep` in its YAML) and noted with the run; the values are those of the arms' own
settings. It stands apart from what the setting is: any of them may be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.report.blocks import Block, Cell, Grid, Head, Paragraph, Picture, counted, number, word
from sim.report.compared import bound_of
from sim.report.context import Context, SectionEntry, kept
from sim.report.declared import grouped, verdict_of
from sim.report.numbers import diff_writer_of, is_missing, share, writer_of
from sim.report.pictures.sweep import Level, Swept, Value, over_values
from sim.report.study import CLOCK, HEADLINE, Row, Study
from sim.report.svg import picture
from sim.report.texts import Bi, join, same

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Measure:
    """What is drawn: a metric at a milestone, and the bound within which it counts as the same (NaN: none)."""

    metric: str
    clock: str
    bound: float

    @property
    def factor(self) -> float:
        """What brings a value into the unit in which it is shown."""
        return 100.0 if self.metric.startswith("share") else 1.0


@dataclass(frozen=True, slots=True)
class Axis:
    """A study's axis: arms by rising value of the setting, the base they share, the arms that are marked."""

    label: Bi
    base: str
    values: Mapping[str, float]
    marks: tuple[str, ...]
    measures: tuple[Measure, ...]

    @property
    def across(self) -> tuple[str, ...]:
        """The marked arms that have no value of their own."""
        return tuple(arm for arm in self.marks if arm not in self.values)

    def text(self, arm: str) -> Bi:
        """Return an arm's value with as many decimals as the axis needs."""
        digits = max(len(f"{value:g}".partition(".")[2]) for value in self.values.values())
        return same(f"{self.values[arm]:.{digits}f}")


def axis_of(study: Study) -> Axis | None:
    """Return the axis that the study declares, as far as its arms are there; None without one."""
    told = (study.note.get("study") or {}).get("sweep")
    if not told:
        return None
    there = set(study.arms())
    values = {arm: _setting(study.configs.get(arm, {}), told["key"]) for arm in told["arms"] if arm in there}
    known = sorted((value, arm) for arm, value in values.items() if value is not None)
    measures = [Measure(m["metric"], m["clock"], m["equivalence"] or float("nan")) for m in told["measures"]]
    marks = tuple(arm for arm in told["marks"] if arm in there)
    label = Bi(told["label_zh"], told["label_en"])
    return Axis(label, told["base"], {arm: value for value, arm in known}, marks, tuple(measures)) if known else None


def _setting(config: Mapping[str, Any], key: str) -> float | None:
    """Return the number at a dotted key of an arm's settings, None where there is none."""
    found: Any = config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def make(context: Context) -> list[Block]:
    """Return the sentences, the picture and the table."""
    axis = axis_of(context.study)
    assert axis is not None
    told = [text for measure in axis.measures if (text := _verdicts(context, axis, measure)) is not None]
    return kept(
        *(Paragraph(text, "lead") for text in lead(context)),
        *(Paragraph(text) for text in told),
        front(context, "sweep"),
        _grid(context, axis),
    )


# --- what is known of an arm ------------------------------------------------------------------------------------------


def _level(context: Context, arm: str, measure: Measure) -> Row | None:
    return context.study.headline(arm, measure.metric, context.study.year, measure.clock)


def _diffs(context: Context, axis: Axis, measure: Measure) -> dict[str, Row]:
    """Return the paired difference of every arm from the base, held against the axis's own bound."""
    of_this = {"base": axis.base, "metric": measure.metric, "clock": measure.clock, "year": context.study.year}
    found = context.study.table("contrasts", **of_this, group=HEADLINE, scope="city")
    rows: list[Any] = [] if found is None else found.to_dict("records")
    bound = measure.bound
    return {
        row["arm"]: {**row, "equivalence": bound, "is_equivalent": bool(row["low"] > -bound and row["high"] < bound)}
        for row in rows
    }


def _name(context: Context, measure: Measure) -> Bi:
    """Return the measure's name, with its milestone where it is not the first arrival."""
    name = context.words[f"metric.{measure.metric}"]
    return name if measure.clock == CLOCK else name.with_unit(context.words.known("clock", measure.clock))


def _unit(context: Context, measure: Measure) -> Bi:
    return context.words["unit.percent" if measure.metric.startswith("share") else "unit.s"]


def _written(context: Context, arm: str, measure: Measure) -> Bi:
    row = _level(context, arm, measure)
    return same(writer_of(measure.metric)(None if row is None else row["value"]) + " ") + _unit(context, measure)


# --- sentences --------------------------------------------------------------------------------------------------------


def lead(context: Context) -> list[Bi]:
    """Return where the axis leads, and from which value on more of it changes nothing that matters."""
    axis = axis_of(context.study)
    if axis is None:
        return []
    arms = list(axis.values)
    told = []
    for measure in axis.measures:
        text = context.words(
            "sweep.from_to", measure=_name(context, measure), a=_written(context, arms[0], measure),
            b=_written(context, arms[-1], measure),
        )  # fmt: skip
        told.append(text + _settles(context, axis, measure))
    ends = (axis.text(arm) for arm in (arms[0], arms[-1]))
    values = dict(zip(("first", "last"), ends, strict=True))
    n, year = len(arms), context.study.year
    return [context.words("sweep.lead", label=axis.label, n=n, year=year, measures=join(told, "；", "; "), **values)]


def _settles(context: Context, axis: Axis, measure: Measure) -> Bi:
    """Return from which value on none is further than the bound from the highest, by the differences themselves."""
    diffs, arms = _diffs(context, axis, measure), list(axis.values)
    known = [0.0 if arm == axis.base else float(diffs[arm]["diff"]) for arm in arms if arm == axis.base or arm in diffs]
    if is_missing(measure.bound) or len(known) < len(arms) or any(is_missing(value) for value in known):
        return same("")
    far = [place for place, value in enumerate(known) if abs(value - known[-1]) > measure.bound]
    bound = bound_of(context, measure.metric, measure.bound)
    bound = Bi(bound.zh.removeprefix("±"), bound.en.removeprefix("±"))
    if not far:
        return context.words("sweep.never_matters", bound=bound)
    return context.words("sweep.settles", x=axis.text(arms[far[-1] + 1]), bound=bound)


def _verdicts(context: Context, axis: Axis, measure: Measure) -> Bi | None:
    """Return what became of each value against the base, neighbours with one verdict as a range."""
    diffs = _diffs(context, axis, measure)
    runs: list[list[str]] = []
    for arm in (arm for arm in axis.values if arm in diffs):
        if runs and verdict_of(diffs[runs[-1][-1]]) == verdict_of(diffs[arm]):
            runs[-1].append(arm)
        else:
            runs.append([arm])
    runs += [[arm] for arm in axis.across if arm in diffs]
    if not runs:
        return None
    named = {run[0]: _range(context, axis, run) for run in runs}
    text = grouped(context, [diffs[run[0]] for run in runs], lambda row: named[str(row["arm"])])
    name = _name(context, measure)
    return context.words("sweep.verdicts", measure=name, base=context.study.label(axis.base), text=text)


def _range(context: Context, axis: Axis, run: list[str]) -> Bi:
    if run[0] not in axis.values:
        return context.study.label(run[0])
    return axis.text(run[0]) if len(run) == 1 else axis.text(run[0]) + same("–") + axis.text(run[-1])


# --- picture and table ------------------------------------------------------------------------------------------------


def front(context: Context, name: str) -> Picture | None:
    """Return the picture of all measures over the axis, for the section and for page one."""
    axis = axis_of(context.study)
    if axis is None:
        return None
    words, year = context.words, context.study.year
    shown = [measure for measure in axis.measures if _level(context, axis.base, measure) is not None]

    def draw(language: str) -> Figure | None:
        return over_values([_panel(context, axis, m, language) for m in shown], axis.label.of(language))

    measures = join([_name(context, measure) for measure in shown])
    values = {"measures": measures, "label": axis.label, "year": year, "base": context.study.label(axis.base)}
    bounds = _bounds(context, axis)
    caption = words("sweep.picture", **values, bounds=bounds) if bounds.en else words("sweep.picture_bare", **values)
    if axis.across:
        caption = caption + words("sweep.across", names=join([context.study.label(arm) for arm in axis.across]))
    return picture(draw, caption, words("sweep.alt", text=lead(context)[0]), name)


def _bounds(context: Context, axis: Axis) -> Bi:
    found = [bound_of(context, m.metric, m.bound) for m in axis.measures if not is_missing(m.bound)]
    return join(list(dict.fromkeys(found)))


def _panel(context: Context, axis: Axis, measure: Measure, language: str) -> Swept:
    """Return a panel: the base's level plus paired differences, so that sites and chance that all share cancel."""
    level, diffs, factor = _level(context, axis.base, measure), _diffs(context, axis, measure), measure.factor
    assert level is not None
    base = factor * float(level["value"])
    title = _name(context, measure).with_unit(_unit(context, measure)).of(language)

    def at(arm: str) -> tuple[float, float, float]:
        row = diffs.get(arm)
        if row is None:
            return base, base, base
        y, low, high = (base + factor * float(row[name]) for name in ("diff", "low", "high"))
        return y, y if is_missing(low) else low, y if is_missing(high) else high

    name = {arm: context.study.label(arm).of(language) for arm in axis.marks}
    values = [
        Value(x, *at(arm), name.get(arm, "")) for arm, x in axis.values.items() if arm == axis.base or arm in diffs
    ]
    levels = [Level(name[arm], *at(arm)) for arm in axis.across if arm in diffs]
    return Swept(title, tuple(values), tuple(levels), base, factor * measure.bound)


def _grid(context: Context, axis: Axis) -> Grid:
    words, study = context.words, context.study
    heads = [Head(axis.label, is_number=False)]
    for measure in axis.measures:
        step = words["unit.points" if measure.metric.startswith("share") else "unit.s"]
        heads += [Head(_name(context, measure), _unit(context, measure))]
        heads += [Head(words("sweep.against", base=study.label(axis.base)), step)]
        heads += [Head(words["sweep.verdict"], is_number=False)]
    heads.append(Head(words["head.incidents"], words["unit.replications"]))
    diffs = {measure: _diffs(context, axis, measure) for measure in axis.measures}
    rows = []
    for arm in (*axis.values, *axis.across):
        cells = [word(study.label(arm) if arm in axis.marks else axis.text(arm))]
        for measure in axis.measures:
            level = _level(context, arm, measure)
            cells += [_level_cell(level, measure.metric), *_diff_cells(context, diffs[measure].get(arm), measure)]
        first = _level(context, arm, axis.measures[0])
        cells.append(number(None, share) if first is None else counted(first["n_incidents"], first["n_replications"]))
        rows.append(tuple(cells))
    bounds = _bounds(context, axis)
    notes = [words["note.interval_short"]]
    if bounds.en:
        notes.append(words("sweep.exploratory", see=context.see("variants"), bounds=bounds))
    caption = words("sweep.table", year=study.year)
    return Grid(caption, tuple(heads), tuple(rows), words["note.pooled_each"], tuple(notes))


def _level_cell(row: Row | None, metric: str) -> Cell:
    write = writer_of(metric)
    return number(None, write) if row is None else number(row["value"], write, row["low"], row["high"])


def _diff_cells(context: Context, row: Row | None, measure: Measure) -> tuple[Cell, Cell]:
    """Return the difference and its verdict; dashes for the base itself."""
    write = diff_writer_of(measure.metric)
    if row is None:
        return number(None, write), word("–")
    verdict = verdict_of(row)
    tone = {"better": "gain", "worse": "loss"}.get(verdict, "")
    told = word(context.words.known("verdict", verdict))
    return number(row["diff"], write, row["low"], row["high"], tone=tone), told


SECTION = SectionEntry(
    "sweep", needs=("contrasts", "headline"), make=make, lead=lead, front=front,
    is_asked=lambda study: axis_of(study) is not None,
)  # fmt: skip
