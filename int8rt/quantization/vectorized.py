"""`requantize` as vector code: the same roundings, lane by lane, for the inner tiles of the jitted kernels.

Each `VectorRequantization` lays out what it needs for every output channel as rows of 32-bit words, and emits the
LLVM IR that reads them. Outputs are unsigned bytes: int8 codes with their sign bit flipped, so zero points of int8
tensors are given plus 128.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir

from int8rt.kernels.jit.isa.emitter import F64, I32, I64, Emitter, constant, vector
from int8rt.quantization.requantize import Requantization, Rounding

Words = npt.NDArray[np.int32]


def choose(parameters: Requantization, accumulator_bound: npt.NDArray[np.int64]) -> str | None:
    """Name of the variant for these parameters; None where there is no vector code for them.

    accumulator_bound: int64[n], no accumulator of a channel is larger in magnitude.
    """
    if parameters.rounding is Rounding.FLOAT64:
        largest = np.minimum(accumulator_bound, 1 << 31) * np.abs(parameters.real_multiplier)
        return "float64" if np.all(largest < 2.0**30) else None
    shift = parameters.shift.astype(np.int64)
    if parameters.rounding is not Rounding.DOUBLE or np.any(shift > 31) or np.any(parameters.multiplier < 0):
        return None
    if np.all(shift < 0) and np.all(shift >= -31):
        # The zero point joins the rounding constant, where the sum stays within int32.
        scaled = (accumulator_bound * parameters.multiplier.astype(np.int64) >> 31) + 2
        constants = (np.int64(1) << (-shift - 1)) + (np.int64(256) << -shift)
        if np.all(accumulator_bound < 1 << 31) and np.all(scaled + constants < 1 << 31):
            return "double_right"
    return "double"


def words(variant: str, parameters: Requantization, zero_point: int, channels: int) -> Words:
    """int32[rows, channels]: what `emit` reads for each channel; `zero_point` is that of the unsigned output."""
    shift = np.broadcast_to(parameters.shift.astype(np.int64), channels)
    multiplier = np.broadcast_to(parameters.multiplier, channels)
    if variant == "float64":
        real = np.broadcast_to(parameters.real_multiplier, channels).astype("<f8")
        return np.stack([*real.view("<i4").reshape(channels, 2).T, np.full(channels, zero_point, "<i4")])
    right = np.maximum(-shift, 0)
    half = (np.int64(1) << right) >> 1
    if variant == "double_right":
        rows = [multiplier, half + (np.int64(zero_point) << right), right]
    else:
        rows = [multiplier, half, right, np.maximum(shift, 0), -(right > 0), np.full(channels, zero_point)]
    return np.stack([np.asarray(row, np.int64).astype(np.int32) for row in rows])


ROWS = {"float64": 3, "double_right": 3, "double": 6}


def emit(variant: str, e: Emitter, accumulator: Any, rows: list[Any]) -> Any:
    """int32 output codes, zero point added and not yet clamped, of a vector of int32 accumulators.

    rows: the vectors of `words`, in their order.
    """
    if variant == "float64":
        return _float64(e, accumulator, *rows)
    if variant == "double_right":
        multiplier, addend, right = rows
        value = _doubling_high_mul(e, accumulator, multiplier)
        return e.b.ashr(e.b.add(e.b.add(value, addend), _sign(e, value)), right)
    multiplier, half, right, left, rounds, zero_point = rows
    value = _doubling_high_mul(e, e.b.shl(accumulator, left), multiplier)
    correction = e.b.and_(_sign(e, value), rounds)
    value = e.b.ashr(e.b.add(e.b.add(value, half), correction), right)
    return e.b.add(value, zero_point)


def _doubling_high_mul(e: Emitter, value: Any, multiplier: Any) -> Any:
    """`rounding.saturating_rounding_doubling_high_mul` for multiplier >= 0, where nothing saturates.

    Even and odd lanes are multiplied apart, each in 64 bits: floor((a·b + 2^30) / 2^31).
    """
    lanes = value.type.count
    wide = vector(I64, lanes // 2)
    thirty_two = constant(I64, [32] * (lanes // 2))
    rounding = constant(I64, [1 << 30] * (lanes // 2))
    a, b = e.b.bitcast(value, wide), e.b.bitcast(multiplier, wide)
    low_a, low_b = (e.b.ashr(e.b.shl(x, thirty_two), thirty_two) for x in (a, b))
    even = e.b.lshr(e.b.add(e.b.mul(low_a, low_b), rounding), constant(I64, [31] * (lanes // 2)))
    high_a, high_b = e.b.ashr(a, thirty_two), e.b.ashr(b, thirty_two)
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


def vector_of_words(e: Emitter, address: Any, lanes: int, row: int, stride: int) -> Any:
    """Row `row` of a layout whose rows are `stride` bytes apart."""
    return e.load(address, ir.VectorType(I32, lanes), row * stride)
