"""DEPTHWISE_CONV_2D, AVERAGE_POOL_2D and MAX_POOL_2D in float32: some channels at a time, over the taps inside.

Taps beyond the border are left out. A product is rounded before it is added.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from int8rt.kernels.float32.depthwise_conv import FloatDepthwiseConv2DParams
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, share
from int8rt.kernels.jit.float_product import finish_float, store_lanes
from int8rt.kernels.jit.isa.emitter import F32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, window_values
from int8rt.kernels.jit.numba_later import cgutils, intrinsic, types
from int8rt.kernels.pooling import Pool2DParams
from int8rt.model import TensorType

FLOAT_WINDOWS = fields(
    "input output weights bias bounds batches out_height out_width height width input_channels channels kernel_height "
    "kernel_width stride_height stride_width dilation_height dilation_width pad_height pad_width"
)
# What is done with the taps; SPREAD: products of a single input channel with many filters.
PRODUCTS, SPREAD, MEAN, LARGEST = "products", "spread", "mean", "largest"
_BYTES = 4


def lower_depthwise_conv_2d(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a DEPTHWISE_CONV_2D with one filter a channel, or a single channel; constant and finite filters."""
    if not isinstance(params, FloatDepthwiseConv2DParams):
        return None
    spread = context.input(0).shape[3] == 1
    if params.depth_multiplier != 1 and not spread:
        return None
    filter, bias = context.input(1).value, context.inputs[2] if len(context.inputs) > 2 else None
    if filter is None or not np.isfinite(filter).all() or (bias is not None and bias.value is None):
        return None
    constant = np.zeros(filter.shape[3], np.float32) if bias is None or bias.value is None else bias.value.reshape(-1)
    values = _values(params, context) | {"weights": Data(np.ascontiguousarray(filter)), "bias": Data(constant)}
    what = SPREAD if spread else PRODUCTS
    return Lowered(float_windows_kernel(context.level.products, what), FLOAT_WINDOWS, values)


def lower_pool(params: Pool2DParams, context: LowerContext) -> Lowered | None:
    """The step of a pool of float32."""
    if context.input(0).type != TensorType.FLOAT32:
        return None
    nothing = Data(np.zeros(1, np.float32))
    values = _values(params, context) | {"weights": nothing, "bias": nothing}
    what = MEAN if context.name == "AVERAGE_POOL_2D" else LARGEST
    return Lowered(float_windows_kernel(context.level.products, what), FLOAT_WINDOWS, values)


def _values(params: FloatDepthwiseConv2DParams | Pool2DParams, context: LowerContext) -> dict[str, Any]:
    input, output = context.input(0), context.outputs[0]
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "bounds": Data(np.array([params.activation_min, params.activation_max], np.float32)),
        "batches": output.shape[0],
        "input_channels": input.shape[3],
        "channels": output.shape[3],
    }
    return values | window_values(FLOAT_WINDOWS, params.height, params.width)


@intrinsic(prefer_literal=True)
def join_taps(
    typing_context: Any, level: Any, what: Any, source: Any, row_stride: Any, column_stride: Any, rows: Any,
    columns: Any, channels: Any, weights: Any, weights_stride: Any, bias: Any, bounds: Any, target: Any,
) -> Any:  # fmt: skip
    """target[c] = the taps' channels c joined, clamped, for c < channels; strides in bytes.

    level, what: literals. Whole vectors are read, also of the last channels.
    """
    if not all(isinstance(x, types.Literal) for x in (level, what)):
        return None
    here, kind_of = BY_NAME[level.literal_value], what.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, row_stride, column_stride, rows, columns, channels = arguments[2:8]
        weights, weights_stride, bias, bounds, target = arguments[8:]
        kind = vector(F32, here.lanes)
        first = float(np.finfo(np.float32).min) if kind_of == LARGEST else 0.0
        total = cgutils.alloca_once(builder, kind)
        with e.count(I64(0), channels, here.lanes) as channel:
            offset = builder.mul(channel, I64(_BYTES))
            builder.store(ir.Constant(kind, [first] * here.lanes), total)
            with e.count(I64(0), rows) as row:
                begin = source if kind_of == SPREAD else builder.add(source, offset)
                line = builder.add(begin, builder.mul(row, row_stride))
                factors = builder.add(builder.add(weights, offset), builder.mul(row, weights_stride))
                with e.count(I64(0), columns) as column:
                    place = builder.add(line, builder.mul(column, column_stride))
                    x = e.splat(e.load(place, F32), here.lanes) if kind_of == SPREAD else e.load(place, kind)
                    before = builder.load(total)
                    if kind_of == LARGEST:
                        after = builder.select(builder.fcmp_ordered(">", x, before), x, before)
                    elif kind_of == MEAN:
                        after = builder.fadd(before, x)
                    else:
                        w = e.load(builder.add(factors, builder.mul(column, builder.mul(channels, I64(_BYTES)))), kind)
                        after = builder.fadd(before, builder.fmul(x, w))
                    builder.store(after, total)
            value = builder.load(total)
            if kind_of == MEAN:
                count = builder.sitofp(builder.mul(rows, columns), F32)
                value = builder.fdiv(value, e.splat(count, here.lanes))
            elif kind_of != LARGEST:
                value = builder.fadd(value, e.load(builder.add(bias, offset), kind))
            value = finish_float(e, here, value, bounds)
            store_lanes(e, here, value, builder.add(target, offset), builder.sub(channels, channel))
        return context.get_dummy_value()

    return types.void(level, what, *[types.int64] * 11), codegen


@helper
def taps_inside(start, size, kernel_size, dilation):  # type: ignore[no-untyped-def]
    """[first, last) of the taps at start, start + dilation, ... that lie within [0, size)."""
    first = 0 if start >= 0 else (-start + dilation - 1) // dilation
    last = min(kernel_size, (size - start + dilation - 1) // dilation)
    return first, max(first, last)


@cache
def float_windows_kernel(level: str, what: str) -> Any:
    """The compiled operator for an instruction set."""

    @kernel
    def float_windows(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_WINDOWS)[0]
        pixel, out_pixel = 4 * p.input_channels, 4 * p.channels
        first, last = share(p.batches * p.out_height, thread, threads)
        for row in range(first, last):
            image = p.input + row // p.out_height * p.height * p.width * pixel
            top = row % p.out_height * p.stride_height - p.pad_height
            y0, y1 = taps_inside(top, p.height, p.kernel_height, p.dilation_height)
            line = image + (top + y0 * p.dilation_height) * p.width * pixel
            for x in range(p.out_width):
                left = x * p.stride_width - p.pad_width
                x0, x1 = taps_inside(left, p.width, p.kernel_width, p.dilation_width)
                join_taps(
                    level, what, line + (left + x0 * p.dilation_width) * pixel, p.dilation_height * p.width * pixel,
                    p.dilation_width * pixel, y1 - y0, x1 - x0, p.channels,
                    p.weights + (y0 * p.kernel_width + x0) * out_pixel, p.kernel_width * out_pixel, p.bias, p.bounds,
                    p.output + (row * p.out_width + x) * out_pixel,
                )  # fmt: skip

    return float_windows
