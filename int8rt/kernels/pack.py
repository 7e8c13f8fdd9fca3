"""PACK and UNPACK: tensors of one shape stacked along a new axis, and the reverse.

PACK: T[shape] × n -> T with size n at `axis`; UNPACK takes such a tensor apart. Codes are copied, so all scales and
zero points must be equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count, normalize_axis
from int8rt.kernels.layout import check_same_quantization
from int8rt.kernels.signature import signatures
from int8rt.schema.options import PackOptions, UnpackOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class PackParams(Params):
    """`axis`: the added (UNPACK: removed) dimension, counted from the front."""

    axis: int


def prepare_pack(context: OperatorContext) -> PackParams:
    """Check that all inputs are alike."""
    options, output = context.options(PackOptions), context.output()
    inputs = [context.input(i) for i in range(len(context.inputs))]
    if options.values_count != len(inputs):
        raise context.invalid(f"has {len(inputs)} inputs, values_count says {options.values_count}")
    first = context.input(0)
    axis = normalize_axis(context, options.axis, first.rank + 1)
    for input in inputs:
        if input.shape != first.shape:
            raise context.invalid(
                f"{input.name!r} has shape {list(input.shape)}, {first.name!r} has {list(first.shape)}"
            )
        check_same_quantization(context, input, output)
    return PackParams(output_shapes=((*first.shape[:axis], len(inputs), *first.shape[axis:]),), axis=axis)


def prepare_unpack(context: OperatorContext) -> PackParams:
    """Check that there is one output for each slice."""
    options, input = context.options(UnpackOptions), context.input(0)
    axis = normalize_axis(context, options.axis, input.rank)
    if element_count(input.shape) == 0:
        raise context.invalid(f"input {input.name!r} {list(input.shape)} has no elements")
    if not options.num == len(context.outputs) == input.shape[axis]:
        raise context.invalid(
            f"dimension {axis} of {list(input.shape)} makes {input.shape[axis]} outputs; "
            f"there are {len(context.outputs)}, num says {options.num}"
        )
    for output in context.outputs:
        check_same_quantization(context, input, output)
    shape = input.shape[:axis] + input.shape[axis + 1 :]
    return PackParams(output_shapes=(shape,) * options.num, axis=axis)


def evaluate_pack(params: PackParams, *inputs: Array) -> Array:
    """The inputs stacked."""
    return np.stack(inputs, params.axis)


def evaluate_unpack(params: PackParams, input: Array) -> tuple[Array, ...]:
    """The slices of the input."""
    parts = np.moveaxis(input, params.axis, 0)
    return tuple(parts[i, ...].copy() for i in range(len(parts)))


PACK = Kernel(
    name="PACK",
    signatures=signatures("T* -> T", T=("int8", "uint8", "int16", "int32", "int64", "float32", "uint32")),
    prepare=prepare_pack,
    evaluate=evaluate_pack,
    source="kernels/pack.cc",
    max_version=5,
)

UNPACK = Kernel(
    name="UNPACK",
    signatures=signatures("T -> T*", T=("int8", "uint8", "int16", "int32", "float32", "bool", "float16", "bfloat16")),
    prepare=prepare_unpack,
    evaluate=evaluate_unpack,
    source="kernels/unpack.cc",
    max_version=6,
)
