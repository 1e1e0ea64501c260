"""Prices of a city folder: `prices.csv`, each as low, likely and high, with its year, currency, source and standing.

`item` says what is priced and in which unit; `of` names a station class or unit type, or `*` for all that have no row
of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.errors import Problems, nearest_name
from sim.money.settings import MoneySettings
from sim.tables import SOURCE, STANDING, Column, Table, TableSpec, read_table

UNITS = {
    "build": "per station",
    "land": "per station",
    "fit_out": "per station",
    "station_running": "per station and year",
    "vehicle": "per unit",
    "vehicle_upkeep": "share of the price a year",
    "people": "per person and year",
    "pilots": "per aircraft and year",
    "hydrant": "per hydrant",
    "hydrant_upkeep": "per hydrant and year",
    "air_field": "per field",
    "air_field_upkeep": "share of the price a year",
    "aircraft_contract": "per aircraft and year",
    "aircraft_share": "share of the yearly cost",
    "flying_hour": "per hour",
    "own_flying_hour": "per hour",
}
"""What is priced, and the unit its price must be in. `flying_hour` is a contractor's hour, `own_flying_hour` what an
hour costs besides price and upkeep of the aircraft. `pilots` is what the pilots of an aircraft of one's own cost above
as many firefighters, among whom they are counted."""
SHARES = ("vehicle_upkeep", "air_field_upkeep", "aircraft_share")
"""Prices that are shares of others and know no inflation."""
OF_STATIONS = ("build", "land", "fit_out", "station_running")
OF_UNITS = ("vehicle", "vehicle_upkeep")
OF_AIRCRAFT = ("pilots", "aircraft_contract", "aircraft_share", "flying_hour", "own_flying_hour")
ANY = "*"
FILE = "prices.csv"

PRICES = TableSpec(
    "prices",
    1,
    (
        Column("item", "str", "What is priced.", choices=tuple(UNITS)),
        Column("of", "str", "Station class or unit type; * for all without a row of their own."),
        Column("unit", "str", "What the price is for.", choices=tuple(dict.fromkeys(UNITS.values()))),
        Column("low", "float", "Low price.", minimum=0, maximum=1e12),
        Column("likely", "float", "Likely price.", minimum=0, maximum=1e12),
        Column("high", "float", "High price.", minimum=0, maximum=1e12),
        Column("currency", "str", "Currency, three capital letters; a share has it too."),
        Column("price_year", "int", "Year of the price.", minimum=1990, maximum=2100),
        SOURCE,
        STANDING,
    ),
    key=("item", "of"),
)

Range = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Prices:
    """Checked prices: (item, of) -> (low, likely, high) at the price level of the settings; shares are as given."""

    currency: str
    of: Mapping[tuple[str, str], Range]

    def price(self, item: str, of: str = ANY) -> Range:
        """Return (low, likely, high) of an item for a class or type.

        Raises
        ------
        KeyError
            If neither it nor `*` has a price; `load_prices` has seen to it that every class and type has.
        """
        return self.of[item, of] if (item, of) in self.of else self.of[item, ANY]


def load_prices(
    folder: Path,
    settings: MoneySettings,
    classes: Iterable[str],
    unit_types: Iterable[str],
    problems: Problems,
    aircraft: Iterable[str] = (),
) -> Prices | None:
    """Return the prices of a city folder, None where it has no `prices.csv` or problems were added.

    `unit_types` are all that the city knows, those of special teams and aircraft among them; `aircraft` those that fly.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    n_before = len(problems.found)
    table = read_table(path, PRICES, problems)
    is_whole = len(problems.found) == n_before  # else rows are missing here, and their prices would seem to lack
    _check_rows(table, problems)
    scopes = ((OF_STATIONS, list(classes)), (OF_UNITS, list(unit_types)), (OF_AIRCRAFT, list(aircraft)))
    known = {item: [ANY] for item in UNITS} | {item: names for items, names in scopes for item in items}
    _check_names(table, known, problems)
    if is_whole:
        _check_all_priced(table, known, problems)
    if len(problems.found) > n_before:
        return None
    found: dict[tuple[str, str], Range] = {}
    for row in range(len(table["item"])):
        item = str(table["item"][row])
        years = settings.price_level_year - int(table["price_year"][row])
        factor = 1.0 if item in SHARES else (1.0 + settings.inflation_per_year) ** years
        low, likely, high = (factor * float(table[name][row]) for name in ("low", "likely", "high"))
        found[item, str(table["of"][row])] = (low, likely, high)
    return Prices(str(table["currency"][0]), found)


def _check_rows(table: Table, problems: Problems) -> None:
    currencies = list(dict.fromkeys(str(text) for text in table["currency"]))
    for row, item in enumerate(table["item"]):

        def add(rule: str, value: object, mend: str, row: int = row) -> None:
            problems.add(table.where, rule, value=value, row=table.row_number(row), mend=mend)

        if table["unit"][row] != UNITS[item]:
            add("(unit) does not go with the item", table["unit"][row], f"{item} is priced {UNITS[item]!r}")
        if not table["low"][row] <= table["likely"][row] <= table["high"][row]:
            shown = f"{table['low'][row]:g}, {table['likely'][row]:g}, {table['high'][row]:g}"
            add("(low, likely, high) do not ascend", shown, "give them in ascending order")
        if item in SHARES and table["high"][row] > 1:
            add("(high) is a share and above 1", f"{table['high'][row]:g}", "write 10 % as 0.1")
        currency = str(table["currency"][row])
        if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            add("(currency) is no currency code", currency, "write its three letters, for example CNY")
        elif currency != currencies[0]:
            add("(currency) differs from that of the first row", currency, f"give all prices in {currencies[0]}")


def _check_names(table: Table, known: Mapping[str, list[str]], problems: Problems) -> None:
    for row, (item, of) in enumerate(zip(table["item"], table["of"], strict=True)):
        names = list(dict.fromkeys([*known.get(item, ()), ANY]))
        if of not in names:
            rule, mend = f"(of) is nothing that has a {item}", nearest_name(of, names)
            problems.add(table.where, rule, value=of, row=table.row_number(row), mend=mend)


def _check_all_priced(table: Table, known: Mapping[str, list[str]], problems: Problems) -> None:
    priced = {(str(item), str(of)) for item, of in zip(table["item"], table["of"], strict=True)}
    for item, names in known.items():
        lacking = [of for of in names if not {(item, of), (item, ANY)} & priced]
        if lacking:
            shown = ", ".join(lacking[:5]) + (", …" if len(lacking) > 5 else "")
            mend = f"give each a row, or one with of={ANY}"
            problems.add(table.where, f"has no price of {item} for {shown}", mend=mend)
