"""The compiled loop that runs a program's kernels, with no Python between them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from int8rt.kernels.jit.abi import address_of, call, kernel, load_i64


@kernel
def run_rows(block, first, last):  # type: ignore[no-untyped-def]
    """Call rows [first, last) of the table at `block`, on one thread."""
    table = address_of(block)
    for i in range(first, last):
        call(load_i64(table, 2 * i), load_i64(table, 2 * i + 1), 0, 1)


@cache
def runner() -> Callable[[int, int, int], None]:
    """`run(address of the table, first row, last row)`; other Python threads run meanwhile."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(run_rows.address)
