"""Fused activation functions as clamps on quantized values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.errors import SpecError
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.rounding import float_to_int32, round_half_away, wrap_int32

# The real bounds of each activation; None: the range of the type. TFLite ignores TANH and SIGN_BIT.
_BOUNDS: dict[ActivationFunctionType, tuple[float | None, float | None]] = {
    ActivationFunctionType.NONE: (None, None),
    ActivationFunctionType.RELU: (0.0, None),
    ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    ActivationFunctionType.RELU6: (0.0, 6.0),
    ActivationFunctionType.TANH: (None, None),
    ActivationFunctionType.SIGN_BIT: (None, None),
}


def calculate_activation_range(
    activation: ActivationFunctionType, scale: float, zero_point: int, type: TensorType
) -> tuple[int, int]:
    """(activation_min, activation_max) in quantized steps of an output with this scale and zero point.

    A bound v becomes zero_point + round(v / scale), the quotient in float32 with ties away from zero, the sum in int32
    with wrap-around, and is then held within the range of `type` (INT8, UINT8 or INT16). Raises `SpecError` where the
    quotient does not fit int32.
    Source: TensorFlow Lite kernels/kernel_util.cc, CalculateActivationRangeQuantized.
    """
    info = np.iinfo(type.dtype)
    low, high = _BOUNDS.get(activation, (None, None))
    minimum = info.min if low is None else max(info.min, int(wrap_int32(zero_point + _quantize_bound(low, scale))))
    maximum = info.max if high is None else min(info.max, int(wrap_int32(zero_point + _quantize_bound(high, scale))))
    return int(minimum), int(maximum)


def _quantize_bound(value: float, scale: float) -> int:
    quotient = _quotient(value, scale)
    if not -(2.0**31) <= float(quotient) <= 2.0**31:  # the limits in float32: 2^31 itself passes, and wraps around
        raise SpecError(f"the activation bound {value} is not representable with the output scale {scale}")
    return int(quotient)


def _quotient(value: float, scale: float) -> np.float32:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.float32(round_half_away(np.float32(value) / np.float32(scale)))


def calculate_relu_range(
    low: float, high: float | None, scale: float, zero_point: int, type: TensorType
) -> tuple[int, int]:
    """(minimum, maximum) in quantized steps of the operators RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1.

    Like `calculate_activation_range`, but nothing is checked: a bound beyond int32 becomes -2^31, to which the zero
    point is added with wrap-around, so that the maximum may lie below the type's range.
    Source: TensorFlow Lite kernels/activations.cc, QuantizedReluX.
    """
    info = np.iinfo(type.dtype)
    minimum = max(int(info.min), int(wrap_int32(zero_point + int(float_to_int32(_quotient(low, scale))))))
    if high is None:
        return minimum, int(info.max)
    return minimum, min(int(info.max), int(wrap_int32(zero_point + int(float_to_int32(_quotient(high, scale))))))


def calculate_float_activation_range(activation: ActivationFunctionType) -> tuple[float, float]:
    """(minimum, maximum) real bounds in float32; where there is none, the lowest or largest finite number.

    Source: TensorFlow Lite kernels/kernel_util.h, CalculateActivationRange.
    """
    info = np.finfo(np.float32)
    low, high = _BOUNDS.get(activation, (None, None))
    return float(info.min) if low is None else low, float(info.max) if high is None else high


def calculate_integer_activation_range(activation: ActivationFunctionType, dtype: npt.DTypeLike) -> tuple[int, int]:
    """(minimum, maximum) of integers that are plain numbers, without a scale; where there is no bound, the type's.

    Source: TensorFlow Lite kernels/kernel_util.h, CalculateActivationRange.
    """
    info = np.iinfo(np.dtype(dtype))
    low, high = _BOUNDS.get(activation, (None, None))
    # A bound of -1 is stored into an unsigned type as its largest number.
    minimum = int(info.min) if low is None else int(np.int64(low).astype(info.dtype))
    return minimum, int(info.max) if high is None else int(high)
