from __future__ import annotations

import math

import numpy as np
import pytest

from int8rt.kernels.custom.partial_sort import arg_max_vector, partial_argsort_descending

NAN = math.nan


@pytest.mark.parametrize("count", [1, 2, 5, 17])
def test_distinct_values_are_sorted(count: int) -> None:
    values = np.random.default_rng(count).permutation(17).tolist()
    assert partial_argsort_descending(values, count) == np.argsort(values)[::-1][:count].tolist()


def test_equal_values_as_the_heap_leaves_them() -> None:
    """Recorded from LiteRT."""
    assert partial_argsort_descending([1, 0, 0, 0, 0, 0, 0, 2], 5) == [7, 0, 3, 1, 4]
    assert partial_argsort_descending([1, 1, 2, 2, 1, 1, 1], 6) == [2, 3, 1, 4, 0, 5]
    assert partial_argsort_descending([2, 2, 0, 1, 2, 1, 0, 2], 3) == [4, 1, 0]


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ([0.1, 0.2, NAN, 0.4], 1),
        ([0.1, NAN, 0.3, 0.4], 3),
        ([0.1, NAN, NAN, 0.4], 0),
        ([NAN, 0.2, 0.3, 0.4], 0),
        ([NAN, 0.2, 0.1], 1),
        ([0.5, 0.7, 0.7, 0.1, 0.7], 1),
        ([NAN, NAN], 0),
    ],
)
def test_nan_hides_larger_values(values: list[float], index: int) -> None:
    """Recorded from LiteRT: it takes four values at a time."""
    assert arg_max_vector(values) == index
