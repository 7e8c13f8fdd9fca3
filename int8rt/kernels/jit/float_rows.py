"""SOFTMAX and LOG_SOFTMAX in float32: the C library's functions, called in the definition's order along each row."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.float32.functions import FloatParams
from int8rt.kernels.jit.abi import carray, fields, kernel, load_f32, share, store_f32
from int8rt.kernels.jit.float_functions import call_f32
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered
from int8rt.model import TensorType
from int8rt.quantization import libm

FLOAT_ROWS = fields("input output rows depth beta exp log")


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a SOFTMAX or LOG_SOFTMAX; None where there is no C library to call."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, FloatParams) or {input.type, output.type} != {TensorType.FLOAT32}:
        return None
    exp, log = libm.address("exp"), libm.address("log")
    if exp is None or log is None:
        return None
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "rows": element_count(input.shape[:-1]),
        "depth": input.shape[-1],
        "beta": Data(np.array([params.beta], np.float32)),
        "exp": exp,
        "log": log,
    }
    return Lowered(float_rows_kernel(int(context.name == "LOG_SOFTMAX")), FLOAT_ROWS, values, in_place=True)


@cache
def float_rows_kernel(logarithm: int) -> Any:
    """The compiled SOFTMAX, or its logarithm."""

    @kernel
    def float_rows(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_ROWS)[0]
        # All in variables: a store may change the block, for all that the compiler knows.
        depth, exp, log, beta = p.depth, p.exp, p.log, load_f32(p.beta, 0)
        first, last = share(p.rows, thread, threads)
        for row in range(first, last):
            source, target = p.input + 4 * row * depth, p.output + 4 * row * depth
            largest = np.float32(-3.4028234663852886e38)
            for i in range(depth):
                x = load_f32(source, i)
                largest = x if x > largest else largest
            total = np.float32(0)
            if logarithm:
                for i in range(depth):
                    difference = load_f32(source, i) - largest
                    store_f32(target, i, difference)
                    total += call_f32(exp, difference)
                rest = call_f32(log, total)
                for i in range(depth):
                    store_f32(target, i, load_f32(target, i) - rest)
            else:
                for i in range(depth):
                    exponential = call_f32(exp, (load_f32(source, i) - largest) * beta)
                    store_f32(target, i, exponential)
                    total += exponential
                for i in range(depth):
                    store_f32(target, i, load_f32(target, i) / total)

    return float_rows
