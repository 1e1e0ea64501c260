"""Commands that this package adds to `dgsim`, found as entry points (`dgsim.commands`)."""
