"""MIRROR_PAD: a border that mirrors the input, without (REFLECT) or with (SYMMETRIC) its outermost elements.

input: T, paddings: int32 or int64 [rank,2], output: T[before + size + after, ..]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import (
    COPIED_TYPES,
    QUANTIZED_TYPES,
    check_int16_zero_point,
    check_same_quantization,
)
from int8rt.kernels.pad import padding_pairs
from int8rt.kernels.signature import signatures
from int8rt.schema.enums import MirrorPadMode
from int8rt.schema.options import MirrorPadOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPadParams(Params):
    """left_padding: elements before each dimension. offset: 1 where the outermost element is not repeated, else 0."""

    left_padding: tuple[int, ...]
    offset: int


def prepare(context: OperatorContext) -> MirrorPadParams:
    """Check that no border is wider than what it mirrors."""
    input, output = context.input(0), context.output()
    if context.operator.options is None:
        raise context.invalid("has no options in the file, and so no mode")
    offset = 1 if context.options(MirrorPadOptions).mode == MirrorPadMode.REFLECT else 0
    if input.type in QUANTIZED_TYPES:
        check_same_quantization(context, input, output)
    check_int16_zero_point(context, input, output)
    left, right = padding_pairs(context)
    if any(max(before, after) > size - offset for before, size, after in zip(left, input.shape, right, strict=True)):
        raise context.invalid(f"paddings {left} before and {right} after are too wide for {list(input.shape)}")
    shape = tuple(before + size + after for before, size, after in zip(left, input.shape, right, strict=True))
    return MirrorPadParams(output_shapes=(shape,), left_padding=left, offset=offset)


def evaluate(params: MirrorPadParams, input: Array, paddings: Array) -> Array:
    """The input inside its reflection, one dimension after the other."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = input
    for axis, (before, size, total) in enumerate(zip(params.left_padding, input.shape, shape, strict=True)):
        if total != size:
            output = np.take(output, _mirrored(before, size, total, params.offset), axis)
    return output


def _mirrored(before: int, size: int, total: int, offset: int) -> npt.NDArray[np.int64]:
    """Where each output position reads the input."""
    position = np.arange(total) - before
    position = np.where(position < 0, offset - 1 - position, position)
    return np.where(position >= size, 2 * size - 1 - offset - position, position)


MIRROR_PAD = Kernel(
    name="MIRROR_PAD",
    signatures=signatures("T,int32|int64 -> T", T=COPIED_TYPES),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/mirror_pad.cc",
    max_version=3,
)
