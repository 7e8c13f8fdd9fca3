"""Quantization and dequantization in float32, as training simulates it.

Source: TensorFlow Lite kernels/internal/quantization_util.cc, NudgeQuantizationRange and FakeQuantizeArray.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import round_half_away

Float32 = npt.NDArray[np.float32]


def nudge_quantization_range(minimum: float, maximum: float, num_bits: int) -> tuple[float, float, float]:
    """(minimum, maximum, scale) of the quantized range that is nearest to a real one and holds 0; float32 numbers.

    1 <= num_bits <= 16, minimum <= 0 <= maximum, minimum < maximum.
    """
    low, high, steps = np.float32(minimum), np.float32(maximum), np.float32((1 << num_bits) - 1)
    with np.errstate(all="ignore"):
        scale = (high - low) / steps
        zero_point = np.clip(round_half_away(-low / scale), np.float32(0), steps)
        return float(-zero_point * scale), float((steps - zero_point) * scale), float(scale)


def fake_quantize(x: Float32, minimum: float, maximum: float, scale: float) -> Float32:
    """The nearest value of a quantized range, which `nudge_quantization_range` gives; NaN becomes the minimum."""
    low, high, step = np.float32(minimum), np.float32(maximum), np.float32(scale)
    with np.errstate(all="ignore"):
        clamped = np.where(low < x, x, low)
        clamped = np.where(clamped < high, clamped, high)
        return np.asarray(round_half_away((clamped - low) * (np.float32(1) / step)) * step + low)
