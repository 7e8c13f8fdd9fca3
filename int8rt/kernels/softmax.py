"""SOFTMAX: e^(beta x) over its sum along the last axis.

input: T[..., n], output: U[..., n]
T -> U: int8 -> int8 (output scale 1/256, zero point -128), uint8 -> uint8, int8|uint8 -> int16, int16 -> int16 (output
scale 1/32768, zero points 0). 8-bit inputs take exponentials of d = q - max(q) in fixed point, one for each of the 256
differences there are; int16 interpolates in tables of e^x and 1 / (1 + x).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.float32.functions import FloatParams, row_params, softmax, softmax_float16, with_float32
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.rows import by_rows, differences_to_maximum
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.fixed_point import INT32, exp_on_negative_values
from int8rt.quantization.lookup_table import lookup_int16, populate_lookup_table_int16
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.reciprocal import get_reciprocal
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import (
    count_leading_zeros,
    rounding_divide_by_pot,
    rounding_shift_right,
    saturate,
    wrap_int32,
)
from int8rt.quantization.softmax_scaling import calculate_input_radius, preprocess_softmax_scaling
from int8rt.schema.options import SoftmaxOptions

# Integer bits of the scaled difference and of the sum of exponentials.
SCALED_DIFF_INTEGER_BITS = 5
ACCUMULATION_INTEGER_BITS = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftmaxParams(Params):
    """exponentials: int64[256], e^(beta · scale · -d) in F_0 for d = max(q) - q; 0 where -d < diff_min."""

    input_multiplier: int
    input_left_shift: int
    diff_min: int
    exponentials: npt.NDArray[np.int64]
    dtype: np.dtype[np.int8] | np.dtype[np.uint8] | np.dtype[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftmaxInt16Params(Params):
    """The multiplier brings differences to 10 / 65535 a step; exp_lut is over [-10, 0], the other over [0, 1]."""

    input_multiplier: int
    input_left_shift: int
    exp_lut: npt.NDArray[np.int16]
    one_over_one_plus_x_lut: npt.NDArray[np.int16]


def prepare(context: OperatorContext) -> SoftmaxParams | SoftmaxInt16Params:
    """Check the output's scale and derive the multiplier of the differences."""
    input, output = context.input(0), context.output()
    beta = context.options(SoftmaxOptions).beta
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least one dimension")
    if input.type == output.type == TensorType.INT8:
        check_output(context, 1 / 256, -128)
    scale = context.per_tensor(input)[0]
    if input.type == TensorType.INT16:
        check_int16_zero_point(context, input, output)
        check_output(context, 1 / 32768, 0)
        real = float(np.float64(np.float32(scale) * np.float32(beta)) / (10.0 / 65535.0))
        multiplier, shift = within_spec(context, quantize_multiplier, real)
        exp_lut, one_over_one_plus_x_lut = int16_tables()
        return SoftmaxInt16Params(
            output_shapes=(input.shape,),
            input_multiplier=multiplier,
            input_left_shift=shift,
            exp_lut=exp_lut,
            one_over_one_plus_x_lut=one_over_one_plus_x_lut,
        )
    multiplier, shift = within_spec(context, preprocess_softmax_scaling, beta, scale, SCALED_DIFF_INTEGER_BITS)
    diff_min = -calculate_input_radius(SCALED_DIFF_INTEGER_BITS, shift)
    return SoftmaxParams(
        output_shapes=(input.shape,),
        input_multiplier=multiplier,
        input_left_shift=shift,
        diff_min=diff_min,
        exponentials=exponentials_of_differences(multiplier, shift, diff_min)[1],
        dtype=output.type.dtype,
    )


def prepare_float(context: OperatorContext) -> FloatParams:
    """The parameters of float32 rows."""
    return row_params(context, context.options(SoftmaxOptions).beta)


def check_output(context: OperatorContext, scale: float, zero_point: int) -> None:
    """`ModelError` unless the output has this zero point, and this scale within 0.1 %."""
    output = context.output()
    found_scale, found_zero_point = context.per_tensor(output)
    tolerance = np.float32(0.001) * np.float32(scale)
    if abs(np.float32(found_scale) - np.float32(scale)) > tolerance or found_zero_point != zero_point:
        raise context.invalid(
            f"output {output.name!r} has scale {found_scale:g} and zero point {found_zero_point}, "
            f"expected {scale:g} and {zero_point}"
        )


