"""DENSIFY: a sparse constant as a dense tensor.

input: T, a constant stored sparsely -> T of the same shape. What is not stored is 0 (not the zero point).
`schema.constant_value` has put the stored elements in their places already.
"""

from __future__ import annotations

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Check that the input is a sparse constant."""
    input = context.input(0)
    if input.value is None or input.sparsity is None:
        raise context.invalid(f"input {input.name!r} must be a sparse constant")
    return Params(output_shapes=(input.shape,))


def evaluate(params: Params, input: Array) -> Array:
    """The dense elements."""
    return input


DENSIFY = Kernel(
    name="DENSIFY",
    signatures=signatures("T -> T", T=("int8", "float32", "float16")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/densify.cc, reference/densify.h",
    max_version=1,
)
