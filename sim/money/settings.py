"""Settings of money: the price level, and how outlays once are spread over the years they serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

Life = Annotated[int, Field(ge=1, le=200)]


@dataclass
class MoneySettings:
    """How prices of different years are made comparable, and outlays once become cost a year."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # read by pydantic, not a field

    name: str
    """ASCII name of the choice."""
    label_zh: str
    """Name shown in Chinese reports."""
    label_en: str
    """Name shown in English reports."""
    price_level_year: Annotated[int, Field(ge=1990, le=2100)]
    """Year whose price level all money is told in."""
    inflation_per_year: Annotated[float, Field(ge=-0.1, le=0.5, allow_inf_nan=False)]
    """Growth of prices a year, by which a price of another year is carried to the price level."""
    discount_rate: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]
    """Interest a year at which an outlay is spread over its life (annuity)."""
    life_build_years: Life
    """Years a building and the land under it serve."""
    life_fit_out_years: Life
    """Years a station's fittings serve."""
    life_vehicle_years: Life
    """Years a vehicle, boat or aircraft serves."""
    life_hydrant_years: Life
    """Years a hydrant serves."""
