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
    if np.all(multiplier > 0) and np.all(shift < 0) and np.all(shift >= -31) and np.all(accumulator_bound < 1 << 30):
        # The sums that `_double_right` makes in 32 bits: the product, the rounding constant and the zero point.
        sums = (accumulator_bound * multiplier >> 31) + 2 + _rounding_constant(shift, zero_point)
        if np.all(sums < 1 << 31):
            return "double_relu" if parameters.activation_min >= parameters.zero_point else "double_right"
    return "double"


def _rounding_constant(shift: npt.NDArray[np.int64], zero_point: int) -> npt.NDArray[np.int64]:
    """One half and the zero point, in units of 2^shift; negative shifts."""
    return (np.int64(1) << (-shift - 1)) + (np.int64(zero_point) << -shift)


def words(variant: str, parameters: Requantization, zero_point: int, constant: npt.NDArray[np.int64]) -> Words:
    """int32[1 + rows, channels]: what accumulators begin with, then what `emit` reads for each channel.

    constant: int64[channels], what accumulators have to begin with by the operator's definition. zero_point: of the
    unsigned output.
    """
    channels = len(constant)
    shift = np.broadcast_to(parameters.shift.astype(np.int64), channels)
    multiplier = np.broadcast_to(parameters.multiplier.astype(np.int64), channels)
    if variant == "float64":
        real = np.broadcast_to(parameters.real_multiplier, channels).astype("<f8")
        halves = real.view("<i4").reshape(channels, 2).T
        return np.stack([constant.astype(np.int32), *halves, np.full(channels, zero_point, "<i4")])
    right = np.maximum(-shift, 0)
    half = (np.int64(1) << right) >> 1
    if variant == "double":
        rounds = -(right > 0).astype(np.int64)
        rows = [constant, multiplier, half, right, np.maximum(shift, 0), rounds, np.full(channels, zero_point)]
    else:
        offset, excess = _rounding_offset(multiplier)
        added = _rounding_constant(shift, zero_point)
        rows = [constant + offset, 2 * multiplier, added - excess, right]
        if variant == "double_right":
            rows.append(added)
    return np.stack([np.asarray(row, np.int64).astype(np.int32) for row in rows])


def _rounding_offset(multiplier: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(b, q) with b · 2m = 2^31 + q · 2^32 and 2^30 <= b < 2^30 + 2^31, for 0 < m < 2^31.

    An accumulator that begins with b more brings the rounding term of its product with it.
    """
    even = multiplier & -multiplier  # the power of two in m
    odd = (multiplier // even).astype(np.uint64)
    inverse = odd.copy()  # modulo 2^3, and each round of Newton's doubles the bits
    for _ in range(4):
        inverse *= np.uint64(2) - odd * inverse
    period = (np.int64(1) << 31) // even
    smallest = (inverse.astype(np.int64) * ((np.int64(1) << 30) // even)) & (period - 1)
    offset = smallest + period * (-((smallest - (np.int64(1) << 30)) // period))
    return offset, ((offset.astype(np.uint64) * (2 * multiplier).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)


# Rows of `words` after the first.
ROWS = {"float64": 3, "double_relu": 3, "double_right": 4, "double": 6}


def load_rows(variant: str, e: Emitter, rows: list[Any]) -> list[Any]:
    """What `emit` needs of the vectors of `words` but the first, prepared once for several accumulators."""
    if variant in ("double_relu", "double_right"):
        multiplier, *rest = rows
        return [*_halves(e, multiplier, signed=False), *rest]
    return rows


def emit(variant: str, e: Emitter, accumulator: Any, rows: list[Any]) -> Any:
    """int32 output codes, zero point added and not yet clamped, of a vector of int32 accumulators.

    rows: from `load_rows`. "double_relu" is right only up to a clamp from below at the zero point or above it.
    """
    if variant == "float64":
        return _float64(e, accumulator, *rows)
    if variant in ("double_relu", "double_right"):
        return _double_right(e, accumulator, rows)
    multiplier, half, right, left, rounds, zero_point = rows
    value = _doubling_high_mul(e, e.b.shl(accumulator, left), multiplier)
    correction = e.b.and_(_sign(e, value), rounds)
    value = e.b.ashr(e.b.add(e.b.add(value, half), correction), right)
    return e.b.add(value, zero_point)


def _double_right(e: Emitter, accumulator: Any, rows: list[Any]) -> Any:
    """Both roundings with every shift at least 1 to the right, in as few instructions as there are.

    The accumulator began with b of `_rounding_offset`: (a + b) · 2m = 2a·m + 2^31 + q · 2^32 without signs, and
    floor((a·m + 2^30) / 2^31) is its upper half less q. What is added to that brings the constant of the second
    rounding and the zero point, shifted as it will be shifted back. Ties away from zero take 1 off what is negative;
    a clamp at the zero point makes up for that.
    """
    even_m, odd_m, added, right, *negative = rows
    lanes = accumulator.type.count
    even, odd = _halves(e, accumulator, signed=False)
    narrow = vector(I32, lanes)
    order = [lane + 1 if lane % 2 == 0 else lanes + lane for lane in range(lanes)]
    even, odd = e.b.mul(even, even_m), e.b.mul(odd, odd_m)
    value = e.b.add(e.shuffle(e.b.bitcast(even, narrow), e.b.bitcast(odd, narrow), order), added)
    if negative:
        value = e.b.add(value, e.b.sext(e.b.icmp_signed("<", value, negative[0]), narrow))
    return e.b.ashr(value, right)


def _halves(e: Emitter, value: Any, signed: bool = True) -> tuple[Any, Any]:
    """The even and the odd int32 lanes, each extended to 64 bits."""
    half = value.type.count // 2
    wide, thirty_two = e.b.bitcast(value, vector(I64, half)), constant(I64, [32] * half)
    if not signed:
        return e.b.and_(wide, constant(I64, [(1 << 32) - 1] * half)), e.b.lshr(wide, thirty_two)
    return e.b.ashr(e.b.shl(wide, thirty_two), thirty_two), e.b.ashr(wide, thirty_two)


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
