"""One timeline of weather per replication: what storms bring in alarms, rain does to roads, and cloud to flying.

The storms are the surge days of the demand: the rain that floods the streets is the rain that the alarms come from.
Around them lies ordinary weather, drawn day by day from the city's monthly climate. `settings.py` says which weather
slows and grounds, `climate.py` reads the climate, `timeline.py` draws the hours. Nothing here knows stations or units.
"""
