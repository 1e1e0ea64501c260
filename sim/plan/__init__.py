"""A city's plan as data: what each town has, needs and builds by year, the indicators, station classes and facts.

`load_plan` reads a city folder's plan tables into one frozen `Plan` (`load.py`), `no_plan` stands for one where there
is none; `schemas.py` says what each table must hold. Numbers stay as the plan prints them; whether they agree with each
other is asked by `sim.audit` and never mended here. This package knows no city and no model: who stands where is
`sim.city` and `sim.siting`, what a station holds is `sim.fleet`.
"""

from sim.plan.load import Plan, load_plan, no_plan, plan_files, read_plan_tables

__all__ = ["Plan", "load_plan", "no_plan", "plan_files", "read_plan_tables"]
