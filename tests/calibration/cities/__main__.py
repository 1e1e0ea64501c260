"""Writes a synthetic city: `python tests/calibration/cities compact OUTDIR --calls 20000`.

It is run by its path and not as a module: other packages bring a `tests` of their own.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from cities.command import main

    sys.exit(main(sys.argv[1:]))
