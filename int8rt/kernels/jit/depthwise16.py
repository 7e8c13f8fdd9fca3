"""DEPTHWISE_CONV_2D of int16 activations: sums of all channels in memory, tap by tap."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.jit.abi import carray, fields, kernel, load_i16, load_i64, share, store_i64
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, window_values
from int8rt.kernels.jit.requantize import REQUANTIZATION, requantization_fields, requantize_line
from int8rt.model import TensorType

DEPTHWISE16 = fields(
    "input output weights constants scratch scratch_bytes rows out_height out_width height width channels multiplier "
    "kernel_height kernel_width stride_height stride_width dilation_height dilation_width pad_height pad_width "
    + REQUANTIZATION
)


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a DEPTHWISE_CONV_2D of int16; None for weights that are not constant."""
    input, output, weights = context.input(0), context.outputs[0], context.input(1).value
    bias = context.inputs[2] if len(context.inputs) > 2 else None
    if not isinstance(params, DepthwiseConv2DParams) or input.type != TensorType.INT16:
        return None
    if weights is None or (bias is not None and bias.value is None):
        return None
    batches, out_height, out_width, outputs = output.shape
    found = requantization_fields(params.requantization, outputs)
    if found is None:
        return None
    kind, values = found
    constants = 0 if bias is None or bias.value is None else bias.value.reshape(-1)
    values |= {
        "input": At(input.index),
        "output": At(output.index),
        "weights": Data(weights.astype(np.int16)),
        "constants": Data(np.broadcast_to(np.asarray(constants, np.int64), outputs)),
        "scratch": Scratch(8 * outputs),
        "scratch_bytes": 8 * outputs,
        "rows": batches * out_height * out_width,
        "channels": input.shape[3],
        "multiplier": params.depth_multiplier,
        **window_values(DEPTHWISE16, params.height, params.width),
    }
    return Lowered(depthwise16_kernel(kind), DEPTHWISE16, values)


@cache
def depthwise16_kernel(kind: int) -> Any:
    """The compiled DEPTHWISE_CONV_2D for a kind of requantization."""

    @kernel
    def depthwise16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, DEPTHWISE16)[0]
        sums, channels, multiplier = p.scratch + thread * p.scratch_bytes, p.channels, p.multiplier
        outputs = channels * multiplier
        first, last = share(p.rows, thread, threads)
        for pixel in range(first, last):
            x, rest = pixel % p.out_width, pixel // p.out_width
            y, image = rest % p.out_height, rest // p.out_height * p.height
            for c in range(outputs):
                store_i64(sums, c, load_i64(p.constants, c))
            for ky in range(p.kernel_height):
                row = y * p.stride_height - p.pad_height + ky * p.dilation_height
                for kx in range(p.kernel_width):
                    column = x * p.stride_width - p.pad_width + kx * p.dilation_width
                    if row < 0 or row >= p.height or column < 0 or column >= p.width:
                        continue
                    source = p.input + 2 * ((image + row) * p.width + column) * channels
                    weights = p.weights + 2 * (ky * p.kernel_width + kx) * outputs
                    if multiplier == 1:
                        for c in range(channels):
                            product = np.int32(load_i16(source, c)) * np.int32(load_i16(weights, c))
                            store_i64(sums, c, load_i64(sums, c) + product)
                    else:
                        for c in range(outputs):
                            product = np.int32(load_i16(source, c // multiplier)) * np.int32(load_i16(weights, c))
                            store_i64(sums, c, load_i64(sums, c) + product)
            requantize_line(p, kind, sums, p.output + 2 * pixel * outputs, 0, outputs)

    return depthwise16
