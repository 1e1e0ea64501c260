"""Commands of `dgsim` that this package brings: each a function (arguments) -> exit code."""
