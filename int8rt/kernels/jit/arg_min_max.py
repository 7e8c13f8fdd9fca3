"""ARG_MAX and ARG_MIN of 8-bit codes: code and index together in one number, whose maximum is looked for."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.arg_min_max import ArgMinMaxParams
from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, kernel, load_u8, share, store_i32, store_i64
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered
from int8rt.model import TensorType

ARG = fields("input output rows size inner flip")
# As many as there are indices in 8 bits.
_RUN = 256


def lower(params: ArgMinMaxParams, context: LowerContext) -> Lowered | None:
    """The step of an ARG_MAX or ARG_MIN of 8-bit codes."""
    input, output = context.input(0), context.outputs[0]
    if input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    inner = element_count(input.shape[params.axis + 1 :])
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "rows": element_count(input.shape[: params.axis]) * inner,
        "size": input.shape[params.axis],
        "inner": inner,
        "flip": 0 if params.is_arg_max else 255,
    }
    return Lowered(arg_kernel(output.type.dtype.itemsize), ARG, values)


@cache
def arg_kernel(size: int) -> Any:
    """The compiled search for indices of `size` bytes."""

    @kernel
    def arg_min_max(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, ARG)[0]
        inner, flip = p.inner, np.uint8(p.flip)
        first, last = share(p.rows, thread, threads)
        for row in range(first, last):
            source = p.input + row // inner * p.size * inner + row % inner
            best, index = np.int64(-1), np.int64(0)
            for start in range(0, p.size, _RUN):
                # The largest code, and of equal ones the first.
                largest = np.uint16(0)
                for i in range(min(_RUN, p.size - start)):
                    code = np.uint16(np.uint8(load_u8(source, (start + i) * inner) ^ flip))
                    largest = max(largest, np.uint16((code << 8) | (255 - i)))
                if np.int64(largest >> 8) > best:
                    best, index = np.int64(largest >> 8), np.int64(start + 255 - np.int64(largest & 255))
            if size == 4:
                store_i32(p.output, row, np.int32(index))
            else:
                store_i64(p.output, row, index)

    return arg_min_max
