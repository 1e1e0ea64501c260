"""Commands that this package adds to `dgsim`: `calibrate` and `backtest`, found as entry points (`dgsim.commands`)."""
