"""The compiled loop that runs the rows of a program's table on one thread, with no Python between them.

A row is three int64: the addresses of a kernel and of its block, and whether several threads may share the call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial

from int8rt.kernels.jit.abi import address_of, call, helper, kernel, load_i64
from int8rt.kernels.jit.compiled import Kernel

Entry = Callable[[int, int, int], None]


@helper
def run_rows(table, first, last, share, shares):  # type: ignore[no-untyped-def]
    """Call rows [first, last), or one thread's share of them."""
    for i in range(first, last):
        call(load_i64(table, 3 * i), load_i64(table, 3 * i + 1), share, shares)


@kernel
def alone(block, first, last):  # type: ignore[no-untyped-def]
    """Rows [first, last) of the table at `block`."""
    run_rows(address_of(block), first, last, 0, 1)


@cache
def entry(kernel: Kernel) -> Entry:
    """A kernel to be called from Python; other Python threads run meanwhile."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(kernel.address)


@kernel
def rows_of(block, unused, unused_too):  # type: ignore[no-untyped-def]
    """The rows that three int64 at `block` tell: the table's address, first and last."""
    what = address_of(block)
    run_rows(load_i64(what, 0), load_i64(what, 1), load_i64(what, 2), 0, 1)


def prepared(table: int, first: int, last: int) -> Callable[[], None]:
    """A call of rows [first, last) from Python with one argument, made beforehand: each costs as much as some rows."""
    function = ctypes.CFUNCTYPE(None)(rows_of.address)
    return partial(function, (ctypes.c_int64 * 3)(table, first, last))
