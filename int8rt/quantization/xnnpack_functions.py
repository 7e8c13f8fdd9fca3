"""Functions of float32 as XNNPACK approximates them with AVX-512F: rational functions, tables and fused multiply-adds.

Each operation is rounded to float32 in XNNPACK's order; subnormal numbers count as 0, and become 0. Kernels for other
instruction sets approximate otherwise. Arguments hold no subnormal numbers. Source: XNNPACK src/f32-vtanh,
src/f32-vsigmoid and so on: the kernels that src/configs/unary-elementwise-config.c chooses where there is AVX-512F.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from int8rt.quantization.xnnpack import flush, multiply_add

Float32 = npt.NDArray[np.float32]

_ONE, _HALF = np.float32(1), np.float32(0.5)
_LOG2_E = np.float32(float.fromhex("0x1.715476p+0"))
_MINUS_LN2 = np.float32(float.fromhex("-0x1.62E430p-1"))
_SIGN = np.uint32(1 << 31)

# Added to a number below, it leaves the number's integer part in the last bits; in the sigmoid 5 bits of a fraction.
_INTEGER_AND_BIAS = np.float32(float.fromhex("0x1.8000FEp23"))
_FRACTION_OF_5_BITS = np.float32(float.fromhex("0x1.8p18"))
_INTEGER = np.float32(1.5 * 2**23)

_POWERS_OF_32ND = np.exp2(np.arange(32) / 32).astype(np.float32)

_TANH_CLAMP = np.float32(7.9807181358)
_TANH_NUMERATOR = (1.4248920266e-08, 2.1235626264e-05, 3.5330520477e-03, 1.3412411511e-01, 1.0)
_TANH_DENOMINATOR = (8.1365948290e-07, 3.3472978976e-04, 2.6018999517e-02, 4.6745735407e-01, 1.0)

_GELU_CLAMP = np.float32(5.1638283730)
_GELU_NUMERATOR = (
    *(4.5835321316e-08, 1.2609783880e-05, 3.2973114867e-04),
    *(9.3065137044e-03, 6.6972173750e-02, 7.9788452387e-01),
)
_GELU_DENOMINATOR = (1.1988805682e-06, 7.2267655923e-05, 1.8622842617e-03, 2.8431978077e-02, 2.5060352683e-01, 1.0)
_APPROXIMATE_GELU_CLAMP = np.float32(4.84974098)
_APPROXIMATE_GELU_NUMERATOR = (
    *(4.9544411240e-08, 1.4302649106e-05, 2.6887017884e-04),
    *(7.2898347862e-03, 6.0803253204e-02, 7.9788458347e-01),
)
_APPROXIMATE_GELU_DENOMINATOR = (
    *(1.3433452750e-06, 7.6477612311e-05, 1.3060354395e-03),
    *(2.4381054565e-02, 2.4369759858e-01, 1.0),
)

_SIGMOID_LN2_LOW = np.float32(float.fromhex("0x1.05C61p-29"))
_SIGMOID_C1 = np.float32(float.fromhex("0x1.0000F6p-0"))

_EXP_NUMERATOR = (5.5375634693e-03, 4.8078041524e-02, 6.9314718246e-01)
_EXP_DENOMINATOR = (2.3987604305e-02, -2.7721086144e-01, 1.0)

_TERM_LN2_HIGH = np.float32(float.fromhex("-0x1.62E400p-1"))
_TERM_LN2_LOW = np.float32(float.fromhex("-0x1.7F7D1Cp-20"))
_TERM = tuple(
    float.fromhex(digits)
    for digits in ("0x1.0F9F9Cp-7", "0x1.573A1Ap-5", "0x1.555A80p-3", "0x1.FFFDC6p-2", "0x1.FFFFF6p-1")
)
_TERM_CUTOFF = np.float32(float.fromhex("-0x1.5D589Ep6"))

_ELU_CUTOFF = np.float32(float.fromhex("-0x1.154246p+4"))
_ELU = tuple(
    float.fromhex(digits)
    for digits in ("0x1.6B7338p-10", "0x1.12278Ep-7", "0x1.555716p-5", "0x1.5554B0p-3", "0x1.FFFFFEp-2")
)

_PI, _HALF_PI_HIGH, _HALF_PI_LOW = np.float32(3.1415927), np.float32(1.5707963705), np.float32(-4.3711388e-08)
_INVERSE_OF_2_PI = np.float32(0.15915494)
_TWO_PI_HIGH, _TWO_PI_LOW = np.float32(6.28125), np.float32(1.9353072e-3)
_SINE_NUMERATOR = (3.2340581529e-03, -1.3314664364e-01, 1.0)
_SINE_DENOMINATOR = (4.8770775902e-04, 3.3519912511e-02, 1.0)

# Their product is 1 in float32.
_ROOT_OF_2, _ROOT_OF_HALF = np.float32(1.4142134190), np.float32(7.0710688829e-01)
_LN2 = np.float32(np.log(2))
_LOG_NUMERATOR = (1.824996918440e-01, 1.0, 1.0)
_LOG_DENOMINATOR = (0.049584995955, 0.599170029163, 1.5, 1.0)

_SIXTH = np.float32(float.fromhex("0x1.555556p-3"))


def minimum(x: npt.ArrayLike, y: npt.ArrayLike) -> Float32:
    """The processor's minimum: y unless x is smaller, so also where one is no number."""
    return np.asarray(np.where(np.less(x, y), x, y), np.float32)


