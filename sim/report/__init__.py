"""One page that tells what a comparison found, in Chinese and English, from its tables alone.

`write_report(folder)` reads a study directory's tables and writes `report.html` beside them: no outside hosts, and
the same bytes for the same tables. All of it is computed
from the tables; nothing is simulated here. Read `build.py` first.
"""

from sim.report.build import REPORT, render, write_report
from sim.report.study import load_study

__all__ = ["REPORT", "load_study", "render", "write_report"]
