"""FULLY_CONNECTED in float32.

input: float32[..] (rows of K), filter: float32[O,K], bias: float32[O] or none, output: float32[N,O]. The sum goes from
the first column to the last. Source: TensorFlow Lite reference/fully_connected.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.float32.sequential_product import BLOCK_ELEMENTS, sequential_product
from int8rt.model import Shape
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.schema.options import FullyConnectedOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatFullyConnectedParams(Params):
    """rows, depth: the matrix that the input is taken for. Elements that do not fill a row are not read."""

    rows: int
    depth: int
    activation_min: float
    activation_max: float


def prepare(context: OperatorContext, shape: Shape, rows: int) -> FloatFullyConnectedParams:
    """The parameters, given the output's shape and the number of rows; the shapes have been checked."""
    options = context.options(FullyConnectedOptions)
    low, high = calculate_float_activation_range(options.fused_activation_function)
    return FloatFullyConnectedParams(
        output_shapes=(shape,), rows=rows, depth=context.input(1).shape[1], activation_min=low, activation_max=high
    )


def evaluate(params: FloatFullyConnectedParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """FULLY_CONNECTED by matrix products whose sums keep their order."""
    (shape,) = params.output_shapes
    assert shape is not None
    result = np.empty((params.rows, filter.shape[0]), np.float32)
    matrix = input.reshape(-1)[: params.rows * params.depth].reshape(params.rows, params.depth)
    step = max(1, BLOCK_ELEMENTS // max(1, filter.shape[0]))
    for row in range(0, params.rows, step):
        result[row : row + step] = sequential_product(matrix[row : row + step], filter)
    with np.errstate(all="ignore"):
        result += np.float32(0) if bias is None else bias.reshape(-1)
    clamp(result, params.activation_min, params.activation_max)
    return result.reshape(shape)
