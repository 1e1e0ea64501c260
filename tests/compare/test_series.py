"""Claims about arrays kept in a file: what is read is what numpy gives of all of them in memory."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from sim.compare.series import Series
from sim.run.pool import map_in_processes

PLACES = (
    (),
    (1,),
    (1, 2),
    (0, 3, 1),
    (slice(None), 2),
    (1, slice(1, 3)),
    (1, np.array([3, 0, 3])),
    (0, np.array([[0, 1], [2, 3]]), 1),
    (slice(None), np.array([2, 1])),
    (np.int64(1), np.int64(3)),
)


@pytest.fixture
def arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.random((2, 4, 3)) for _ in range(5)]


def kept(path: Path, arrays: list[np.ndarray]) -> Series:
    series = Series(path)
    for values in arrays:
        series.append(values)
    return series


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_every_place_of_all_or_some_is_as_stacked_in_memory(tmp_path: Path, arrays, dtype: str) -> None:
    arrays = [(10 * values).astype(dtype) for values in arrays]
    series = kept(tmp_path / "series", arrays)
    assert len(series) == 5
    for place in PLACES:
        wanted = np.stack([values[place] for values in arrays])
        assert series.of_all(*place).dtype == wanted.dtype
        np.testing.assert_array_equal(series.of_all(*place), wanted)
        np.testing.assert_array_equal(series.of_all(*place, numbers=[4, 1]), wanted[[4, 1]])
    np.testing.assert_array_equal(series[3], arrays[3])


def test_another_process_finds_it_by_its_place(tmp_path: Path, arrays) -> None:
    series = kept(tmp_path / "series", arrays)
    assert len(pickle.dumps(series)) < 1_000
    with map_in_processes(2) as run:
        (found,) = run(Series.of_all, [series], [1])
    np.testing.assert_array_equal(found, np.stack(arrays)[:, 1])


def test_what_is_not_there_is_an_error_and_never_a_neighbour(tmp_path: Path, arrays) -> None:
    series = kept(tmp_path / "series", arrays)
    for place, numbers in (((2,), None), ((0, 4), None), ((-1,), None), ((), [5]), ((), [-1]), ((), [])):
        with pytest.raises(IndexError):
            series.of_all(*place, numbers=numbers)
    with pytest.raises(IndexError, match="holds 0 replications"):
        Series(tmp_path / "none").of_all()


def test_a_transposed_array_is_kept_as_it_reads(tmp_path: Path, arrays) -> None:
    series = kept(tmp_path / "series", [values.T for values in arrays])
    np.testing.assert_array_equal(series[1], arrays[1].T)


@pytest.mark.parametrize("other", [np.zeros((2, 4)), np.zeros((2, 4, 3), dtype=np.float32)])
def test_another_shape_or_type_is_refused(tmp_path: Path, arrays, other) -> None:
    series = kept(tmp_path / "series", arrays)
    with pytest.raises(ValueError, match=r"a series of float64 \(2, 4, 3\) cannot take"):
        series.append(other)
    assert len(series) == 5
