"""Accumulators to outputs: `requantize` computes mostly in float64, and must give what the definition gives."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.quantization import Requantization, Rounding, quantize_multipliers, requantize
from int8rt.quantization.requantize import Requantizer
from tests.quantization.exact import boundary_values, float32, half_away, wrap
from tests.quantization.test_rescale import double, single, sixteen_bits, ties_up

TYPES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
# Powers of two make ties; 1 and more shift to the left; the last ones leave almost nothing, or overflow.
REALS = [0.25, 2.0**-9, 0.5, 1.0, 2.0, 3.0, 0.0, 2.0**-30, 2.0**-31, 100.0, 2.0**20]
reals = st.sampled_from(REALS) | st.floats(2.0**-24, 4.0)
accumulators = st.integers(-(2**31), 2**31 - 1) | st.integers(-(2**14), 2**14)


def rescaled(rounding: Rounding, x: int, multiplier: int, shift: int, real: float) -> int:
    fixed: dict[Rounding, Callable[[int, int, int], int]] = {
        Rounding.DOUBLE: double,
        Rounding.TIES_UP: ties_up,
        Rounding.SINGLE: single,
        Rounding.INT64: sixteen_bits,
    }
    if rounding in fixed:
        return wrap(fixed[rounding](x, multiplier, shift))
    if rounding == Rounding.FLOAT64:
        value = half_away(Fraction(float(x) * real))
        return value if -(2**31) <= value < 2**31 else -(2**31)
    return max(-32768, min(32767, round(float32(float32(x) * float32(Fraction(real))))))


def check(rounding: Rounding, rows: np.ndarray[Any, Any], scales: list[float], z: int, type: str, clamp: Any) -> None:
    if rounding == Rounding.SINGLE:  # its results have to fit int32
        rows = np.clip(rows, -(2**9), 2**9)
    if rounding == Rounding.INT64:  # has wider sums, and shifts that end below 8
        rows = rows << 7
        scales = [min(scale, 100.0) for scale in scales]
    if rounding == Rounding.FLOAT32:
        scales = [scale or 2.0**-40 for scale in scales]
    low, high = max(clamp[0], TYPES[type][0]), min(clamp[1], TYPES[type][1])
    multiplier, shift = quantize_multipliers(scales)
    wide = np.dtype(np.int64 if rounding == Rounding.INT64 else np.int32)
    p = Requantization(rounding, multiplier, shift, np.array(scales), z, low, high, np.dtype(type), wide)
    channels = list(zip(multiplier.tolist(), shift.tolist(), scales, strict=True))
    expected = [
        [
            max(low, min(high, wrap(rescaled(rounding, int(x), *channel) + z)))
            for x, channel in zip(row, channels, strict=True)
        ]
        for row in rows.tolist()
    ]
    found = requantize(rows, p)
    assert found.dtype == type
    np.testing.assert_array_equal(found, expected)
    # The same with a constant added to each channel, and with the bound on sums that a convolution knows.
    constant = np.arange(len(scales)) * 7 - 3
    output = np.empty_like(found)
    bound = np.abs(rows).max(axis=0, initial=0).astype(float)
    Requantizer(p, len(scales), constant, bound + np.abs(constant))(rows - constant, output)
    np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("rounding", [r for r in Rounding if r is not Rounding.TIES_UP_IN_EIGHTS])
@settings(max_examples=60)
@given(st.data())
def test_any_accumulators(rounding: Rounding, data: st.DataObject) -> None:
    scales = data.draw(st.lists(reals, min_size=1, max_size=5))
    count = data.draw(st.integers(1, 12))
    values = data.draw(st.lists(accumulators, min_size=count * len(scales), max_size=count * len(scales)))
    type = data.draw(st.sampled_from(sorted(TYPES)))
    z = data.draw(st.sampled_from([*TYPES[type], 0, 3]))
    clamp = data.draw(st.sampled_from([(-(2**15), 2**16), (z, 2**16), (z, z + 6), (-1, 3)]))
    check(rounding, np.array(values, np.int64).reshape(count, -1), scales, z, type, clamp)


@pytest.mark.parametrize("rounding", [r for r in Rounding if r is not Rounding.TIES_UP_IN_EIGHTS])
@pytest.mark.parametrize("real", REALS)
def test_boundary_accumulators(rounding: Rounding, real: float) -> None:
    values = np.array(boundary_values(), np.int64)[:, np.newaxis]
    for z, type in ((0, "int8"), (-128, "int8"), (127, "int8"), (3, "uint8"), (0, "int16")):
        check(rounding, values, [real], z, type, (-(2**15), 2**16))


def test_one_multiplier_for_every_channel_and_any_shape() -> None:
    multiplier, shift = quantize_multipliers([0.3])
    p = Requantization(Rounding.DOUBLE, multiplier, shift, np.array([0.3]), 5, -128, 127, np.dtype(np.int8))
    x = np.arange(-60, 60, dtype=np.int32)
    expected = [double(int(v), int(multiplier[0]), int(shift[0])) + 5 for v in x]
    for shape in ((120,), (2, 60), (3, 4, 10), (120, 1)):
        np.testing.assert_array_equal(requantize(x.reshape(shape), p).ravel(), expected)
    assert requantize(np.zeros((0, 4), np.int32), p).shape == (0, 4)


@pytest.mark.parametrize("channels", [7, 8, 13, 24])
@pytest.mark.parametrize("scales", [1, None], ids=["one scale", "one for each channel"])
@pytest.mark.parametrize("large", [False, True])
def test_whole_blocks_of_eight_channels_take_ties_up(channels: int, scales: int | None, large: bool) -> None:
    multiplier, shift = quantize_multipliers(np.full(scales or channels, 2.0**-31 if large else 0.25))
    sums = np.random.default_rng(1).integers(-500, 500, (999, channels)).astype(np.int64) << (29 if large else 0)
    sums = np.clip(sums, -(2**31), 2**31 - 1)
    up, away, eights = (
        requantize(sums, Requantization(rounding, multiplier, shift, 0.25 + 0 * shift, 5, -128, 127, np.dtype(np.int8)))
        for rounding in (Rounding.TIES_UP, Rounding.DOUBLE, Rounding.TIES_UP_IN_EIGHTS)
    )
    whole = channels // 8 * 8
    np.testing.assert_array_equal(eights[:, :whole], up[:, :whole])
    np.testing.assert_array_equal(eights[:, whole:], away[:, whole:])
    assert np.any(up != away)
