"""Scales, zero points and codes from real numbers, as TensorFlow's converter chooses them.

Formulas: TensorFlow's MLIR quantizer, quantization_lib/quantization_utils.cc (`GetQuantizedType`, `DownCastScale`,
`GetUniformQuantizedTypeForBias`, `QuantizeLegacy`); int16: lite/tools/optimize/quantization_utils.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Quantization, TensorType
from int8rt.quantization.rounding import round_half_away, round_half_even

Floats = npt.NDArray[np.float32]

# Narrower ranges are widened, so that scales do not vanish: constants to this width, activations as far on both sides.
_NARROWEST = 1e-6
# So many weights are rounded at once: what that takes in between stays small beside the weights.
_BLOCK = 1 << 16
# Half of what an int32 accumulator holds: larger biases leave no room for the products.
_LARGEST_BIAS = (2**31 - 1) // 2


def activation_parameters(minimum: float, maximum: float, type: TensorType, least: float = _NARROWEST) -> Quantization:
    """Scale and zero point of an int8, uint8 or int16 activation whose real values lie in [minimum, maximum].

    The range is widened to hold 0. int8, uint8: scale = (maximum - minimum) / 255 in float32, and the zero point is
    where 0 falls, ties away from zero. int16: symmetric, scale = max(|minimum|, |maximum|) / 32767, zero point 0.
    least: ranges up to 1e-6 wide become [-least, least].
    """
    low, high = min(float(minimum), 0.0), max(float(maximum), 0.0)
    if high - low <= _NARROWEST:
        low, high = min(low, -least), max(high, least)
    if type is TensorType.INT16:
        return Quantization.per_tensor(float(np.float32(max(-low, high)) / np.float32(32767)))
    return _affine(low, high, -128 if type is TensorType.INT8 else 0)


def _affine(low: float, high: float, lowest: int) -> Quantization:
    scale = (np.float32(high) - np.float32(low)) / np.float32(255)
    at_zero = round_half_away(np.float32(lowest - low / np.float64(scale)))
    return Quantization.per_tensor(float(scale), int(np.clip(at_zero, lowest, lowest + 255)))


def constant_parameters(values: Floats, type: TensorType) -> Quantization:
    """As `activation_parameters`, for a constant that is added, multiplied or compared, from its own values."""
    if not values.size:
        return activation_parameters(0.0, 0.0, type, _NARROWEST / 2)
    return activation_parameters(float(values.min()), float(values.max()), type, _NARROWEST / 2)


def quantize_constant(values: Floats, parameters: Quantization, type: TensorType) -> npt.NDArray[Any]:
    """q = round(value / scale + zero_point) in float64, ties away from zero, clamped to `type`.

    int16: q = round(value · (1 / scale)) in float32.
    """
    if type is TensorType.INT16:
        scaled = np.asarray(values, np.float32) * np.float32(1 / np.float64(parameters.scale[0]))
    else:
        scaled = np.asarray(values, np.float64) / np.float64(parameters.scale[0]) + float(parameters.zero_point[0])
    info = np.iinfo(type.dtype)
    codes: npt.NDArray[Any] = np.clip(round_half_away(scaled), info.min, info.max).astype(type.dtype)
    return codes


def weight_scales(weights: Floats, axis: int | None, bits: int = 8) -> Floats:
    """float32[channels]: max |w| / (2^(bits-1) - 1) along `axis`, or float32[1] for the whole tensor (None).

    Channels of zeros get the scale of the narrowest range, 1e-6 wide.
    """
    others = tuple(i for i in range(weights.ndim) if i != axis) if axis is not None else None
    largest = np.atleast_1d(_peaks(np.asarray(weights, np.float32), others)).astype(np.float64)
    half = np.where(2 * largest > _NARROWEST, largest, np.maximum(largest, _NARROWEST / 2)).astype(np.float32)
    return (half + half) / np.float32(2 * (2 ** (bits - 1) - 1))


def quantize_weights(weights: Floats, scales: Floats, axis: int | None, bits: int = 8) -> npt.NDArray[np.int8]:
    """q = round(w · (1 / scale)) in float32, ties away from zero, clamped to ±(2^(bits-1) - 1): never -128.

    Along `axis` each index has its scale. Without an axis it is `quantize_weights_by_peak`.
    """
    if axis is None:
        return quantize_weights_by_peak(weights, None, bits)
    values = np.asarray(weights, np.float32)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        factors = (1.0 / scales.astype(np.float64)).astype(np.float32)
        factors = factors.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        return _narrow(values, np.multiply, factors, 2 ** (bits - 1) - 1)


def quantize_weights_by_peak(weights: Floats, axis: int | None, bits: int = 8) -> npt.NDArray[np.int8]:
    """As `quantize_weights`, the factor (2^(bits-1) - 1) / max |w| in float32, 0 where all are zero.

    Source: TensorFlow Lite tools/optimize/quantization_utils.cc, SymmetricPerChannelQuantization.
    """
    largest = 2 ** (bits - 1) - 1
    values = np.asarray(weights, np.float32)
    others = tuple(i for i in range(values.ndim) if i != axis) if axis is not None else None
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        peaks = _peaks(values, others, keepdims=True)
        factors = np.where(peaks > 0, np.float32(largest) / peaks, np.float32(0))
        return _narrow(values, np.multiply, factors, largest)


def quantize_to_ten_bits(weights: Floats) -> tuple[npt.NDArray[np.int16], float]:
    """Codes and scale, which is max |w| / 512 in float32: q = round(w · (1 / scale)), ties away from zero, up to ±512.

    As TensorFlow's converter does with the time weights of SVDF.
    """
    values = np.asarray(weights, np.float32)
    peak = max(np.float32(_peaks(values, None)), np.float32(_NARROWEST / 2))
    scale = np.float32(peak / np.float32(512))
    factor = np.float32(1 / np.float64(scale))
    codes: npt.NDArray[np.int16] = np.clip(round_half_away(values * factor), -512, 512).astype(np.int16)
    return codes, float(scale)


def _peaks(values: Floats, axes: tuple[int, ...] | None, keepdims: bool = False) -> Floats:
    """max |value| over `axes`, without a copy of the values."""
    high, low = (end(axis=axes, initial=0, keepdims=keepdims) for end in (values.max, values.min))
    peaks: Floats = np.maximum(high, -low)
    return peaks


def _narrow(values: npt.NDArray[Any], scaled: np.ufunc, factors: npt.ArrayLike, largest: int) -> npt.NDArray[np.int8]:
    """round(scaled(value, factor)), ties away from zero, clamped to ±largest; a block of the first axis at a time."""
    codes = np.empty(values.shape, np.int8)
    if not values.ndim:
        codes[...] = np.clip(round_half_away(scaled(values, factors)), -largest, largest)
        return codes
    every = np.broadcast_to(np.asarray(factors), values.shape)
    rows = max(1, _BLOCK * len(values) // max(values.size, 1))
    for first in range(0, len(values), rows):
        part = slice(first, first + rows)
        codes[part] = np.clip(round_half_away(scaled(values[part], every[part])), -largest, largest)
    return codes


def bias_scales(input_scale: float, filter_scales: Floats) -> Floats:
    """float32[channels]: the product of the input's scale and each channel's weight scale."""
    product: Floats = (np.float64(np.float32(input_scale)) * filter_scales.astype(np.float64)).astype(np.float32)
    return product


def room_for_bias(bias: Floats, input_scale: float, filter_scales: Floats) -> Floats:
    """The weights' scales, made larger where the bias would take more than half of an int32 accumulator."""
    scales = bias_scales(input_scale, filter_scales).astype(np.float64)
    sizes = np.abs(bias.astype(np.float64))
    if filter_scales.size == 1:
        sizes = sizes.max(initial=0, keepdims=True)
    with np.errstate(divide="ignore", over="ignore"):
        enough = (sizes / _LARGEST_BIAS / float(np.float32(input_scale))).astype(np.float32)
        return np.where(sizes > scales * _LARGEST_BIAS, enough, filter_scales).astype(np.float32)


