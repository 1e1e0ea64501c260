"""Sums by label and elimination are those of the design matrix written out."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fit.mixed import columns_of

N = 60


def written_out(labels):
    """Return columns, the curve's slopes, and the whole design matrix (n, n_columns)."""
    rng = np.random.default_rng(1)
    slopes, columns = rng.normal(size=(N, 2)), columns_of(2, labels)
    sticks = [np.eye(len(values))[code] for values, code in zip(columns.values, columns.codes, strict=True)]
    return rng, columns, slopes, np.hstack([slopes, *sticks])


def labels_of(*names):
    rng = np.random.default_rng(2)
    given = {"place": rng.integers(100, 112, N), "kind": rng.integers(0, 3, N), "hour": rng.integers(0, 5, N)}
    return {name: given[name] for name in names}


def test_the_label_with_the_most_values_stands_last_and_values_ascend():
    columns = columns_of(2, labels_of("place", "kind", "hour"))
    assert columns.names == ("kind", "hour", "place")
    assert columns.parts == (slice(0, 2), slice(2, 5), slice(5, 10), slice(10, 22))
    assert columns.values[0].tolist() == [0, 1, 2]
    assert columns.n_columns == 22


@pytest.mark.parametrize("names", [(), ("place",), ("place", "kind", "hour")])
def test_sums_are_those_of_the_design_matrix(names):
    rng, columns, slopes, design = written_out(labels_of(*names))
    weight, values, day = rng.uniform(0.5, 2, N), rng.normal(size=N), np.arange(N) // 20
    np.testing.assert_allclose(columns.right(slopes, values), design.T @ values)
    np.testing.assert_allclose(columns.normal(slopes, weight), design.T @ np.diag(weight) @ design, atol=1e-12)
    by_day = np.stack([design[day == each].T @ values[day == each] for each in range(3)])
    np.testing.assert_allclose(columns.by_day(slopes, values, day), by_day, atol=1e-12)
    solution = rng.normal(size=columns.n_columns)
    np.testing.assert_allclose(columns.effects(solution) + slopes @ solution[:2], design @ solution)


@pytest.mark.parametrize("names", [(), ("place",), ("place", "kind", "hour")])
def test_elimination_solves_the_equations_and_gives_the_diagonal_of_the_inverse(names):
    rng, columns, slopes, design = written_out(labels_of(*names))
    penalty = np.concatenate([np.zeros(2), np.full(columns.n_columns - 2, 3.0)])
    normal, right = columns.normal(slopes, np.ones(N)) + np.diag(penalty), rng.normal(size=columns.n_columns)
    solution, variance = columns.solve(normal, right)
    np.testing.assert_allclose(normal @ solution, right, atol=1e-9)
    np.testing.assert_allclose(variance, np.diag(np.linalg.inv(design.T @ design + np.diag(penalty))))
