"""Quantization and dequantization in float32, as training simulates it.

Source: TensorFlow Lite kernels/internal/quantization_util.cc, NudgeQuantizationRange and FakeQuantizeArray;
TensorFlow core/kernels/fake_quant_ops_functor.h, FakeQuantWithMinMaxVars, its per-channel form, and their gradients.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.quantization.rounding import round_half_away

Float32 = npt.NDArray[np.float32]

_NORMAL = np.finfo(np.float32).tiny


def nudge_quantization_range(minimum: float, maximum: float, num_bits: int) -> tuple[float, float, float]:
    """(minimum, maximum, scale) of the quantized range that is nearest to a real one and holds 0; float32 numbers.

    1 <= num_bits <= 16, minimum <= 0 <= maximum, minimum < maximum.
    """
    with np.errstate(all="ignore"):
        low, high, scale = _nudge(np.float32(minimum), np.float32(maximum), 0, (1 << num_bits) - 1)
    return float(low), float(high), float(scale)


def fake_quantize(x: Float32, minimum: float, maximum: float, scale: float) -> Float32:
    """The nearest value of a quantized range, which `nudge_quantization_range` gives; NaN becomes the minimum."""
    low, high, step = np.float32(minimum), np.float32(maximum), np.float32(scale)
    with np.errstate(all="ignore"):
        clamped = np.where(low < x, x, low)
        clamped = np.where(clamped < high, clamped, high)
        return np.asarray(round_half_away((clamped - low) * (np.float32(1) / step)) * step + low)


def fake_quant_with_min_max_vars(
    x: npt.ArrayLike, minimum: npt.ArrayLike, maximum: npt.ArrayLike, num_bits: int = 8, narrow_range: bool = False
) -> Float32:
    """`x` rounded to the values of a quantized range, with the bits of TensorFlow's operator on a CPU.

    x: float32[...], real. minimum, maximum: float32[], or float32[channels] with a range for each index of the last
    dimension of `x`; the per-channel form multiplies by an inverse where the other divides, as TensorFlow does.
    num_bits: 2 to 16. narrow_range: without the lowest value. A range from 0 to 0 gives zeros. Subnormal values are 0,
    as they are to TensorFlow. Raises `InputError` for other ranges that are empty or not finite, or so small or wide
    that the scale or its inverse is subnormal (TensorFlow answers NaN or zeros), and where `x` holds NaN.
    """
    values, low, high, inverse, quantized_zero, step = _prepared(x, minimum, maximum, num_bits, narrow_range)
    half = np.float32(0.5)
    shifted = np.maximum(np.minimum(values, high), low) - low
    with np.errstate(all="ignore"):
        steps = shifted / step if low.ndim == 0 else shifted * inverse
        found = np.floor(steps - quantized_zero + half) * step
    return np.where(step == 0, np.float32(0), found)


def fake_quant_with_min_max_vars_gradient(
    gradient: npt.ArrayLike,
    x: npt.ArrayLike,
    minimum: npt.ArrayLike,
    maximum: npt.ArrayLike,
    num_bits: int = 8,
    narrow_range: bool = False,
) -> tuple[Float32, Float32, Float32]:
    """The gradients of `x`, `minimum` and `maximum`, each of its argument's shape; float32.

    gradient: that of the result, of the shape of `x`; it passes where `x` is inside of the nudged range (the
    straight-through estimator). What is below goes into the sum for the minimum, what is above into that for the
    maximum. TensorFlow's order of summation depends on the machine; here the sum is made in float64 and rounded once,
    which is the same where float32 sums are exact. A range from 0 to 0 lets all pass. Errors as of the forward form.
    """
    values, low, high, _, _, step = _prepared(x, minimum, maximum, num_bits, narrow_range)
    passed = np.asarray(gradient, np.float32)
    if passed.shape != values.shape:
        raise InputError(f"the gradient has the shape {list(passed.shape)}, the values {list(values.shape)}")
    whole = step == 0
    below, above = (values < low) & ~whole, (values > high) & ~whole
    axes = tuple(range(values.ndim - low.ndim))
    sums = [np.sum(np.where(part, passed, 0), axis=axes, dtype=np.float64) for part in (below, above)]
    inside = passed * np.where(below | above, np.float32(0), np.float32(1))
    return inside, np.asarray(sums[0], np.float32), np.asarray(sums[1], np.float32)


def _prepared(
    x: npt.ArrayLike, minimum: npt.ArrayLike, maximum: npt.ArrayLike, num_bits: int, narrow_range: bool
) -> tuple[Float32, Float32, Float32, Float32, Float32, Float32]:
    """Checked values, ends of the nudged range, inverse of the scale, quantized zero, scale; scale 0 for [0, 0]."""
    values, low, high = (np.asarray(item, np.float32) for item in (x, minimum, maximum))
    if not 2 <= num_bits <= 16:
        raise InputError(f"{num_bits} bits; supported are 2 to 16")
    if low.shape != high.shape or low.ndim > 1 or (low.ndim == 1 and low.shape != values.shape[-1:]):
        raise InputError(f"ranges of shapes {list(low.shape)} and {list(high.shape)} for values {list(values.shape)}")
    if np.isnan(values).any():
        raise InputError("the values hold NaN")
    lowest, highest = int(narrow_range), (1 << num_bits) - 1
    empty = (low == 0) & (high == 0)
    with np.errstate(all="ignore"):
        nudged_low, nudged_high, step = _nudge(low, high, lowest, highest)
        inverse = np.float32(highest - lowest) / (high - low)
        quantized_zero = np.floor(-nudged_low * inverse + np.float32(0.5))
        normal = (low < high) & (step >= _NORMAL) & (inverse >= _NORMAL) & (np.float32(1) / step >= _NORMAL)
    numbers = (nudged_low, nudged_high, inverse, quantized_zero, step)
    if not (empty | (normal & np.logical_and.reduce([np.isfinite(n) for n in numbers]))).all():
        raise InputError("a range is empty, not finite, or too small or too wide for float32")
    values = np.where(np.abs(values) < _NORMAL, np.float32(0), values)
    fixed = [np.asarray(np.where(empty, np.float32(0), number), np.float32) for number in numbers]
    return values, fixed[0], fixed[1], fixed[2], fixed[3], fixed[4]


def _nudge(
    low: np.float32 | Float32, high: np.float32 | Float32, lowest: int, highest: int
) -> tuple[Float32, Float32, Float32]:
    """Ends and scale of the range that is moved so that 0 is one of its quantized values `lowest` to `highest`."""
    first, last = np.float32(lowest), np.float32(highest)
    scale = (high - low) / (last - first)
    zero_point = round_half_away(np.clip(first - low / scale, first, last))
    return np.asarray((first - zero_point) * scale), np.asarray((last - zero_point) * scale), np.asarray(scale)
