"""What happens: kinds, rates and calendars become one table of incidents with all of its chance in it.

`schemas.py` and `kinds.py` read the city's tables, `calendar.py` resolves the days, `exposure.py` spreads kinds over
cells, `intensity.py` puts them together as rates under ceilings, `draw.py` makes one replication, `durations.py` makes
the quantile bank of times, `force.py` computes what the run cards send. Nothing here knows units, stations or roads.
"""
