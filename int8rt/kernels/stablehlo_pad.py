"""STABLEHLO_PAD and DILATE: a value around and between the elements of a tensor.

STABLEHLO_PAD: input T[..], padding value T (one element) -> T[..]; each dimension gets `interior_padding` places
between its elements and `edge_padding_low`, `edge_padding_high` at its ends, or loses as many where they are negative.
DILATE: input T[..], dilations: int32[rank], padding value T -> T[..]: dilation - 1 places between the elements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.layout import COPIED_TYPES, integers
from int8rt.kernels.signature import signatures
from int8rt.schema.options import StablehloPadOptions

_MOST_DIMENSIONS = 8
_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PadParams(Params):
    """kept: the elements of the input that stay, by dimension. places: where they go."""

    kept: tuple[slice, ...]
    places: tuple[slice, ...]


def prepare(context: OperatorContext) -> PadParams:
    """Check the padding of a STABLEHLO_PAD."""
    options, input = context.options(StablehloPadOptions), context.input(0)
    if element_count(context.input(1).shape) != 1:
        raise context.invalid(f"padding value {context.input(1).name!r} must have one element")
    if not 1 <= input.rank <= _MOST_DIMENSIONS:
        raise context.invalid(f"input {input.name!r} has rank {input.rank}, expected 1 to {_MOST_DIMENSIONS}")
    low, high, interior = options.edge_padding_low, options.edge_padding_high, options.interior_padding
    if not len(low) == len(high) == len(interior) == input.rank:
        raise context.invalid(f"paddings {low}, {high} and {interior} do not fit {list(input.shape)}")
    return _params(context, input, low, high, interior)


def prepare_dilate(context: OperatorContext) -> PadParams:
    """Check the dilations of a DILATE."""
    input = context.input(0)
    if input.rank < 1 or 0 in input.shape or not element_count(context.input(2).shape):
        raise context.invalid(f"input {input.name!r} {list(input.shape)} and the padding value must not be empty")
    dilations = integers(context, 1)
    if context.input(1).rank != 1 or len(dilations) != input.rank or min(dilations) < 1:
        raise context.invalid(f"dilations {list(dilations)} do not fit {list(input.shape)}")
    none = (0,) * input.rank
    return _params(context, input, none, none, tuple(dilation - 1 for dilation in dilations))


def _params(
    context: OperatorContext, input: TensorInfo, low: tuple[int, ...], high: tuple[int, ...], interior: tuple[int, ...]
) -> PadParams:
    if any(gap < 0 for gap in interior):
        raise context.invalid(f"interior padding {list(interior)} must not be negative")
    shape, kept, places = [], [], []
    for size, before, after, gap in zip(input.shape, low, high, interior, strict=True):
        step = gap + 1
        total = size + max(0, size - 1) * gap + before + after
        # The first and the last element that do not fall off the ends.
        first, stop = max(0, -(before // step)), min(size, (total - 1 - before) // step + 1)
        shape.append(total)
        kept.append(slice(first, max(first, stop)))
        places.append(slice(before + first * step, before + max(first, stop - 1) * step + 1, step))
    if any(size > _INT32_MAX for size in shape):
        raise context.invalid(f"the padded shape {shape} does not fit int32")
    if min(shape) <= 0:
        shape = [0] * len(shape)
    return PadParams(output_shapes=(tuple(shape),), kept=tuple(kept), places=tuple(places))


def evaluate(params: PadParams, input: Array, value: Array) -> Array:
    """STABLEHLO_PAD."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.full(shape, value.reshape(-1)[0], input.dtype)
    kept = input[params.kept]
    if output.size and kept.size:
        output[params.places] = kept
    return output


def evaluate_dilate(params: PadParams, input: Array, dilations: Array, value: Array) -> Array:
    """DILATE."""
    return evaluate(params, input, value)


_BEYOND = "LiteRT counts a byte for each element where several share one, and goes beyond the ends of its tensors"

STABLEHLO_PAD = Kernel(
    name="STABLEHLO_PAD",
    signatures=signatures("T,T -> T", T=(*COPIED_TYPES, "complex128")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/stablehlo_pad.cc",
    max_version=1,
    others=_BEYOND,
)

DILATE = Kernel(
    name="DILATE",
    signatures=signatures("T,int32,T -> T", T=(*COPIED_TYPES, "complex128")),
    prepare=prepare_dilate,
    evaluate=evaluate_dilate,
    source="kernels/dilate.cc",
    max_version=1,
    others=_BEYOND,
)
