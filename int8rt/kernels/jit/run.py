"""The jitted loop that runs a program's kernels, with no Python between them."""

from __future__ import annotations

from typing import Any

from numba import njit

from int8rt.kernels.jit.abi import call, load_i64


@njit("void(int64, int64, int64)", nogil=True, cache=True, error_model="numpy")
def run(table: Any, first: Any, last: Any) -> None:
    """Call rows [first, last) of the table at this address, on one thread."""
    for i in range(first, last):
        call(load_i64(table, 2 * i), load_i64(table, 2 * i + 1), 0, 1)
