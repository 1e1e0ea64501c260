"""The sub-commands of `dgsim`, one module each: arguments in, a few lines of text out, the work done elsewhere."""
