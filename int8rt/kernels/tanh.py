"""TANH: the hyperbolic tangent, element by element.

input: T[...], output: T[...]; T is int8, uint8 or int16 (output scale 1/32768, zero points 0).
8-bit types look the result up in a table of the real function; int16 interpolates in the table of the logistic
function, tanh(x) being 2 · logistic(2x) - 1.
"""

from __future__ import annotations

from int8rt.kernels.base import Array, Kernel, OperatorContext
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.float32.functions import elementwise, in_float32, with_float32
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.logistic import SigmoidTableParams
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, by_codes, evaluate_lookup_table, prepare_lookup_table
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.sigmoid_table import checked_log2, scale_to_table, table_multiplier, tanh_by_table


def prepare(context: OperatorContext) -> LookupTableParams | SigmoidTableParams:
    """Make the table, or the multiplier of int16."""
    input, output = context.input(0), context.output()
    if input.type != TensorType.INT16:
        return prepare_lookup_table(context, libm.tanh)
    check_int16_zero_point(context, input, output)
    output_scale = context.per_tensor(output)[0]
    if checked_log2(output_scale) != (True, -15):
        raise context.invalid(f"output {output.name!r} has scale {output_scale:g}, expected 1/32768")
    multiplier, shift = table_multiplier(context.per_tensor(input)[0], 1)
    return SigmoidTableParams(output_shapes=(input.shape,), input_multiplier=multiplier, input_left_shift=shift)


def evaluate(params: LookupTableParams | SigmoidTableParams, input: Array) -> Array:
    """TANH of each element."""
    if isinstance(params, LookupTableParams):
        return evaluate_lookup_table(params, input)
    multiplier, shift = params.input_multiplier, params.input_left_shift
    return by_codes(input, lambda codes: tanh_by_table(scale_to_table(codes, multiplier, shift)))


TANH = with_bfloat16(
    with_float32(
        Kernel(
            name="TANH",
            signatures=signatures("T -> T", T=("int8", "uint8", "int16")),
            prepare=prepare,
            evaluate=evaluate,
            source="kernels/activations.cc, internal/common.h, reference/integer_ops/tanh.h",
            max_version=3,
        ),
        elementwise(libm.tanh),
        function16=in_float32(elementwise(libm.tanh)),
    )
)
