"""EXP: e^x, element by element, by a look-up table.

input: T[...], output: T[...]; T is int8 or int16 (zero points 0).
"""

from __future__ import annotations

from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.float32.functions import elementwise, with_float32
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table, prepare_lookup_table
from int8rt.quantization import libm


def prepare(context: OperatorContext) -> LookupTableParams:
    """Make the table."""
    check_int16_zero_point(context, context.input(0), context.output())
    return prepare_lookup_table(context, libm.exp)


EXP = with_float32(
    Kernel(
        name="EXP",
        signatures=signatures("T -> T", T=("int8", "int16")),
        prepare=prepare,
        evaluate=evaluate_lookup_table,
        source="kernels/exp.cc, internal/common.h",
        max_version=2,
    ),
    elementwise(libm.exp),
)
