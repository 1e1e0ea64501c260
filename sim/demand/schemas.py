"""What each table of a city folder must hold, as far as incidents go."""

from __future__ import annotations

from sim.tables import SOURCE, STANDING, Column, TableSpec

FAMILIES = ("fire", "rescue", "social", "false_alarm", "medical")
HEADLINE_FAMILIES = ("fire", "rescue")
MAX_GRADE = 5
SHARE_WHOLE = 100_000
"""Shares of kinds and of grades are whole hundred-thousandths."""
PER_MILLE = 1_000
AXES = ("hour", "weekday", "month", "holiday")

KINDS = TableSpec(
    "kinds",
    1,
    (
        Column("code", "str", "ASCII name that all other tables use.", unique=True),
        Column("name_zh", "str", "Chinese name.", unique=True),
        Column("name_en", "str", "English name.", unique=True),
        Column("family", "str", "Family; fires and rescues make the headline.", choices=FAMILIES),
        Column("priority", "int", "Who waits least: 1 first.", minimum=1, maximum=9),
        Column("max_grade", "int", "Highest grade it can reach.", minimum=1, maximum=MAX_GRADE),
        Column("share", "int", "Share of ordinary alarms; all rows make 100,000.", "1e-5", 0, SHARE_WHOLE),
        Column("hour_profile", "str", "Profile over the hours of the day."),
        Column("weekday_profile", "str", "Profile over the days of the week."),
        Column("month_profile", "str", "Profile over the months."),
        Column("holiday_profile", "str", "Profile over holidays."),
        SOURCE,
        STANDING,
    ),
)

GRADES = TableSpec(
    "grades",
    1,
    (
        Column("kind", "str", "Code of the kind."),
        Column("grade", "int", "True grade at the call.", minimum=1, maximum=MAX_GRADE),
        Column("share", "int", "Share of the kind's incidents; all grades make 100,000.", "1e-5", 0, SHARE_WHOLE),
        Column("reported_lower", "int", "Calls that tell one grade less.", "1e-3", 0, PER_MILLE),
        Column("reported_higher", "int", "Calls that tell one grade more.", "1e-3", 0, PER_MILLE),
        SOURCE,
        STANDING,
    ),
    key=("kind", "grade"),
)

REPORTS = TableSpec(
    "reports",
    1,
    (
        Column("kind", "str", "Code of the true kind."),
        Column("reported_kind", "str", "Code of another kind that callers tell."),
        Column("share", "int", "Calls that do; the rest tell the true kind.", "1e-3", 0, PER_MILLE),
        SOURCE,
        STANDING,
    ),
    key=("kind", "reported_kind"),
    may_be_empty=True,
)

PROFILES = TableSpec(
    "profiles",
    1,
    (
        Column("profile", "str", "Name of the profile on its axis."),
        Column("axis", "str", "What the key counts.", choices=AXES),
        Column("key", "str", "Hour 0-23, weekday 0-6 (0 = Monday), month 1-12, or the name of a holiday."),
        Column("weight", "float", "Relative rate; only ratios matter.", minimum=0, maximum=1_000),
        SOURCE,
        STANDING,
    ),
    key=("axis", "profile", "key"),
)

CAPABILITIES = TableSpec(
    "capabilities",
    1,
    (
        Column("bit", "int", "Position in a unit's bit mask; never reused.", minimum=0, maximum=62, unique=True),
        Column("code", "str", "ASCII name.", unique=True),
        Column("name_zh", "str", "Chinese name."),
        Column("name_en", "str", "English name."),
        Column("meaning", "str", "Who has it."),
        SOURCE,
        STANDING,
    ),
)

RUN_CARDS = TableSpec(
    "run_cards",
    1,
    (
        Column("kind", "str", "Code of the kind."),
        Column("need_no", "int", "Position among the kind's needs, from 0.", minimum=0, maximum=999),
        Column("capability", "str", "Code of the capability that one unit must have."),
        Column("from_grade", "int", "Lowest grade at which it is needed.", minimum=1, maximum=MAX_GRADE),
        Column("is_critical", "bool", "Whether the incident grows until it is met."),
        SOURCE,
        STANDING,
    ),
    key=("kind", "need_no"),
)

EXPOSURE = TableSpec(
    "exposure",
    1,
    (
        Column("kind", "str", "Code of the kind."),
        Column("driver", "str", "population, built_up, open_land, area, site:KIND or rail:MODE."),
        Column(
            "share", "int", "Share of the kind's rate that it spreads; a kind's rows make 1000.", "1e-3", 0, PER_MILLE
        ),
        SOURCE,
        STANDING,
    ),
    key=("kind", "driver"),
)

CEILINGS = TableSpec(
    "ceilings",
    1,
    (
        Column("process", "str", "ordinary days, or what a surge lays on top.", choices=("ordinary", "surge")),
        Column("town", "str", "Code of the town."),
        Column("kind", "str", "Code of the kind."),
        Column("per_day", "float", "Candidates drawn per day, of which the true rate keeps some.", "1/d", 0, 10_000),
        SOURCE,
        STANDING,
    ),
    key=("process", "town", "kind"),
)
