"""Reads quantization parameters and sparsity of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import (
    BlockwiseQuantization,
    DimensionMetadata,
    MultiAxisQuantization,
    Quantization,
    Sparsity,
)
from int8rt.schema.cursor import Table

_INDEX_VECTORS = {1: "int32", 2: "uint16", 3: "uint8"}
_NO_SCALE = np.zeros(0, np.float32)
_NO_ZERO_POINT = np.zeros(0, np.int64)


def read_quantization(table: Table | None) -> Quantization | None:
    """Quantization parameters; None where there are none, also where an empty table stands for that."""
    if table is None:
        return None
    low = _vector(table, 0, "quantization min", "float32")
    high = _vector(table, 1, "quantization max", "float32")
    scale = _vector(table, 2, "quantization scale", "float32")
    zero_point = _vector(table, 3, "quantization zero_point", "int64")
    kind = table.number(4, "type of quantization details", "uint8")
    details = table.table(5, "quantization details") if kind else None
    if all(field is None for field in (low, high, scale, zero_point, details)):
        return None
    if details is not None and kind > 3:
        table.cursor.fail(f"quantization details have type {kind}, which this schema does not know")
    return Quantization(
        scale=_NO_SCALE if scale is None else scale,
        zero_point=_NO_ZERO_POINT if zero_point is None else zero_point,
        quantized_dimension=table.number(6, "quantized_dimension", "int32"),
        min=low,
        max=high,
        custom=details.copy(0, "custom quantization") if details is not None and kind == 1 else None,
        blockwise=BlockwiseQuantization(*_blocks(details)) if details is not None and kind == 2 else None,
        multi_axis=MultiAxisQuantization(*_blocks(details)) if details is not None and kind == 3 else None,
    )


def _vector(table: Table, slot: int, what: str, storage: str) -> npt.NDArray[Any] | None:
    """A vector, None where it is empty: both mean the same here."""
    vector = table.array(slot, what, storage)
    return vector if vector is not None and vector.size else None


def _blocks(table: Table) -> tuple[int, int, int, tuple[int, ...]]:
    """Both kinds have the same slots: scales, zero points, block size, and a vector (block shape, dimensions)."""
    return (
        table.number(0, "scales", "int32"),
        table.number(1, "zero_points", "int32"),
        table.number(2, "block_size", "int32"),
        table.numbers(3, "block_shape or quantized_dimensions") or (),
    )


def read_sparsity(table: Table | None) -> Sparsity | None:
    """How a sparse tensor's elements are stored; None for a dense tensor."""
    if table is None:
        return None
    return Sparsity(
        traversal_order=table.numbers(0, "sparsity traversal_order") or (),
        block_map=table.numbers(1, "sparsity block_map") or (),
        dimensions=tuple(_dimension(item) for item in table.tables(2, "sparsity dim_metadata")),
    )


def _dimension(table: Table) -> DimensionMetadata:
    form = table.number(0, "sparsity format", "int8")
    if form not in (0, 1):
        table.cursor.fail(f"sparsity format is {form}, neither dense (0) nor CSR (1)")
    dense_size = table.number(1, "sparsity dense_size", "int32")
    if form == 0:
        return DimensionMetadata(False, dense_size)
    segments = _indices(table, 2, "sparsity array_segments")
    indices = _indices(table, 4, "sparsity array_indices")
    return DimensionMetadata(True, dense_size, segments, indices)


def _indices(table: Table, slot: int, what: str) -> npt.NDArray[Any]:
    kind = table.number(slot, f"type of {what}", "uint8")
    vector = table.table(slot + 1, what)
    if vector is None or kind not in _INDEX_VECTORS:
        table.cursor.fail(f"{what} is missing or of an unknown type ({kind})")
    values = vector.array(0, what, _INDEX_VECTORS[kind])
    if values is None:
        return np.zeros(0, _INDEX_VECTORS[kind])
    return values
