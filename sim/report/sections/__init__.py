"""The sections of a report, in its order: each function reads a study's tables and returns blocks."""
