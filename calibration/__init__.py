"""From records to fitted parameters, and a check of them on records held out.

`records` reads a brigade's incident and unit records and cleans them with a written account. To come: fitting the
parameters that `sim` takes as assumptions today, and testing the result against records not seen. It imports `sim`;
`sim` never imports it: its commands reach `dgsim` through the entry-point group `dgsim.commands`. See README.md beside
this file.
"""