def exponentials_of_differences(
    multiplier: int, left_shift: int, diff_min: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(scaled differences in F_5, their exponentials in F_0), int64[256] each, for d = max(q) - q from 0 to 255.

    Differences below diff_min do not take part: their exponential is 0.
    """
    differences = -np.arange(256)
    scaled = multiply_by_quantized_multiplier(differences, multiplier, left_shift)
    exponentials = exp_on_negative_values(np.minimum(scaled, 0), SCALED_DIFF_INTEGER_BITS)
    return scaled, np.where(differences >= diff_min, exponentials, 0)


def sum_of_exponentials(exponentials: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The sum along the last axis (kept) of numbers in F_0, each rounded to F_12, in int32 with wrap-around."""
    terms = INT32.rescale(exponentials, 0, ACCUMULATION_INTEGER_BITS)
    return wrap_int32(terms.sum(axis=-1, keepdims=True))


@functools.cache
def int16_tables(
    dtype: type[np.floating[Any]] = np.float64,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """(e^x over [-10, 0], 1 / (1 + x) over [0, 1]) as int16 look-up tables of scale 2/65535, made in `dtype`."""
    codes = dtype(65535)
    ten, two, one = (float(dtype(value) / codes) for value in (10, 2, 1))
    exp = populate_lookup_table_int16(libm.exp, ten, 32767, two, 0, dtype)
    reciprocal = populate_lookup_table_int16(lambda x: 1 / (1 + x), one, -32768, two, 0, dtype)
    return exp, reciprocal


def evaluate(params: SoftmaxParams | SoftmaxInt16Params, input: Array) -> Array:
    """SOFTMAX of each row; `EvaluationError` where the sum of exponentials is too large for an 8-bit input."""
    if isinstance(params, SoftmaxInt16Params):
        return by_rows(input, np.int16, functools.partial(softmax_int16, params))
    return by_rows(input, params.dtype, functools.partial(_softmax, params))


def _softmax(params: SoftmaxParams, rows: Array) -> Array:
    exponentials = np.take(params.exponentials, differences_to_maximum(rows))
    scale, bits_over_unit = get_reciprocal(sum_of_exponentials(exponentials), ACCUMULATION_INTEGER_BITS)
    info = np.iinfo(params.dtype)
    exponent = bits_over_unit + 31 - info.bits
    if np.any((exponent < 0) | (exponent > 31)):
        # TensorFlow Lite aborts the process here.
        limit = "512" if info.bits == 8 else "8192"
        raise EvaluationError(f"the exponentials of a row of {rows.shape[1]} elements add up to {limit} or more")
    output = rounding_divide_by_pot(INT32.multiply(exponentials, scale), exponent)
    return saturate(output + info.min, params.dtype)


def softmax_int16(params: SoftmaxInt16Params, rows: Array, narrow: Callable[[Array, type], Array] = saturate) -> Array:
    """SOFTMAX of the rows [N,C]. narrow: how scaled differences beyond the range of int16 come into it."""
    differences = rows.astype(np.int64) - rows.max(axis=1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(differences, params.input_multiplier, params.input_left_shift)
    exponentials = lookup_int16(narrow(wrap_int32(scaled + 32767), np.int16), params.exp_lut).astype(np.int64)
    total = wrap_int32(exponentials.sum(axis=1, keepdims=True))
    headroom = count_leading_zeros(total)
    # The sum with 16 fractional bits, between 1 and 2; the table is of 1 / (1 + x), x counted from -32768. The shift is
    # -1 where the sum has wrapped around (from 65538 elements on), and then counted modulo 64 by the processor.
    normalized = wrap_int32(rounding_shift_right(total << ((headroom - 1) & 63), 14))
    scale = lookup_int16(saturate(normalized - (1 << 16) - (1 << 15), np.int16), params.one_over_one_plus_x_lut)
    output: Array = rounding_shift_right(exponentials * scale, 31 - headroom)
    return np.clip(output, 0, 32767).astype(np.int16)


SOFTMAX = with_float32(
    Kernel(
        name="SOFTMAX",
        signatures=signatures("int8 -> int8|int16", "uint8 -> uint8|int16", "int16 -> int16"),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/activations.cc, reference/softmax.h",
        max_version=4,  # BUILTIN_REF knows versions up to 3; the optimized resolver takes float16 by the next
    ),
    softmax,
    prepare_float,
    softmax_float16,
)
