"""BATCH_MATMUL: the matrix products of two batches of matrices.

lhs: int8[..,A,K] ([..,K,A] with adj_x), rhs: int8[..,K,C] ([..,C,K] with adj_y), output: int8[..,A,C]; the leading
dimensions broadcast. acc = Σ (lhs - lhs_zero_point) · (rhs - rhs_zero_point), in int32 with wrap-around. int16 lhs and
int8 or int16 rhs, all with zero point 0: the accumulator is int64. int8 -> int32: the plain products of the codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels import matrices
from int8rt.kernels.base import Array, Kernel, OperatorContext, TensorInfo
from int8rt.kernels.convolution import input_zero_point, make_requantization
from int8rt.kernels.exact_product import ExactProduct
from int8rt.kernels.float32 import batch_matmul as float32
from int8rt.kernels.hybrid import batch_matmul as hybrid
from int8rt.kernels.hybrid.batch_matmul import HybridMatrixParams
from int8rt.kernels.matrices import MatrixParams, batches, in_rows, prepare_matrices
from int8rt.kernels.signature import signatures
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.multiplier import convolution_multipliers, float32_product_multiplier
from int8rt.quantization.requantize import Requantization, Requantizer
from int8rt.quantization.rounding import wrap_int32

# Multiplications of two matrices up to which it takes longer to prepare a product in float32 than to do it in float64;
# and elements of all matrices of an input, up to which they are copied at once.
_SMALL_MATRICES = 1 << 15
_SMALL_BATCHES = 1 << 20
# float64 holds every integer up to here.
_FLOAT64_INTEGERS = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedMatrixParams(MatrixParams):
    """requantization: None where the output is int32."""

    lhs_zero_point: int
    rhs_zero_point: int
    requantization: Requantization | None


def prepare(context: OperatorContext) -> MatrixParams:
    """Check the tensors of a BATCH_MATMUL and derive its integers."""
    plain, lhs, rhs = prepare_matrices(context), context.input(0), context.input(1)
    if rhs.type == TensorType.FLOAT32:
        return plain
    if lhs.type == TensorType.FLOAT32:
        return hybrid.prepare(context, plain)
    requantization, zero_points = None, (0, 0)
    if context.output().type != TensorType.INT32:
        zero_points = _zero_point(context, lhs), _zero_point(context, rhs)
        requantization = _requantization(context, lhs, rhs)
        if lhs.type == TensorType.INT16 and (any(zero_points) or requantization.zero_point):
            raise context.invalid("int16 tensors must have zero point 0")
    return QuantizedMatrixParams(
        output_shapes=plain.output_shapes,
        adj_x=plain.adj_x,
        adj_y=plain.adj_y,
        depth=plain.depth,
        lhs_zero_point=zero_points[0],
        rhs_zero_point=zero_points[1],
        requantization=requantization,
    )


def _has_one_scale(tensor: TensorInfo) -> bool:
    return tensor.quantization is not None and tensor.quantization.scale.size == 1


def _zero_point(context: OperatorContext, tensor: TensorInfo) -> int:
    """The zero point of a whole tensor; 0 where it has several."""
    return input_zero_point(context, tensor) if _has_one_scale(tensor) else 0


def _requantization(context: OperatorContext, lhs: TensorInfo, rhs: TensorInfo) -> Requantization:
    """One multiplier, lhs scale · rhs scale (in float32) / output scale; tensors without a single scale count as 0."""
    lhs_scale, rhs_scale = (context.per_tensor(tensor)[0] if _has_one_scale(tensor) else 0.0 for tensor in (lhs, rhs))
    output_scale, _ = context.per_tensor(context.output())
    multiplier = np.array([float32_product_multiplier(lhs_scale, rhs_scale, output_scale)])
    if context.profile.float64_multipliers:
        multiplier = convolution_multipliers(lhs_scale, rhs_scale, output_scale)
    if not multiplier[0] >= 0:
        raise context.invalid(
            f"the real multiplier {multiplier[0]:g} must not be negative: lhs scale · rhs scale / output scale"
        )
    accumulator = np.dtype(np.int64 if lhs.type == TensorType.INT16 else np.int32)
    return make_requantization(context, ActivationFunctionType.NONE, accumulator, multiplier, multiplier)


def evaluate(params: MatrixParams, lhs: Array, rhs: Array) -> Array:
    """BATCH_MATMUL by exact floating-point matrix products."""
    if isinstance(params, HybridMatrixParams):
        return hybrid.evaluate(params, lhs, rhs)
    if not isinstance(params, QuantizedMatrixParams):
        return float32.evaluate(params, lhs, rhs)
    (shape,) = params.output_shapes
    assert shape is not None
    left, right = (
        codes.astype(np.int32) - zero_point if zero_point else codes
        for codes, zero_point in zip(
            in_rows(params, lhs, rhs), (params.lhs_zero_point, params.rhs_zero_point), strict=True
        )
    )
    requantization = params.requantization
    output = np.empty(shape, np.int32 if requantization is None else requantization.dtype)
    if not output.size:
        return output
    largest = int(max(left.max(initial=0), -int(left.min(initial=0)), 1))
    bound = _bound_of_small(left, right, largest)
    if bound is not None:
        sums = np.matmul(left.astype(np.float64), right.astype(np.float64).swapaxes(-1, -2))
        if requantization is None:
            return wrap_int32(sums.astype(np.int64)).reshape(shape).astype(np.int32)
        columns = shape[-1]
        requantizer = Requantizer(requantization, columns, None, bound)
        requantizer(sums.reshape(-1, columns), output.reshape(-1, columns))
        return output
    for x, weights, target in batches(left, right, output):
        product = ExactProduct(weights, largest)
        sums = product(x, len(x))
        if requantization is None:
            target[...] = wrap_int32(sums.astype(np.int64))
        else:
            Requantizer(requantization, len(weights), None, product.bound)(sums, target)
    return output


def _bound_of_small(left: Array, right: Array, largest: int) -> int | None:
    """At least the largest |product| of many small matrices that float64 multiplies exactly; None for others.

    largest: of |left|.
    """
    if right.ndim < 3 or right.size == right[(0,) * (right.ndim - 2)].size:
        return None
    if (
        left.shape[-2] * right.shape[-2] * right.shape[-1] > _SMALL_MATRICES
        or max(left.size, right.size) > _SMALL_BATCHES
    ):
        return None
    bound = int(np.abs(right, dtype=np.int64).sum(axis=-1).max(initial=0)) * largest
    return bound if bound < _FLOAT64_INTEGERS else None


BATCH_MATMUL = Kernel(
    name="BATCH_MATMUL",
    signatures=signatures("int8,int8 -> int8|int32", "int16,int8|int16 -> int16", "float32,float32|int8 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/batch_matmul.cc, reference/batch_matmul.h",
    max_version=4,
    macs=matrices.macs,
)
