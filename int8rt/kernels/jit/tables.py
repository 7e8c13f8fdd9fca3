"""Operators on single 8-bit codes, as tables made by their own NumPy definitions: 256 entries for one input, 65,536 for
two.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.add import EnlargedDifferenceParams
from int8rt.kernels.base import Params
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.jit import vector_tables
from int8rt.kernels.jit.abi import fields, kernel, load_u8, load_u32, share, store_u8, store_u32
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Slot, View, to_arena
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.registry import KERNELS
from int8rt.model import TensorType

UNARY = fields("input output table count")
# Output and inputs as [outer, middle, inner] with their own steps, which covers equal shapes, channels and scalars.
BINARY = fields("input1 input2 output table outer middle inner outer1 middle1 inner1 outer2 middle2 inner2")
EIGHT_BITS = (TensorType.INT8, TensorType.UINT8)


def all_codes(type: TensorType) -> npt.NDArray[Any]:
    """The 256 codes in the order in which they lie in the arena."""
    codes = np.arange(256, dtype=np.uint8)
    return (codes ^ np.uint8(128)).view(np.int8) if type == TensorType.INT8 else codes


def lower_unary(params: Params, context: LowerContext) -> Lowered | View | None:
    """The step of an operator whose outputs depend on one code each; None for other types than 8 bits in."""
    input, output = context.input(0), context.outputs[0]
    if input.type not in EIGHT_BITS or (isinstance(params, DequantizeParams) and params.table is None):
        return None
    try:
        table = KERNELS[context.name].evaluate(params, all_codes(input.type))
    except EvaluationError:  # SQRT and RSQRT refuse negative numbers; NumPy says so while running
        return None
    assert isinstance(table, np.ndarray)
    count = int(np.prod(output.shape, dtype=np.int64))
    if table.dtype.itemsize == 1 and np.array_equal(to_arena(table), np.arange(256)):
        return View()  # such as QUANTIZE from uint8 to int8 with zero points that differ by 128
    if table.dtype.itemsize == 1:
        return lower_table(context.level, to_arena(table), input.index, output.index, count)
    if table.dtype.itemsize == 4:
        values = {"input": At(input.index), "output": At(output.index), "table": Data(table), "count": count}
        return Lowered(unary_kernel(4), UNARY, values)
    return None


def lower_table(level: Level, table: npt.NDArray[np.uint8], input: int, output: int, count: int) -> Lowered:
    """The step that looks `count` codes of a tensor up in a table of 256 bytes, all as they lie in the arena."""
    values = {"input": At(input), "output": At(output), "table": Data(table), "count": count}
    if level.looks_up:
        return Lowered(vector_tables.unary_kernel(level.name), vector_tables.UNARY, values, in_place=True)
    return Lowered(unary_kernel(1), UNARY, values, in_place=True)


def lower_binary(params: Params, context: LowerContext) -> Lowered | None:
    """The step of an operator of two 8-bit inputs; None for shapes that no [outer, middle, inner] describes."""
    one, other, output = context.input(0), context.input(1), context.outputs[0]
    if not {one.type, other.type} <= set(EIGHT_BITS) or output.type not in (*EIGHT_BITS, TensorType.BOOL):
        return None
    if context.name in ("ADD", "SUB"):
        step = vector_tables.lower_sum(params, context)
        if step is not None:
            return step
    steps = broadcast_steps(one, other, output)
    if steps is None or isinstance(params, EnlargedDifferenceParams):  # the place of an element matters there
        return None
    left, right = np.repeat(all_codes(one.type), 256), np.tile(all_codes(other.type), 256)
    table = KERNELS[context.name].evaluate(params, left, right)
    assert isinstance(table, np.ndarray)
    values = {
        "input1": At(one.index),
        "input2": At(other.index),
        "output": At(output.index),
        "table": Data(to_arena(table)),
    }
    return Lowered(binary_kernel(), BINARY, {**values, **steps})


def broadcast_steps(one: Slot, other: Slot, output: Slot) -> dict[str, int] | None:
    """Sizes and steps of [outer, middle, inner], merging dimensions that broadcast alike."""
    rank = len(output.shape)
    shapes = [(1,) * (rank - len(slot.shape)) + slot.shape for slot in (one, other)]
    groups: list[tuple[int, bool, bool]] = []
    for size, first, second in zip(output.shape, *shapes, strict=True):
        if size == 1:
            continue
        kind = (first != 1, second != 1)
        if groups and groups[-1][1:] == kind:
            groups[-1] = (groups[-1][0] * size, *kind)
        else:
            groups.append((size, *kind))
    if len(groups) > 3:
        return None
    groups = [(1, True, True)] * (3 - len(groups)) + groups
    values: dict[str, int] = {}
    steps = [1, 1]
    for name, (size, *present) in reversed(list(zip(("outer", "middle", "inner"), groups, strict=True))):
        values[name] = size
        for i in (0, 1):
            values[f"{name}{i + 1}"] = steps[i] if present[i] else 0
            steps[i] *= size if present[i] else 1
    return values


@cache
def unary_kernel(size: int) -> Any:
    """The compiled look-up for entries of `size` bytes."""

    @kernel
    def look_up(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, UNARY)[0]
        source, target, table = p.input, p.output, p.table
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            if size == 1:
                store_u8(target, i, load_u8(table, load_u8(source, i)))
            else:
                store_u32(target, i, load_u32(table, load_u8(source, i)))

    return look_up


@cache
def binary_kernel() -> Any:
    """The compiled look-up in a table of 256 · 256 bytes."""

    @kernel
    def look_up_pairs(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BINARY)[0]
        table, inner, step1, step2 = p.table, p.inner, p.inner1, p.inner2
        first, last = share(p.outer * p.middle, thread, threads)
        if p.outer * p.middle == 1:
            begin, end = share(inner, thread, threads)
            first, last = 0, 1
        else:
            begin, end = 0, inner
        for row in range(first, last):
            outer, middle = row // p.middle, row % p.middle
            a = p.input1 + outer * p.outer1 + middle * p.middle1
            b = p.input2 + outer * p.outer2 + middle * p.middle2
            target = p.output + row * inner
            for i in range(begin, end):
                pair = (np.int64(load_u8(a, i * step1)) << 8) + load_u8(b, i * step2)
                store_u8(target, i, load_u8(table, pair))

    return look_up_pairs
