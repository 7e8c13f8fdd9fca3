"""LOG_SOFTMAX: x less the logarithm of the sum of e^x along the last axis.

input: T[..., n], output: T[..., n]; T is int8 or uint8, the output's scale 16/256, its zero point the largest code.
In fixed point: differences to the maximum with 5 integer bits, their exponentials summed with 12.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.float32.functions import log_softmax, row_params, with_float32
from int8rt.kernels.rows import by_rows, differences_to_maximum
from int8rt.kernels.signature import signatures
from int8rt.kernels.softmax import (
    ACCUMULATION_INTEGER_BITS,
    SCALED_DIFF_INTEGER_BITS,
    exponentials_of_differences,
    sum_of_exponentials,
)
from int8rt.kernels.unary import require_output, within_spec
from int8rt.quantization.fixed_point import INT32
from int8rt.quantization.reciprocal import log_x_for_x_greater_than_or_equal_to_1
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import INT32_MIN, rounding_divide_by_pot, saturate, wrap_int32
from int8rt.quantization.softmax_scaling import calculate_input_radius, preprocess_log_softmax_scaling_exp

_OUTPUT_INTEGER_BITS = 4
_ONE = INT32.one(ACCUMULATION_INTEGER_BITS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogSoftmaxParams(Params):
    """scaled_differences (F_5), exponentials (F_0): int64[256], for d = max(q) - q.

    reverse_scaling_divisor, reverse_scaling_shift: the multiplier from F_5 back to quantized steps.
    """

    input_multiplier: int
    input_left_shift: int
    reverse_scaling_divisor: int
    reverse_scaling_shift: int
    diff_min: int
    scaled_differences: npt.NDArray[np.int64]
    exponentials: npt.NDArray[np.int64]


def prepare(context: OperatorContext) -> LogSoftmaxParams:
    """Check the output's scale and derive the multipliers of the differences."""
    input, output = context.input(0), context.output()
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least one dimension")
    require_output(context, 16 / 256, np.iinfo(output.type.dtype).max)
    scale = context.per_tensor(input)[0]
    multiplier, left_shift, reverse_divisor, reverse_shift = within_spec(
        context, preprocess_log_softmax_scaling_exp, 1.0, scale, SCALED_DIFF_INTEGER_BITS
    )
    diff_min = -calculate_input_radius(SCALED_DIFF_INTEGER_BITS, left_shift)
    scaled_differences, exponentials = exponentials_of_differences(multiplier, left_shift, diff_min)
    return LogSoftmaxParams(
        output_shapes=(input.shape,),
        input_multiplier=multiplier,
        input_left_shift=left_shift,
        reverse_scaling_divisor=reverse_divisor,
        reverse_scaling_shift=reverse_shift,
        diff_min=diff_min,
        scaled_differences=scaled_differences,
        exponentials=exponentials,
    )


def evaluate(params: LogSoftmaxParams, input: Array) -> Array:
    """LOG_SOFTMAX of each row.

    From 4096 nearly equal elements on the sum of exponentials wraps around and the results are wrong, as in TensorFlow
    Lite; where it wraps to less than 1, `EvaluationError`.
    """
    return by_rows(input, input.dtype, functools.partial(_log_softmax, params))


def _log_softmax(params: LogSoftmaxParams, rows: Array) -> Array:
    differences = differences_to_maximum(rows)
    total = sum_of_exponentials(np.take(params.exponentials, differences))
    if np.any((total >= 0) & (total < _ONE)):
        # The sum has wrapped around to less than its largest term, and the C++ code overflows in undefined ways.
        raise EvaluationError(f"the exponentials of a row of {rows.shape[1]} elements add up to 8192 or more")
    log_sum = log_x_for_x_greater_than_or_equal_to_1(total, ACCUMULATION_INTEGER_BITS, SCALED_DIFF_INTEGER_BITS)
    # Results below the smallest number of the format become the smallest code; the bound is in quantized steps.
    reach = multiply_by_quantized_multiplier(
        log_sum + INT32_MIN, params.reverse_scaling_divisor, params.reverse_scaling_shift
    )
    bound = np.maximum(params.diff_min - 1, reach)
    info = np.iinfo(rows.dtype)
    real = wrap_int32(np.take(params.scaled_differences, differences) - log_sum)
    output = rounding_divide_by_pot(real, 31 - SCALED_DIFF_INTEGER_BITS - _OUTPUT_INTEGER_BITS) + info.max
    return saturate(np.where(-differences.astype(np.int64) > bound, output, info.min), rows.dtype)


LOG_SOFTMAX = with_float32(
    Kernel(
        name="LOG_SOFTMAX",
        signatures=signatures("T -> T", T=("int8", "uint8")),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/activations.cc, reference/integer_ops/log_softmax.h, reference/log_softmax.h",
        max_version=2,
    ),
    log_softmax,
    row_params,
)
