"""XNNPACK's arithmetic on 8-bit codes: multipliers in float32, ties to even; a few operators in short fixed point.

The kernels for x86-64 compute the same, whichever instruction set they are for.
Source: XNNPACK src/xnnpack/requantization.h, src/microparams-init.c, src/reference/unary-elementwise.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import ActivationFunctionType
from int8rt.quantization.requantization import Requantization, Rounding
from int8rt.quantization.rounding import saturate

Float32Array = npt.NDArray[np.float32]

# A scale that is as large as this, or larger, cannot be multiplied by.
LARGEST_SCALE = 256.0

_BOUNDS: dict[ActivationFunctionType, tuple[float, float]] = {
    ActivationFunctionType.NONE: (-np.inf, np.inf),
    ActivationFunctionType.RELU: (0.0, np.inf),
    ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    ActivationFunctionType.RELU6: (0.0, 6.0),
}
ACTIVATIONS = frozenset(_BOUNDS)


def activation_range(
    activation: ActivationFunctionType, scale: float, zero_point: int, dtype: npt.DTypeLike
) -> tuple[int, int]:
    """(activation_min, activation_max) in codes: bound / scale + zero_point in float32, clamped, then ties to even."""
    info = np.iinfo(np.dtype(dtype))

    def code(bound: float) -> int:
        with np.errstate(over="ignore"):
            value = np.float32(bound) / np.float32(scale) + np.float32(zero_point)
        return int(np.rint(np.clip(value, info.min, info.max)))

    low, high = _BOUNDS[activation]
    return code(low), code(high)


def real_bounds(activation: ActivationFunctionType) -> tuple[np.float32, np.float32]:
    """(lowest, highest) real number of an activation, infinite where there is no bound."""
    low, high = _BOUNDS[activation]
    return np.float32(low), np.float32(high)


def product_scale(first: npt.ArrayLike, second: npt.ArrayLike, output: float) -> Float32Array:
    """first · second / output, each step rounded to float32; scales."""
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        product = np.asarray(first, np.float32) * np.asarray(second, np.float32)
        return np.asarray(product / np.float32(output), np.float32)


def in_float32(
    parameters: Requantization, scale: npt.ArrayLike, activation_min: int, activation_max: int
) -> Requantization:
    """`parameters` with XNNPACK's rounding: float32(accumulator) · scale, ties to even. scale: float32[n]."""
    real = np.broadcast_to(np.asarray(scale, np.float64).reshape(-1), parameters.multiplier.shape)
    return replace(
        parameters,
        rounding=Rounding.FLOAT32,
        real_multiplier=np.array(real),
        activation_min=activation_min,
        activation_max=activation_max,
    )


