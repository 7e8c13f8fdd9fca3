"""Jitted twin of `hybrid.batch_quantize_floats`: one row of float32 to bytes as they lie in the arena, code + 128."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import load_f32, load_u32, store_u8
from int8rt.kernels.jit.isa.bits import float32_of
from int8rt.kernels.jit.numba_later import njit

_jit = njit(error_model="numpy", nogil=True)
_MAGNITUDE, _INFINITY = 0x7FFFFFFF, 0x7F800000
_BLOCK = 8
_TOO_LARGE = np.float32(2.0**31)


@_jit
def round_half_away_float32(x: Any) -> Any:
    """`rounding.round_half_away` of a float32 whose magnitude is below 2^31."""
    whole = np.float32(np.int32(x))
    difference = x - whole
    up = np.float32(1) if difference >= np.float32(0.5) else np.float32(0)
    return whole + up - (np.float32(1) if difference <= np.float32(-0.5) else np.float32(0))


@_jit
def symmetric_quantize_row(source: Any, count: Any, target: Any) -> Any:
    """`hybrid.symmetric_quantize_floats` of a row; its scale."""
    largest_bits = np.uint32(0)
    for i in range(count):
        bits = np.uint32(load_u32(source, i) & np.uint32(_MAGNITUDE))
        # Beyond infinity there are NaNs, which do not count.
        largest_bits = max(largest_bits, bits if bits <= np.uint32(_INFINITY) else np.uint32(0))
    if largest_bits == 0:
        for i in range(count):
            store_u8(target, i, np.uint8(128))
        return np.float32(1)
    largest = float32_of(largest_bits)
    inverse = np.float32(127) / largest
    split = count - count % _BLOCK
    low, high = np.float32(-127), np.float32(127)
    for i in range(split):
        scaled = load_f32(source, i) * inverse
        rounded = scaled + (np.float32(-0.5) if scaled < 0 else np.float32(0.5))
        rounded = rounded if rounded > low else low  # NaN too
        store_u8(target, i, np.uint8(np.int32(rounded if rounded < high else high) + 128))
    for i in range(split, count):
        scaled = load_f32(source, i) * inverse
        # What does not fit int32 becomes the least of it.
        scaled = scaled if (scaled > low) & (scaled < _TOO_LARGE) else low
        rounded = round_half_away_float32(scaled if scaled < high else high)
        store_u8(target, i, np.uint8(np.int32(rounded) + 128))
    return largest / np.float32(127)


@_jit
def asymmetric_quantize_row(source: Any, count: Any, target: Any) -> Any:
    """`hybrid.asymmetric_quantize_floats` of a row; its scale and zero point."""
    least_bits, largest_bits = np.uint32(0), np.uint32(0)
    for i in range(count):
        bits = load_u32(source, i)
        magnitude = np.uint32(bits & np.uint32(_MAGNITUDE))
        magnitude = magnitude if magnitude <= np.uint32(_INFINITY) else np.uint32(0)
        negative = bits > np.uint32(_MAGNITUDE)
        least_bits = max(least_bits, magnitude if negative else np.uint32(0))
        largest_bits = max(largest_bits, np.uint32(0) if negative else magnitude)
    if least_bits == 0 and largest_bits == 0:
        for i in range(count):
            store_u8(target, i, np.uint8(128))
        return np.float32(1), np.int32(0)
    least, largest = -float32_of(least_bits), float32_of(largest_bits)
    wide = np.float64(largest - least) / 255.0
    from_least, from_largest = np.float64(least) / wide, np.float64(largest) / wide
    nearer = 128.0 + abs(from_least) < 127.0 + abs(from_largest)
    exact = -128.0 - from_least if nearer else 127.0 - from_largest
    zero_point = np.int32(0)
    if exact == exact:
        held_point = min(max(exact, -128.0), 127.0)
        whole = np.int32(held_point)
        difference = held_point - whole
        zero_point = np.int32(whole + (1 if difference >= 0.5 else 0) - (1 if difference <= -0.5 else 0))
    scale = np.float32(wide)
    inverse = np.float32(0) if scale == 0 else np.float32(1.0 / np.float64(scale))
    split = count - count % _BLOCK
    for i in range(split):
        scaled = load_f32(source, i) * inverse
        rounded = scaled + (np.float32(-0.5) if scaled < 0 else np.float32(0.5))
        fits = (rounded > -_TOO_LARGE) & (rounded < _TOO_LARGE)
        whole = np.int32(rounded if fits else -_TOO_LARGE)
        whole = np.int32(2147483647) if rounded >= _TOO_LARGE else whole
        code = np.int32(whole + zero_point)
        store_u8(target, i, np.uint8(min(max(code, np.int32(-128)), np.int32(127)) + 128))
    for i in range(split, count):
        scaled = load_f32(source, i) * inverse
        # Far beyond the codes nothing but the side counts.
        far = np.float32(1000)
        held = scaled if scaled > -far else -far
        held = held if held < far else far
        code = np.int32(np.int32(round_half_away_float32(held)) + zero_point)
        code = min(max(code, np.int32(-128)), np.int32(127)) if scaled == scaled else np.int32(0)
        store_u8(target, i, np.uint8(code + 128))
    return scale, zero_point
