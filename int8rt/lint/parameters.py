"""Rules on the quantization parameters of every tensor, whatever uses it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from int8rt.lint.rule import Found, Operand, Severity, number, tensor_rule
from int8rt.model import TensorType

_CODES = {
    TensorType.INT8: (-128, 127),
    TensorType.UINT8: (0, 255),
    TensorType.INT4: (-8, 7),
    TensorType.INT2: (-2, 1),
}
_SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)


def scale_is_positive(operand: Operand) -> Iterator[Found]:
    """Every scale is a positive, finite number."""
    scales = operand.scales
    wrong = np.flatnonzero(~(np.isfinite(scales) & (scales > 0)))
    if wrong.size:
        where = f" at index {wrong[0]}" if scales.size > 1 else ""
        more = f" and {wrong.size - 1} more such" if wrong.size > 1 else ""
        yield Found(operand, f"scale {number(scales[wrong[0]])}{where}{more}", "a finite scale above 0")


def scale_is_normal(operand: Operand) -> Iterator[Found]:
    """No scale is so small that float32 holds it with fewer bits (below 2^-126): products of it are inaccurate or 0."""
    scales = operand.scales
    small = np.flatnonzero((scales > 0) & (scales < _SMALLEST_NORMAL))
    if small.size:
        yield Found(operand, f"scale {number(scales[small[0]])}", "a scale of at least 2^-126")


def zero_point_is_a_code(operand: Operand) -> Iterator[Found]:
    """A zero point is a code of the tensor's type: -128 to 127 for int8, 0 to 255 for uint8; so 0 is representable."""
    if operand.tensor.type not in _CODES:
        return
    low, high = _CODES[operand.tensor.type]
    wrong = np.flatnonzero((operand.zero_points < low) | (operand.zero_points > high))
    if wrong.size:
        yield Found(operand, f"zero point {operand.zero_points[wrong[0]]}", f"{low} to {high}")


def int16_is_symmetric(operand: Operand) -> Iterator[Found]:
    """The zero point of int16 activations is 0."""
    wrong = np.flatnonzero(operand.zero_points)
    if operand.tensor.type == TensorType.INT16 and operand.scales.size and wrong.size:
        yield Found(operand, f"zero point {operand.zero_points[wrong[0]]}", "zero point 0")


def one_zero_point_a_scale(operand: Operand) -> Iterator[Found]:
    """A tensor has as many zero points as scales."""
    scales, zero_points = operand.scales.size, operand.zero_points.size
    if scales and scales != zero_points:
        yield Found(operand, f"{scales} scales and {zero_points} zero points", f"{scales} zero points")


def one_scale_an_index(operand: Operand) -> Iterator[Found]:
    """A tensor with several scales has one for each index of its quantized dimension."""
    quantization, shape = operand.tensor.quantization, operand.tensor.shape
    if quantization is None or quantization.scale.size < 2:
        return
    dimension = quantization.quantized_dimension
    length = shape[dimension] if 0 <= dimension < len(shape) else None
    if length != quantization.scale.size:
        found = f"{quantization.scale.size} scales along dimension {dimension} of {list(shape)}"
        yield Found(operand, found, "a dimension of the tensor" if length is None else f"{length} scales")


RULES = (
    tensor_rule(Severity.ERROR, scale_is_positive),
    tensor_rule(Severity.ERROR, zero_point_is_a_code),
    tensor_rule(Severity.ERROR, int16_is_symmetric),
    tensor_rule(Severity.ERROR, one_zero_point_a_scale),
    tensor_rule(Severity.ERROR, one_scale_an_index),
    tensor_rule(Severity.WARNING, scale_is_normal),
)
