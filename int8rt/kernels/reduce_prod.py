"""REDUCE_PROD over chosen axes.

input: T of any rank, axis: int32 of any shape, output: T without the reduced axes, or with size 1 there (keep_dims).
Quantized int8 and int16: the running product of q - input_zero_point is rescaled at every step, so that it stays within
int32; the scale of a step is input_scale / output_scale^(1 / count). Plain integers wrap around in their type; float32
is multiplied in order; of bool it is "and".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext
from int8rt.kernels.layout import check_same_quantization
from int8rt.kernels.reduce import SOURCE, ReduceParams, evaluate_all, in_columns, prepare, reduction_signatures, shaped
from int8rt.model import TensorType
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier_int64


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedProdParams(ReduceParams):
    """`multiplier` and `shift` stand for the scale of one step."""

    multiplier: int
    shift: int
    input_zero_point: int
    output_zero_point: int


def prepare_prod(context: OperatorContext) -> ReduceParams:
    """Resolve the axes; for quantized tensors also the scale of a step."""
    params, input, output = prepare(context), context.input(0), context.output()
    if input.quantization is None or input.quantization.scale.size == 0:
        check_same_quantization(context, input, output)
        return params
    if input.type not in (TensorType.INT8, TensorType.INT16):
        raise context.invalid(f"input {input.name!r} is quantized {input.type.label}, expected int8 or int16")
    (input_scale, input_zero_point), (output_scale, output_zero_point) = map(context.per_tensor, (input, output))
    if params.count == 0 or output_scale <= 0:
        found = f"{params.count} elements of {input.name!r} make one of scale {output_scale}"
        raise context.invalid(f"{found}; there must be some, and the scale above 0")
    multiplier, shift = quantize_multiplier(input_scale / output_scale ** (1.0 / params.count))
    if multiplier < 0:
        raise context.invalid(f"the scales {input_scale} and {output_scale} make a multiplier out of range")
    return QuantizedProdParams(
        output_shapes=params.output_shapes,
        axis=params.axis,
        count=params.count,
        multiplier=multiplier,
        shift=shift,
        input_zero_point=input_zero_point,
        output_zero_point=output_zero_point,
    )


def evaluate_prod(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The product; 1 where there is nothing to multiply."""
    if input.dtype == np.bool_:
        return evaluate_all(params, input, axis)
    if input.dtype.kind == "f":
        columns = in_columns(params, input)
        with np.errstate(all="ignore"):
            factors = np.concatenate([np.ones((1, columns.shape[1]), input.dtype), columns])
            return shaped(params, np.multiply.accumulate(factors, axis=0)[-1])
    if not isinstance(params, QuantizedProdParams):
        return shaped(params, np.prod(input, axis=params.axis, dtype=input.dtype))
    values = in_columns(params, input).astype(np.int64) - params.input_zero_point
    product = values[0]
    for factor in values[1:]:
        product = multiply_by_quantized_multiplier_int64(product * factor, params.multiplier, params.shift)
    product = multiply_by_quantized_multiplier_int64(product, params.multiplier, params.shift)
    limits = np.iinfo(input.dtype)
    # The zero point is added in int32, with wrap-around.
    shifted = (product + params.output_zero_point).astype(np.int32)
    return shaped(params, np.clip(shifted, limits.min, limits.max).astype(input.dtype))


REDUCE_PROD = Kernel(
    name="REDUCE_PROD",
    signatures=reduction_signatures("int8", "uint8", "int16", "int32", "int64", "float32", "bool"),
    prepare=prepare_prod,
    evaluate=evaluate_prod,
    source=SOURCE,
    max_version=2,
)
