"""A model of a city's response that is fitted to its records: samples, fits, and runs on given or drawn calls.

`samples.py` takes from the records what can be fitted, `fitted.py` fits it, `trace.py` makes inputs of the engine of
it, `predict.py` runs them and returns what each call's first and second unit took.
"""
