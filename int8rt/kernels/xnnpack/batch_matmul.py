"""BATCH_MATMUL of int8 codes in XNNPACK: exact sums, times a float32 scale, ties to even."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from int8rt.kernels import batch_matmul
from int8rt.kernels.base import OperatorContext, Params
from int8rt.kernels.batch_matmul import QuantizedMatrixParams
from int8rt.kernels.xnnpack import hybrid_products
from int8rt.kernels.xnnpack.delegation import (
    Delegated,
    check_codes,
    declared_shape,
    has_normal_scales,
    holds_codes,
    zero_points,
)
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.xnnpack import activation_range, in_float32, product_scale

_LARGEST_PRODUCT = 255 * 128


def takes(context: OperatorContext) -> bool:
    """Whether the delegate takes this BATCH_MATMUL of codes: the right matrix has one scale, and zero point 0.

    Or one of real numbers with int8 weights.
    """
    if context.input(0).type == TensorType.FLOAT32:
        return hybrid_products.takes_batch_matmul(context)
    lhs, rhs, output = context.input(0), context.input(1), context.output()
    if not holds_codes(lhs, rhs, output) or lhs.type != rhs.type or rhs.type != TensorType.INT8:
        return False
    check_codes(context, lhs)  # the delegate dies of others
    if not has_normal_scales(rhs) or int(zero_points(context, rhs)[0]) != 0:
        return False
    return min(len(declared_shape(context, lhs)), len(declared_shape(context, rhs))) >= 2


def prepare(context: OperatorContext) -> Params:
    """The scale."""
    if context.input(0).type == TensorType.FLOAT32:
        return hybrid_products.prepare_batch_matmul(context)
    lhs, rhs, output = context.input(0), context.input(1), context.output()
    check_codes(context, lhs, rhs, output)
    params = batch_matmul.prepare(context)
    assert isinstance(params, QuantizedMatrixParams)
    assert params.requantization is not None
    scale, zero_point = context.per_tensor(output)
    real = product_scale(context.per_tensor(lhs)[0], context.per_tensor(rhs)[0], scale)
    if not float(real) * params.depth * _LARGEST_PRODUCT < 1 << 30:
        raise context.unsupported(f"products beyond int32 in profile {context.profile.name} is not done")
    bounds = activation_range(ActivationFunctionType.NONE, scale, zero_point, np.int8)
    return replace(params, requantization=in_float32(params.requantization, real, *bounds))


BATCH_MATMUL = Delegated(
    "BATCH_MATMUL",
    takes,
    prepare,
    "src/operators/batch-matrix-multiply-nc.c",
    hybrid_products.evaluate_batch_matmul,
    (hybrid_products.DynamicMatrixParams,),
)
