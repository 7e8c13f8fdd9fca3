"""TANH: the hyperbolic tangent, element by element.

input: T[...], output: T[...]; T is int8, uint8 or int16 (output scale 1/32768, zero points 0).
8-bit types look the result up in a table of the real function; int16 interpolates in the table of the logistic
function, tanh(x) being 2 · logistic(2x) - 1.
"""

from __future__ import annotations

from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.sigmoid import SigmoidParams, evaluate_sigmoid, prepare_sigmoid_table, sigmoid_kernel
from int8rt.kernels.unary import prepare_lookup_table
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.sigmoid_table import checked_log2, tanh_by_table


def prepare(context: OperatorContext) -> SigmoidParams:
    """Make the table, or the multiplier of int16."""
    input, output = context.input(0), context.output()
    if input.type != TensorType.INT16:
        return prepare_lookup_table(context, libm.tanh)
    check_int16_zero_point(context, input, output)
    output_scale = context.per_tensor(output)[0]
    if checked_log2(output_scale) != (True, -15):
        raise context.invalid(f"output {output.name!r} has scale {output_scale:g}, expected 1/32768")
    return prepare_sigmoid_table(context, 1)


def evaluate(params: SigmoidParams, input: Array) -> Array:
    """TANH of each element."""
    return evaluate_sigmoid(tanh_by_table, params, input)


TANH = sigmoid_kernel("TANH", prepare, evaluate, libm.tanh)
