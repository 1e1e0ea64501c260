"""Folders of a city that states its places: the template as `dgsim new-city` writes it, and texts changed in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.commands.new_city import write_template

MakeCity = Callable[..., Path]


@pytest.fixture
def make_city(tmp_path: Path) -> MakeCity:
    """Return a maker of folders: the template with files replaced by texts, or taken away (None)."""

    def make(**files: str | None) -> Path:
        folder = tmp_path / "mine"
        write_template(folder)
        for name, text in files.items():
            path = folder / name.replace("__", ".")
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")
        return folder

    return make
