"""CONCATENATION: tensors side by side along an axis.

inputs: T of one rank, alike but for `axis`, output: T with the sum of their sizes there
Codes are copied: int8 wants the same scale and zero point everywhere, int16 a zero point of 0 (its scales are not
compared). uint8 is rescaled in float32 where an input differs from the output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, normalize_axis
from int8rt.kernels.layout import check_int16_zero_point, check_same_quantization, scale_and_zero_point
from int8rt.kernels.signature import signatures
from int8rt.model import ActivationFunctionType, Shape, TensorType
from int8rt.quantization.division import float_to_int32
from int8rt.quantization.rounding import round_half_away
from int8rt.schema.options import ConcatenationOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConcatenationParams(Params):
    """`tables`: the output code of each of the 256 codes of an input that is rescaled; None for one that is copied."""

    axis: int
    tables: tuple[npt.NDArray[np.uint8] | None, ...]


def prepare(context: OperatorContext) -> ConcatenationParams:
    """Check that the inputs fit together; find out which of them are rescaled."""
    options, output = context.options(ConcatenationOptions), context.output()
    if options.fused_activation_function != ActivationFunctionType.NONE:
        raise context.invalid(f"has activation {options.fused_activation_function.name}, expected NONE")
    inputs = [context.input(i) for i in range(max(1, len(context.inputs)))]
    axis = normalize_axis(context, options.axis, inputs[0].rank)
    size = 0
    for input in inputs:
        if _without(axis, input.shape) != _without(axis, inputs[0].shape):
            raise context.invalid(
                f"{input.name!r} {list(input.shape)} and {inputs[0].name!r} {list(inputs[0].shape)} "
                f"do not fit together along axis {axis}"
            )
        size += input.shape[axis]
        if input.type == TensorType.INT8:
            check_same_quantization(context, input, output)
    check_int16_zero_point(context, *inputs, output)
    shape = inputs[0].shape
    return ConcatenationParams(
        output_shapes=((*shape[:axis], size, *shape[axis + 1 :]),),
        axis=axis,
        tables=tuple(_rescaling(context, input) for input in inputs),
    )


def _without(axis: int, shape: Shape) -> tuple[int, Shape]:
    return len(shape), shape[:axis] + shape[axis + 1 :]


def _rescaling(context: OperatorContext, input: TensorInfo) -> npt.NDArray[np.uint8] | None:
    """round(q · scale + bias) + output_zero_point for each code q, where scale and bias are rounded to float32."""
    (input_scale, input_zero_point), (output_scale, output_zero_point) = (
        scale_and_zero_point(tensor) for tensor in (input, context.output())
    )
    if input.type != TensorType.UINT8 or (input_scale, input_zero_point) == (output_scale, output_zero_point):
        return None
    if output_scale == 0:
        raise context.invalid(f"output {context.output().name!r} has no scale, input {input.name!r} has {input_scale}")
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.float32(input_scale) * (np.float32(1) / np.float32(output_scale))
        bias = np.float32(-input_zero_point) * scale
        real = round_half_away(np.arange(256, dtype=np.float32) * scale + bias)
    steps = float_to_int32(real) + output_zero_point
    return np.clip(steps, 0, 255).astype(np.uint8)


def evaluate(params: ConcatenationParams, *inputs: Array) -> Array:
    """The inputs side by side."""
    parts = [input if table is None else table[input] for table, input in zip(params.tables, inputs, strict=True)]
    return np.concatenate(parts, params.axis)


CONCATENATION = Kernel(
    name="CONCATENATION",
    signatures=signatures(
        "T* -> T",
        T=("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "bfloat16", "uint32", "int4"),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/concatenation.cc, reference/concatenation.h",
    max_version=7,
)
