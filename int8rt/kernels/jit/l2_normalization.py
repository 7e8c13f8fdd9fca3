"""L2_NORMALIZATION of 8-bit codes, row by row."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, kernel, load_u8, share, store_u8
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered, unsigned
from int8rt.kernels.l2_normalization import L2NormalizationParams
from int8rt.model import TensorType
from int8rt.quantization.jitted import inverse_square_root, multiply_by_quantized_multiplier

L2_NORMALIZATION = fields("input output rows depth zero_point scaled_before scaled_after")
_OUTPUT_BITS = 7  # of the scale 1/128


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an L2_NORMALIZATION of 8-bit codes."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, L2NormalizationParams):
        return None
    int8 = input.type == TensorType.INT8
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "rows": element_count(input.shape[:-1]),
        "depth": input.shape[-1],
        "zero_point": unsigned(input.type, params.input_zero_point),
        "scaled_before": 0 if int8 else _OUTPUT_BITS,
        "scaled_after": _OUTPUT_BITS if int8 else 0,
    }
    return Lowered(l2_normalization_kernel(), L2_NORMALIZATION, values)


@cache
def l2_normalization_kernel() -> Any:
    """The compiled L2_NORMALIZATION."""

    @kernel
    def l2_normalization(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, L2_NORMALIZATION)[0]
        depth, zero_point = p.depth, p.zero_point
        first, last = share(p.rows, thread, threads)
        for row in range(first, last):
            source, target = p.input + row * depth, p.output + row * depth
            total = np.int32(0)
            for i in range(depth):
                steps = np.int64(load_u8(source, i)) - zero_point
                total = np.int32(total + steps * steps)
            multiplier, shift = inverse_square_root(np.int64(total))
            shift += p.scaled_after
            for i in range(depth):
                steps = (np.int64(load_u8(source, i)) - zero_point) << p.scaled_before
                code = multiply_by_quantized_multiplier(steps, multiplier, shift) + 128
                store_u8(target, i, np.uint8(min(max(code, 0), 255)))

    return l2_normalization
