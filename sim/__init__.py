"""Simulate a city's fire and rescue response: incidents, units, crews and the plans that change them."""
