"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: every b-th pixel as an image of its own, and the reverse.

SPACE_TO_BATCH_ND: input T[N,H,W,C] or T[N,H,C], block_shape int32 [H and W], paddings int32 [.,2]
-> T[N·bh·bw, (H + padding) / bh, (W + padding) / bw, C]; the border holds the zero point of the output.
BATCH_TO_SPACE_ND: input T[N·bh·bw,H,W,C], block_shape, crops int32 [.,2] -> T[N, H·bh - crops, W·bw - crops, C]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import (
    COPIED_TYPES,
    QUANTIZED_TYPES,
    check_int16_zero_point,
    check_same_quantization,
    integers,
    scale_and_zero_point,
)
from int8rt.kernels.signature import signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceBatchParams(Params):
    """block_shape: distance of the pixels of one image. before: elements added or cropped at the start.

    pad_value: what is added, in codes.
    """

    block_shape: tuple[int, ...]
    before: tuple[int, ...]
    pad_value: int


def _borders(context: OperatorContext) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(block_shape, before, after) of the spatial dimensions."""
    input, output = context.input(0), context.output()
    if input.rank not in (3, 4):
        raise context.invalid(f"input {input.name!r} must have rank 3 or 4, found {list(input.shape)}")
    if input.type in QUANTIZED_TYPES:
        check_same_quantization(context, input, output)
    check_int16_zero_point(context, input, output)
    spatial = input.rank - 2
    for index, shape in ((1, (spatial,)), (2, (spatial, 2))):
        if context.input(index).shape != shape:
            found = context.input(index)
            raise context.invalid(f"{found.name!r} has shape {list(found.shape)}, expected {list(shape)}")
    block_shape, borders = integers(context, 1), integers(context, 2)
    if min(block_shape) < 1 or min(borders) < 0:
        raise context.invalid(f"block shape {list(block_shape)} or border {list(borders)} is negative or 0")
    return block_shape, borders[0::2], borders[1::2]


def prepare_space_to_batch(context: OperatorContext) -> SpaceBatchParams:
    """Check that the padded image consists of whole blocks."""
    block_shape, before, after = _borders(context)
    batches, *spatial, channels = context.input(0).shape
    padded = [b + size + a for b, size, a in zip(before, spatial, after, strict=True)]
    if any(size % block for size, block in zip(padded, block_shape, strict=True)):
        raise context.invalid(f"the padded size {padded} is not a multiple of {list(block_shape)}")
    sizes = [size // block for size, block in zip(padded, block_shape, strict=True)]
    output = context.output()
    pad_value = scale_and_zero_point(output)[1] if output.type in QUANTIZED_TYPES else 0
    if pad_value and not np.iinfo(output.type.dtype).min <= pad_value <= np.iinfo(output.type.dtype).max:
        raise context.invalid(f"output {output.name!r} has zero point {pad_value}, outside its type")
    return SpaceBatchParams(
        output_shapes=((batches * element_count(block_shape), *sizes, channels),),
        block_shape=block_shape,
        before=before,
        pad_value=pad_value,
    )


def prepare_batch_to_space(context: OperatorContext) -> SpaceBatchParams:
    """Check that the batches make whole blocks, and that the crops leave something to show."""
    block_shape, before, after = _borders(context)
    batches, *spatial, channels = context.input(0).shape
    if batches % element_count(block_shape):
        raise context.invalid(f"{batches} batches are not a multiple of {element_count(block_shape)}")
    sizes = [s * block - b - a for s, block, b, a in zip(spatial, block_shape, before, after, strict=True)]
    if min(sizes) < 0:
        raise context.invalid(f"crops {before} before and {after} after leave less than nothing of {spatial}")
    return SpaceBatchParams(
        output_shapes=((batches // element_count(block_shape), *sizes, channels),),
        block_shape=block_shape,
        before=before,
        pad_value=0,
    )


def evaluate_space_to_batch(params: SpaceBatchParams, input: Array, block_shape: Array, paddings: Array) -> Array:
    """Pad, then bring the places within a block before the batches."""
    (shape,) = params.output_shapes
    assert shape is not None
    batches, *spatial, channels = input.shape
    padded = [size * block for size, block in zip(shape[1:-1], params.block_shape, strict=True)]
    image = np.full((batches, *padded, channels), params.pad_value, input.dtype)
    image[(slice(None), *_inner(params.before, spatial))] = input
    if len(spatial) == 1:
        (block,) = params.block_shape
        return image.reshape(batches, shape[1], block, channels).transpose(2, 0, 1, 3).reshape(shape)
    high, wide = params.block_shape
    blocks = image.reshape(batches, shape[1], high, shape[2], wide, channels)
    return blocks.transpose(2, 4, 0, 1, 3, 5).reshape(shape)


def evaluate_batch_to_space(params: SpaceBatchParams, input: Array, block_shape: Array, crops: Array) -> Array:
    """Bring the places within a block beside the pixels, then crop."""
    (shape,) = params.output_shapes
    assert shape is not None
    _, *spatial, channels = input.shape
    whole = (shape[0], *(size * block for size, block in zip(spatial, params.block_shape, strict=True)), channels)
    blocks = input.reshape(*params.block_shape, shape[0], *spatial, channels)
    order = (1, 2, 0, 3) if len(spatial) == 1 else (2, 3, 0, 4, 1, 5)
    image = blocks.transpose(order).reshape(whole)
    inner: Array = image[(slice(None), *_inner(params.before, shape[1:-1]))]
    return inner.copy()


def _inner(before: tuple[int, ...], sizes: tuple[int, ...] | list[int]) -> tuple[slice, ...]:
    return tuple(slice(start, start + size) for start, size in zip(before, sizes, strict=True))


SPACE_TO_BATCH_ND = Kernel(
    name="SPACE_TO_BATCH_ND",
    signatures=signatures("T,int32,int32 -> T", T=COPIED_TYPES),
    prepare=prepare_space_to_batch,
    evaluate=evaluate_space_to_batch,
    source="kernels/space_to_batch_nd.cc, reference/space_to_batch_nd.h",
    max_version=4,
)

BATCH_TO_SPACE_ND = Kernel(
    name="BATCH_TO_SPACE_ND",
    signatures=signatures("T,int32,int32 -> T", T=COPIED_TYPES),
    prepare=prepare_batch_to_space,
    evaluate=evaluate_batch_to_space,
    source="kernels/batch_to_space_nd.cc, reference/batch_to_space_nd.h",
    max_version=4,
)
