"""Logs of a few rows, written as the brigade might."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.records import Account, Records, read_records

Reader = Callable[..., Records]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Writes the given texts as incidents.csv, responses.csv and records.yaml and reads the folder."""

    def write_and_read(incidents: str, responses: str = "", yaml: str = "time_zone: Asia/Shanghai") -> Records:
        (tmp_path / "incidents.csv").write_text(incidents, encoding="utf-8")
        (tmp_path / "records.yaml").write_text(yaml, encoding="utf-8")
        if responses:
            (tmp_path / "responses.csv").write_text(responses, encoding="utf-8")
        return read_records(tmp_path)

    return write_and_read


@pytest.fixture
def told() -> Callable[[Account], list[tuple[int, str, str, str]]]:
    """Gives the rows of an account as (row, code, column, value)."""

    def rows_of(account: Account) -> list[tuple[int, str, str, str]]:
        return list(account.rows[["row", "code", "column", "value"]].itertuples(index=False, name=None))

    return rows_of
