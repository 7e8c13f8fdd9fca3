"""TRANSPOSE_CONV in float32.

filter: float32[O,KH,KW,I], input: float32[N,H,W,I], bias: float32[O] or none, output: float32[N,OH,OW,O]. The products
are added to the output in the order of the input's pixels and channels, then the bias.
Source: TensorFlow Lite reference/transpose_conv.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import reached_pixels
from int8rt.model import Shape
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.schema.options import TransposeConvOptions

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatTransposeConvParams(Params):
    """height, width: the windows of the convolution that this is the transpose of; their `input` is the output here."""

    height: Window
    width: Window
    input_channels: int
    activation_min: float
    activation_max: float


def prepare(context: OperatorContext, shape: Shape, height: Window, width: Window) -> FloatTransposeConvParams:
    """The parameters, given the output's shape and the windows, which have been checked."""
    options = context.options(TransposeConvOptions)
    low, high = calculate_float_activation_range(options.fused_activation_function)
    return FloatTransposeConvParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        input_channels=context.input(1).shape[3],
        activation_min=low,
        activation_max=high,
    )


def evaluate(
    params: FloatTransposeConvParams, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """TRANSPOSE_CONV, one tap and one input channel after the other."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    for image, result in zip(input, output, strict=True):
        scatter(params, image, filter, result)
    return add_bias_and_clamp(params, output, bias)


def scatter(
    params: FloatTransposeConvParams, pixels: Array, weights: Array, total: Float32, factors: Sequence[Any] = ()
) -> None:
    """Add the products of float32 pixels [H,W,I] with every tap of weights [O,KH,KW,I] to total [OH,OW,O].

    factors: each product is multiplied by them, one after the other.

    An output pixel meets the input's pixels in their order when the taps come in reverse.
    """
    taps = np.ascontiguousarray(weights.transpose(1, 2, 3, 0))
    with np.errstate(all="ignore"):
        for tap_row in reversed(range(params.height.kernel)):
            rows, target_rows = reached_pixels(params.height, tap_row)
            for tap_column in reversed(range(params.width.kernel if rows.stop > rows.start else 0)):
                columns, target_columns = reached_pixels(params.width, tap_column)
                if columns.stop > columns.start:
                    target = total[target_rows, target_columns]
                    for channel, weight in enumerate(taps[tap_row, tap_column]):
                        product = pixels[rows, columns, channel, np.newaxis] * weight
                        for factor in factors:
                            product *= factor
                        target += product


def add_bias_and_clamp(params: FloatTransposeConvParams, output: Float32, bias: Array | None) -> Float32:
    """The last step, in place."""
    if bias is not None:
        with np.errstate(all="ignore"):
            output += bias.reshape(-1)
    clamp(output, params.activation_min, params.activation_max)
    return output
