"""TRANSPOSE_CONV: each input pixel adds its product with the whole filter to a window of the output.

output_shape: int32[4], filter: int8[O,KH,KW,I] (OHWI), input: int8[N,H,W,I], bias: int32[O] or none,
output: int8[N,OH,OW,O]
acc[y·stride - pad + ky, .., o] += Σ (input[y, ..] - input_zero_point) · (filter[o, ky, ..] - filter_zero_point), plus
bias[o], in int32 with wrap-around; what falls beyond the border is left out. With int16 activations the filter is int8,
the zero points are 0, and the accumulator is of the bias's type.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.convolution import (
    INT16_MAX,
    accumulator_type,
    check_bias,
    check_padding,
    convolution_requantization,
    filter_zero_point,
    input_zero_point,
)
from int8rt.kernels.exact_product import FLOAT32_INTEGERS, ExactProduct
from int8rt.kernels.float32 import transpose_conv as float32
from int8rt.kernels.float32.transpose_conv import FloatTransposeConvParams
from int8rt.kernels.hybrid import transpose_conv as hybrid
from int8rt.kernels.hybrid.transpose_conv import HybridTransposeConvParams
from int8rt.kernels.padding import Window, sliding_window
from int8rt.kernels.signature import signatures
from int8rt.kernels.taps import reached_pixels
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, Requantizer
from int8rt.schema.options import TransposeConvOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class TransposeConvParams(Params):
    """height, width: the windows of the convolution that this is the transpose of; their `input` is the output here."""

    height: Window
    width: Window
    input_channels: int
    input_zero_point: int
    filter_zero_point: int
    requantization: Requantization


AnyTransposeConvParams = TransposeConvParams | FloatTransposeConvParams


def prepare(context: OperatorContext) -> AnyTransposeConvParams:
    """Check the tensors of a TRANSPOSE_CONV and derive its integers."""
    options = context.options(TransposeConvOptions)
    filter, input = context.input(1), context.input(2)
    if input.rank != 4 or filter.rank != 4:
        raise context.invalid(f"input and filter must have rank 4, found {list(input.shape)} and {list(filter.shape)}")
    if 0 in input.shape[1:] or 0 in filter.shape or input.shape[3] != filter.shape[3]:
        raise context.invalid(f"the input {list(input.shape)} does not fit the filter {list(filter.shape)}")
    strides = (options.stride_h, options.stride_w)
    if not all(1 <= stride <= INT16_MAX for stride in strides):
        raise context.invalid(f"strides {strides} must be within [1, {INT16_MAX}]")
    if input.type != TensorType.UINT8:
        check_bias(context, 3, filter.shape[0])
    elif (bias := context.optional_input(3)) is not None and element_count(bias.shape) != filter.shape[0]:
        raise context.invalid(f"bias {bias.name!r} has shape {list(bias.shape)}, expected [{filter.shape[0]}]")
    requantization = None
    if input.type != TensorType.FLOAT32:
        accumulator = accumulator_type(context, input, 3, options.quantized_bias_type)
        requantization = convolution_requantization(
            context,
            input,
            filter,
            0,
            3,
            options.fused_activation_function,
            accumulator,
            "TRANSPOSE_CONV" if input.type != TensorType.UINT8 else "TRANSPOSE_CONV of uint8",
        )
    shape = tuple(int(dimension) for dimension in context.value(0).reshape(-1))
    if context.input(0).rank != 1 or len(shape) != 4 or (shape[0], shape[3]) != (input.shape[0], filter.shape[0]):
        raise context.invalid(f"output shape {list(shape)} does not fit {list(input.shape)} and {list(filter.shape)}")
    if min(shape[1:3]) < 1:
        raise context.invalid(f"output shape {list(shape)} is empty")
    height, width = (
        sliding_window(shape[1 + axis], filter.shape[1 + axis], strides[axis], 1, options.padding) for axis in (0, 1)
    )
    if (height.output, width.output) != input.shape[1:3]:
        raise context.invalid(
            f"the output {list(shape)} belongs to an input of {[height.output, width.output]} pixels, "
            f"found {list(input.shape[1:3])}"
        )
    check_padding(context, height, width)
    if filter.type == TensorType.FLOAT32:
        return float32.prepare(context, shape, height, width)
    if requantization is None:
        return hybrid.prepare(context, shape, height, width)
    return TransposeConvParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        input_channels=input.shape[3],
        input_zero_point=input_zero_point(context, input),
        filter_zero_point=filter_zero_point(context, input, filter),
        requantization=requantization,
    )


def evaluate(
    params: AnyTransposeConvParams, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """TRANSPOSE_CONV tap by tap, each an exact floating-point matrix product."""
    if isinstance(params, HybridTransposeConvParams):
        return hybrid.evaluate(params, output_shape, filter, input, bias)
    if isinstance(params, FloatTransposeConvParams):
        return float32.evaluate(params, output_shape, filter, input, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, params.requantization.dtype)
    if not output.size:
        return output
    info = np.iinfo(input.dtype)
    largest = max(abs(int(info.min) - params.input_zero_point), abs(int(info.max) - params.input_zero_point))
    weights = filter.astype(np.int32) - params.filter_zero_point
    bound = np.abs(weights).sum(axis=(1, 2, 3), dtype=np.int64) * largest
    total = np.empty(shape[1:], np.float32 if bound.max() < FLOAT32_INTEGERS else np.float64)
    constant = np.zeros(shape[3], np.int64) if bias is None else bias.reshape(-1).astype(np.int64)
    requantizer = Requantizer(params.requantization, shape[3], constant, bound)
    for image, result in zip(input, output, strict=True):
        total[...] = 0
        _scatter(params, image.astype(np.int32) - params.input_zero_point, weights, largest, total)
        requantizer(total.reshape(-1, shape[3]), result.reshape(-1, shape[3]))
    return output


def _scatter(params: TransposeConvParams, pixels: Array, weights: Array, largest: int, total: Array) -> None:
    """Add the product of every pixel [H,W,I], |pixels| <= largest, with every tap [O,KH,KW,I] to total [OH,OW,O]."""
    for tap_row in range(params.height.kernel):
        rows, target_rows = reached_pixels(params.height, tap_row)
        for tap_column in range(params.width.kernel if rows.stop > rows.start else 0):
            columns, target_columns = reached_pixels(params.width, tap_column)
            if columns.stop > columns.start:
                reached = pixels[rows, columns]
                product = ExactProduct(weights[:, tap_row, tap_column], largest)
                sums = product(reached, reached.shape[0] * reached.shape[1])
                total[target_rows, target_columns] += sums.reshape(*reached.shape[:2], -1)


def macs(params: AnyTransposeConvParams) -> int:
    """Multiply-accumulate operations of one run, what falls beyond the border counted in."""
    (shape,) = params.output_shapes
    batches, _, _, out_channels = shape or (0, 0, 0, 0)
    pixels = batches * params.height.output * params.width.output
    return pixels * params.height.kernel * params.width.kernel * out_channels * params.input_channels


TRANSPOSE_CONV = Kernel(
    name="TRANSPOSE_CONV",
    signatures=signatures(
        "int32,int8,int8,int32? -> int8",
        "int32,uint8,uint8,int32? -> uint8",
        "int32,int8,int16,int32|int64? -> int16",
        "int32,float32|int8,float32,float32? -> float32",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/transpose_conv.cc, reference/integer_ops/transpose_conv.h, reference/transpose_conv.h",
    max_version=5,
    macs=macs,
)