def maximum(x: npt.ArrayLike, y: npt.ArrayLike) -> Float32:
    """The processor's maximum: y unless x is larger."""
    return np.asarray(np.where(np.greater(x, y), x, y), np.float32)


def fused(x: npt.ArrayLike, y: npt.ArrayLike, z: npt.ArrayLike) -> Float32:
    """x · y + z with one rounding, then without subnormal numbers."""
    return flush(multiply_add(x, y, z))


def polynomial(x: Float32, coefficients: Sequence[float]) -> Float32:
    """Horner's scheme with one rounding for each degree, the highest coefficient first."""
    value = np.full(x.shape, coefficients[0], np.float32)
    for coefficient in coefficients[1:]:
        value = fused(x, value, np.float32(coefficient))
    return value


def tanh(x: Float32) -> Float32:
    """The hyperbolic tangent."""
    x = maximum(-_TANH_CLAMP, minimum(_TANH_CLAMP, x))
    return _odd_quotient(x, _TANH_NUMERATOR, _TANH_DENOMINATOR)


def _odd_quotient(x: Float32, numerator: Sequence[float], denominator: Sequence[float]) -> Float32:
    square = flush(x * x)
    return flush(flush(x * polynomial(square, numerator)) / polynomial(square, denominator))


def gelu(x: Float32) -> Float32:
    """x / 2 · (1 + erf(x / √2))."""
    return _gelu(x, _GELU_CLAMP, _GELU_NUMERATOR, _GELU_DENOMINATOR)


def approximate_gelu(x: Float32) -> Float32:
    """x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))."""
    return _gelu(x, _APPROXIMATE_GELU_CLAMP, _APPROXIMATE_GELU_NUMERATOR, _APPROXIMATE_GELU_DENOMINATOR)


def _gelu(x: Float32, clamp: np.float32, numerator: Sequence[float], denominator: Sequence[float]) -> Float32:
    held = maximum(-clamp, minimum(clamp, x))
    return flush(flush(x * _HALF) * flush(_odd_quotient(held, numerator, denominator) + _ONE))


def sigmoid(x: Float32) -> Float32:
    """1 / (1 + e^-x)."""
    z = (x.view(np.uint32) | _SIGN).view(np.float32)
    n = fused(z, _LOG2_E, _FRACTION_OF_5_BITS)
    power = _POWERS_OF_32ND[n.view(np.uint32) & np.uint32(31)]
    n = n - _FRACTION_OF_5_BITS
    t = fused(n, _SIGMOID_LN2_LOW, fused(n, _MINUS_LN2, z))
    p = fused(t, _HALF, _SIGMOID_C1)
    p = fused(flush(t * power), p, power)
    # Of no number the processor makes 0 when it is scaled by 2^-inf.
    scaled = np.ldexp(p, np.clip(np.floor(np.nan_to_num(n)), -1000, 1000).astype(np.int32))
    e = flush(np.where(np.isnan(p) & np.isneginf(n), np.float32(0), scaled).astype(np.float32))
    quotient = flush(e / (e + _ONE))
    return np.where(np.signbit(x), quotient, _ONE - quotient)


