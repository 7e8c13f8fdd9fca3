"""POW: input1 to the power input2, broadcast; float32 or int32, whose exponents must not be negative.

float32 is the C library's powf. int32 is its pow, so exact; what does not fit becomes -2^31.
A single exponent that is broadcast and is a whole number from 1 on is multiplied out instead: input1 is squared again
and again. There int32 wraps around, and float32 products stay finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.arithmetic import broadcast_pair, clamp
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm
from int8rt.quantization.division import float_to_int32

# How far from a whole number an exponent may be to count as one; a float32 number.
_EPSILON = np.float32(1e-5)


def prepare(context: OperatorContext) -> Params:
    """Check that the inputs broadcast."""
    return Params(output_shapes=(broadcast_pair(context),))


def evaluate(params: Params, input1: Array, input2: Array) -> Array:
    """The powers; `EvaluationError` for a negative integer exponent."""
    (shape,) = params.output_shapes
    if input1.dtype.kind == "i" and np.any(input2 < 0):
        raise EvaluationError("int32 has no powers with negative exponents")
    with np.errstate(all="ignore"):
        if input1.shape != input2.shape and input2.size == 1:
            whole = _whole_exponent(input2.reshape(-1)[0])
            if whole >= 1:
                multiply = _multiply_float32 if input1.dtype.kind == "f" else np.multiply
                return _power_by_squaring(input1, whole, multiply).reshape(shape)
        if input1.dtype.kind == "f":
            return libm.pow(input1, input2)
        return _integer_power(*np.broadcast_arrays(input1, input2))


def _whole_exponent(exponent: Any) -> int:
    """The whole number that an exponent is close to; 0 where there is none that int32 holds."""
    if exponent.dtype.kind == "i":
        return int(exponent)
    if not abs(exponent) < 2.0**31:
        return 0
    whole = np.rint(exponent)
    return int(whole) if abs(exponent - whole) < _EPSILON else 0


def _power_by_squaring(base: Array, exponent: int, multiply: Callable[[Array, Array], Any]) -> Array:
    power = base
    for bit in bin(exponent)[3:]:
        power = multiply(power, power)
        if bit == "1":
            power = multiply(base, power)
    return np.array(power)


def _multiply_float32(x: Array, y: Array) -> npt.NDArray[np.float32]:
    product = np.asarray(x * y)
    info = np.finfo(np.float32)
    clamp(product, float(info.min), float(info.max))
    return product


def _integer_power(base: Array, exponent: Array) -> npt.NDArray[np.int32]:
    """In float64, which is exact as long as a power fits int32."""
    power, square, rest = np.ones(base.shape), base.astype(np.float64), exponent.astype(np.int64)
    while np.any(rest):
        np.multiply(power, square, out=power, where=rest & 1 == 1)
        square, rest = square * square, rest >> 1
    return float_to_int32(power).astype(np.int32)


POW = Kernel(
    name="POW",
    signatures=signatures("T,T -> T", T=("int32", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/pow.cc, optimized/optimized_ops.h",
    max_version=1,
)
