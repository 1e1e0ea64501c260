"""How well a fitted model predicts calls that it has not seen: split, fit, predict twice, score, judge, show.

`run.py` does it from records to scores; `scores.py` holds what is measured; `page.py` shows it.
"""