def exp(x: Float32) -> Float32:
    """e^x."""
    z = minimum(maximum(flush(x * _LOG2_E), np.float32(-127)), np.float32(128))
    integer = (_INTEGER + z) - _INTEGER
    r = flush(z - integer)
    shifted = (integer + np.float32(2**23 + 127)).view(np.uint32) << np.uint32(23)
    quotient = flush(flush(r * polynomial(r, _EXP_NUMERATOR)) / polynomial(r, _EXP_DENOMINATOR))
    return flush(shifted.view(np.float32) * (quotient + _ONE))


def exp_of_negative(x: Float32) -> Float32:
    """e^x of numbers that are not positive, as for SOFTMAX."""
    n = fused(x, _LOG2_E, _INTEGER_AND_BIAS)
    scale = (n.view(np.uint32) << np.uint32(23)).view(np.float32)
    n = n - _INTEGER_AND_BIAS
    t = fused(n, _TERM_LN2_LOW, fused(n, _TERM_LN2_HIGH, x))
    value = fused(flush(t * flush(scale)), polynomial(t, _TERM), flush(scale))
    return np.where(x < _TERM_CUTOFF, np.float32(0), value)


def elu(x: Float32) -> Float32:
    """x, but e^x - 1 of negative numbers."""
    z = maximum(_ELU_CUTOFF, x)
    n = fused(z, _LOG2_E, _INTEGER_AND_BIAS)
    scale = (n.view(np.uint32) << np.uint32(23)).view(np.float32)
    n = n - _INTEGER_AND_BIAS
    t = fused(n, _MINUS_LN2, z)
    p = flush(polynomial(t, _ELU) * t)
    t = flush(t * scale)
    below = flush(fused(p, t, t) + flush(scale - _ONE))
    return np.where(x < 0, below, x)


def sin(x: Float32) -> Float32:
    """The sine of an angle in radians."""
    return _sine(_reduced(x))


def cos(x: Float32) -> Float32:
    """The cosine of an angle in radians."""
    return _sine(flush(flush(_HALF_PI_HIGH - _reduced(x)) + _HALF_PI_LOW))


def _reduced(x: Float32) -> Float32:
    turns = np.rint(flush(x * _INVERSE_OF_2_PI))
    return fused(-turns, _TWO_PI_LOW, fused(-turns, _TWO_PI_HIGH, x))


def _sine(x: Float32) -> Float32:
    x = minimum(x, flush(_PI - x))
    x = maximum(x, flush(-_PI - x))
    x = minimum(x, flush(_PI - x))
    return _odd_quotient(x, _SINE_NUMERATOR, _SINE_DENOMINATOR)


def log(x: Float32) -> Float32:
    """The natural logarithm; -inf of 0, NaN of negative numbers."""
    x = flush(x * _ROOT_OF_2)
    exponent = (np.frexp(x)[1] - 1).astype(np.float32)
    exponent = np.where(np.isinf(x), np.float32(np.inf), np.where(x == 0, np.float32(-np.inf), exponent))
    exponent = np.where((x < 0) | np.isnan(x), np.float32(np.nan), exponent)
    mantissa = (x.view(np.uint32) & np.uint32(0x007FFFFF)) | _ONE.view(np.uint32)
    x = flush(flush(mantissa.view(np.float32) * _ROOT_OF_HALF) - _ONE)
    quotient = flush(flush(x * polynomial(x, _LOG_NUMERATOR)) / polynomial(x, _LOG_DENOMINATOR))
    return fused(exponent, _LN2, quotient)


def hard_swish(x: Float32) -> Float32:
    """x · min(max(x / 6 + 1/2, 0), 1)."""
    gate = minimum(maximum(fused(x, _SIXTH, _HALF), np.float32(0)), _ONE)
    return flush(gate * x)


def leaky_relu(x: Float32, slope: npt.ArrayLike) -> Float32:
    """x, but x · slope of negative numbers. What is not multiplied keeps its subnormal numbers."""
    product = flush(flush(x) * flush(np.asarray(slope, np.float32)))
    return np.where(flush(x) < 0, product, x)
