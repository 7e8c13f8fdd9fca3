"""`requantize` as vector code: the same roundings, lane by lane, for the inner tiles of the jitted kernels.

Each `VectorRequantization` lays out what it needs for every output channel as rows of 32-bit words, and emits the
LLVM IR that reads them. Outputs are unsigned bytes: int8 codes with their sign bit flipped, so zero points of int8
tensors are given plus 128.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.isa.emitter import F64, I32, I64, Emitter, constant, vector
from int8rt.quantization.requantize import Requantization, Rounding

Words = npt.NDArray[np.int32]


def choose(parameters: Requantization, accumulator_bound: npt.NDArray[np.int64]) -> str | None:
    """Name of the variant for these parameters; None where there is no vector code for them.

    accumulator_bound: int64[n], no accumulator of a channel is larger in magnitude.
    """
    zero_point = abs(parameters.zero_point) + 128  # at most, as that of the unsigned output
    if zero_point > 1 << 20:
        return None
    if parameters.rounding is Rounding.FLOAT64:
        largest = np.minimum(accumulator_bound, 1 << 31) * np.abs(parameters.real_multiplier)
        return "float64" if np.all(largest < 2.0**30) else None
    shift, multiplier = parameters.shift.astype(np.int64), parameters.multiplier.astype(np.int64)
    if parameters.rounding is not Rounding.DOUBLE or np.any(shift > 31) or np.any(multiplier < 0):
        return None
    if np.all(shift < 0) and np.all(shift >= -31) and np.all(accumulator_bound < 1 << 30):
        # The sums that `_double_right` makes in 32 bits: the product, the rounding constant and the zero point.
        sums = (accumulator_bound * multiplier >> 31) + 2 + _rounding_constant(shift, zero_point)
        if np.all(sums < 1 << 31):
            return "double_relu" if parameters.activation_min >= parameters.zero_point else "double_right"
    return "double"


def _rounding_constant(shift: npt.NDArray[np.int64], zero_point: int) -> npt.NDArray[np.int64]:
    """One half and the zero point, in units of 2^shift; negative shifts."""
    return (np.int64(1) << (-shift - 1)) + (np.int64(zero_point) << -shift)


def words(variant: str, parameters: Requantization, zero_point: int, channels: int) -> Words:
    """int32[rows, channels]: what `emit` reads for each channel; `zero_point` is that of the unsigned output."""
    shift = np.broadcast_to(parameters.shift.astype(np.int64), channels)
    multiplier = np.broadcast_to(parameters.multiplier, channels)
    if variant == "float64":
        real = np.broadcast_to(parameters.real_multiplier, channels).astype("<f8")
        return np.stack([*real.view("<i4").reshape(channels, 2).T, np.full(channels, zero_point, "<i4")])
    right = np.maximum(-shift, 0)
    half = (np.int64(1) << right) >> 1
    if variant == "double":
        rounds = -(right > 0).astype(np.int64)
        rows = [multiplier, half, right, np.maximum(shift, 0), rounds, np.full(channels, zero_point)]
    else:
        rows = [multiplier, _rounding_constant(shift, zero_point), right]
    return np.stack([np.asarray(row, np.int64).astype(np.int32) for row in rows])


ROWS = {"float64": 3, "double_relu": 3, "double_right": 3, "double": 6}


def load_rows(variant: str, e: Emitter, rows: list[Any]) -> list[Any]:
    """What `emit` needs of the vectors of `words`, prepared once for several accumulators."""
    if variant in ("double_relu", "double_right"):
        multiplier, constant_, right = rows
        return [*_halves(e, multiplier), *(_rounding_in_high_half(e, half) for half in _halves(e, constant_)), right]
    return rows


def emit(variant: str, e: Emitter, accumulator: Any, rows: list[Any]) -> Any:
    """int32 output codes, zero point added and not yet clamped, of a vector of int32 accumulators.

    rows: from `load_rows`. "double_relu" is right only up to a clamp from below at the zero point or above it.
    """
    if variant == "float64":
        return _float64(e, accumulator, *rows)
    if variant in ("double_relu", "double_right"):
        return _double_right(e, accumulator, rows, exact_below_zero=variant == "double_right")
    multiplier, half, right, left, rounds, zero_point = rows
    value = _doubling_high_mul(e, e.b.shl(accumulator, left), multiplier)
    correction = e.b.and_(_sign(e, value), rounds)
    value = e.b.ashr(e.b.add(e.b.add(value, half), correction), right)
    return e.b.add(value, zero_point)


def _double_right(e: Emitter, accumulator: Any, rows: list[Any], exact_below_zero: bool) -> Any:
    """Both roundings with every shift at least 1 to the right, in as few instructions as there are.

    floor((a·m + 2^30) / 2^31) is the upper half of 2a·m + 2^31. Adding c · 2^32 to that sum adds c to the half, so one
    64-bit constant brings both roundings and the zero point: upper half of 2a·m + 2^31 + (2^(s-1) + z · 2^s) · 2^32,
    shifted right by s. Ties away from zero take 1 off what is negative; the sign of a serves for that of the product:
    where they differ the product is 0, and (0 + 2^(s-1) - 1) >> s is 0 too.
    """
    even_m, odd_m, even_c, odd_c, right = rows
    lanes = accumulator.type.count
    even, odd = _halves(e, e.b.add(accumulator, accumulator))
    even, odd = e.b.add(e.b.mul(even, even_m), even_c), e.b.add(e.b.mul(odd, odd_m), odd_c)
    narrow = vector(I32, lanes)
    order = [lane + 1 if lane % 2 == 0 else lanes + lane for lane in range(lanes)]
    value = e.shuffle(e.b.bitcast(even, narrow), e.b.bitcast(odd, narrow), order)
    if exact_below_zero:
        value = e.b.add(value, _sign(e, accumulator))
    return e.b.ashr(value, right)


def _halves(e: Emitter, value: Any) -> tuple[Any, Any]:
    """The even and the odd int32 lanes, each sign-extended to 64 bits."""
    half = value.type.count // 2
    wide, thirty_two = e.b.bitcast(value, vector(I64, half)), constant(I64, [32] * half)
    return e.b.ashr(e.b.shl(wide, thirty_two), thirty_two), e.b.ashr(wide, thirty_two)


def _rounding_in_high_half(e: Emitter, value: Any) -> Any:
    half = value.type.count
    shifted = e.b.shl(value, constant(I64, [32] * half))
    return e.b.add(shifted, constant(I64, [1 << 31] * half))


def _doubling_high_mul(e: Emitter, value: Any, multiplier: Any) -> Any:
    """`rounding.saturating_rounding_doubling_high_mul` for multiplier >= 0, where nothing saturates.

    Even and odd lanes are multiplied apart, each in 64 bits: floor((a·b + 2^30) / 2^31).
    """
    lanes = value.type.count
    rounding = constant(I64, [1 << 30] * (lanes // 2))
    (low_a, high_a), (low_b, high_b) = _halves(e, value), _halves(e, multiplier)
    even = e.b.lshr(e.b.add(e.b.mul(low_a, low_b), rounding), constant(I64, [31] * (lanes // 2)))
    odd = e.b.shl(e.b.add(e.b.mul(high_a, high_b), rounding), constant(I64, [1] * (lanes // 2)))
    narrow = vector(I32, lanes)
    order = [lane if lane % 2 == 0 else lanes + lane for lane in range(lanes)]
    return e.shuffle(e.b.bitcast(even, narrow), e.b.bitcast(odd, narrow), order)


def _sign(e: Emitter, value: Any) -> Any:
    return e.b.ashr(value, constant(I32, [31] * value.type.count))


def _float64(e: Emitter, accumulator: Any, low: Any, high: Any, zero_point: Any) -> Any:
    """`requantize.multiply_by_real_multiplier`: llvm.round is C's round, ties away from zero."""
    lanes = accumulator.type.count
    bits = vector(I64, lanes)
    thirty_two = constant(I64, [32] * lanes)
    real = e.b.bitcast(e.b.or_(e.b.zext(low, bits), e.b.shl(e.b.zext(high, bits), thirty_two)), vector(F64, lanes))
    product = e.b.fmul(e.b.sitofp(accumulator, vector(F64, lanes)), real)
    rounded = e.intrinsic(f"llvm.round.v{lanes}f64", vector(F64, lanes), [product])
    return e.b.add(e.b.fptosi(rounded, vector(I32, lanes)), zero_point)
