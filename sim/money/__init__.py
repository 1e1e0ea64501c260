"""What a scenario costs: prices of a city folder, and outlay and yearly cost by scenario and year.

Money decides nothing in a run; it is reckoned from the dated changes of a scenario. Read `prices.py` for what is priced
and `costs.py` for how quantities become money. `sim/compare/money.py` sets cost beside minutes.
"""

from sim.money.costs import RANGE, CostLine, Levers, Years, cost_lines, measured_years
from sim.money.prices import PRICES, Prices, load_prices
from sim.money.settings import MoneySettings

__all__ = [
    "PRICES",
    "RANGE",
    "CostLine",
    "Levers",
    "MoneySettings",
    "Prices",
    "Years",
    "cost_lines",
    "load_prices",
    "measured_years",
]
