"""What `read_table` tells a user about a file that is not what it should be."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sim.errors import InputError, Problems
from sim.tables import Column, Table, TableSpec, check_references, read_table

SPEC = TableSpec(
    "stations",
    1,
    (
        Column("code", "str", "Id.", unique=True),
        Column("town", "str", "Town.", choices=("高埗", "道滘", "虎门")),
        Column("crew", "int", "People.", minimum=0, maximum=60),
        Column("area_km2", "float", "Area.", unit="km2", minimum=0),
        Column("is_open", "bool", "Open."),
        Column("opens", "date", "Opening day."),
        Column("bays", "int", "Bays.", optional=True),
        Column("note", "str", "Note.", optional=True),
    ),
    key=("code", "town"),
)
HEADER = "code,town,crew,area_km2,is_open,opens,bays,note\n"
GOOD = HEADER + "a,高埗,30,7.5,true,2022-07-01,5,\nb,道滘,0,.5,否,2023-12-31,,近水\n"


def read(path: Path, text: str | bytes, spec: TableSpec = SPEC) -> tuple[Table, list[str]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    problems = Problems()
    table = read_table(path, spec, problems)
    return table, [str(problem) for problem in problems.found]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stations.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_same_table_comes_out_of_every_encoding_and_line_end(path: Path, encoding: str, line_end: str) -> None:
    table, found = read(path, GOOD.replace("\n", line_end).encode(encoding))
    assert found == []
    assert list(table["town"]) == ["高埗", "道滘"]
    assert table["crew"].dtype == np.int64
    assert table["crew"].tolist() == [30, 0]
    assert table["area_km2"].tolist() == [7.5, 0.5]
    assert table["is_open"].tolist() == [True, False]
    assert list(table["opens"]) == [date(2022, 7, 1), date(2023, 12, 31)]
    assert list(table["note"]) == [None, "近水"]
    assert table["bays"].dtype == np.float64
    assert table["bays"][0] == 5
    assert np.isnan(table["bays"][1])


def test_columns_may_stand_in_any_order_and_an_optional_one_may_be_left_out(path: Path) -> None:
    table, found = read(path, "opens,is_open,area_km2,crew,town,code\n2022-07-01,1,7,30,虎门,a\n")
    assert found == []
    assert (table["code"][0], table["note"][0]) == ("a", None)
    assert np.isnan(table["bays"][0])


def test_rows_keep_their_line_in_the_file_past_blank_lines_and_cells_of_several_lines(path: Path) -> None:
    table, found = read(path, GOOD.replace("5,\nb", '5,"two\nlines"\n\n,,,,,,,\nb'))
    assert found == []
    assert [table.row_number(i) for i in range(table.n_rows)] == [2, 6]


def test_a_missing_file_is_named_with_the_table_most_like_it(tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_text(GOOD, encoding="utf-8")
    problems = Problems()
    read_table(tmp_path / "station.csv", SPEC, problems)
    assert [str(p) for p in problems.found] == [f"{tmp_path}/station.csv: does not exist; did you mean 'stations.csv'?"]


def test_a_misspelt_column_is_told_from_both_sides(path: Path) -> None:
    _, found = read(path, GOOD.replace("area_km2", "area_km"))
    assert found == [
        "stations.csv row 1: 'area_km' is not a column of this table; did you mean 'area_km2'?",
        "stations.csv row 1: 'area_km2' column is missing; did you mean 'area_km'?",
    ]


def test_a_column_named_twice_is_a_problem(path: Path) -> None:
    _, found = read(path, "code,code,town,crew,area_km2,is_open,opens\na,a,虎门,1,1,1,2022-07-01\n")
    assert found == ["stations.csv row 1: 'code' is the name of two columns; keep one of them"]


def test_every_problem_of_a_file_is_told_at_once_in_the_order_of_its_rows(path: Path) -> None:
    rows = [
        "a,高步,30,7.5,true,2022-07-01,,",
        "a,虎门,3.5,nan,maybe,2022-02-30,,",
        "c,虎门,61,-1,true,1/7/2022,x,",
        'd,虎门,"1,919",inf,true,2022-07-01,,',
        "e,虎门,,7,true,2022-07-01,,",
        "f,虎门,1",
    ]
    table, found = read(path, HEADER + "\n".join(rows) + "\n")
    assert table.n_rows == 0
    assert found == [
        "stations.csv row 7: has 3 cells, the header has 8; give every column a cell, empty or not",
        "stations.csv row 2: '高步' (town) must be one of 高埗, 道滘, 虎门; did you mean '高埗'?",
        "stations.csv row 3: 'a' (code) stands already in row 2; each may occur once",
        "stations.csv row 3: '3.5' (crew) must be a whole number; "
        "write digits with a point for decimals, without unit or separator",
        "stations.csv row 3: 'nan' (area_km2) must be a finite number; leave no NaN, inf or NA in the table",
        "stations.csv row 3: 'maybe' (is_open) must be true or false",
        "stations.csv row 3: '2022-02-30' (opens) is not a day of the calendar; check month and day",
        "stations.csv row 4: '61' (crew) must be between 0 and 60",
        "stations.csv row 4: '-1' (area_km2) must be at least 0 km2",
        "stations.csv row 4: '1/7/2022' (opens) must be a date; write it as YYYY-MM-DD, for example 2022-01-31",
        "stations.csv row 4: 'x' (bays) must be a whole number; "
        "write digits with a point for decimals, without unit or separator",
        "stations.csv row 5: '1,919' (crew) must be a whole number; write 1919",
        "stations.csv row 5: 'inf' (area_km2) must be a finite number; leave no NaN, inf or NA in the table",
        "stations.csv row 6: '' (crew) is empty; give a value",
    ]


@pytest.mark.parametrize("text", ["１２", "1_000", "0x10", "1e3", "٣", "99999999999999999999"])
def test_python_would_take_it_for_a_whole_number_but_a_table_does_not(path: Path, text: str) -> None:
    _, found = read(path, f"crew\n{text}\n", TableSpec("t", 1, (Column("crew", "int", "People."),)))
    assert len(found) == 1
    assert "whole number" in found[0]


def test_a_number_too_large_for_a_float_is_not_finite(path: Path) -> None:
    _, found = read(path, "x\n1e999\n", TableSpec("t", 1, (Column("x", "float", "X."),)))
    assert found == ["stations.csv row 2: '1e999' (x) must be a finite number"]


def test_a_key_may_repeat_in_part_but_not_as_a_whole(path: Path) -> None:
    spec = TableSpec("t", 1, (Column("a", "str", "A."), Column("b", "int", "B.")), key=("a", "b"))
    _, found = read(path, "a,b\nx,1\nx,2\ny,1\nx,2\n", spec)
    assert found == ["stations.csv row 5: 'x, 2' (a, b) stands already in row 3; each may occur once"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (HEADER.encode(), "has no rows"),
        (b"PK\x03\x04rest", "is an Excel workbook"),
        (HEADER.encode("utf-16"), "is UTF-16 text"),
        (HEADER.encode() + b"a\x00", "holds null bytes"),
        (GOOD.replace(",", ";").encode(), "separate columns by commas"),
        (GOOD.encode().replace("近".encode(), b"\xe8\xbf"), "is neither UTF-8 nor GB18030 text"),
        (b"\xff\xff\xff,\x80\n", "is neither UTF-8 nor GB18030 text"),
        (HEADER.encode() + b'"' + b"x" * 200_000, "look for a quote that is never closed"),
    ],
)
def test_a_file_that_is_no_table_is_told_as_what_it_is(path: Path, data: bytes, told: str) -> None:
    _, found = read(path, data)
    assert told in found[0]


def test_utf8_with_one_damaged_byte_is_not_taken_for_gb18030_and_read_as_nonsense(path: Path) -> None:
    spec = TableSpec("t", 1, (Column("code", "str", "Id."), Column("note", "str", "Note.")))
    damaged = "code,note\na,近水高埗道滘\nb,虎门\n".encode().replace("近".encode(), b"\xe8\xbf\xc5")
    assert damaged.decode("gb18030")
    _, found = read(path, damaged, spec)
    assert len(found) == 1
    assert "row 2: is neither UTF-8 nor GB18030 text here" in found[0]


def test_a_key_with_a_faulty_part_is_not_called_a_repeat_as_well(path: Path) -> None:
    spec = TableSpec("t", 1, (Column("a", "str", "A."), Column("b", "int", "B.")), key=("a", "b"))
    _, found = read(path, "a,b\nx,?\nx,!\n", spec)
    assert [line.split(";")[0] for line in found] == [
        "stations.csv row 2: '?' (b) must be a whole number",
        "stations.csv row 3: '!' (b) must be a whole number",
    ]


def test_an_optional_whole_number_that_its_column_could_not_hold_exactly_is_refused(path: Path) -> None:
    for is_optional, n_found in ((True, 1), (False, 0)):
        spec = TableSpec("t", 1, (Column("a", "int", "A.", optional=is_optional),))
        _, found = read(path, f"a\n{2**53}\n{2**53 + 1}\n", spec)
        assert len(found) == n_found


def test_a_table_may_be_declared_to_have_no_rows(path: Path) -> None:
    table, found = read(path, "a\n", TableSpec("t", 1, (Column("a", "int", "A."),), may_be_empty=True))
    assert found == []
    assert table.n_rows == 0


def test_a_thousand_like_problems_are_shown_as_twenty_and_a_count(path: Path) -> None:
    spec = TableSpec("t", 1, (Column("a", "int", "A."), Column("b", "str", "B.")))
    _, found = read(path, "a,b\n" + "x,y\n" * 1000, spec)
    assert len(found) == 21
    assert found[-1] == "stations.csv: (a) must be a whole number: 980 more rows like the 20 shown"


def test_a_reference_to_nothing_is_told_with_the_nearest_name(path: Path) -> None:
    table, _ = read(path, "town\n虎门\n虎门镇\n", TableSpec("t", 1, (Column("town", "str", "Town."),)))
    problems = Problems()
    check_references(table, "town", ["虎门镇", "长安镇"], "towns.csv", problems)
    told = [str(p) for p in problems.found]
    assert told == ["stations.csv row 2: '虎门' (town) is not in towns.csv; did you mean '虎门镇'?"]
    with pytest.raises(InputError):
        problems.raise_if_any()


def test_a_spec_that_contradicts_itself_cannot_be_made() -> None:
    column = Column("a", "int", "A.")
    with pytest.raises(ValueError, match="repeat"):
        TableSpec("t", 1, (column, column))
    with pytest.raises(ValueError, match="key"):
        TableSpec("t", 1, (column,), key=("b",))
    with pytest.raises(ValueError, match="kind"):
        Column("a", "text", "A.")  # type: ignore[arg-type]


def test_names_in_rows_with_faults_are_known_and_those_of_an_unreadable_file_are_not_asked_for(tmp_path: Path) -> None:
    spec = TableSpec("towns", 1, (Column("code", "str", "Code."), Column("n", "int", "Number.")))
    rows = TableSpec("stations", 1, (Column("town", "str", "Town."),))
    (tmp_path / "towns.csv").write_text("code,n\na,1\nb,many\nc,1,1\n", encoding="utf-8")
    (tmp_path / "stations.csv").write_text("town\na\nb\nc\nd\nd\ne\nd\n", encoding="utf-8")
    problems = Problems()
    towns = read_table(tmp_path / "towns.csv", spec, problems)
    missing = read_table(tmp_path / "town.csv", spec, problems)
    assert (towns.names("code"), towns.is_whole, missing.names("code")) == (("a", "b", "c", "1", "1"), False, None)
    stations = read_table(tmp_path / "stations.csv", rows, problems)
    n_before = len(problems.found)
    check_references(stations, "town", missing.names("code"), "town.csv", problems)
    assert len(problems.found) == n_before
    check_references(stations, "town", towns.names("code"), "towns.csv", problems)
    assert [str(problem) for problem in problems.found[n_before:]] == [
        "stations.csv row 5: 'd' (town) is not in towns.csv, nor in 2 more rows; known: 1, a, b, c",
        "stations.csv row 7: 'e' (town) is not in towns.csv; known: 1, a, b, c",
    ]
