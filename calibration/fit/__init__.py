"""From clean records to estimates with standard errors: pure functions of arrays, no engine; one writer of parameters.

Begin at `demand` (how many calls, where and when), `times` (how long things take) or `travel` (how long the way is).
"""
