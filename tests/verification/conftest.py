"""Scripts of this folder as modules: the cases beside Ciw, and the writer of the page."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def beside_ciw(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return importlib.import_module("beside_ciw")


@pytest.fixture
def write_page(beside_ciw: ModuleType) -> ModuleType:
    return importlib.import_module("write_page")
