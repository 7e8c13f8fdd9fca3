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
def _minmax_element(source: Any, first: Any, count: Any) -> Any:
    """As that of `nan_ranges`, from element `first` on."""
    low = load_f32(source, first)
    high = low
    if first + 1 < count:
        second = load_f32(source, first + 1)
        if second < low:
            low = second
        else:
            high = second
    for i in range(first + 2, count, 2):
        one = load_f32(source, i)
        if i + 1 == count:
            if one < low:
                low = one
            elif not one < high:
                high = one
        else:
            two = load_f32(source, i + 1)
            smaller, larger = (two, one) if two < one else (one, two)
            low = smaller if smaller < low else low
            high = high if larger < high else larger
    return low, high


@_jit
def _symmetric_range(source: Any, count: Any) -> Any:
    """`nan_ranges.symmetric_range`."""
    low, high = _minmax_element(source, 0, count)
    low, high = np.float32(abs(low)), np.float32(abs(high))
    return high if low < high else low


@_jit
def _lane(source: Any, lane: Any, count: Any) -> Any:
    """The ends of every fourth element."""
    low = load_f32(source, lane)
    high = low
    for i in range(lane + 4, count, 4):
        value = load_f32(source, i)
        low = low if low < value else value
        high = high if high > value else value
    return low, high


@_jit
def _asymmetric_ends(source: Any, count: Any) -> Any:
    """`nan_ranges.asymmetric_ends`."""
    least, largest = np.float32(0), np.float32(0)
    split = count - count % 4
    if split:
        low0, high0 = _lane(source, 0, split)
        low1, high1 = _lane(source, 1, split)
        low2, high2 = _lane(source, 2, split)
        low3, high3 = _lane(source, 3, split)
        low0, low1 = low0 if low0 < low2 else low2, low1 if low1 < low3 else low3
        high0, high1 = high0 if high0 > high2 else high2, high1 if high1 > high3 else high3
        low, high = low1 if low0 > low1 else low0, high1 if high0 < high1 else high0
        least, largest = low if low < least else least, high if largest < high else largest
    if split < count:
        low, high = _minmax_element(source, split, count)
        least, largest = low if low < least else least, high if largest < high else largest
    return least, largest


@_jit
def symmetric_quantize_row(source: Any, count: Any, target: Any) -> Any:
    """`hybrid.symmetric_quantize_floats` of a row; its scale."""
    largest_bits = np.uint32(0)
    for i in range(count):
        largest_bits = max(largest_bits, np.uint32(load_u32(source, i) & np.uint32(_MAGNITUDE)))
    largest = float32_of(largest_bits)
    if largest_bits > np.uint32(_INFINITY):  # NaN
        largest = _symmetric_range(source, count)
    if largest == 0:
        for i in range(count):
            store_u8(target, i, np.uint8(128))
        return np.float32(1)
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
        negative = bits > np.uint32(_MAGNITUDE)
        least_bits = max(least_bits, magnitude if negative else np.uint32(0))
        largest_bits = max(largest_bits, np.uint32(0) if negative else magnitude)
    least, largest = -float32_of(least_bits), float32_of(largest_bits)
    if max(least_bits, largest_bits) > np.uint32(_INFINITY):  # NaN
        least, largest = _asymmetric_ends(source, count)
    if least == largest:
        for i in range(count):
            store_u8(target, i, np.uint8(128))
        return np.float32(1), np.int32(0)
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
