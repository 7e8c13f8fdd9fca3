"""Functions of one tensor after a conversion to TOSA: tables of functions that are computed in float64.

8-bit codes look their result up, as in TensorFlow Lite; int16 ones interpolate between 513 entries, and round once.
SOFTMAX of int16 is TensorFlow Lite's, with such tables, but differences of more than 10 wrap around where they should
saturate, a defect of the converter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.softmax import SoftmaxInt16Params
from int8rt.kernels.unary import LookupTableParams, by_codes, evaluate_lookup_table, prepare_lookup_table, within_spec
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.lookup_table import RealFunction
from int8rt.quantization.rounding import count_leading_zeros, rounding_shift_right, saturate, wrap_int32
from int8rt.quantization.tosa import apply_scale_32, interpolate_int16, multiplier_and_shift, table_int16
from int8rt.schema.options import SoftmaxOptions

_FRACTION_BITS = 7


def logistic(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return np.asarray(1 / (1 + libm.exp(-x)))


def prepare_table(context: OperatorContext, function: RealFunction) -> LookupTableParams:
    """The table of `function`; int16 results are in steps of 1/32768."""
    input, output = context.input(0), context.output()
    if input.type == TensorType.INT16:
        check_int16_zero_point(context, input, output)
        low, high = (code * context.per_tensor(input)[0] for code in (-32768, 32767))
        return LookupTableParams(output_shapes=(input.shape,), table=table_int16(function, low, high))
    return prepare_lookup_table(context, lambda x: function(x.astype(np.float64)).astype(np.float32))


def evaluate_table(params: Any, input: Array) -> Array:
    """The table's value for each code."""
    if input.dtype == np.int16:
        return by_codes(
            input,
            lambda codes: saturate(
                rounding_shift_right(interpolate_int16(codes, params.table), _FRACTION_BITS), np.int16
            ),
        )
    return evaluate_lookup_table(params, input)


def from_table(kernel: Kernel, prepare: Callable[[OperatorContext], Params], source: str) -> Kernel:
    """`kernel` by a table."""
    return replace(kernel, prepare=prepare, evaluate=evaluate_table, source=source)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TosaSoftmaxParams(SoftmaxInt16Params):
    """The multiplier is shifted to the right."""


def prepare_softmax(context: OperatorContext, kernel: Kernel) -> Params:
    """As the reference kernel's."""
    params = kernel.prepare(context)
    if not isinstance(params, SoftmaxInt16Params):
        return params
    if context.options(SoftmaxOptions).beta != 1:
        raise context.unsupported(f"a beta other than 1 is not there in profile {context.profile.name}")
    scale = context.per_tensor(context.input(0))[0] / (10.0 / 65535.0)
    multiplier, shift = within_spec(context, multiplier_and_shift, scale)
    return TosaSoftmaxParams(
        output_shapes=params.output_shapes,
        input_multiplier=multiplier,
        input_left_shift=-shift,
        exp_lut=table_int16(libm.exp, -10.0, 0.0),
        one_over_one_plus_x_lut=table_int16(lambda x: 1 / (1 + x), 0.0, 1.0),
    )


def evaluate_softmax(params: Any, input: Array, kernel: Kernel) -> Any:
    """SOFTMAX of each row."""
    if not isinstance(params, TosaSoftmaxParams):
        return kernel.evaluate(params, input)

    def look_up(codes: Any, table: Array) -> Any:
        return rounding_shift_right(interpolate_int16(codes.astype(np.int16), table), _FRACTION_BITS)

    differences = input.astype(np.int64) - input.max(axis=-1, keepdims=True)
    scaled = apply_scale_32(differences, (params.input_multiplier, -params.input_left_shift), double_round=True)
    exponentials = look_up(scaled + 32767, params.exp_lut)
    total = wrap_int32(exponentials.sum(axis=-1, keepdims=True))
    headroom = count_leading_zeros(total)
    fraction = rounding_shift_right(wrap_int32(total << (headroom - 1)) - (1 << 30), 14)
    reciprocal = look_up(fraction - 32768, params.one_over_one_plus_x_lut)
    return saturate(rounding_shift_right(wrap_int32(exponentials * reciprocal), 31 - headroom), np.int16)
