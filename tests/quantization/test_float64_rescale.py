"""The float64 shortcut, where it matters: at the accumulators where the output steps to the next code."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.quantization import quantize_multipliers
from int8rt.quantization.float64_rescale import float64_rescale
from int8rt.quantization.requantize import (
    Requantization,
    Requantizer,
    Rounding,
    multiply_by_quantized_multiplier,
    multiply_by_quantized_multiplier_int64,
    multiply_by_real_multiplier,
)

MULTIPLY = {
    Rounding.DOUBLE: lambda x, p: multiply_by_quantized_multiplier(x, p.multiplier, p.shift),
    Rounding.INT64: lambda x, p: multiply_by_quantized_multiplier_int64(x, p.multiplier, p.shift),
    Rounding.FLOAT64: lambda x, p: multiply_by_real_multiplier(x, p.real_multiplier),
}


def requantization(rounding: Rounding, reals: np.ndarray, type: str, zero_point: int, low: int) -> Requantization:
    wide = np.dtype(np.int64 if rounding == Rounding.INT64 else np.int32)
    multiplier, shift = quantize_multipliers(reals)
    high = int(np.iinfo(type).max)
    return Requantization(rounding, multiplier, shift, reals, zero_point, low, high, np.dtype(type), wide)


def steps(reals: np.ndarray, type: str, zero_point: int) -> np.ndarray:
    """int64[n,channels]: the accumulators next to every half step from one code to another."""
    info = np.iinfo(type)
    codes = np.arange(info.min, info.max, 1 if info.bits == 8 else 97) - zero_point + 0.5
    exact = codes[:, np.newaxis] / reals
    return np.concatenate([np.floor(exact) + nearby for nearby in (-1, 0, 1, 2)]).astype(np.int64)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("zero_point", [-128, -3, 127])
@pytest.mark.parametrize("rounding", list(MULTIPLY))
def test_every_step_is_where_the_definition_has_it(rounding: Rounding, zero_point: int, relu: bool) -> None:
    rng = np.random.default_rng([zero_point % 256, relu])
    reals = np.concatenate([rng.uniform(2**-12, 1, 60), 2.0 ** np.arange(-12, 1), 3 * 2.0 ** np.arange(-13, -1)])
    p = requantization(rounding, reals, "int8", zero_point, zero_point if relu else -128)
    accumulators = steps(reals, "int8", zero_point)
    assert float64_rescale(p, np.abs(accumulators).max(axis=0).astype(float)).exact.all()
    output = np.empty(accumulators.shape, np.int8)
    Requantizer(p, len(reals))(accumulators, output)
    expected = np.clip(MULTIPLY[rounding](accumulators, p) + zero_point, p.activation_min, 127)
    np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("rounding", list(MULTIPLY))
def test_sixteen_bits(rounding: Rounding) -> None:
    reals = np.concatenate([np.random.default_rng(16).uniform(2**-7, 1, 30), 2.0 ** np.arange(-16, 2)])
    p = requantization(rounding, reals, "int16", 0, -32768)
    accumulators = steps(reals, "int16", 0)
    output = np.empty(accumulators.shape, np.int16)
    Requantizer(p, len(reals))(accumulators, output)
    np.testing.assert_array_equal(output, np.clip(MULTIPLY[rounding](accumulators, p), -32768, 32767))


@pytest.mark.parametrize("channels", [1, 3, 1000, 1025, 40000])
@pytest.mark.parametrize("pixels", [0, 1, 7, 350])
def test_blocks_of_any_shape(channels: int, pixels: int) -> None:
    if pixels * channels > 2_000_000:
        pixels = 50
    rng = np.random.default_rng(channels)
    p = requantization(Rounding.DOUBLE, rng.uniform(0.001, 0.02, channels), "uint8", 30, 0)
    constant = rng.integers(-999, 999, channels)
    sums = rng.integers(-(2**14), 2**14, (pixels, channels))
    output = np.empty(sums.shape, np.uint8)
    Requantizer(p, channels, constant, 2.0**14)(sums.astype(np.float32), output)
    expected = MULTIPLY[Rounding.DOUBLE](sums + constant, p) + 30
    np.testing.assert_array_equal(output, np.clip(expected, 0, 255))


def test_sums_wrap_around_in_int32() -> None:
    p = requantization(Rounding.DOUBLE, np.array([2.0**-24, 2.0**-24]), "int8", 0, -128)
    output = np.empty((1, 2), np.int8)
    Requantizer(p, 2, np.array([2**31 - 1, 2**31 - 1]))(np.array([[1.0, 0.0]]), output)
    assert output.tolist() == [[-128, 127]]


def test_only_the_channels_that_need_it_leave_float64() -> None:
    p = requantization(Rounding.DOUBLE, np.array([0.01, 1e-9, 0.0, 3.0, 3.0]), "int8", 0, -128)
    bound = np.array([1e6, 2e9, 2e9, 1e6, 2e9])
    assert float64_rescale(p, bound).exact.tolist() == [True, False, True, True, False]
