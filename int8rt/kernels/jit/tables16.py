"""Operators on single codes, as tables, where input or output has 16 bits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Params, element_count
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.jit.abi import (
    carray,
    fields,
    kernel,
    load_u8,
    load_u16,
    load_u32,
    share,
    store_u8,
    store_u16,
    store_u32,
)
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, to_arena
from int8rt.kernels.jit.tables import all_codes
from int8rt.kernels.registry import KERNELS
from int8rt.model import TensorType

UNARY16 = fields("input output table count")


def lower(params: Params, context: LowerContext) -> Lowered | None:
    """The step of an operator whose outputs depend on one code each, of at most 16 bits."""
    input, output = context.input(0), context.outputs[0]
    wide = input.type == TensorType.INT16
    if not wide and input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    if isinstance(params, DequantizeParams) and params.scale.size != 1:  # an axis with parameters of its own
        return None
    codes = np.arange(1 << 16, dtype=np.uint16).view(np.int16) if wide else all_codes(input.type)
    try:
        table = KERNELS[context.name].evaluate(params, codes)
    except EvaluationError:  # some codes are outside the operator's domain: NumPy says so while running
        return None
    assert isinstance(table, np.ndarray)
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "table": Data(to_arena(table)),
        "count": element_count(output.shape),
    }
    compiled = unary16_kernel(input.type.dtype.itemsize, table.dtype.itemsize)
    return Lowered(compiled, UNARY16, values, in_place=input.type.dtype.itemsize == table.dtype.itemsize)


@cache
def unary16_kernel(input_size: int, output_size: int) -> Any:
    """The compiled look-up of codes of some bytes in a table with entries of some bytes: 1, 2 or 4."""

    @kernel
    def look_up16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, UNARY16)[0]
        source, target, table = p.input, p.output, p.table
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            code = np.int64(load_u16(source, i)) if input_size == 2 else np.int64(load_u8(source, i))
            if output_size == 1:
                store_u8(target, i, load_u8(table, code))
            elif output_size == 2:
                store_u16(target, i, load_u16(table, code))
            else:
                store_u32(target, i, load_u32(table, code))

    return look_up16
