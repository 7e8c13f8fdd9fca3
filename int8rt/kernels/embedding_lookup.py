"""EMBEDDING_LOOKUP: rows of a table by their numbers.

ids: int32[n], table: T[rows, ..], output: T[n, ..] with the rows as they are, or float32 or float16 with the rows of an
integer table times its scale (of the row, of the whole table, or of a block of the row); uint8 codes are read as int8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.layout import COPIED_TYPES
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType

# How many codes share a byte.
_PACKED = {TensorType.INT4: 2, TensorType.INT2: 4}
_FLOATS = (TensorType.FLOAT32, TensorType.FLOAT16)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingLookupParams(Params):
    """scale: float32[rows or 1, blocks of a row]; None where rows are copied. packed: codes that share a byte."""

    scale: npt.NDArray[np.float32] | None
    packed: int
    dtype: np.dtype[np.float32] | np.dtype[np.float16] | None


def prepare(context: OperatorContext) -> EmbeddingLookupParams:
    """Check the tensors of an EMBEDDING_LOOKUP."""
    ids, table, output = context.input(0), context.input(1), context.output()
    if ids.rank != 1 or table.rank < 2:
        raise context.invalid(f"needs a vector and a table, found {list(ids.shape)} and {list(table.shape)}")
    blockwise = table.quantization is not None and table.quantization.blockwise is not None
    scaled = blockwise or (output.type in _FLOATS and table.type != output.type)
    packed = _PACKED.get(table.type, 1)
    if not scaled and packed > 1 and element_count(table.shape[1:]) % packed:
        raise context.unsupported(f"rows of {list(table.shape[1:])} {table.type.label} codes, which share bytes")
    return EmbeddingLookupParams(
        output_shapes=((ids.shape[0], *table.shape[1:]),),
        scale=_block_scales(context, table) if blockwise else _scale(context, table) if scaled else None,
        packed=packed,
        dtype=output.type.dtype if scaled else None,
    )


def _scale(context: OperatorContext, table: TensorInfo) -> npt.NDArray[np.float32]:
    quantization = table.quantization
    if quantization is None or quantization.scale.size == 0:
        return np.zeros((1, 1), np.float32)
    scale, zero_point = context.per_axis(table)
    if zero_point[0] != 0 and context.output().type == TensorType.FLOAT32:
        raise context.invalid(f"table {table.name!r} has zero point {zero_point[0]}, expected 0")
    if scale.size > 1 and (quantization.quantized_dimension != 0 or scale.size != table.shape[0]):
        raise context.invalid(f"table {table.name!r} has {scale.size} scales, expected one or {table.shape[0]}")
    return scale[:, np.newaxis]


def _block_scales(context: OperatorContext, table: TensorInfo) -> npt.NDArray[np.float32]:
    assert table.quantization is not None
    assert table.quantization.blockwise is not None
    if table.type not in _PACKED or context.output().type not in _FLOATS or table.rank != 2:
        raise context.invalid(
            f"table {table.name!r} has scales for blocks, but is {table.type.label}{list(table.shape)}"
        )
    size, (rows, depth), scales = table.quantization.blockwise.block_size, table.shape, table.block_scales
    if size < 1 or depth % size:
        raise context.invalid(f"blocks of {size} do not divide rows of {depth}")
    if scales is None or scales.dtype != np.float16 or scales.size < rows * (depth // size):
        raise context.invalid(f"the scales of table {table.name!r} are no float16 constant of {rows} x {depth // size}")
    return scales.reshape(-1)[: rows * (depth // size)].reshape(rows, -1).astype(np.float32)


def evaluate(params: EmbeddingLookupParams, ids: Array, table: Array) -> Array:
    """The rows; `EvaluationError` for numbers that are none of a row."""
    outside = (ids < 0) | (ids >= len(table))
    if np.any(outside) and (len(table) or params.scale is not None):
        raise EvaluationError(f"row {ids[outside][0]} is not in a table of {len(table)} rows")
    (shape,) = params.output_shapes
    assert shape is not None
    if params.scale is None:
        # Of a table without rows TensorFlow Lite copies nothing.
        return np.take(table, ids, axis=0) if len(table) else np.zeros(shape, table.dtype)
    rows, packed = table.reshape(len(table), -1), params.packed
    scale = params.scale[ids] if len(params.scale) > 1 else np.repeat(params.scale, len(ids), axis=0)
    if packed > 1:
        # A block (mostly a whole row) is read from the start of the byte in which it begins. Its codes come as the
        # highest bits of a byte, and so 16 or 64 times as large; the scale is divided by as much.
        depth, blocks, largest = rows.shape[1], scale.shape[1], 1 << (8 - 8 // packed)
        size = depth // blocks
        first = ids.astype(np.int64)[:, np.newaxis] * depth + np.arange(blocks) * size
        places = (first // packed * packed)[:, :, np.newaxis] + np.arange(size)
        codes = rows.reshape(-1)[places].astype(np.float32) * np.float32(largest)
        scale = scale / np.float32(largest)
    else:
        codes = rows[ids].view(np.int8).astype(np.float32)[:, np.newaxis]
    with np.errstate(all="ignore"):
        return np.asarray(codes * scale[:, :, np.newaxis], params.dtype).reshape(shape)


EMBEDDING_LOOKUP = Kernel(
    name="EMBEDDING_LOOKUP",
    signatures=signatures(
        "int32,T -> T",
        "int32,int8|uint8|int4|int2 -> float32|float16",
        T=(*COPIED_TYPES, "complex128", "int4", "int2"),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/embedding_lookup.cc",
    max_version=5,
)
