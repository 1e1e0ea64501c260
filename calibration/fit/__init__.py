"""From clean records to estimates with standard errors: pure functions of arrays, no engine; one writer of parameters.

Begin at `demand` (how many calls, where and when), `times` (how long things take), `travel` (how long the way is),
`choice` (which station serves) or `sent` (which units).
"""
