"""Other runtimes' ways to multiply an accumulator by a real multiplier; `requantize` has those of TensorFlow Lite's
reference kernels.

All take int32 accumulators of any shape and parameters that broadcast against them, and return int64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import (
    Int64Array,
    rounding_shift_right,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)


def multiply_by_quantized_multiplier_single_rounding(
    x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike
) -> Int64Array:
    """x · multiplier · 2^(shift - 31) with one rounding, ties up: floor((x·m + 2^(30 - shift)) / 2^(31 - shift)).

    int32 x, 0 <= multiplier < 2^31, -31 <= shift <= 30. Results are cut to int32; other shifts, undefined in C++, are
    counted modulo 64, as x86 processors do.
    Source: TensorFlow Lite kernels/internal/common.cc with TFLITE_SINGLE_ROUNDING; CMSIS-NN with
    CMSIS_NN_USE_SINGLE_ROUNDING; ruy on ARM.
    """
    total = 31 - np.asarray(shift, np.int64)
    value = np.asarray(np.asarray(x, np.int64) * np.asarray(multiplier, np.int64))
    with np.errstate(over="ignore"):  # of scalars; arrays wrap in silence
        value = (value + (np.int64(1) << ((total - 1) & 63))) >> (total & 63)
    return wrap_int32(value)


def multiply_by_quantized_multiplier_ties_up(
    x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike
) -> Int64Array:
    """x · multiplier · 2^(shift - 31) with two roundings that both take ties up.

    Like `requantize.multiply_by_quantized_multiplier`, but the last shift rounds ties up and not away from zero, so
    that only negative ties differ. int32 x and multiplier, -31 <= shift <= 30; a positive shift wraps around in int32.
    Source: ruy on x86 (kernel_avx2_fma.cc, kernel_avx512.cc) and the vector bodies of TensorFlow Lite's optimized
    kernels (common.h, MultiplyByQuantizedMultiplier4Rows).
    """
    shift = np.asarray(shift, np.int64)
    shifted = wrap_int32(np.asarray(x, np.int64) << np.maximum(shift, 0))
    return rounding_shift_right(saturating_rounding_doubling_high_mul(shifted, multiplier), np.maximum(-shift, 0))


def multiply_by_float32_multiplier(x: npt.ArrayLike, multiplier: npt.ArrayLike) -> Int64Array:
    """float32(x) · float32(multiplier) in float32, ties to even; saturated to int16.

    Accumulators beyond 2^24 are rounded by the conversion to float32. The int16 is that of the instruction which packs
    the results; nothing of it is left once they are clamped to 8 bits.
    Source: XNNPACK's "fp32" requantization on x86 (src/xnnpack/requantization.h, the qs8 and qu8 gemm kernels).
    """
    with np.errstate(over="ignore"):
        product = np.asarray(x).astype(np.float32) * np.asarray(multiplier).astype(np.float32)
    return np.rint(np.clip(product, -32768.0, 32767.0)).astype(np.int64)
