"""FULLY_CONNECTED with weights in blocks of 4 rows by 16 columns (weights_format SHUFFLED4x16INT8).

input: uint8 of 1 or 4 rows of K, filter: uint8[O,K] holding int8 codes block after block, bias: int32[O],
outputs: int16[rows,O], and a workspace uint8[rows·K]: the input as int8 codes, of 4 rows 16 columns at a time.
acc[o] = bias[o] + Σ (input - 128) · filter[o], whatever the zero points are.
Source: TensorFlow Lite reference/fully_connected.h, ShuffledFullyConnected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels.base import Array, OperatorContext, Params, element_count
from int8rt.kernels.convolution import make_requantization, per_tensor_multiplier
from int8rt.kernels.exact_product import ExactProduct
from int8rt.model import Shape, TensorType
from int8rt.quantization.multiplier import convolution_multipliers
from int8rt.quantization.requantize import Requantization, Requantizer, Rounding
from int8rt.schema.options import FullyConnectedOptions

_ROWS, _COLUMNS = 4, 16
_SIGN = np.uint8(0x80)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShuffledFullyConnectedParams(Params):
    """rows, depth, outputs: the input is uint8[rows, depth], the result int16[rows, outputs]."""

    rows: int
    depth: int
    outputs: int
    requantization: Requantization


def prepare(context: OperatorContext, shape: Shape, rows: int) -> ShuffledFullyConnectedParams:
    """Check what the kernel takes for granted: it reads and writes beyond the ends where that does not hold."""
    input, filter, output = context.input(0), context.input(1), context.output()
    outputs, depth = filter.shape
    bias = context.optional_input(2)
    types = input.type, filter.type, bias and bias.type, output.type
    if types != (TensorType.UINT8, TensorType.UINT8, TensorType.INT32, TensorType.INT16):
        raise context.invalid("shuffled weights need uint8,uint8,int32 -> int16,uint8")
    workspace = context.output(1)
    if rows not in (1, 4) or depth % _COLUMNS or outputs % _ROWS:
        raise context.unsupported(f"shuffled weights [{outputs}, {depth}] and {rows} rows, which are no whole blocks")
    if workspace.type != TensorType.UINT8 or element_count(workspace.shape) != rows * depth:
        raise context.unsupported(
            f"workspace {workspace.name!r} is {workspace.type.label}{list(workspace.shape)}, not uint8[{rows * depth}]"
        )
    real = convolution_multipliers(*(context.per_tensor(tensor)[0] for tensor in (input, filter, output)))
    requantization = make_requantization(
        context,
        context.options(FullyConnectedOptions).fused_activation_function,
        np.dtype(np.int32),
        per_tensor_multiplier(context, input, filter, 2),
        real,
    )
    return ShuffledFullyConnectedParams(
        output_shapes=(shape, workspace.shape),
        rows=rows,
        depth=depth,
        outputs=outputs,
        requantization=replace(requantization, rounding=Rounding.DOUBLE, zero_point=0),
    )


def evaluate(params: ShuffledFullyConnectedParams, input: Array, filter: Array, bias: Array) -> tuple[Array, Array]:
    """The product, and what the kernel leaves in the workspace."""
    shape, workspace_shape = params.output_shapes
    assert shape is not None
    assert workspace_shape is not None
    rows, outputs, depth = params.rows, params.outputs, params.depth
    codes = (input.reshape(rows, depth) ^ _SIGN).view(np.int8)
    blocks = filter.reshape(outputs // _ROWS, depth // _COLUMNS, _ROWS, _COLUMNS).view(np.int8)
    product = ExactProduct(blocks.swapaxes(1, 2).reshape(outputs, depth), 128)
    result = np.empty((rows, outputs), np.int16)
    Requantizer(params.requantization, outputs, bias.reshape(-1), product.bound)(product(codes, rows), result)
    workspace = codes.reshape(rows, depth // _COLUMNS, _COLUMNS).swapaxes(0, 1)
    return result.reshape(shape), workspace.reshape(workspace_shape).view(np.uint8)
