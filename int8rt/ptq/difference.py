"""How far quantized values are from real ones, gathered sample by sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Quantization, Tensor, TensorType
from int8rt.quantization.rounding import round_half_even

Array = npt.NDArray[Any]

# Errors are counted in whole steps up to so many; more are counted together.
_STEPS = 8
# |Real values| are counted by their float32 numbers without so many bits: five of the mantissa are left.
_COARSE = 18


def real_values(tensor: Tensor, value: Array) -> Array:
    """float64: (q - zero_point) · scale of a quantized tensor per tensor, other values as they are."""
    quantization = tensor.quantization
    if value.dtype.kind in "iu" and quantization is not None and quantization.scale.size == 1:
        return (value.astype(np.float64) - float(quantization.zero_point[0])) * float(quantization.scale[0])
    return value.astype(np.float64)


class Difference:
    """Real values against those of quantized codes. Sums are float64, over all samples and elements.

    count: elements seen. largest: the largest absolute error, a real number. step: the scale, 0 for floats.
    """

    def __init__(self, quantization: Quantization | None) -> None:
        self.step = float(quantization.scale[0]) if quantization is not None and quantization.scale.size == 1 else 0.0
        self.count = 0
        self.signal = self.noise = self.product = self.power = 0.0
        self.largest = 0.0
        self.steps: dict[int, int] = {}
        self.beyond = 0
        self.channels: Array | None = None

    def see(self, expected: Array, found: Array) -> None:
        """Adds one sample: arrays of one shape, real values."""
        a, b = expected.astype(np.float64), found.astype(np.float64)
        error = b - a
        self.count += a.size
        self.signal += float((a * a).sum())
        self.noise += float((error * error).sum())
        self.product += float((a * b).sum())
        self.power += float((b * b).sum())
        self.largest = max(self.largest, float(np.abs(error).max(initial=0)))
        if a.ndim > 1:
            by_channel = (error * error).reshape(-1, a.shape[-1]).sum(axis=0)
            self.channels = by_channel if self.channels is None else self.channels + by_channel
        if self.step:
            off = round_half_even(np.clip(error / self.step, -_STEPS - 1, _STEPS + 1)).astype(np.int64)
            for step, number in zip(*(part.tolist() for part in np.unique(off, return_counts=True)), strict=True):
                if abs(step) > _STEPS:
                    self.beyond += number
                else:
                    self.steps[step] = self.steps.get(step, 0) + number

    @property
    def sqnr(self) -> float:
        """Signal to quantization noise, in decibels: 10 · log10(Σ real² / Σ error²)."""
        if self.noise == 0:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal > 0 else -math.inf

    @property
    def rmse(self) -> float:
        """Root of the mean square error."""
        return math.sqrt(self.noise / self.count) if self.count else 0.0

    @property
    def cosine(self) -> float:
        """Of the angle between real and quantized values, as vectors; 1 where both are zero."""
        if self.signal == 0 or self.power == 0:
            return float(self.signal == self.power)
        return self.product / math.sqrt(self.signal * self.power)

    @property
    def spread(self) -> float:
        """RMSE of the worst channel (last axis) over that of the median channel; 1 without channels."""
        if self.channels is None or self.channels.size < 2:
            return 1.0
        middle = float(np.median(self.channels))
        return math.sqrt(float(self.channels.max()) / middle) if middle > 0 else 1.0


class Codes:
    """Which codes of its type a quantized tensor takes, and the real values behind them, channel by channel.

    outside: how many real values lay outside of what the codes reach. largest: the largest |real value|.
    """

    def __init__(self, tensor: Tensor) -> None:
        assert tensor.quantization is not None
        info = np.iinfo(tensor.type.dtype)
        self.low, self.high = int(info.min), int(info.max)
        scale, zero_point = float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])
        self.reach = ((self.low - zero_point) * scale, (self.high - zero_point) * scale)
        self.counts = np.zeros(self.high - self.low + 1, np.int64)
        self.outside = self.count = 0
        self.extremes: tuple[Array, Array] | None = None
        self.magnitudes = np.zeros(1 << (32 - _COARSE), np.int64)
        self.largest = 0.0

    def see(self, real: Array, codes: Array) -> None:
        """Adds one sample."""
        self.counts += np.bincount(codes.reshape(-1).astype(np.int64) - self.low, minlength=self.counts.size)
        half = (self.reach[1] - self.reach[0]) / (self.counts.size - 1) / 2
        self.outside += int(((real < self.reach[0] - half) | (real > self.reach[1] + half)).sum())
        self.count += real.size
        rows = real.reshape(-1, real.shape[-1]) if real.ndim > 1 else real.reshape(-1, 1)
        low, high = rows.min(axis=0), rows.max(axis=0)
        if self.extremes is not None:
            low, high = np.minimum(low, self.extremes[0]), np.maximum(high, self.extremes[1])
        self.extremes = low, high
        sizes = np.abs(real).astype(np.float32)
        self.magnitudes += np.bincount(sizes.reshape(-1).view(np.uint32) >> _COARSE, minlength=self.magnitudes.size)
        self.largest = max(self.largest, float(sizes.max()))

    @property
    def saturated(self) -> float:
        """Share of real values that the codes do not reach."""
        return self.outside / self.count if self.count else 0.0

    @property
    def usual(self) -> float:
        """What 99.9 % of the |real values| are below, up to a 32nd of it; 0 where all others are 0."""
        index = int(np.searchsorted(np.cumsum(self.magnitudes), 0.999 * self.count))
        return float(np.array([(index + 1) << _COARSE], np.uint32).view(np.float32)[0]) if index else 0.0

    @property
    def unused(self) -> float:
        """Share of the type's codes that never occurred."""
        return float((self.counts == 0).mean())


def has_codes(tensor: Tensor) -> bool:
    """Whether a tensor is quantized with one scale."""
    quantized = tensor.type in (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
    return quantized and tensor.quantization is not None and tensor.quantization.scale.size == 1
