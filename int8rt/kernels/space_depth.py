"""SPACE_TO_DEPTH and DEPTH_TO_SPACE: squares of b × b pixels as the channels of one pixel, and the reverse.

SPACE_TO_DEPTH: T[N,H·b,W·b,C] -> T[N,H,W,b·b·C]; DEPTH_TO_SPACE is its inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.signature import signatures
from int8rt.schema.options import DepthToSpaceOptions, SpaceToDepthOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDepthParams(Params):
    """`block_size`: rows and columns of a square."""

    block_size: int


def _image(context: OperatorContext, block_size: int) -> TensorInfo:
    input = context.input(0)
    if input.rank != 4:
        raise context.invalid(f"input {input.name!r} must have rank 4, found {list(input.shape)}")
    if block_size < 1:
        raise context.invalid(f"block size {block_size} must be at least 1")
    return input


def prepare_space_to_depth(context: OperatorContext) -> SpaceDepthParams:
    """Check that the image consists of whole squares."""
    block = context.options(SpaceToDepthOptions).block_size
    batches, height, width, channels = _image(context, block).shape
    if height % block or width % block:
        raise context.invalid(f"height {height} and width {width} are not multiples of {block}")
    shape = (batches, height // block, width // block, channels * block * block)
    return SpaceDepthParams(output_shapes=(shape,), block_size=block)


def prepare_depth_to_space(context: OperatorContext) -> SpaceDepthParams:
    """Check that the channels make whole squares."""
    block = context.options(DepthToSpaceOptions).block_size
    batches, height, width, channels = _image(context, block).shape
    if channels % (block * block):
        raise context.invalid(f"{channels} channels are not a multiple of {block * block}")
    shape = (batches, height * block, width * block, channels // (block * block))
    return SpaceDepthParams(output_shapes=(shape,), block_size=block)


def evaluate_space_to_depth(params: SpaceDepthParams, input: Array) -> Array:
    """Rows and columns within a square go before the channels."""
    (shape,) = params.output_shapes
    assert shape is not None
    batches, height, width, _ = shape
    squares = input.reshape(batches, height, params.block_size, width, params.block_size, input.shape[3])
    return squares.transpose(0, 1, 3, 2, 4, 5).reshape(shape)


def evaluate_depth_to_space(params: SpaceDepthParams, input: Array) -> Array:
    """The first factors of the channels become rows and columns within a square."""
    (shape,) = params.output_shapes
    assert shape is not None
    batches, height, width, _ = input.shape
    squares = input.reshape(batches, height, width, params.block_size, params.block_size, shape[3])
    return squares.transpose(0, 1, 3, 2, 4, 5).reshape(shape)


_TYPES = ("int8", "uint8", "int32", "int64", "float32")

SPACE_TO_DEPTH = Kernel(
    name="SPACE_TO_DEPTH",
    signatures=signatures("T -> T", T=_TYPES),
    prepare=prepare_space_to_depth,
    evaluate=evaluate_space_to_depth,
    source="kernels/space_to_depth.cc",
    max_version=2,
)

DEPTH_TO_SPACE = Kernel(
    name="DEPTH_TO_SPACE",
    signatures=signatures("T -> T", T=_TYPES),
    prepare=prepare_depth_to_space,
    evaluate=evaluate_depth_to_space,
    source="kernels/depth_to_space.cc",
    max_version=2,  # BUILTIN_REF knows version 1 only; version 2 is the same copy in the optimized resolver
)
