"""One run and many: which replications are wanted, which are there, and how the rest are made.

`work.py` says what is wanted (arms x replications) and where it lies on disk; `check.py` finds what is wrong before
anything is touched; `replication.py` makes one replication;
`pool.py` makes many at once; `verify.py` makes finished ones again and compares; `explain.py` tells one incident;
`estimate.py` foretells time and disk. Settings come ready-made: this package reads no overrides. Next: `sim/compare`,
which reads the replications' tables.
"""
