"""Pages that show a fit or a backtest, in Chinese and English, in one file that opens without a network.

`backtest.py` and `fit.py` put their sections together; `sections/` makes them, `pictures/` draws, `words/` holds every
sentence. The look - template, style sheet, font, charts - is that of `sim.report`. Nothing is computed here that is
not in the files beside the page.
"""
