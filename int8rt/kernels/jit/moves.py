"""Copies of whole tensors: between the caller's arrays and the arena, and where a view must have memory of its own."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import copy_exactly, fields, kernel, load_u8, share, store_u8
from int8rt.kernels.jit.lowering import At, Data, Lowered
from int8rt.kernels.jit.numba_later import carray

MOVE = fields("input output count")


def copied(source: At | Data, target: At | Data, count: int) -> Lowered:
    """`count` bytes as they are."""
    return Lowered(copy_kernel(), MOVE, {"input": source, "output": target, "count": count})


def flipped(source: At | Data, target: At | Data, count: int) -> Lowered:
    """`count` int8 codes, between the caller's form and the arena's."""
    return Lowered(flip_kernel(), MOVE, {"input": source, "output": target, "count": count})


@cache
def copy_kernel() -> Any:
    """The compiled copy."""

    @kernel
    def copy(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MOVE)[0]
        first, last = share(p.count, thread, threads)
        copy_exactly(p.output + first, p.input + first, last - first)

    return copy


@cache
def flip_kernel() -> Any:
    """The compiled copy that flips every byte's highest bit."""

    @kernel
    def flip(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MOVE)[0]
        source, target = p.input, p.output
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            store_u8(target, i, np.uint8(load_u8(source, i) ^ np.uint8(128)))

    return flip