@dataclass(frozen=True, slots=True)
class SumOfCodes:
    """ADD and SUB: (bias + multiplier1 · code1 + multiplier2 · code2) >> shift, then the output's zero point."""

    bias: int
    multiplier1: int
    multiplier2: int
    shift: int

    def __call__(self, codes1: npt.NDArray[Any], codes2: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """The sum in output steps, without the zero point; the inputs broadcast."""
        total = codes1.astype(np.int32) * np.int32(self.multiplier1) + np.int32(self.bias)
        total = total + codes2.astype(np.int32) * np.int32(self.multiplier2)
        return np.asarray(total >> np.int32(self.shift), np.int32)


def sum_of_codes(ratio1: np.float32, zero_point1: int, ratio2: np.float32, zero_point2: int) -> SumOfCodes:
    """The integers of a sum. ratios: of an input's scale to the output's in float32, negative for what is subtracted.

    2^-10 <= |ratio| < 2^8. The larger multiplier has 21 bits; both are rounded with ties to even.
    """
    exponent = int(np.frexp(max(abs(ratio1), abs(ratio2)))[1]) - 1
    shift = 20 - exponent
    multiplier1, multiplier2 = (int(np.rint(np.ldexp(np.float64(ratio), shift))) for ratio in (ratio1, ratio2))
    bias = (1 << (shift - 1)) - multiplier1 * zero_point1 - multiplier2 * zero_point2
    return SumOfCodes(bias, multiplier1, multiplier2, shift)


def rescale_by_256ths(
    codes: npt.NDArray[Any], zero_point: int, multiplier: npt.ArrayLike, output_zero_point: int
) -> npt.NDArray[Any]:
    """floor(((code - zero_point) · multiplier + 128) / 256) + output_zero_point, saturated to the codes' type.

    multiplier: see `in_256ths`; broadcasts against the codes.
    """
    scaled = (codes.astype(np.int64) - zero_point) * np.asarray(multiplier, np.int64)
    return saturate(((scaled + 128) >> 8) + output_zero_point, codes.dtype)


def in_256ths(scale: np.float32) -> int:
    """A scale in 256ths, ties to even; float32."""
    return int(np.rint(np.float32(256) * np.float32(scale)))


def quantize(real: npt.NDArray[Any], scale: float, zero_point: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Real numbers to codes: real · (1 / scale) in float32, ties to even, saturated; NaN becomes the largest code."""
    info = np.iinfo(np.dtype(dtype))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        steps = flush(real.astype(np.float32)) * (np.float32(1) / np.float32(scale))
    largest, smallest = np.float32(info.max - zero_point), np.float32(info.min - zero_point)
    steps = np.where(np.isnan(steps), largest, np.clip(steps, smallest, largest))
    codes: npt.NDArray[Any] = (np.rint(steps).astype(np.int32) + zero_point).astype(dtype)
    return codes


def populate_lookup_table(
    function: Callable[[Float32Array], npt.NDArray[Any]],
    codes: npt.NDArray[Any],
    input: tuple[float, int],
    output: tuple[float, int],
) -> npt.NDArray[Any]:
    """The output code of each 8-bit code: the zero point is added in float32, before it is rounded with ties to even.

    function: of float32 arrays. input, output: (scale, zero point).
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        real = (codes.astype(np.float32) - np.float32(input[1])) * np.float32(input[0])
        value = function(real).astype(np.float32) * (np.float32(1) / np.float32(output[0])) + np.float32(output[1])
    return _rounded(np.where(np.isnan(value), np.float32(0), value), codes.dtype)


def reduced_codes(
    total: npt.NDArray[np.int32],
    count: int,
    mean: bool,
    input: tuple[float, int],
    output: tuple[float, int],
    dtype: npt.DTypeLike,
) -> npt.NDArray[Any]:
    """MEAN or SUM of codes from their sums: total · scale + offset in float32, ties to even.

    input, output: (scale, zero point). The offset is rounded to float32 at each step.
    """
    scale = np.float32(np.float32(input[0]) / np.float32(output[0]))
    scale = scale * (np.float32(1) / np.float32(count) if mean else np.float32(1))
    offset = np.float32(output[1]) - np.float32(count * input[1]) * scale
    return _rounded(total.astype(np.float32) * scale + offset, dtype)


def _rounded(value: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    info = np.iinfo(np.dtype(dtype))
    codes: npt.NDArray[Any] = np.clip(np.rint(value), info.min, info.max).astype(dtype)
    return codes


@dataclass(frozen=True, slots=True, eq=False)
class DynamicCodes:
    """Rows of real numbers as codes: real = (code - zero_point) · inverse_scale. codes: int8[n,k], the others: [n]."""

    codes: npt.NDArray[np.int8]
    zero_point: npt.NDArray[np.int64]
    inverse_scale: Float32Array


def quantize_dynamically(rows: npt.NDArray[np.float32]) -> DynamicCodes | None:
    """float32[n,k], each row with the scale and zero point of its own range, which holds 0; all steps in float32.

    None where a range is not a normal number, or not finite.
    Source: XNNPACK src/xnnpack/quantization.h, xnn_qd8_asymmetric_quantization_params.
    """
    one, low, high = np.float32(1), np.float32(-128), np.float32(127)
    smallest, largest = (np.asarray(f(rows, axis=1, initial=np.float32(0)), np.float32) for f in (np.min, np.max))
    with np.errstate(all="ignore"):
        extent = largest - smallest
        scale = np.where(extent == 0, one, np.float32(255) / extent)
        if not np.all(np.isfinite(extent) & np.isfinite(scale) & (scale >= np.finfo(np.float32).tiny)):
            return None
        descaled_low, descaled_high = smallest * scale, largest * scale
        from_low = (low + descaled_low) + (high + descaled_high) > 0
        zero_point = np.rint(np.clip(np.where(from_low, low - descaled_low, high - descaled_high), low, high))
        steps = np.minimum(rows * scale[:, np.newaxis], (high - zero_point)[:, np.newaxis])
        codes = np.rint(steps).astype(np.int64) + zero_point.astype(np.int64)[:, np.newaxis]
        inverse = np.asarray(one / scale, np.float32)
    return DynamicCodes(saturate(codes, np.int8), zero_point.astype(np.int64), inverse)


def multiply_add(x: npt.ArrayLike, y: npt.ArrayLike, z: npt.ArrayLike) -> Float32Array:
    """x · y + z in float32 with a single rounding, as a fused multiply-add; float32 arguments that broadcast.

    The product is exact in float64. Its sum with z is rounded there to the neighbour whose last bit is odd where it is
    not exact, so that rounding it once more to float32 is the only rounding.
    """
    with np.errstate(all="ignore"):
        product = np.asarray(x, np.float64) * np.asarray(y, np.float64)
        addend = np.broadcast_to(np.asarray(z, np.float64), product.shape)
        total = np.asarray(product + addend)
        part = total - product
        error = (product - (total - part)) + (addend - part)
        inexact = (error != 0) & np.isfinite(total) & (total.view(np.int64) & 1 == 0)
        total = np.where(inexact, np.nextafter(total, np.copysign(np.inf, error)), total)
        return total.astype(np.float32)


def flush(values: npt.NDArray[np.float32]) -> Float32Array:
    """`values` with zeros of their sign in place of subnormal numbers, as XNNPACK sets the processor up."""
    tiny = np.finfo(np.float32).tiny
    return np.where(np.abs(values) < tiny, np.copysign(np.float32(0), values), values)
