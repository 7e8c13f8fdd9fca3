"""ADD and SUB: input1 ± input2, broadcast, then the fused activation.

int8, uint8, int16: each input is brought to twice the larger of the two scales, with `left_shift` more bits; the sum,
in int32, is rescaled to the output. int16 with pot_scale_int16 and only powers of two for scales: one input is shifted
right instead, and the sum saturates. SUB with a very small output scale is in `enlarged_difference`. Everything else:
plain arithmetic, integers wrap around.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import (
    PlainParams,
    activation_range,
    all_codes,
    broadcast_operation,
    broadcast_pair,
    evaluate_plain,
    is_8bit,
    is_quantized,
    prepare_plain,
    single_requantization,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.enlarged_difference import requantize_enlarged
from int8rt.kernels.layout import check_int16_zero_point, check_zero_points
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.effective_scales import sum_multipliers
from int8rt.quantization.lookup_table import lookup
from int8rt.quantization.multiplier import quantize_multiplier_smaller_than_one
from int8rt.quantization.requantize import Requantization, multiply_by_quantized_multiplier, requantize
from int8rt.quantization.rounding import wrap_int32
from int8rt.quantization.rounding_int16 import rounding_divide_by_pot_int16
from int8rt.quantization.sigmoid_table import checked_log2
from int8rt.schema.options import AddOptions, SubOptions

_LEFT_SHIFT = {TensorType.INT8: 20, TensorType.UINT8: 20, TensorType.INT16: 15}
# Profiles whose SUB takes multipliers above 1 as `enlarged_difference` says: the optimized kernels of 8 bits are the
# reference's.
_ENLARGING = {
    TensorType.INT8: ("tflite-ref", "tflite-opt", "xnnpack"),
    TensorType.UINT8: ("tflite-ref", "tflite-opt", "xnnpack"),
    TensorType.INT16: ("tflite-ref",),
}


@dataclass(frozen=True, slots=True, eq=False)
class ScaledInput:
    """How one input comes to the common scale: ((code + offset) << left_shift) · multiplier · 2^(shift - 31).

    The shift to the left and the result are in int32. table: int32[256], the result for each 8-bit code; None for
    int16, where it is computed while running.
    """

    offset: int
    multiplier: int
    shift: int
    left_shift: int
    table: npt.NDArray[np.int32] | None

    def scale(self, codes: Array) -> npt.NDArray[np.int32]:
        """The codes' values at the common scale."""
        if self.table is not None:
            return lookup(codes, self.table)
        return scale_codes(codes, self.offset, self.multiplier, self.shift, self.left_shift)


