"""tanh and logistic in float32 as Eigen approximates them on x86 with SSE, without fused multiply-add.

TensorFlow Lite's recurrent cells and fused activations of hybrid operators use these, not the C library. Every
operation is rounded to float32 in Eigen's order. Source: Eigen, Core/functors/UnaryFunctors.h and
Core/arch/Default/GenericPacketMathFunctions.h.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from int8rt.quantization import libm

Float32 = npt.NDArray[np.float32]

# Beyond this the rational function is exactly 1.
_TANH_CLAMP = np.float32(7.90738964080810547)
_TANH_NUMERATOR = (1.394553628e-8, 2.102733560e-5, 3.520756727e-3, 1.340216100e-1)
_TANH_DENOMINATOR = (8.015776984e-7, 3.326951409e-4, 2.597254514e-2, 4.673548340e-1, 1.0)

_LOGISTIC_HIGH = np.float32(16.6355324)
_LOGISTIC_LOW = np.float32(-104)
LOG2_E = np.float32(1.44269504088896341)
# ln 2 in two parts.
LN2_HIGH, LN2_LOW = np.float32(-0.693359375), np.float32(2.12194440e-4)
_EXP_EVEN = (4.1898667812347412109375e-2, 0.49999141693115234375)
_EXP_ODD = (8.33471305668354034423828125e-3, 0.16666877269744873046875)

LANES = 4


def tanh(x: Float32) -> Float32:
    """The hyperbolic tangent: a rational function of degrees 9 and 8."""
    # Of NaN and a bound the processor's minimum takes the bound.
    x = np.where(x < _TANH_CLAMP, x, _TANH_CLAMP)
    x = np.where(x > -_TANH_CLAMP, x, -_TANH_CLAMP)
    square = x * x
    numerator = (square * x) * polynomial(square, _TANH_NUMERATOR) + x
    return np.asarray(numerator / polynomial(square, _TANH_DENOMINATOR))


def logistic(x: Float32, first: int = 0) -> Float32:
    """1 / (1 + e^-x) of a vector float32[n].

    Groups of four elements at addresses divisible by 16 are approximated; the elements before and after use the C
    library's exp. first: the position of the vector's first element among such groups, counted in elements.
    """
    start = min(-first % LANES, len(x))
    stop = start + (len(x) - start) // LANES * LANES
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        ends = [_logistic_of_scalars(x[:start]), _logistic_of_groups(x[start:stop]), _logistic_of_scalars(x[stop:])]
    return np.concatenate(ends)


def _logistic_of_scalars(x: Float32) -> Float32:
    e: Float32 = libm.exp(np.where(x > _LOGISTIC_HIGH, _LOGISTIC_HIGH, x))
    return np.asarray(e / (np.float32(1) + e))


def _logistic_of_groups(x: Float32) -> Float32:
    """e^(x/2) = 2^m · e^r with |r| <= ln(2) / 2, squared, and divided by one more than itself."""
    half = np.where(x < _LOGISTIC_HIGH, x, _LOGISTIC_HIGH) * np.float32(0.5)
    m = np.floor(half * LOG2_E + np.float32(0.5))
    r = m * LN2_LOW + (m * LN2_HIGH + half)
    square = r * r
    even, odd = polynomial(square, _EXP_EVEN), polynomial(square, _EXP_ODD)
    p = square * (r * odd + even) + (r + np.float32(1))
    exponent = np.clip(m + np.float32(127), 0, 255).astype(np.int32)
    e = p * (exponent << 23).view(np.float32)
    e = e * e
    return np.where(x < _LOGISTIC_LOW, np.float32(0), e / (np.float32(1) + e))


def polynomial(x: Float32, coefficients: Sequence[float]) -> Float32:
    """Horner's scheme, the highest coefficient first."""
    value = np.full(x.shape, coefficients[0], np.float32)
    for coefficient in coefficients[1:]:
        value = value * x + np.float32(coefficient)
    return value
