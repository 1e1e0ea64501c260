"""From finished replications to tables and a report: hands the arms to `sim/compare` and its tables to `sim/report`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.config import leaves
from sim.run.work import Work

TABLES = "tables"


@dataclass(frozen=True, slots=True)
class Formats:
    """Which formats of tables are wanted beside Parquet, and the language in which the report opens."""

    is_csv: bool = False
    is_xlsx: bool = False
    language: str = "zh"


def formats_of(given: argparse.Namespace, language: str) -> Formats:
    """Return the formats asked for on a command line."""
    return Formats(bool(given.csv), bool(given.xlsx), given.lang or language)


def assumption_rows(work: Work) -> list[dict[str, str]]:
    """Return one row per setting that states a fact: key, value, standing, source, and the arms it belongs to."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for arm in work.arms:
        values = dict(leaves(arm.settings.as_map()))
        for key, entry in arm.about.items():
            found = {k: v for k, v in values.items() if k == key or k.startswith(f"{key}.")}
            text = _value_text(found, key)
            rows.setdefault((key, text, entry.standing, entry.source), []).append(arm.name)
    n_arms = len(work.arms)
    return [
        {
            "key": key,
            "value": value,
            "standing": standing,
            "source": source,
            "arms": "" if len(arms) == n_arms else ", ".join(arms),
        }
        for (key, value, standing, source), arms in sorted(rows.items())
    ]


def _value_text(found: Mapping[str, Any], key: str) -> str:
    """Return a setting's value as text; a list or map as JSON of its leaves."""
    if list(found) == [key]:
        value = found[key]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps({k[len(key) + 1 :]: v for k, v in found.items()}, ensure_ascii=False)


def gather(work: Work, formats: Formats) -> Path | None:
    """Write the tables of all arms into `tables/` and the report beside them; return the report's path."""
    from sim.compare import compare_arms, write_tables
    from sim.report import write_report

    tables = compare_arms(work)
    write_tables(tables, work.folder / TABLES, csv=formats.is_csv, xlsx=formats.is_xlsx)
    report: Path = write_report(work.folder, lang_default=formats.language)
    return report
