"""What TensorFlow Lite Micro computes otherwise than TensorFlow Lite: 8-bit LOGISTIC and TANH in fixed point, RELU6."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.fixed_point import logistic, tanh
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import Int64Array, round_half_away, rounding_divide_by_pot
from int8rt.quantization.softmax_scaling import calculate_input_radius

_INTEGER_BITS = 4


def logistic_codes(scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """int8[256] by the input's code read as unsigned: LOGISTIC in steps of 1/256, zero point -128.

    Source: TensorFlow Lite reference/integer_ops/logistic.h, TensorFlow Lite Micro kernels/logistic_common.cc.
    """
    return _codes(
        scale, zero_point, lambda x: np.minimum(rounding_divide_by_pot(logistic(x, _INTEGER_BITS), 23), 255) - 128
    )


def tanh_codes(scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """int8[256] by the input's code read as unsigned: TANH in steps of 1/128, zero point 0.

    Source: TensorFlow Lite reference/integer_ops/tanh.h, TensorFlow Lite Micro kernels/tanh.cc.
    """
    return _codes(scale, zero_point, lambda x: np.clip(rounding_divide_by_pot(tanh(x, _INTEGER_BITS), 24), -128, 127))


def _codes(scale: float, zero_point: int, function: Callable[[Int64Array], Int64Array]) -> npt.NDArray[np.int8]:
    """Inputs beyond the radius, where the shift to the left overflows, have the type's lowest or highest code."""
    multiplier, shift = quantize_multiplier(scale * (1 << (31 - _INTEGER_BITS)))
    radius = calculate_input_radius(_INTEGER_BITS, shift) if shift >= 0 else 1 << 31
    steps = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64) - zero_point
    inside = np.abs(steps) < radius
    values = function(multiply_by_quantized_multiplier(np.where(inside, steps, 0), multiplier, shift))
    codes: npt.NDArray[np.int8] = np.where(inside, values, np.where(steps < 0, -128, 127)).astype(np.int8)
    return codes


def six(scale: float, zero_point: int, dtype: np.dtype[Any]) -> int:
    """The code of 6.0 with the input's quantization, within its type.

    Source: TensorFlow Lite Micro micro_utils.h, FloatToQuantizedType.
    """
    info = np.iinfo(dtype)
    with np.errstate(all="ignore"):
        value = float(round_half_away(np.float32(6) / np.float32(scale)))
    return int(np.clip(value + zero_point, info.min, info.max))
