"""The arithmetic of an LSTM with int8 products, which is real between integers.

Source: TensorFlow Lite internal/reference/portable_tensor_utils.cc, the functions with Float in their name.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from int8rt.quantization import libm
from int8rt.quantization.rounding import float_to_int32, round_half_away, saturate, saturating_truncate

Int16Array = npt.NDArray[np.int16]

# Gates before their activation are in steps of 2^-12, all else in steps of 2^-15.
_GATE = 2.0**-12
_ONE = np.float32(2.0**15)
_LEAST_VARIANCE = np.float32(1e-8)


def apply_layer_norm_float(
    gate: Int16Array, weights: Int16Array, bias: npt.NDArray[np.int32], multiplier: int, shift: int
) -> Int16Array:
    """(gate - mean) / deviation · weights + bias for each row of gate, times multiplier · 2^(shift - 31).

    All in float32, sums from the first element to the last; bias is in steps of 2^-10 of that scale.
    """
    if not gate.size:
        return gate
    scale = np.float32(multiplier * 2.0 ** (shift - 31))
    bias_scale, count = np.float32(2.0**-10) * scale, np.float32(gate.shape[1])
    values = gate.astype(np.float32)
    with np.errstate(all="ignore"):
        # A cumulative sum is the one that NumPy forms in order.
        mean = np.cumsum(values, axis=1)[:, -1:] / count
        variance = np.cumsum(values * values, axis=1)[:, -1:] / count - mean * mean
        inverse = np.float32(1) / np.sqrt(np.where(variance == 0, _LEAST_VARIANCE, variance))
        weighted = (values - mean) * inverse * weights.astype(np.float32) * scale + bias.astype(np.float32) * bias_scale
        return saturating_truncate(round_half_away(weighted * np.float32(1 / _GATE)), np.int16)


def apply_sigmoid_float(gate: Int16Array) -> Int16Array:
    """The logistic function of int16 in steps of 2^-12, truncated to steps of 2^-15."""
    return np.take(_logistic(), gate.view(np.uint16))


def apply_tanh_float(values: Int16Array, exponent: int) -> Int16Array:
    """The hyperbolic tangent of int16 in steps of 2^exponent, truncated to steps of 2^-15."""
    return np.take(_tanh(exponent), values.view(np.uint16))


@functools.cache
def _logistic() -> Int16Array:
    one, real = np.float32(1), _codes() * np.float32(_GATE)
    return saturate(float_to_int32(one / (one + libm.exp(-real)) * _ONE), np.int16)


@functools.cache
def _tanh(exponent: int) -> Int16Array:
    return saturate(float_to_int32(libm.tanh(_codes() * np.float32(2.0**exponent)) * _ONE), np.int16)


def _codes() -> npt.NDArray[np.float32]:
    """Every int16, by its bits read as an unsigned number."""
    return np.arange(1 << 16).astype(np.uint16).view(np.int16).astype(np.float32)
