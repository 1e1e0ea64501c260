"""How fast the program is: `python -m benchmarks` measures it on this machine and prints a table of ratios.

Times differ from machine to machine, ratios of times measured side by side hardly do: what the tests hold on to, and
what `docs/performance.md` promises, are ratios. Nothing in `sim/` knows of this package.
"""
