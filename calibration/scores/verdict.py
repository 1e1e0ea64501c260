"""Is the model good enough? The figures to reach on held-out calls, declared; each passes, fails or cannot be judged.

A figure passes only on evidence: where the held-out side is too small, or its error bars wider than what is asked, it
is *not measurable*, with the reason; where there is nothing that it asks about, it does *not apply*. The whole passes
if every figure that applies does, and fails if a single one fails.
What is asked stands in `FIGURES`; from what size on it can be judged stands below it and is our own choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from scipy import stats

from calibration.scores.groups import CallWeighted
from calibration.scores.paired import Skill
from calibration.scores.shares import Share
from sim.report.texts import Bi

KS_TIMES_FLOOR, KS_LEAST = 1.6, 0.03
P90_S, P90_SE = 20.0, 2.0
COVERAGE = (0.87, 0.93)
SKILL_LEAST = 0.02
STATION_S, STATION_CALLS = 18.0, 100
SPEED_S, SPEED_RECORDS = 120.0, 100_000

LEAST_CALLS = 1000
"""Assumed: the figures are meant for a few thousand held-out calls and more."""
LEAST_DAYS = 10
"""Assumed: from fewer days no interval can be had by drawing days anew."""
KS_WIDEST_FLOOR = 0.05
"""Assumed: beyond it (some 300 independent calls) the distance forgives models that are plainly wrong."""
P90_WIDEST_S = 60.0
"""Assumed: two standard errors wider than a minute excuse any error."""
COVERAGE_WIDEST = 0.03
"""Half the width of the coverage asked for: an interval that is wider to either side tells nothing about it."""
OUTSIDE_SHARE = 0.05
"""Small stations beyond their own 95 % limits, if the model is true."""


class Outcome(StrEnum):
    """How a figure fares."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURABLE = "not measurable"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured on the held-out side; None where it was not.

    n_calls, n_days: held-out calls with a record of the first arrival, and their dates. ks, ks_floor: distance and the
    floor's median. p90_error_s, p90_se_s: `QuantileRow` difference and its standard error at 0.9. coverage: of 90 %
    intervals. skill: CRPS over the regression. stations: call-weighted error of stations with 100 calls and more.
    n_small, n_small_outside: stations with fewer, and those beyond their own limit. elapsed_s, n_records: cleaning and
    fitting.
    """

    n_calls: int = 0
    n_days: int = 0
    ks: float | None = None
    ks_floor: float | None = None
    p90_error_s: float | None = None
    p90_se_s: float | None = None
    coverage: Share | None = None
    skill: Skill | None = None
    stations: CallWeighted | None = None
    n_small: int | None = None
    n_small_outside: int | None = None
    elapsed_s: float | None = None
    n_records: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One figure's outcome with its reason."""

    key: str
    name: Bi
    rule: Bi
    outcome: Outcome
    reason: Bi


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure to reach: what it is called, when it is reached, how it is measured, and the judge of it.

    needs_calls: whether it takes a held-out side of `LEAST_CALLS` calls on `LEAST_DAYS` days.
    """

    key: str
    name: Bi
    rule: Bi
    measured: Bi
    judge: Callable[[Evidence], tuple[Outcome, Bi]]
    needs_calls: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """All judgements, the outcome of the whole, and one sentence that says it."""

    judgements: tuple[Judgement, ...]
    outcome: Outcome
    sentence: Bi


def judge(evidence: Evidence) -> Verdict:
    """Return how the evidence fares against every figure of `FIGURES`."""
    judgements = tuple(_judgement(figure, evidence) for figure in FIGURES)
    counts = {outcome: sum(each.outcome is outcome for each in judgements) for outcome in Outcome}
    n_failed, n_open = counts[Outcome.FAIL], counts[Outcome.NOT_MEASURABLE]
    n_asked = len(judgements) - counts[Outcome.NOT_APPLICABLE]
    sentence = _SENTENCES["fail" if n_failed else "open" if n_open else "pass"]
    outcome = Outcome.FAIL if n_failed else Outcome.NOT_MEASURABLE if n_open else Outcome.PASS
    filled = sentence.fill(n=n_asked, passed=counts[Outcome.PASS], failed=n_failed, unknown=n_open)
    return Verdict(judgements, outcome, filled)


_SENTENCES = {
    "pass": Bi("适用的 {n} 项指标全部达到。", "All {n} figures that apply are reached."),
    "fail": Bi(
        "适用的 {n} 项指标中 {failed} 项未达到，{passed} 项达到，{unknown} 项无法判断。",
        "Of the {n} figures that apply: {failed} missed, {passed} reached, {unknown} not to be judged.",
    ),
    "open": Bi(
        "适用的 {n} 项指标中 {passed} 项达到，{unknown} 项无法判断，因此不下合格结论。",
        "Of the {n} figures that apply: {passed} reached, {unknown} not to be judged, so the model is not passed.",
    ),
}


def _judgement(figure: Figure, evidence: Evidence) -> Judgement:
    if figure.needs_calls and (evidence.n_calls < LEAST_CALLS or evidence.n_days < LEAST_DAYS):
        reason = Bi(
            "保留数据只有 {calls} 起、{days} 天，至少需要 {least} 起、{least_days} 天",
            "only {calls} held-out calls on {days} days; {least} on {least_days} are needed",
        ).fill(calls=evidence.n_calls, days=evidence.n_days, least=LEAST_CALLS, least_days=LEAST_DAYS)
        return Judgement(figure.key, figure.name, figure.rule, Outcome.NOT_MEASURABLE, reason)
    outcome, reason = figure.judge(evidence)
    return Judgement(figure.key, figure.name, figure.rule, outcome, reason)


def _is_reached(reached: bool) -> Outcome:
    return Outcome.PASS if reached else Outcome.FAIL


def _missing(*values: float | None) -> bool:
    return any(value is None or math.isnan(value) for value in values)


def _unknown(reason: Bi) -> tuple[Outcome, Bi]:
    return Outcome.NOT_MEASURABLE, reason


_NOT_MEASURED = Bi("没有测得这一数值", "this was not measured")


def _ks(evidence: Evidence) -> tuple[Outcome, Bi]:
    ks, floor = evidence.ks, evidence.ks_floor
    if ks is None or floor is None or _missing(ks, floor):
        return _unknown(_NOT_MEASURED)
    limit = max(KS_TIMES_FLOOR * floor, KS_LEAST)
    if floor > KS_WIDEST_FLOOR and ks <= limit:
        wide = Bi("噪声下限达 {floor:.4f}，数据太少", "the noise floor is {floor:.4f}: too little data")
        return _unknown(wide.fill(floor=floor))
    reason = Bi(
        "KS 距离 {ks:.4f}，界限 {limit:.4f}（噪声下限 {floor:.4f}）",
        "KS distance {ks:.4f}, limit {limit:.4f} (noise floor {floor:.4f})",
    )
    return _is_reached(ks <= limit), reason.fill(ks=ks, limit=limit, floor=floor)


def _p90(evidence: Evidence) -> tuple[Outcome, Bi]:
    error, se = evidence.p90_error_s, evidence.p90_se_s
    if error is None or se is None or _missing(error, se):
        return _unknown(_NOT_MEASURED)
    values = {"error": error, "se": P90_SE * se}
    if P90_SE * se > P90_WIDEST_S and abs(error) < P90_SE * se:
        wide = Bi(
            "误差 {error:+.1f} 秒，但两倍标准误达 {se:.1f} 秒，数据太少",
            "error {error:+.1f} s, but two standard errors are {se:.1f} s: too little data",
        )
        return _unknown(wide.fill(**values))
    reason = Bi("误差 {error:+.1f} 秒，两倍标准误 {se:.1f} 秒", "error {error:+.1f} s, two standard errors {se:.1f} s")
    return _is_reached(abs(error) < max(P90_S, P90_SE * se)), reason.fill(**values)


def _coverage(evidence: Evidence) -> tuple[Outcome, Bi]:
    share = evidence.coverage
    if share is None or _missing(share.value, share.low, share.high):
        return _unknown(_NOT_MEASURED)
    reason = Bi("覆盖率 {value:.1%}（{low:.1%} 至 {high:.1%}）", "coverage {value:.1%} ({low:.1%} to {high:.1%})")
    reason = reason.fill(value=share.value, low=share.low, high=share.high)
    inside = COVERAGE[0] <= share.value <= COVERAGE[1]
    if inside and (share.high - share.low) / 2.0 > COVERAGE_WIDEST:
        return _unknown(reason + Bi("，区间太宽，无法判断", ", too uncertain to tell"))
    return _is_reached(inside), reason


def _skill(evidence: Evidence) -> tuple[Outcome, Bi]:
    skill = evidence.skill
    if skill is None or _missing(skill.value, skill.low, skill.high):
        return _unknown(_NOT_MEASURED)
    reason = Bi(
        "CRPS 改善 {value:+.1%}（{low:+.1%} 至 {high:+.1%}），{n} 起",
        "CRPS better by {value:+.1%} ({low:+.1%} to {high:+.1%}), {n} calls",
    )
    reason = reason.fill(value=skill.value, low=skill.low, high=skill.high, n=skill.n)
    return _is_reached(skill.value >= SKILL_LEAST and skill.low > 0.0), reason


def _stations(evidence: Evidence) -> tuple[Outcome, Bi]:
    found = evidence.stations
    if found is None:
        return _unknown(_NOT_MEASURED)
    if found.n_groups == 0 or _missing(found.value_s):
        none = Bi("没有保留数据达到 {least} 起的站", "no station has {least} held-out calls")
        return _unknown(none.fill(least=STATION_CALLS))
    reason = Bi(
        "加权误差 {value:.1f} 秒，{n} 站、{calls} 起；完美模型约 {floor:.1f} 秒",
        "weighted error {value:.1f} s, {n} stations, {calls} calls; a perfect model shows about {floor:.1f} s",
    )
    reason = reason.fill(value=found.value_s, n=found.n_groups, calls=found.n_calls, floor=found.floor_s)
    if STATION_S <= found.value_s <= found.limit_s and found.floor_s >= STATION_S:
        return _unknown(reason)
    return _is_reached(found.value_s < STATION_S), reason


def _small_stations(evidence: Evidence) -> tuple[Outcome, Bi]:
    n, n_outside = evidence.n_small, evidence.n_small_outside
    if n is None or n_outside is None:
        return _unknown(_NOT_MEASURED)
    if n == 0:
        return Outcome.NOT_APPLICABLE, Bi("没有这样的小站", "there is no such station")
    allowed = int(stats.binom.ppf(0.95, n, OUTSIDE_SHARE))
    reason = Bi(
        "{n} 个小站中 {outside} 个超出自身界限，纯属偶然时至多 {allowed} 个",
        "{outside} of {n} small stations beyond their own limit; chance alone allows {allowed}",
    )
    return _is_reached(n_outside <= allowed), reason.fill(n=n, outside=n_outside, allowed=allowed)


def _speed(evidence: Evidence) -> tuple[Outcome, Bi]:
    elapsed, n = evidence.elapsed_s, evidence.n_records
    if elapsed is None or n is None or _missing(elapsed):
        return _unknown(_NOT_MEASURED)
    reason = Bi("{n} 条记录用时 {elapsed:.1f} 秒", "{n} records in {elapsed:.1f} s").fill(n=n, elapsed=elapsed)
    if n < SPEED_RECORDS and elapsed < SPEED_S:
        return Outcome.NOT_APPLICABLE, reason + Bi("，指标针对更多的记录", "; the figure is about larger logs")
    return _is_reached(elapsed * SPEED_RECORDS / max(n, SPEED_RECORDS) < SPEED_S), reason


FIGURES = (
    Figure(
        "ks",
        Bi("首车到场时间的分布", "distribution of first arrivals"),
        Bi(
            "KS 距离不超过噪声下限的 1.6 倍或 0.03，取较大者",
            "KS distance at most 1.6 noise floors or 0.03, whichever is larger",
        ),
        Bi(
            "保留数据与全部预测合并分布的最大差；噪声下限为从模型抽取的 200 组同样数据的中位数",
            "largest difference of held-out and pooled predicted; floor: median of 200 such sets drawn from the model",
        ),
        _ks,
    ),
    Figure(
        "p90",
        Bi("第 90 百分位误差", "error of the 90th percentile"),
        Bi("小于 20 秒或小于两倍标准误", "under 20 s or under two standard errors"),
        Bi(
            "预测减观测；标准误由整日重抽样与蒙特卡洛误差合成",
            "predicted less observed; standard error from days drawn anew and Monte Carlo together",
        ),
        _p90,
    ),
    Figure(
        "coverage",
        Bi("90% 区间覆盖率", "coverage of 90 % intervals"),
        Bi("87% 至 93%", "87 % to 93 %"),
        Bi(
            "每起警情的中央区间，考虑时间取整与同日相关",
            "each call's central interval; rounding and days accounted for",
        ),
        _coverage,
    ),
    Figure(
        "skill",
        Bi("优于距离加站点效应的回归", "better than distance plus station effects"),
        Bi("CRPS 至少改善 2%，且配对区间大于零", "CRPS better by 2 % or more, paired interval above zero"),
        Bi("逐起配对，按日整块重抽样", "paired by call, whole days drawn anew"),
        _skill,
    ),
    Figure(
        "stations",
        Bi("各站中位数误差", "stations' median error"),
        Bi("100 起及以上的站按起数加权小于 18 秒", "under 18 s, weighted by calls, over stations with 100 or more"),
        Bi("预测与观测中位数之差的绝对值", "size of predicted less observed median"),
        _stations,
    ),
    Figure(
        "small_stations",
        Bi("小站的中位数误差", "small stations' median error"),
        Bi("在自身抽样误差之内", "within their own sampling error"),
        Bi(
            "超出自身 95% 界限的站数不多于二项分布的 95% 分位数",
            "stations beyond their own 95 % limit, at most the binomial's 95 % quantile",
        ),
        _small_stations,
    ),
    Figure(
        "speed",
        Bi("清洗与拟合用时", "time to clean and fit"),
        Bi("每 10 万条少于 120 秒", "under 120 s per 100,000 records"),
        Bi("从读入到参数文件的实际用时", "wall time from reading to the parameter file"),
        _speed,
        needs_calls=False,
    ),
)
"""What is to be reached on held-out real records, by date splits, the calls given."""
