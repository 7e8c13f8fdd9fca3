"""CONV_2D and DEPTHWISE_CONV_2D of float32 images, quantized one by one, with int8 weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.hybrid.conv import HybridConv2DParams
from int8rt.kernels.hybrid.depthwise_conv import HybridDepthwiseConv2DParams
from int8rt.kernels.jit.abi import (
    SLACK,
    carray,
    fields,
    helper,
    kernel,
    load_f32,
    load_i8,
    load_i32,
    load_u8,
    share,
    store_f32,
    store_i32,
)
from int8rt.kernels.jit.copies import copy_run, fill_run
from int8rt.kernels.jit.hybrid import WEIGHTS, hybrid_weights, is_flawed
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, window_values
from int8rt.kernels.jit.sums import product_sums
from int8rt.quantization.jitted_hybrid import asymmetric_quantize_row, symmetric_quantize_row

_WINDOWS = (
    "input output batches out_height out_width height width channels outputs kernel_height kernel_width stride_height "
    "stride_width dilation_height dilation_width pad_height pad_width scales bias bounds scratch scratch_bytes"
)
HYBRID_CONV = fields(
    f"{WEIGHTS} {_WINDOWS} weights_sums per_channel direct block_rows codes_bytes row_bytes sums_bytes"
)
HYBRID_DEPTHWISE = fields(f"{_WINDOWS} depth_multiplier weights has_bias codes_bytes")
# Bytes of the windows that are unrolled at once, and their least and largest number.
_BLOCK_BYTES, _LEAST_ROWS, _MOST_ROWS = 1 << 16, 12, 48


def lower_conv_2d(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a hybrid CONV_2D; None for groups, and for weights and biases that are not constant, or flawed."""
    if not isinstance(params, HybridConv2DParams) or params.groups != 1:
        return None
    filter, bias = context.input(1).value, context.inputs[2] if len(context.inputs) > 2 else None
    if filter is None or bias is None or bias.value is None:
        return None
    weights = filter.view(np.int8).reshape(len(filter), -1)
    if not weights.size or (params.flawed and is_flawed(weights)):
        return None
    packed, image = hybrid_weights(context.level, weights), element_count(context.input(0).shape[1:])
    rows = min(max(_BLOCK_BYTES // weights.shape[1], _LEAST_ROWS), _MOST_ROWS)
    codes_bytes = -(-image // 64) * 64 + SLACK
    scratch = codes_bytes + rows * (packed.codes_bytes + packed.sums_bytes)
    windows = params.height, params.width
    direct = all((w.kernel, w.stride, w.pad_before, w.input) == (1, 1, 0, w.output) for w in windows)
    scales = np.broadcast_to(params.scale, len(weights)).astype(np.float32)
    values = packed.values() | _values(HYBRID_CONV, params, context, scales, scratch)
    values |= {
        "weights_sums": Data(weights.sum(axis=1, dtype=np.int64).astype(np.int32)),
        "per_channel": int(params.per_channel),
        "direct": int(direct),
        "block_rows": rows,
        "codes_bytes": codes_bytes,
        "row_bytes": packed.codes_bytes,
        "sums_bytes": packed.sums_bytes,
    }
    return Lowered(hybrid_conv_kernel(context.level.products, packed.vectors), HYBRID_CONV, values)


def lower_depthwise_conv_2d(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a hybrid DEPTHWISE_CONV_2D; None for weights and biases that are not constant."""
    if not isinstance(params, HybridDepthwiseConv2DParams):
        return None
    filter, bias = context.input(1).value, context.inputs[2] if len(context.inputs) > 2 else None
    if filter is None or not filter.size or (bias is not None and bias.value is None):
        return None
    codes_bytes = -(-element_count(context.input(0).shape[1:]) // 64) * 64 + SLACK
    scratch = codes_bytes + 4 * filter.shape[3]
    values = _values(HYBRID_DEPTHWISE, params, context, params.scale.astype(np.float32), scratch)
    values |= {
        "depth_multiplier": params.depth_multiplier,
        "weights": Data(np.ascontiguousarray(filter)),
        "has_bias": int(bias is not None),
        "codes_bytes": codes_bytes,
    }
    return Lowered(hybrid_depthwise_kernel(), HYBRID_DEPTHWISE, values)


def _values(
    block: np.dtype[Any],
    params: HybridConv2DParams | HybridDepthwiseConv2DParams,
    context: LowerContext,
    scales: Any,
    scratch: int,
) -> dict[str, Any]:
    input, output = context.input(0), context.outputs[0]
    bias = context.inputs[2] if len(context.inputs) > 2 else None
    start = np.zeros(output.shape[3], np.float32) if bias is None or bias.value is None else bias.value.reshape(-1)
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "batches": input.shape[0],
        "channels": input.shape[3],
        "outputs": output.shape[3],
        "scales": Data(scales),
        "bias": Data(start.astype(np.float32)),
        "bounds": Data(np.array([params.activation_min, params.activation_max], np.float32)),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
    }
    return values | window_values(block, params.height, params.width)


@helper
def unroll_codes(p, image, y, x, padding, target):  # type: ignore[no-untyped-def]
    """The window of one output pixel over bytes, side by side; beyond the border are eight bytes of `padding`."""
    channels = p.channels
    left = x * p.stride_width - p.pad_width
    inside = p.dilation_width == 1 and left >= 0 and left + p.kernel_width <= p.width
    for ky in range(p.kernel_height):
        row = y * p.stride_height - p.pad_height + ky * p.dilation_height
        if row < 0 or row >= p.height:
            fill_run(target, padding, p.kernel_width * channels)
            target += p.kernel_width * channels
        elif inside:
            copy_run(target, image + (row * p.width + left) * channels, p.kernel_width * channels)
            target += p.kernel_width * channels
        else:
            for kx in range(p.kernel_width):
                column = left + kx * p.dilation_width
                if 0 <= column < p.width:
                    copy_run(target, image + (row * p.width + column) * channels, channels)
                else:
                    fill_run(target, padding, channels)
                target += channels


@helper
def clamp_line(p, line):  # type: ignore[no-untyped-def]
    """`arithmetic.clamp` of the output channels of a pixel, in place."""
    low, high = load_f32(p.bounds, 0), load_f32(p.bounds, 1)
    for c in range(p.outputs):
        value = load_f32(line, c)
        value = low if value < low else value
        store_f32(line, c, high if value > high else value)


@cache
def hybrid_conv_kernel(level: str, vectors: int) -> Any:
    """The compiled CONV_2D of images that are quantized first."""

    @kernel
    def hybrid_conv_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, HYBRID_CONV)[0]
        codes = p.scratch + thread * p.scratch_bytes
        rows = codes + p.codes_bytes
        sums = rows + p.block_rows * p.row_bytes
        size, pixels = p.height * p.width * p.channels, p.out_height * p.out_width
        first, last = share(pixels, thread, threads)
        for batch in range(p.batches):
            zero_point, one = np.int32(0), np.float32(1)
            if p.per_channel:
                scale, zero_point = asymmetric_quantize_row(p.input + 4 * batch * size, size, codes)
                before, after, nothing = one, scale, np.float32(-0.0)
            else:
                scale = symmetric_quantize_row(p.input + 4 * batch * size, size, codes)
                before, after, nothing = scale, one, np.float32(0.0)
            offset = np.int32(zero_point + 128)
            padding = np.int64(offset) * np.int64(0x0101010101010101)
            for pixel in range(first, last, p.block_rows):
                count = min(p.block_rows, last - pixel)
                a, stride = codes + pixel * p.channels, p.channels
                if not p.direct:
                    a, stride = rows, p.row_bytes
                    for r in range(count):
                        y, x = (pixel + r) // p.out_width, (pixel + r) % p.out_width
                        unroll_codes(p, codes, y, x, padding, rows + r * p.row_bytes)
                product_sums(
                    level, vectors, a, stride, count, p.weights, p.depth4, p.panels, sums, p.sums_bytes
                )  # fmt: skip
                for r in range(count):
                    line = sums + r * p.sums_bytes
                    target = p.output + 4 * (batch * pixels + pixel + r) * p.outputs
                    for c in range(p.outputs):
                        total = np.int32(load_i32(line, c) - offset * load_i32(p.weights_sums, c))
                        value = np.float32(total) * (load_f32(p.scales, c) * before) * after + nothing
                        store_f32(target, c, value + load_f32(p.bias, c))
                    clamp_line(p, target)

    return hybrid_conv_2d


@cache
def hybrid_depthwise_kernel() -> Any:
    """The compiled DEPTHWISE_CONV_2D of images that are quantized first."""

    @kernel
    def hybrid_depthwise_conv_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, HYBRID_DEPTHWISE)[0]
        codes = p.scratch + thread * p.scratch_bytes
        sums = codes + p.codes_bytes
        size, pixels = p.height * p.width * p.channels, p.out_height * p.out_width
        first, last = share(pixels, thread, threads)
        for batch in range(p.batches):
            scale, zero_point = asymmetric_quantize_row(p.input + 4 * batch * size, size, codes)
            offset = np.int32(zero_point + 128)
            for pixel in range(first, last):
                y, x = pixel // p.out_width, pixel % p.out_width
                for c in range(p.outputs):
                    store_i32(sums, c, np.int32(0))
                for ky in range(p.kernel_height):
                    row = y * p.stride_height - p.pad_height + ky * p.dilation_height
                    if row < 0 or row >= p.height:
                        continue
                    for kx in range(p.kernel_width):
                        column = x * p.stride_width - p.pad_width + kx * p.dilation_width
                        if column < 0 or column >= p.width:
                            continue
                        source = codes + (row * p.width + column) * p.channels
                        weights = p.weights + (ky * p.kernel_width + kx) * p.outputs
                        if p.depth_multiplier == 1:
                            for c in range(p.outputs):
                                steps = np.int32(np.int32(load_u8(source, c)) - offset)
                                product = np.int32(steps * np.int32(load_i8(weights, c)))
                                store_i32(sums, c, np.int32(load_i32(sums, c) + product))
                        else:
                            for channel in range(p.channels):
                                steps = np.int32(np.int32(load_u8(source, channel)) - offset)
                                begin = channel * p.depth_multiplier
                                for c in range(begin, begin + p.depth_multiplier):
                                    product = np.int32(steps * np.int32(load_i8(weights, c)))
                                    store_i32(sums, c, np.int32(load_i32(sums, c) + product))
                target = p.output + 4 * (batch * pixels + pixel) * p.outputs
                for c in range(p.outputs):
                    store_f32(target, c, np.float32(load_i32(sums, c)) * (load_f32(p.scales, c) * scale))
                if p.has_bias:
                    for c in range(p.outputs):
                        store_f32(target, c, load_f32(target, c) + load_f32(p.bias, c))
                clamp_line(p, target)

    return hybrid_depthwise_conv_2d
