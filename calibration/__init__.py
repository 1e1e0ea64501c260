"""From records to fitted parameters, and a check of them on records held out.

This package will read a brigade's incident and unit records, clean them with a written account, fit the parameters that
`sim` takes as assumptions today, and test the result against records it has not seen. It imports `sim`; `sim` never
imports it: its commands reach `dgsim` through the entry-point group `dgsim.commands`. See README.md beside this file.
"""
