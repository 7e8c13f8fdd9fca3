"""A real multiplier as a fixed-point one: real = multiplier · 2^(shift - 31), 2^30 <= multiplier < 2^31.

Source: TensorFlow Lite kernels/internal/quantization_util.cc.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from int8rt.errors import SpecError
from int8rt.quantization.single_rounding import rounds_once


def quantize_multiplier(real_multiplier: float) -> tuple[int, int]:
    """(multiplier, shift) of a real multiplier: an int32 significand and a power of two (positive shifts left).

    0 gives (0, 0), and so does anything that would need a shift below -31. There is no upper limit on the shift, but
    with single rounding (see `single_rounding`), where it is 30 at most.
    Raises `SpecError` where the multiplier is not finite.
    """
    if not math.isfinite(real_multiplier):
        raise SpecError(f"a quantized multiplier must be finite, found {real_multiplier}")
    if real_multiplier == 0:
        return 0, 0
    significand, shift = math.frexp(real_multiplier)
    # Exact: the significand has 53 bits, so scaling by 2^31 and adding one half lose nothing that decides the floor.
    multiplier = math.floor(abs(significand) * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30 and rounds_once():
        return (1 << 31) - 1, 30
    return (multiplier if real_multiplier > 0 else -multiplier), shift


def quantize_multipliers(real_multipliers: npt.ArrayLike) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """`quantize_multiplier` of each element: (multiplier int32[n], shift int32[n])."""
    pairs = [quantize_multiplier(float(m)) for m in np.ravel(np.asarray(real_multipliers, np.float64))]
    multiplier, shift = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(multiplier, np.int32), np.array(shift, np.int32)


def quantize_multiplier_smaller_than_one(real_multiplier: float) -> tuple[int, int]:
    """`quantize_multiplier` for 0 < real_multiplier < 1, with shift <= 0; anything else is a `SpecError`.

    TensorFlow Lite aborts the process where this raises (QuantizeMultiplierSmallerThanOneExp).
    """
    if not 0.0 < real_multiplier < 1.0:
        raise SpecError(f"the multiplier must be above 0 and below 1, found {real_multiplier}")
    multiplier, shift = quantize_multiplier(real_multiplier)
    if shift > 0:  # rounded up to 1
        raise SpecError(f"the multiplier must be below 1 with 31 bits, found {real_multiplier!r}")
    return multiplier, shift


def quantize_multiplier_greater_than_one(real_multiplier: float) -> tuple[int, int]:
    """`quantize_multiplier` for real_multiplier > 1, with shift >= 0; anything else is a `SpecError`.

    TensorFlow Lite aborts the process where this raises (QuantizeMultiplierGreaterThanOne).
    """
    if not real_multiplier > 1.0:
        raise SpecError(f"the multiplier must be above 1, found {real_multiplier}")
    return quantize_multiplier(real_multiplier)


def convolution_multipliers(
    input_scale: float, filter_scale: npt.ArrayLike, output_scale: float
) -> npt.NDArray[np.float64]:
    """input_scale · filter_scale[c] / output_scale for each output channel, in float64.

    What TensorFlow Lite uses for every signed convolution (kernel_util.cc, PopulateConvolutionQuantizationParams) and
    for FULLY_CONNECTED with per-channel weights. The scales are the float32 values of the file.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.float64(input_scale) * np.atleast_1d(np.asarray(filter_scale, np.float64)) / np.float64(output_scale)


def float32_product_multiplier(input_scale: float, filter_scale: float, output_scale: float) -> float:
    """input_scale · filter_scale rounded to float32, then divided by output_scale in float64.

    What TensorFlow Lite uses for uint8 convolutions and for BATCH_MATMUL (GetQuantizedConvolutionMultipler).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.float64(np.float32(input_scale) * np.float32(filter_scale)) / np.float64(output_scale))
