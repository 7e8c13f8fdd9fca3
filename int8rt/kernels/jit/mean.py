"""MEAN and SUM over neighbouring axes: sums of rows of channels, then the requantization of all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import fields, kernel, load_i32, load_u8, share, store_i32, store_u8
from int8rt.kernels.jit.finish import requantize_row
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, clamp, unsigned
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.jit.panels import pack_words
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.kernels.reduce import ReduceParams
from int8rt.model import TensorType
from int8rt.quantization import vectorized

# flip: 128 where the bytes of int8 codes are to be read and written as they are in the caller's form.
MEAN = fields("input output scratch scratch_bytes words outer count inner low high flip")


def lower(params: ReduceParams, context: LowerContext) -> Lowered | None:
    """The step of a MEAN or SUM of 8-bit codes; None where the reduced axes are not neighbours."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, QuantizedSumParams) or input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    axes = sorted(axis % len(input.shape) for axis in params.axis)
    if not axes or axes != list(range(axes[0], axes[-1] + 1)) or 0 in input.shape:
        return None
    count = element_count(input.shape[axes[0] : axes[-1] + 1])
    inner = element_count(input.shape[axes[-1] + 1 :])
    requantization = params.requantization
    # A defect of BUILTIN_REF, kept by the definition: SUM of int8 takes the bytes for uint8.
    bytes_type = TensorType.UINT8 if requantization.dtype == np.uint8 else input.type
    zero_point = unsigned(bytes_type, params.input_zero_point)
    bound = (255 + max(0, -zero_point)) * count
    if bound >= 1 << 31:
        return None
    variant = vectorized.choose(requantization, np.array([bound]))
    if variant is None:
        return None
    constant = np.array([-zero_point * count])
    words = vectorized.words(variant, requantization, unsigned(bytes_type, requantization.zero_point), constant)
    scratch = 4 * inner + 256
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "words": Data(pack_words(context.level, 1, np.repeat(words, context.level.lanes, axis=1))),
        "outer": element_count(input.shape[: axes[0]]),
        "count": count,
        "inner": inner,
        **clamp(bytes_type, requantization.activation_min, requantization.activation_max),
        "flip": 128 if bytes_type != input.type else 0,
    }
    return Lowered(mean_kernel(context.level.products, variant), MEAN, values)


@cache
def mean_kernel(level: str, variant: str) -> Any:
    """The compiled MEAN for an instruction set and a variant of the requantization."""

    @kernel
    def mean(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MEAN)[0]
        # All in variables: a store may change the block, for all that the compiler knows.
        inner, sums, flip = p.inner, p.scratch + thread * p.scratch_bytes, np.uint8(p.flip)
        first, last = share(p.outer, thread, threads)
        for outer in range(first, last):
            for c in range(inner):
                store_i32(sums, c, np.int32(0))
            for row in range(p.count):
                source = p.input + (outer * p.count + row) * inner
                for c in range(inner):
                    store_i32(sums, c, np.int32(load_i32(sums, c) + np.int32(load_u8(source, c) ^ flip)))
            target = p.output + outer * inner
            requantize_row(level, variant, sums, p.words, 0, p.low, p.high, target, inner)
            if flip:
                for c in range(inner):
                    store_u8(target, c, np.uint8(load_u8(target, c) ^ flip))

    return mean
