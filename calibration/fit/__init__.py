"""From clean records to estimates with standard errors: pure functions on arrays, no engine and no files.

Begin at `demand` (how many calls, where and when) or `sent` (what is sent to them, and from where).
"""
