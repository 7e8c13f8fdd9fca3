"""The operators that XNNPACK computes, and what of XNNPACK is not done."""

from __future__ import annotations

from collections.abc import Callable

from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.xnnpack.batch_matmul import BATCH_MATMUL
from int8rt.kernels.xnnpack.binary import ADD, MUL, SUB
from int8rt.kernels.xnnpack.convolutions import CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV
from int8rt.kernels.xnnpack.copies import COPIES
from int8rt.kernels.xnnpack.delegation import Delegated
from int8rt.kernels.xnnpack.float32 import FLOATING
from int8rt.kernels.xnnpack.float_operators import PRODUCTS
from int8rt.kernels.xnnpack.reductions import REDUCTIONS
from int8rt.kernels.xnnpack.resize import RESIZE_BILINEAR
from int8rt.kernels.xnnpack.unary import UNARY
from int8rt.model import TensorType

_OF_CODES: tuple[Delegated, ...] = (
    ADD,
    BATCH_MATMUL,
    CONV_2D,
    DEPTHWISE_CONV_2D,
    FULLY_CONNECTED,
    MUL,
    RESIZE_BILINEAR,
    SUB,
    TRANSPOSE_CONV,
    *COPIES,
    *REDUCTIONS,
    *UNARY,
)
_OF_REAL_NUMBERS = {operator.name: operator for operator in (*FLOATING, *PRODUCTS)}
DELEGATED: tuple[Delegated, ...] = (
    *(
        operator.also(_OF_REAL_NUMBERS[operator.name]) if operator.name in _OF_REAL_NUMBERS else operator
        for operator in _OF_CODES
    ),
    *(operator for operator in FLOATING if operator.name not in {each.name for each in _OF_CODES}),
)
_NAMES = frozenset(operator.name for operator in DELEGATED)

# Custom operators that the delegate knows.
_CUSTOM = ("Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D")

Reason = Callable[[OperatorContext], str | None]


def delegated_kernels(other: Callable[[str], Kernel], not_done: Reason) -> dict[str, Kernel]:
    """The kernels by name. other: the kernel that computes what is not taken; not_done: why it cannot, or None."""
    return {operator.name: operator.kernel(other(operator.name), not_done) for operator in DELEGATED}


def not_done_in_xnnpack(context: OperatorContext, optimized: Reason) -> str | None:
    """Why int8rt cannot compute an operator in profile `xnnpack`; None where it can, or cannot say yet.

    optimized: the same of the kernels that compute what is not taken.
    """
    name = context.operator.name
    types = {tensor.type for tensor in (*context.inputs, *context.outputs) if tensor is not None}
    # Their input is quantized first, or the delegate does not take them.
    filter = context.optional_input(1)
    mixed = name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED") and filter and not _is_real(filter.type)
    custom = context.operator.custom_code in _CUSTOM and any(_is_real(type) for type in types)
    if custom or (name in _OF_REAL_NUMBERS and not mixed and TensorType.FLOAT16 in types):
        return f"its arithmetic on real numbers in profile {context.profile.name} is not done"
    if name == "DENSIFY" and _may_be_taken(context):
        return f"sparse weights in profile {context.profile.name} is not done"
    return None if name in _NAMES else optimized(context)


def _may_be_taken(context: OperatorContext) -> bool:
    """Whether the delegate may do this operator on constants beforehand: no operator that it leaves reads the result.

    Of a result that only others read it makes nothing; what is an output of the model makes it fail.
    """
    graph, index = context.subgraph, context.output().index
    if graph is None:
        return False
    readers = [operator.name for operator in graph.operators if index in operator.inputs]
    return index in graph.outputs or any(name in _NAMES for name in readers)


def _is_real(type: TensorType) -> bool:
    return type in (TensorType.FLOAT32, TensorType.FLOAT16)