def quantize_bias(bias: Floats, scales: Floats, type: TensorType) -> npt.NDArray[Any]:
    """q = round(b · (1 / scale)) in float32, ties away from zero, clamped to ±(2^31 - 1) or ±(2^63 - 1) (`type`)."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        factors = (1.0 / scales.astype(np.float64)).astype(np.float32)
        codes = round_half_away((np.asarray(bias, np.float32) * factors).astype(np.float64))
    largest = float(2**31 - 1) if type is TensorType.INT32 else float(2**63 - 1024)
    steps: npt.NDArray[Any] = np.clip(codes, -largest, largest).astype(type.dtype)
    return steps


def quantize_weights_in_float64(weights: Floats, axis: int | None, bits: int = 8) -> npt.NDArray[np.int8]:
    """As `quantize_weights`, dividing by max |w| / (2^(bits-1) - 1) in float64: mode dynamic of the converter."""
    largest = 2 ** (bits - 1) - 1
    values = np.asarray(weights, np.float32)
    others = tuple(i for i in range(values.ndim) if i != axis) if axis is not None else None
    peaks = _peaks(values, others, keepdims=True).astype(np.float64)
    return _narrow(values, np.divide, np.maximum(peaks, _NARROWEST / 2) / largest, largest)


def squared_error(values: npt.NDArray[Any], counts: npt.NDArray[Any], low: float, high: float) -> float:
    """Σ count · (value - its nearest step)², of 256 even steps over [low, high] of which one is 0; ties to even."""
    step = max(high - low, 1e-30) / 255
    first = float(round_half_even(np.array(low / step)))
    codes = np.clip(round_half_even(values / step), first, first + 255)
    return float((counts * (values - codes * step) ** 2).sum())
