"""What `write_table` writes, `read_table` gives back, and nothing else is written."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import InputError, Problems
from sim.tables import Column, TableSpec, read_table, write_table

SPEC = TableSpec(
    "any",
    1,
    (
        Column("n", "int", "Whole."),
        Column("n_or_none", "int", "Whole or empty.", optional=True),
        Column("x", "float", "Real."),
        Column("x_or_none", "float", "Real or empty.", optional=True),
        Column("word", "str", "Text."),
        Column("word_or_none", "str", "Text or empty.", optional=True),
        Column("yes", "bool", "Truth."),
        Column("day", "date", "Day."),
        Column("day_or_none", "date", "Day or empty.", optional=True),
    ),
)

words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1).filter(
    lambda word: word == word.strip()
)
reals = st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(
    st.tuples(
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.none() | st.integers(-(2**53), 2**53),
        reals,
        st.none() | reals,
        words,
        st.none() | words,
        st.booleans(),
        st.dates(),
        st.none() | st.dates(),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=150)
@given(rows)
def test_what_is_written_is_read_back_bit_for_bit(given_rows: list[tuple[Any, ...]]) -> None:
    columns = {name: [row[i] for row in given_rows] for i, name in enumerate(SPEC.names)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        write_table(path, SPEC, columns)
        first = path.read_bytes()
        problems = Problems()
        table = read_table(path, SPEC, problems)
        assert problems.found == []
        for column in SPEC.columns:
            read = [None if value != value else value for value in table[column.name].tolist()]
            assert read == columns[column.name]
            assert [str(v) for v in read if column.kind == "float"] == [
                str(v) for v in columns[column.name] if column.kind == "float"
            ]
        write_table(path, SPEC, table.columns)
        assert path.read_bytes() == first


PAIR = TableSpec("pair", 1, (Column("a", "int", "A.", minimum=0), Column("b", "str", "B.", optional=True)))


def test_a_written_file_is_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    write_table(tmp_path / "pair.csv", PAIR, {"b": ["高埗", None], "a": np.array([1, 2], dtype=np.int16)})
    assert (tmp_path / "pair.csv").read_bytes() == "a,b\n1,高埗\n2,\n".encode()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"a": [1, -1]}, "row 3: '-1' (a) must be at least 0"),
        ({"a": [1.5]}, "must be a whole number"),
        ({"a": [float("nan")]}, "(a) is empty"),
        ({"b": ["x"]}, "'a' is missing"),
        ({"a": [1], "bb": ["x"]}, "did you mean 'b'?"),
        ({"a": [1], "b": ["x", "y"]}, "columns differ in length"),
        ({"a": [1], "b": [" x"]}, "has blanks at an end"),
        ({"a": [1], "b": ["\ud800"]}, "half a character"),
    ],
)
def test_a_value_that_could_not_be_read_back_is_refused_and_the_old_file_stands(
    tmp_path: Path, columns: dict[str, Any], told: str
) -> None:
    path = tmp_path / "pair.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        write_table(path, PAIR, columns)
    assert told in str(caught.value)
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["pair.csv"]


def test_a_folder_that_is_not_there_is_told_as_a_problem(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_table(tmp_path / "nowhere" / "pair.csv", PAIR, {"a": [1]})
