"""What is done with a faulty row or cell: one table of rules, which the account and docs/records.md go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal["reject", "mend", "flag"]
ACTIONS: Mapping[Action, str] = {
    "reject": "the row is left out",
    "mend": "the row stays, with the named value changed or taken as missing",
    "flag": "the row stays as it is",
}

ACTIONS_ZH: Mapping[Action, str] = {"reject": "剔除", "mend": "修正", "flag": "标记"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A code, what it finds, what is done and why, and its label in both languages."""

    code: str
    action: Action
    what: str
    why: str
    label_en: str
    label_zh: str


_ALL = (
    Rule(
        "ragged_row",
        "reject",
        "More or fewer cells than the header.",
        "Nobody knows which cell belongs where.",
        "cells do not match the header",
        "列数与表头不符",
    ),
    Rule(
        "duplicate_row",
        "reject",
        "Every cell equals that of an earlier row, id of the incident or name of the unit included.",
        "Exported twice.",
        "row repeated",
        "整行重复",
    ),
    Rule(
        "duplicate_id",
        "reject",
        "The id stands in an earlier row with other content.",
        "The first is kept; which is right cannot be told.",
        "id repeated with other content",
        "编号重复且内容不同",
    ),
    Rule("call_missing", "reject", "No call time.", "Nothing can be placed in time.", "no call time", "缺报警时间"),
    Rule(
        "call_unreadable",
        "reject",
        "The call time has no accepted form, is no day of the calendar, or is a time of day without `call_date`.",
        "A guessed time would be invented data.",
        "call time unreadable",
        "报警时间无法识别",
    ),
    Rule(
        "call_far",
        "reject",
        "Over 366 days and over 10 median distances in time from the median call, in a log of ten rows and more.",
        "A wrong century or a clock not set: one such row would stretch the log over all the years between.",
        "call far from all others in time",
        "报警时间远离其余记录",
    ),
    Rule(
        "place_missing",
        "reject",
        "No place in any of the columns the file has.",
        "Nothing can be placed on the map.",
        "no place",
        "缺地点",
    ),
    Rule(
        "place_impossible",
        "reject",
        "A coordinate is missing beside its other, is no number, beyond the poles or the date line, or exactly 0, 0.",
        "Such a place does not exist, or means that none was known.",
        "impossible coordinates",
        "坐标不可能",
    ),
    Rule(
        "place_far",
        "reject",
        "Outside `bounds`; without them, over 100 km and over 20 median distances from the median place.",
        "It belongs to another city, or the coordinates are wrong.",
        "far outside the city",
        "远在城市之外",
    ),
    Rule(
        "incident_missing",
        "reject",
        "A response without incident id.",
        "It belongs to nothing.",
        "no incident id",
        "缺警情编号",
    ),
    Rule(
        "incident_unknown",
        "reject",
        "The incident is not in the incident file.",
        "There is no call to count from.",
        "incident not on file",
        "警情不在册",
    ),
    Rule(
        "incident_rejected",
        "reject",
        "The incident's own row was rejected.",
        "There is no call to count from.",
        "incident was rejected",
        "所属警情已剔除",
    ),
    Rule(
        "swapped_columns",
        "mend",
        "Most rows lie in the city, or on the globe at all, only with latitude and longitude exchanged.",
        "The two headers are exchanged; all rows are turned round.",
        "latitude and longitude exchanged throughout",
        "经纬度整列互换",
    ),
    Rule(
        "place_by_label",
        "mend",
        "Impossible or far coordinates in a row that has a zone or a cell.",
        "The coordinates are taken as missing; the zone or cell stays.",
        "coordinates taken as missing",
        "坐标视为缺失",
    ),
    Rule(
        "swapped_row",
        "mend",
        "The row lies in the city only with latitude and longitude exchanged.",
        "Typed in the wrong order.",
        "latitude and longitude exchanged",
        "经纬度互换",
    ),
    Rule(
        "ambiguous_hour",
        "mend",
        "The local time passed twice, as clocks were put back.",
        "Taken is the first passing; of a call the second if that is nearer before the next mark, "
        "of a mark the second if only that is not before the mark before.",
        "hour that passed twice",
        "时钟回拨重复时段",
    ),
    Rule(
        "nonexistent_hour",
        "mend",
        "The local time never was, as clocks were put forward.",
        "Taken as if the clock had not been put forward yet.",
        "hour that was skipped",
        "时钟拨快跳过时段",
    ),
    Rule(
        "midnight_wrap",
        "mend",
        "A mark lies before an earlier one, and a day later follows it within 6 hours, "
        "or within 20 if it is a time of day without date.",
        "The date was not carried over midnight; a day is added.",
        "date not carried over midnight",
        "跨午夜未换日期",
    ),
    Rule(
        "rounded_order",
        "mend",
        "A mark lies before an earlier one by less than the coarser column's resolution.",
        "Rounding alone does that; it is put at the earlier mark.",
        "order lost by rounding",
        "取整致次序颠倒",
    ),
    Rule(
        "order_broken",
        "mend",
        "A mark lies before the call or an earlier mark; a time of day without date does where it would otherwise "
        "follow after more than 20 hours.",
        "Which of the two is wrong cannot be told; the later mark is taken as missing.",
        "times out of order",
        "时间次序颠倒",
    ),
    Rule(
        "interval_negative",
        "mend",
        "A given duration is below zero.",
        "Taken as missing.",
        "negative duration",
        "时长为负",
    ),
    Rule(
        "interval_absurd",
        "mend",
        "An interval is above its limit (column *limit* of the schema).",
        "A forgotten button or a wrong date; its later mark, or the given duration, is taken as missing.",
        "absurdly long",
        "时长异常",
    ),
    Rule(
        "cell_unreadable",
        "mend",
        "A cell other than call and place has no accepted form.",
        "Taken as missing.",
        "cell unreadable",
        "单元格无法识别",
    ),
    Rule(
        "interval_disagrees",
        "flag",
        "A given duration differs from its two marks by more than their resolutions.",
        "The duration is used for itself, the marks for the rest.",
        "duration contradicts times",
        "时长与时刻不符",
    ),
    Rule(
        "duplicate_unsure",
        "flag",
        "Every cell equals that of an earlier row, in a file without ids (or a response file without units).",
        "May have been exported twice, or be two of a kind at the same time.",
        "row repeated, perhaps another one",
        "整行重复(或为另一起)",
    ),
    Rule(
        "kind_unknown",
        "flag",
        "The kind is not among `kinds`.",
        "Kept under its own name; no run card knows it.",
        "kind unknown",
        "类型未知",
    ),
    Rule(
        "cancelled",
        "flag",
        "Called off or turned back.",
        "Counts as demand and keeps units busy; is no response time.",
        "cancelled",
        "撤销",
    ),
    Rule(
        "walk_in",
        "flag",
        "Reported at a station's door.",
        "Counts as demand; is no response time.",
        "walk-in",
        "上门报警",
    ),
    Rule(
        "unit_twice",
        "flag",
        "The unit was ordered out before it was clear of the response before.",
        "Sent on from the road, or a time or a name of a unit is wrong.",
        "unit at two incidents at once",
        "车辆同时在两处",
    ),
    Rule(
        "never_arrives",
        "flag",
        "No arrival, neither cancelled nor a walk-in, in a file that has arrivals.",
        "Not an arrival at zero: unknown, or longer than was waited.",
        "no arrival",
        "无到场时间",
    ),
)
RULES: Mapping[str, Rule] = {rule.code: rule for rule in _ALL}