def scale_codes(codes: Array, offset: int, multiplier: int, shift: int, left_shift: int) -> npt.NDArray[np.int32]:
    """What `ScaledInput` describes, for codes of any type; int32."""
    shifted = wrap_int32((codes.reshape(-1).astype(np.int64) + offset) << left_shift)
    return multiply_by_quantized_multiplier(shifted, multiplier, shift).astype(np.int32).reshape(codes.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddParams(Params):
    """The general case. `requantization` has the output's multiplier, shift, offset and activation."""

    input1: ScaledInput
    input2: ScaledInput
    requantization: Requantization


@dataclass(frozen=True, slots=True, kw_only=True)
class EnlargedDifferenceParams(Params):
    """SUB whose `requantization` shifts left; see `enlarged_difference`. in_vectors: the inputs do not broadcast."""

    input1: ScaledInput
    input2: ScaledInput
    requantization: Requantization
    in_vectors: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PotAddParams(Params):
    """int16 and powers of two. input1_shift, input2_shift: 0 or negative, at least one of them 0."""

    input1_shift: int
    input2_shift: int
    activation_min: int
    activation_max: int


SumParams = AddParams | EnlargedDifferenceParams | PotAddParams | PlainParams


def prepare(context: OperatorContext) -> SumParams:
    """Check the tensors of an ADD or SUB and derive its integers."""
    options = context.options(SubOptions) if context.operator.name == "SUB" else context.options(AddOptions)
    input1, input2, output = context.input(0), context.input(1), context.output()
    plain_int16 = context.operator.name == "ADD" and not is_quantized(input1) and not is_quantized(output)
    if output.type not in _LEFT_SHIFT or (output.type == TensorType.INT16 and plain_int16):
        return prepare_plain(context, options.fused_activation_function)
    check_int16_zero_point(context, input1, input2, output)
    if context.operator.name == "SUB":
        check_zero_points(context, output.type, input1, input2, output)
    # Without options in the file, TensorFlow Lite takes false for pot_scale_int16; the schema's default is true.
    if output.type == TensorType.INT16 and context.operator.options is not None and options.pot_scale_int16:
        logs = [checked_log2(context.per_tensor(tensor)[0]) for tensor in (input1, input2, output)]
        if all(is_power for is_power, _ in logs):
            return _prepare_pot(context, options, logs[0][1], logs[1][1], logs[2][1])
    return _prepare_general(context, options)


def _prepare_general(context: OperatorContext, options: AddOptions | SubOptions) -> SumParams:
    input1, input2, output = context.input(0), context.input(1), context.output()
    scale1, scale2, output_scale = (context.per_tensor(tensor)[0] for tensor in (input1, input2, output))
    left_shift = _LEFT_SHIFT[output.type]
    real1, real2, real_output = sum_multipliers(scale1, scale2, output_scale, left_shift)
    # ADD aborts the process from 1 on, and so does SUB with 1 itself.
    enlarges = context.operator.name == "SUB" and context.profile.name in _ENLARGING[output.type]
    # From 2^32 on it depends on how the elements are added up what is left.
    enlarged = enlarges and 1 < real_output < 2**32
    if not (0 < real_output < 1 or enlarged):
        raise context.invalid(
            f"output scale {output_scale:g} of {output.name!r} does not fit input scales {scale1:g} and "
            f"{scale2:g}: its multiplier would be {real_output:g}, which must be between 0 and 1"
        )
    shape = broadcast_pair(context)
    scaled1, scaled2 = (
        scaled_input(context, input1, real1, left_shift),
        scaled_input(context, input2, real2, left_shift),
    )
    activation = activation_range(context, options.fused_activation_function)
    requantization = single_requantization(context, real_output, activation)
    if enlarged:
        shape1, shape2 = ((1,) * (len(shape) - tensor.rank) + tensor.shape for tensor in (input1, input2))
        return EnlargedDifferenceParams(
            output_shapes=(shape,),
            input1=scaled1,
            input2=scaled2,
            requantization=requantization,
            in_vectors=shape1 == shape2,
        )
    return AddParams(output_shapes=(shape,), input1=scaled1, input2=scaled2, requantization=requantization)


def scaled_input(context: OperatorContext, tensor: TensorInfo, real_multiplier: float, left_shift: int) -> ScaledInput:
    """The parameters of one input; `ModelError` unless its multiplier is between 0 and 1."""
    scale, zero_point = context.per_tensor(tensor)
    # TensorFlow Lite aborts the process, or goes on to shift by an undefined amount.
    if not 0 < real_multiplier < 1:
        raise context.invalid(
            f"scale {scale:g} of {tensor.name!r}: its multiplier is {real_multiplier:g}, it must be between 0 and 1"
        )
    multiplier, shift = quantize_multiplier_smaller_than_one(real_multiplier)
    table = None
    if is_8bit(tensor.type):
        table = scale_codes(all_codes(tensor.type), -zero_point, multiplier, shift, left_shift)
    return ScaledInput(-zero_point, multiplier, shift, left_shift, table)


def _prepare_pot(
    context: OperatorContext, options: AddOptions | SubOptions, input1_log2: int, input2_log2: int, output_log2: int
) -> PotAddParams:
    input1_shift, input2_shift = input1_log2 - output_log2, input2_log2 - output_log2
    if max(input1_shift, input2_shift) != 0 or min(input1_shift, input2_shift) < -31:
        raise context.invalid(
            f"int16 with scales 2^{input1_log2} and 2^{input2_log2} needs an output scale equal to the larger, "
            f"at most 2^31 times the smaller, found 2^{output_log2}"
        )
    shape = broadcast_pair(context)
    sizes = {element_count(s) for s in (context.input(0).shape, context.input(1).shape, shape)}
    if context.operator.name == "ADD" and len(sizes) > 1:
        raise context.unsupported("int16 with pot_scale_int16 does not broadcast")
    low, high = activation_range(context, options.fused_activation_function)
    return PotAddParams(
        output_shapes=(shape,),
        input1_shift=input1_shift,
        input2_shift=input2_shift,
        activation_min=low,
        activation_max=high,
    )


def evaluate(operation: Callable[..., Array], params: SumParams, input1: Array, input2: Array) -> Array:
    """ADD or SUB of two arrays; `operation`: numpy.add or numpy.subtract."""
    if isinstance(params, PlainParams):
        return evaluate_plain(operation, params, input1, input2)
    if isinstance(params, PotAddParams):
        shifted1 = rounding_divide_by_pot_int16(input1, -params.input1_shift)
        shifted2 = rounding_divide_by_pot_int16(input2, -params.input2_shift)
        total = broadcast_operation(operation, shifted1, shifted2, np.int64)
        return np.clip(total, params.activation_min, params.activation_max, out=total).astype(np.int16)
    scaled1, scaled2 = params.input1.scale(input1), params.input2.scale(input2)
    total = broadcast_operation(operation, scaled1, scaled2, np.int32)
    if isinstance(params, EnlargedDifferenceParams):
        return requantize_enlarged(total, params.requantization, params.in_vectors)
    return requantize(total, params.requantization)


_TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32")

ADD = Kernel(
    name="ADD",
    signatures=signatures("T,T -> T", T=(*_TYPES, "float16")),
    prepare=prepare,
    evaluate=functools.partial(evaluate, np.add),
    source="kernels/add.cc, reference/integer_ops/add.h, reference/add.h",
    max_version=6,  # BUILTIN_REF knows versions up to 5; the optimized resolver takes float16 by the next
)

SUB = Kernel(
    name="SUB",
    signatures=signatures("T,T -> T", T=_TYPES),
    prepare=prepare,
    evaluate=functools.partial(evaluate, np.subtract),
    source="kernels/sub.cc, reference/sub.h",
    max_version=5,
)
