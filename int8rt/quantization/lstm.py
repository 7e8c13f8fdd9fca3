"""The 16-bit arithmetic of an integer LSTM. Source: TensorFlow Lite internal/reference/portable_tensor_utils.cc.

Gates and cell are int16: gates before their activation in F_3, after it in F_0 (see `fixed_point`).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from int8rt.quantization.division import divide_truncate
from int8rt.quantization.fixed_point import INT16, logistic, tanh
from int8rt.quantization.reciprocal import get_inv_sqrt_quantized_multiplier_exp
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rescale import multiply_by_quantized_multiplier_ties_up
from int8rt.quantization.rounding import rounding_divide_by_pot, saturate, wrap_int32

Int16Array = npt.NDArray[np.int16]

GATE_INTEGER_BITS = 3
LARGEST_TANH_INTEGER_BITS = 6
_VECTOR = 16


def apply_sigmoid(gate: Int16Array) -> Int16Array:
    """The logistic function of int16 in F_3, in F_0."""
    return np.take(_table("logistic", GATE_INTEGER_BITS), gate.view(np.uint16))


def apply_tanh(values: Int16Array, integer_bits: int) -> Int16Array:
    """The hyperbolic tangent of int16 in F_(integer_bits), in F_0; 0 <= integer_bits <= 6."""
    return np.take(_table("tanh", integer_bits), values.view(np.uint16))


@functools.cache
def _table(function: str, integer_bits: int) -> Int16Array:
    """The function of every int16, by its bits read as an unsigned number."""
    codes = np.arange(1 << 16).astype(np.uint16).view(np.int16)
    values = (logistic if function == "logistic" else tanh)(codes, integer_bits, INT16)
    return values.astype(np.int16)


def cwise_mul(a: Int16Array, b: Int16Array, shift: int) -> Int16Array:
    """a · b / 2^shift, ties away from zero, cut off to 16 bits without saturation."""
    return rounding_divide_by_pot(a.astype(np.int64) * b, shift).astype(np.int16)


def cwise_mul_int8(a: Int16Array, b: Int16Array, multiplier: int, shift: int, zero_point: int) -> npt.NDArray[np.int8]:
    """a · b rescaled, plus the zero point, saturated to int8."""
    value = multiply_by_quantized_multiplier(a.astype(np.int64) * b, multiplier, shift)
    return saturate(wrap_int32(value + zero_point), np.int8)


def cwise_add(a: Int16Array, b: Int16Array) -> Int16Array:
    """a + b, saturated."""
    return saturate(a.astype(np.int64) + b, np.int16)


def accumulate_peephole(
    gate: Int16Array, weights: Int16Array, cell: Int16Array, multiplier: int, shift: int, count: int
) -> Int16Array:
    """gate + weights · cell rescaled, saturated, for `count` cells a row; gate and cell are [rows, cells].

    TensorFlow Lite takes the rows to be as long as the output, not the cell, one behind the other. Its vector code
    rounds groups of 16 cells twice with ties up; what is left over has ties away from zero in the second rounding.
    """
    rows = len(gate)
    flat, cells = gate.reshape(-1).copy(), cell.reshape(-1)[: rows * count].reshape(rows, count)
    products = weights[:count].astype(np.int64) * cells
    split = count // _VECTOR * _VECTOR
    scaled = np.concatenate(
        [
            multiply_by_quantized_multiplier_ties_up(products[:, :split], multiplier, shift),
            multiply_by_quantized_multiplier(products[:, split:], multiplier, shift),
        ],
        axis=1,
    )
    flat[: rows * count] = saturate(wrap_int32(flat[: rows * count] + scaled.reshape(-1)), np.int16)
    return flat.reshape(gate.shape)


def apply_layer_norm(
    gate: Int16Array,
    weights: Int16Array,
    bias: npt.NDArray[np.int32],
    multiplier: int,
    shift: int,
    variance_guard: int,
) -> Int16Array:
    """(gate - mean) / deviation · weights + bias for each row of gate, rescaled to F_3 and saturated."""
    values = gate.astype(np.int64)
    size = values.shape[1]
    mean = wrap_int32(divide_truncate(values.sum(axis=1, keepdims=True) * 1024, size))
    variance = (values * values).sum(axis=1, keepdims=True) * ((1 << 20) // size) - mean * mean
    variance = wrap_int32(divide_truncate(variance, 1 << 20))
    variance = np.where(variance < 1, variance_guard, variance)
    inverse, inverse_shift = get_inv_sqrt_quantized_multiplier_exp(variance)
    rescaled = multiply_by_quantized_multiplier(wrap_int32(1024 * values - mean), inverse, inverse_shift)
    # In C++ these overflow int32, which is undefined; LiteRT's compiler has made 64-bit operations of them.
    weighted = rescaled * weights + bias
    rounded = wrap_int32(divide_truncate(np.where(weighted > 0, weighted + 512, weighted - 512), 1024))
    return saturate(multiply_by_quantized_multiplier(rounded, multiplier, shift + 12), np.int16)
