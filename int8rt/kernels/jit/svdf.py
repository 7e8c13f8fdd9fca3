"""SVDF in integers: the sums of all filters, then one memory after the other moves on and is weighted."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import carray, fields, hold, kernel, load_i16, load_i32, share, store_i16, store_u8
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.jit.sums import pack_panels, padded_channels, padded_depth, panel_vectors, product_sums
from int8rt.kernels.svdf import BIAS, INPUT, STATE, WEIGHTS_FEATURE, WEIGHTS_TIME, IntegerSvdfParams
from int8rt.quantization.jitted import multiply_by_quantized_multiplier

SVDF = fields(
    "weights depth4 panels input output state constants time bias batch units rank memory "
    "depth multiplier_1 shift_1 multiplier_2 shift_2 zero_point scratch scratch_bytes"
)


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an integer SVDF; None for weights and biases that are not constant."""
    if not isinstance(params, IntegerSvdfParams):
        return None
    feature, time = context.input(WEIGHTS_FEATURE).value, context.input(WEIGHTS_TIME).value
    bias = context.inputs[BIAS]
    multipliers = params.effective_scale_1, params.effective_scale_2
    if feature is None or time is None or (bias is not None and bias.value is None):
        return None
    if not feature.size or not all(-31 <= shift <= 31 for _, shift in multipliers):
        return None
    level, (filters, depth) = context.level, feature.shape
    constants = -(128 + params.input_zero_point) * feature.sum(axis=1, dtype=np.int64)
    start = np.zeros(params.units, np.int32) if bias is None or bias.value is None else bias.value
    packed, scratch = pack_panels(level, feature), 4 * padded_channels(level, filters)
    values = {
        "weights": Data(packed),
        "depth4": padded_depth(depth) // 4,
        "panels": len(packed),
        "input": At(context.input(INPUT).index),
        "output": At(context.outputs[0].index),
        "state": At(context.input(STATE).index),
        "constants": Data(constants.astype(np.int32)),
        "time": Data(np.ascontiguousarray(time)),
        "bias": Data(start),
        "batch": params.batch,
        "units": params.units,
        "rank": params.rank,
        "memory": params.memory,
        "depth": depth,
        "multiplier_1": params.effective_scale_1[0],
        "shift_1": params.effective_scale_1[1],
        "multiplier_2": params.effective_scale_2[0],
        "shift_2": params.effective_scale_2[1],
        "zero_point": params.output_zero_point,
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
    }
    return Lowered(svdf_kernel(level.products, panel_vectors(level, filters)), SVDF, values)


@cache
def svdf_kernel(level: str, vectors: int) -> Any:
    """The compiled SVDF in integers."""

    @kernel
    def svdf(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, SVDF)[0]
        sums, memory = p.scratch + thread * p.scratch_bytes, p.memory
        first, last = share(p.batch, thread, threads)
        for row in range(first, last):
            product_sums(
                level, vectors, p.input + row * p.depth, p.depth, 1, p.weights, p.depth4, p.panels, sums,
                p.scratch_bytes,
            )  # fmt: skip
            for unit in range(p.units):
                total = load_i32(p.bias, unit)
                for f in range(unit * p.rank, (unit + 1) * p.rank):
                    line = p.state + 2 * (row * p.units * p.rank + f) * memory
                    weights = p.time + 2 * f * memory
                    for k in range(memory - 1):
                        element = load_i16(line, k + 1)
                        store_i16(line, k, element)
                        product = np.int32(element) * np.int32(load_i16(weights, k))
                        total = np.int32(total + product)
                    newest = np.int64(np.int32(load_i32(sums, f) + load_i32(p.constants, f)))
                    newest = multiply_by_quantized_multiplier(newest, p.multiplier_1, p.shift_1)
                    newest = hold(newest, -32768, 32767)
                    store_i16(line, memory - 1, np.int16(newest))
                    total = np.int32(total + newest * load_i16(weights, memory - 1))
                value = multiply_by_quantized_multiplier(np.int64(total), p.multiplier_2, p.shift_2)
                code = hold(np.int64(np.int32(value + p.zero_point)), -128, 127)
                store_u8(p.output, row * p.units + unit, np.uint8(code + 128))

    return svdf
