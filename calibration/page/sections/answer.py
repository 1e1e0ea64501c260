"""The verdict: one sentence, its reasons figure by figure, and what was compared with what."""

from __future__ import annotations

from datetime import timedelta

from calibration.backtest.run import Backtest
from calibration.page.context import day_of, span_of, words
from calibration.scores import Judgement, Outcome
from calibration.scores.verdict import SPEED_RECORDS
from sim.report.blocks import Block, Facts, Grid, Head, Paragraph, word
from sim.report.numbers import count
from sim.report.texts import Bi, join

TONES = {Outcome.PASS: "gain", Outcome.FAIL: "loss"}


def answer(found: Backtest) -> list[Block]:
    """Return the section."""
    style = "lead" if found.verdict.outcome is not Outcome.FAIL else "lead warn"
    return [Paragraph(found.verdict.sentence, style), Paragraph(_how(found)), _figures(found), _facts(found)]


def _how(found: Backtest) -> Bi:
    split, day = found.split, found.prepared.samples.calls.day
    draws = count(found.predicted.first_s.shape[1])
    if split.at is None:
        return words()("answer.by_place", draws=draws)
    return words()(
        "answer.by_date", first=day_of(day.min()), before=split.at - timedelta(days=1), at=split.at,
        last=day_of(day.max()), draws=draws,
    )  # fmt: skip


def reason_of(judgement: Judgement, n_records: int) -> Bi:
    """Return a judgement's reason without the time taken, which differs from one run to the next."""
    if judgement.key != "speed":
        return judgement.reason
    told = words()("answer.speed_limit", n=count(n_records))
    return told if n_records >= SPEED_RECORDS or judgement.outcome is Outcome.FAIL else _cut(judgement.reason, told)


def _cut(reason: Bi, told: Bi) -> Bi:
    """Return `told` with what the reason says after its first comma, in each language's own."""
    zh, en = reason.zh.partition("，")[2], reason.en.partition("; ")[2]
    return Bi(f"{told.zh}，{zh}" if zh else told.zh, f"{told.en}; {en}" if en else told.en)


def _figures(found: Backtest) -> Grid:
    w, n_records = words(), len(found.prepared.records.incidents)
    heads = tuple(Head(w[f"head.{name}"], is_number=False) for name in ("figure", "rule", "outcome", "reason"))
    rows = tuple(
        (
            word(each.name), word(each.rule), word(w[f"outcome.{each.outcome.value}"], TONES.get(each.outcome, "")),
            word(reason_of(each, n_records)),
        )
        for each in found.verdict.judgements
    )  # fmt: skip
    whole = found.first[0]
    denominator = w("answer.denominator", n=count(whole.n), days=count(whole.n_days))
    return Grid(w["answer.table"], heads, rows, denominator)


def _facts(found: Backtest) -> Facts:
    w, samples = words(), found.prepared.samples
    day, split, stages = samples.calls.day, found.split, samples.stages
    fitted, scored = split.is_fitted & samples.calls.is_response, found.scored
    told = [("handling", stages.has_handling), ("turnout", stages.has_turnout), ("scene", stages.has_scene)]
    names = [w[f"part.{name}"] for name, has in told if has]
    names.insert(len(names) - stages.has_scene, w["part.travel"])
    return Facts(
        (
            (w["answer.facts_fitted"], _calls(int(fitted.sum())) + _beside(span_of(day[fitted]))),
            (w["answer.facts_scored"], _calls(len(scored)) + _beside(span_of(day[scored]))),
            (w["answer.facts_clock"], w[f"clock.{stages.clock.value}"]),
            (w["answer.facts_stages"], join(names)),
        )
    )


def _calls(n: int) -> Bi:
    return words()("answer.facts_calls", n=count(n))


def _beside(text: Bi) -> Bi:
    return Bi(f"，{text.zh}", f", {text.en}")
