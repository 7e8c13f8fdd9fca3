"""FULLY_CONNECTED of float32 rows, quantized one by one, with int8 weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.kernels.hybrid.product import row_sums
from int8rt.kernels.jit.abi import carray, fields, kernel, load_f32, load_i32, share, store_f32, store_i32
from int8rt.kernels.jit.hybrid import (
    ACTIVATION,
    WEIGHTS,
    activate,
    activation_values,
    any_nonzero,
    hybrid_weights,
    is_flawed,
)
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.jit.sums import product_sums
from int8rt.quantization.jitted_hybrid import asymmetric_quantize_row, symmetric_quantize_row

# Rows that are quantized and multiplied at once.
_BLOCK_ROWS = 24
HYBRID_FULLY_CONNECTED = fields(
    f"{WEIGHTS} {ACTIVATION} input output elements rows depth channels bias row_sums channel_scales "
    "filter_scale asymmetric scratch scratch_bytes codes_bytes sums_bytes"
)


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a hybrid FULLY_CONNECTED; None for weights and biases that are not constant, or flawed."""
    if not isinstance(params, HybridFullyConnectedParams):
        return None
    input, filter = context.input(0), context.input(1)
    bias = context.inputs[2] if len(context.inputs) > 2 else None
    activation = activation_values(params.activation)
    if filter.value is None or activation is None or not params.depth or (bias is not None and bias.value is None):
        return None
    weights = filter.value.view(np.int8)
    if is_flawed(weights):
        return None
    packed = hybrid_weights(context.level, weights)
    channels = len(weights)
    scales = params.scales.channels
    start = np.zeros(channels, np.float32) if bias is None or bias.value is None else bias.value.reshape(-1)
    scratch = _BLOCK_ROWS * (packed.codes_bytes + packed.sums_bytes + 8)
    values = packed.values() | activation
    values |= {
        "input": At(input.index),
        "output": At(context.outputs[0].index),
        "elements": element_count(input.shape),
        "rows": params.rows,
        "depth": params.depth,
        "channels": channels,
        "bias": Data(start.astype(np.float32)),
        "row_sums": Data(row_sums(weights).astype(np.int32)),
        # The scales that are not there are 1, which changes no bit of what it is multiplied with.
        "channel_scales": Data(np.ones(channels, np.float32) if scales is None else scales.astype(np.float32)),
        "filter_scale": Data(np.array([params.scales.filter if scales is None else 1], np.float32)),
        "asymmetric": int(params.asymmetric_quantize_inputs),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "codes_bytes": packed.codes_bytes,
        "sums_bytes": packed.sums_bytes,
    }
    compiled = hybrid_fully_connected_kernel(context.level.products, packed.vectors)
    return Lowered(compiled, HYBRID_FULLY_CONNECTED, values)


@cache
def hybrid_fully_connected_kernel(level: str, vectors: int) -> Any:
    """The compiled FULLY_CONNECTED of rows that are quantized first."""

    @kernel
    def hybrid_fully_connected(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, HYBRID_FULLY_CONNECTED)[0]
        first_row, last_row, first_panel, last_panel = 0, p.rows, 0, p.panels
        if p.rows >= threads:
            first_row, last_row = share(p.rows, thread, threads)
        else:
            first_panel, last_panel = share(p.panels, thread, threads)
        begin, end = first_panel * p.panel_channels, min(last_panel * p.panel_channels, p.channels)
        if not any_nonzero(p.input, p.elements):
            for row in range(first_row, last_row):
                target = p.output + 4 * row * p.channels
                for c in range(begin, end):
                    store_f32(target, c, load_f32(p.bias, c))
                activate(p, target, begin, end)
            return
        codes = p.scratch + thread * p.scratch_bytes
        sums = codes + _BLOCK_ROWS * p.codes_bytes
        quantization = sums + _BLOCK_ROWS * p.sums_bytes
        for row in range(first_row, last_row, _BLOCK_ROWS):
            count = min(_BLOCK_ROWS, last_row - row)
            for r in range(count):
                source, target = p.input + 4 * (row + r) * p.depth, codes + r * p.codes_bytes
                scale, zero_point = np.float32(0), np.int32(0)
                if p.asymmetric:
                    scale, zero_point = asymmetric_quantize_row(source, p.depth, target)
                else:
                    scale = symmetric_quantize_row(source, p.depth, target)
                store_f32(quantization, 2 * r, scale)
                store_i32(quantization, 2 * r + 1, zero_point)
            product_sums(
                level, vectors, codes, p.codes_bytes, count, p.weights + first_panel * p.panel_bytes, p.depth4,
                last_panel - first_panel, sums + 4 * begin, p.sums_bytes,
            )  # fmt: skip
            for r in range(count):
                scale, zero_point = load_f32(quantization, 2 * r), load_i32(quantization, 2 * r + 1)
                row_scale = scale * load_f32(p.filter_scale, 0)
                line, target = sums + r * p.sums_bytes, p.output + 4 * (row + r) * p.channels
                for c in range(begin, end):
                    total = load_i32(line, c) + load_i32(p.offsets, c) - zero_point * load_i32(p.row_sums, c)
                    factor = load_f32(p.channel_scales, c) * row_scale
                    store_f32(target, c, load_f32(p.bias, c) + np.float32(np.int32(total)) * factor)
                activate(p, target, begin, end)

    return hybrid_fully_connected
