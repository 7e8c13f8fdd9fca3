"""XNNPACK's functions of real numbers near the true ones; tests/differential/test_xnnpack_float.py has their bits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from int8rt.quantization import xnnpack_functions as functions
from int8rt.quantization import xnnpack_sums as sums

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "elu": lambda x: x if x >= 0 else math.expm1(x),
    "sin": math.sin,
    "cos": math.cos,
    "gelu": lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))),
    "approximate_gelu": lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    x = np.linspace(-9, 9, 1801, dtype=np.float32)
    expected = np.array([FUNCTIONS[name](value) for value in x.tolist()])
    np.testing.assert_allclose(getattr(functions, name)(x), expected, rtol=0, atol=1e-6)


def test_logarithm() -> None:
    x = np.ldexp(np.linspace(1, 2, 100), np.arange(-50, 50)).astype(np.float32)
    np.testing.assert_allclose(functions.log(x), np.log(x.astype(np.float64)), rtol=1e-6)
    with np.errstate(all="ignore"):
        found = functions.log(np.array([0, -1, np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(found, [-np.inf, np.nan, np.inf, np.nan])


def test_sums_are_taken_in_lanes() -> None:
    # 2^24 + 1 rounds to 2^24, and 2^24 + 3 to 2^24 + 4.
    row = np.ones((1, 48), np.float32)
    row[0, 0] = 2.0**24
    total = sums.add_rows(np.zeros(1, np.float32), row, np.float32(1))
    # Lane 0 swallows its ones; the others have 3 each, which halves of the lanes add up: 3, 6, 12 and 24.
    assert total.tolist() == [2.0**24 + 46]
    column = sums.add_columns(np.zeros(1, np.float32), row.reshape(48, 1), np.float32(1))
    assert column.tolist() == [2.0**24]


def test_softmax_adds_up_to_one() -> None:
    rows = np.random.default_rng(0).normal(0, 5, (20, 77)).astype(np.float32)
    found = sums.softmax(rows)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    terms = np.exp(rows.astype(np.float64) - rows.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found, terms / terms.sum(axis=1, keepdims=True), rtol=5e-6)


def test_windows_are_taken_by_nines() -> None:
    values = [np.array([value], np.float32) for value in (2.0**24, 1, *[0.0] * 6, 1, 1)]
    # Of the first nine, 2^24, 1 and 1 are added up in this order; the tenth comes last.
    assert sums.mean_of_window(values, np.ones(1, np.float32), -np.inf, np.inf).tolist() == [2.0**24]
    assert sums.maximum_of_window(values, 0.0, 6.0).tolist() == [6]
