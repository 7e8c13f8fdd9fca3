"""LOGISTIC and TANH of int16 in the optimized kernels: gemmlowp's 16-bit functions where the scale is a power of two.

That is 2^-12, and for TANH 2^-11 too. Other scales, and 8-bit types, are the reference kernels'. Of float32 they are
Eigen's functions, of float16 those of the C library.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from int8rt.kernels import logistic, tanh
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.float32.functions import elementwise, in_float32
from int8rt.kernels.opt.functions import float16_logistic, float_logistic, float_tanh, of_float32
from int8rt.kernels.sigmoid import SigmoidTableParams
from int8rt.kernels.unary import by_codes
from int8rt.quantization import fixed_point, libm
from int8rt.quantization.fixed_point import INT16
from int8rt.quantization.rounding_int16 import saturating_left_shift_int16

_INTEGER_BITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPointParams(Params):
    """left_shift: what brings the codes to 3 integer bits, saturating."""

    left_shift: int


def prepare_logistic(context: OperatorContext) -> Params:
    """As the reference kernel, but for powers of two."""
    return _fixed_point(context, logistic.LOGISTIC.prepare(context))


def prepare_tanh(context: OperatorContext) -> Params:
    """As the reference kernel, but for powers of two."""
    return _fixed_point(context, tanh.TANH.prepare(context))


def _fixed_point(context: OperatorContext, params: Params) -> Params:
    if isinstance(params, SigmoidTableParams) and params.input_multiplier <= 0:
        raise context.unsupported(f"an input scale below 2^-43 in profile {context.profile.name} is not done")
    # Without a shift the multiplier is 3 · 2^p: TensorFlow Lite's mark of a power of two.
    if isinstance(params, SigmoidTableParams) and params.input_left_shift == 0 and params.input_multiplier in (3, 6):
        return FixedPointParams(output_shapes=params.output_shapes, left_shift=params.input_multiplier // 6)
    return params


def evaluate_logistic(params: Any, input: Array) -> Array:
    """LOGISTIC of each element."""
    if not isinstance(params, FixedPointParams):
        return logistic.evaluate(params, input)
    return by_codes(input, lambda codes: fixed_point.logistic(codes, _INTEGER_BITS, INT16).astype(codes.dtype))


def evaluate_tanh(params: Any, input: Array) -> Array:
    """TANH of each element."""
    if not isinstance(params, FixedPointParams):
        return tanh.evaluate(params, input)

    def of_codes(codes: Array) -> Array:
        shifted = saturating_left_shift_int16(codes, params.left_shift)
        return fixed_point.tanh(shifted, _INTEGER_BITS, INT16).astype(codes.dtype)

    return by_codes(input, of_codes)


_SOURCE = "kernels/activations.cc, optimized/optimized_ops.h"
LOGISTIC = of_float32(
    replace(logistic.LOGISTIC, prepare=prepare_logistic, evaluate=evaluate_logistic, source=_SOURCE),
    float_logistic,
    function16=float16_logistic,
)
TANH = of_float32(
    replace(tanh.TANH, prepare=prepare_tanh, evaluate=evaluate_tanh, source=_SOURCE),
    float_tanh,
    function16=in_float32(elementwise(libm.tanh)),
)
