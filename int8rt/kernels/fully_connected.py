"""FULLY_CONNECTED: each row of the input times each row of the filter.

input: int8[..] (flattened to rows of K), filter: int8[O,K], bias: int32[O] or none, output: int8[N,O]; with
keep_num_dims input int8[..,K] and output int8[..,O].
acc[o] = bias[o] + Σ (input - input_zero_point) · (filter[o] - filter_zero_point), in int32 with wrap-around. The zero
point of the filter counts only where it has a single scale. With int16 activations the filter is int8, the zero points
of input and output are 0, and the accumulator is of the bias's type. With an int16 filter the accumulator is int64, and
it is rescaled in fixed point. Of uint8 the output may be int16. Shuffled weights are in `shuffled_fully_connected`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels import shuffled_fully_connected as shuffled_weights
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.convolution import (
    accumulator_type,
    check_channel_scales,
    check_symmetric_filter,
    input_zero_point,
    make_requantization,
    per_tensor_multiplier,
)
from int8rt.kernels.exact_product import ExactProduct, largest_magnitude
from int8rt.kernels.float32 import fully_connected as float32
from int8rt.kernels.float32.fully_connected import FloatFullyConnectedParams
from int8rt.kernels.hybrid import fully_connected as hybrid
from int8rt.kernels.hybrid import sparse_fully_connected as sparse_hybrid
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.kernels.hybrid.sparse_fully_connected import SparseHybridFullyConnectedParams
from int8rt.kernels.shuffled_fully_connected import ShuffledFullyConnectedParams
from int8rt.kernels.signature import signatures
from int8rt.kernels.sparse_weights import check_sparse_weights
from int8rt.model import ActivationFunctionType, Shape, TensorType
from int8rt.quantization.multiplier import convolution_multipliers
from int8rt.quantization.requantize import Requantization, Requantizer, Rounding
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat
from int8rt.schema.options import FullyConnectedOptions

_BLOCK_ELEMENTS = 1 << 18

_ACTIVATIONS = (
    ActivationFunctionType.NONE,
    ActivationFunctionType.RELU,
    ActivationFunctionType.RELU_N1_TO_1,
    ActivationFunctionType.RELU6,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FullyConnectedParams(Params):
    """rows, depth: the matrix that the input is taken for. Elements that do not fill a row are not read.

    bias_type: as what the bias is read, whatever its own type is. flawed: whether sparse weights of -128 are eight
    columns from each other: times codes of -128 they give 2^15, which wraps around in LiteRT's vector code.
    """

    rows: int
    depth: int
    input_zero_point: int
    filter_zero_point: int
    bias_type: np.dtype[Any]
    requantization: Requantization
    flawed: bool = False


AnyFullyConnectedParams = (
    FullyConnectedParams
    | HybridFullyConnectedParams
    | SparseHybridFullyConnectedParams
    | FloatFullyConnectedParams
    | ShuffledFullyConnectedParams
)


def prepare(context: OperatorContext) -> AnyFullyConnectedParams:
    """Check the tensors of a FULLY_CONNECTED and derive its integers."""
    options = context.options(FullyConnectedOptions)
    input, filter = context.input(0), context.input(1)
    shuffled = options.weights_format == FullyConnectedOptionsWeightsFormat.SHUFFLED4x16INT8
    if shuffled and len(context.outputs) != 2:
        raise context.invalid("needs a second output, for its shuffled weights")
    is_hybrid = input.type == TensorType.FLOAT32 and filter.type != TensorType.FLOAT32
    if options.fused_activation_function not in _ACTIVATIONS and not is_hybrid:
        raise context.invalid(f"fused activation {options.fused_activation_function.name}")
    if filter.rank != 2 or not filter.shape[1]:
        raise context.invalid(f"filter {filter.name!r} must be a matrix with columns, found {list(filter.shape)}")
    outputs, depth = filter.shape
    bias = context.optional_input(2)
    if bias is not None and element_count(bias.shape) != outputs:
        raise context.invalid(f"bias {bias.name!r} has shape {list(bias.shape)}, expected [{outputs}]")
    affine = filter.quantization is not None and filter.quantization.scale.size > 0
    if filter.type in (TensorType.INT4, TensorType.INT2) and affine:
        check_symmetric_filter(context, filter)
    if input.sparsity is not None:
        raise context.unsupported(f"its input {input.name!r} is sparse; only the weights may be")
    if filter.sparsity is not None:
        check_sparse_weights(context, input, filter)
    rows = element_count(input.shape) // depth
    shape = _output_shape(context, input, rows, outputs, depth, options.keep_num_dims)
    if input.type == TensorType.FLOAT32:
        if not is_hybrid:
            return float32.prepare(context, shape, rows)
        dense = hybrid.prepare(context, shape, rows)
        return (
            dense if filter.sparsity is None else SparseHybridFullyConnectedParams(output_shapes=(shape,), dense=dense)
        )
    if input.type == TensorType.UINT8 != context.output().type and not context.profile.name.startswith("tflite-ref"):
        raise context.unsupported(f"int16 results of uint8 in profile {context.profile.name} is not done")
    if shuffled:
        return shuffled_weights.prepare(context, shape, rows)
    if len(context.outputs) != 1 or (
        input.type == TensorType.UINT8 and context.output().type == TensorType.INT16 and bias is None
    ):
        raise context.invalid("needs a bias and one output")
    requantization = _requantization(context, input, filter, options)
    wide = filter.type == TensorType.INT16
    # The kernel of int16 filters takes a bias for int32 unless the option says otherwise, the one of int8 for int64.
    narrow_bias = wide and options.quantized_bias_type != TensorType.INT64
    return FullyConnectedParams(
        output_shapes=(shape,),
        rows=rows,
        depth=depth,
        input_zero_point=input_zero_point(context, input),
        filter_zero_point=_filter_zero_point(context, filter),
        bias_type=np.dtype(np.int32) if narrow_bias else requantization.accumulator,
        requantization=requantization,
        flawed=filter.sparsity is not None and filter.value is not None and bool(_extreme_pairs(filter.value).any()),
    )


def _output_shape(
    context: OperatorContext, input: TensorInfo, rows: int, outputs: int, depth: int, keep_num_dims: bool
) -> Shape:
    if not keep_num_dims:
        return (rows, outputs)
    if not input.shape or input.shape[-1] != depth:
        raise context.invalid(f"input {list(input.shape)} does not end in the filter's {depth} columns")
    return (*input.shape[:-1], outputs)


def _filter_zero_point(context: OperatorContext, filter: TensorInfo) -> int:
    scale, zero_point = context.per_axis(filter)
    if scale.size > 1:
        return 0
    info = np.iinfo(filter.type.dtype)
    if not info.min <= zero_point[0] <= info.max:
        raise context.invalid(f"filter {filter.name!r} has zero point {zero_point[0]}")
    return int(zero_point[0])


def _requantization(
    context: OperatorContext, input: TensorInfo, filter: TensorInfo, options: FullyConnectedOptions
) -> Requantization:
    """Fixed-point multipliers as the optimized kernels use them, and real ones as the reference kernel does.

    Source: TensorFlow Lite kernels/fully_connected.cc, PrepareImpl.
    """
    scale, _ = context.per_axis(filter)
    real = convolution_multipliers(context.per_tensor(input)[0], scale, context.per_tensor(context.output())[0])
    if scale.size == 1:
        multiplier = per_tensor_multiplier(context, input, filter, 2)
    else:
        if input.type == TensorType.UINT8:
            raise context.invalid(f"uint8 filter {filter.name!r} has {scale.size} scales, expected one")
        check_channel_scales(context, filter, 0)
        multiplier = real
    wide = filter.type == TensorType.INT16
    accumulator = accumulator_type(context, input, 2, options.quantized_bias_type, wide)
    unsaid = options.quantized_bias_type == TensorType.FLOAT32 and context.optional_input(2) is None
    if unsaid and "FULLY_CONNECTED" in context.profile.int32_roundings:
        # The reference kernel adds up in int64 then, the optimized one in int32.
        accumulator = np.dtype(np.int32)
    requantization = make_requantization(context, options.fused_activation_function, accumulator, multiplier, real)
    if wide:
        return replace(requantization, rounding=Rounding.INT64, accumulator=np.dtype(np.int64))
    affine = [context.per_axis(tensor) for tensor in (input, filter, context.output())]
    if input.type == TensorType.INT16 and any(scale.size == 1 and zero_point[0] for scale, zero_point in affine):
        # For these even the optimized kernels have only the reference's; zero points of an axis are not looked at.
        reference = context.profile.roundings.get("FULLY_CONNECTED", requantization.rounding)
        return replace(requantization, rounding=reference)
    # The only kernels of sparse weights are optimized ones.
    return requantization if filter.sparsity is None else replace(requantization, rounding=Rounding.DOUBLE)


def evaluate(
    params: AnyFullyConnectedParams, input: Array, filter: Array, bias: Array | None = None
) -> Array | tuple[Array, Array]:
    """FULLY_CONNECTED by an exact floating-point matrix product."""
    if isinstance(params, ShuffledFullyConnectedParams):
        assert bias is not None
        return shuffled_weights.evaluate(params, input, filter, bias)
    if isinstance(params, HybridFullyConnectedParams):
        return hybrid.evaluate(params, input, filter, bias)
    if isinstance(params, SparseHybridFullyConnectedParams):
        return sparse_hybrid.evaluate(params, input, filter, bias)
    if isinstance(params, FloatFullyConnectedParams):
        return float32.evaluate(params, input, filter, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, params.requantization.dtype)
    if not output.size:
        return output
    outputs, depth = filter.shape[0], params.depth
    weights = filter.astype(np.int32) - params.filter_zero_point if params.filter_zero_point else filter
    product = ExactProduct(weights, largest_magnitude(input.dtype))
    constant = -params.input_zero_point * product.sums
    if bias is not None:
        # The 8-bit kernels take an int64 bias for an int32 one, and so read the halves of its first elements.
        constant = constant + np.ravel(bias).view(params.bias_type)[:outputs]
    requantizer = Requantizer(params.requantization, outputs, constant, product.bound)
    matrix = input.reshape(-1)[: params.rows * depth].reshape(params.rows, depth)
    result = output.reshape(params.rows, outputs)
    step = max(1, _BLOCK_ELEMENTS // max(depth, outputs))
    for row in range(0, params.rows, step):
        block = matrix[row : row + step]
        sums = product(block, len(block))
        if params.flawed:
            wrapped = _extreme_pairs(block).astype(np.float64) @ _extreme_pairs(filter).T.astype(np.float64)
            sums = sums - 2.0**16 * wrapped.reshape(sums.shape)
        requantizer(sums, result[row : row + step])
    return output


def _extreme_pairs(codes: Array) -> npt.NDArray[np.bool_]:
    """[n,K] to [n,K/2]: whether both of two columns, which the vector code adds up in int16, are -128."""
    halves = (codes == -128).reshape(len(codes), -1, 2, 8)
    both: npt.NDArray[np.bool_] = halves[:, :, 0] & halves[:, :, 1]
    return both.reshape(len(codes), -1)


def macs(params: AnyFullyConnectedParams) -> int:
    """Multiply-accumulate operations of one run."""
    shape, *_ = params.output_shapes
    depth = params.dense.depth if isinstance(params, SparseHybridFullyConnectedParams) else params.depth
    return element_count(shape or ()) * depth


FULLY_CONNECTED = Kernel(
    name="FULLY_CONNECTED",
    signatures=signatures(
        "int8,int8|int4|int2,int32|int64? -> int8",
        "uint8,uint8,int32|int64? -> uint8|int16",
        "uint8,uint8,int32 -> int16,uint8",
        "int16,int8|int4|int2|int16,int32|int64? -> int16",
        "float32,float32|int8|uint8|int4|int2,float32? -> float32",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/fully_connected.cc, reference/integer_ops/fully_connected.h, reference/fully_connected.h",
    max_version=14,
    macs=macs,
)
