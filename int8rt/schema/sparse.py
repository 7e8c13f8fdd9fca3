"""Sparse constants: checks on their index vectors, and the dense array behind them.

A tensor of n dimensions, k of them cut into blocks, is stored level by level in `traversal_order`: dimensions 0..n-1
count blocks, n..n+k-1 the places in a block. A dense level lists every index, a CSR level lists for its i-th parent the
indices from segments[i] to segments[i + 1]. (TFLite's sparsity_format_converter reads it the same way.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.model import DimensionMetadata, Shape, Sparsity

# Elements that are placed at a time: bounds the memory for their offsets.
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class _Level:
    """One level: how many indices it can have, and how far apart they are in the flattened dense tensor."""

    size: int
    stride: int
    metadata: DimensionMetadata


def check_sparsity(sparsity: Sparsity, shape: Shape) -> int:
    """The number of stored values. Raises ModelError where the index vectors do not describe a tensor of `shape`."""
    count = 1
    for i, level in enumerate(_levels(sparsity, shape)):
        metadata = level.metadata
        if not metadata.sparse:
            if metadata.dense_size != level.size:
                raise ModelError(f"sparse level {i} has size {metadata.dense_size}, its dimension {level.size}")
            count *= level.size
            continue
        segments, indices = metadata.segments, metadata.indices
        if segments.size != count + 1:
            raise ModelError(f"sparse level {i} has {segments.size} segments, it needs {count + 1}")
        if segments[0] != 0 or int(segments[-1]) != indices.size or (segments[1:] < segments[:-1]).any():
            raise ModelError(f"sparse level {i}: its segments do not divide its {indices.size} indices")
        if indices.size and (int(indices.min()) < 0 or int(indices.max()) >= level.size):
            raise ModelError(f"sparse level {i}: an index is outside of its dimension of {level.size}")
        count = indices.size
    return count


def densify(values: npt.NDArray[Any], sparsity: Sparsity, shape: Shape) -> npt.NDArray[Any]:
    """The dense tensor of `shape`, in the dtype of `values` (the stored values in order); the rest is 0.

    Raises ModelError where `check_sparsity` would, or where there are fewer values than places.
    """
    count = check_sparsity(sparsity, shape)
    if count > values.size:
        raise ModelError(f"{values.size} values are stored, the index vectors place {count}")
    dense = np.zeros(math.prod(shape), values.dtype)
    start = 0
    for offsets in _offsets(_levels(sparsity, shape), 0, np.zeros(1, np.int64)):
        dense[offsets] = values[start : start + offsets.size]
        start += offsets.size
    return dense.reshape(shape)


def _levels(sparsity: Sparsity, shape: Shape) -> list[_Level]:
    n, k = len(shape), len(sparsity.block_map)
    order = sparsity.traversal_order
    if not n + k == len(order) == len(sparsity.dimensions):
        raise ModelError(f"sparsity has {len(order)} dimensions and {len(sparsity.dimensions)} levels, not {n + k}")
    if len(set(sparsity.block_map)) != k or not set(sparsity.block_map) <= set(range(n)):
        raise ModelError(f"sparsity has {k} blocks, not along different dimensions of {shape}")
    if sorted(order[:n]) != list(range(n)) or sorted(order[n:]) != list(range(n, n + k)):
        raise ModelError(f"sparsity traverses dimensions {order}")
    strides = [math.prod(shape[d + 1 :]) for d in range(n)]
    blocks = [1] * n
    for dimension, metadata in zip(order[n:], sparsity.dimensions[n:], strict=True):
        along = sparsity.block_map[dimension - n]
        if metadata.sparse or metadata.dense_size < 1 or shape[along] % metadata.dense_size:
            raise ModelError(f"sparsity has no dense blocks that divide dimension {along} of {shape}")
        blocks[along] = metadata.dense_size
    levels = []
    for dimension, metadata in zip(order, sparsity.dimensions, strict=True):
        if dimension < n:
            size, stride = shape[dimension] // blocks[dimension], strides[dimension] * blocks[dimension]
        else:
            along = sparsity.block_map[dimension - n]
            size, stride = blocks[along], strides[along]
        levels.append(_Level(size, stride, metadata))
    return levels


def _offsets(levels: list[_Level], first: int, parents: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Flat offsets of the values below `parents` (offsets of the entries `first`, `first` + 1, ... of a level)."""
    if not levels:
        yield parents
        return
    level = levels[0]
    if not level.metadata.sparse:
        for start in range(0, parents.size * level.size, _CHUNK):
            entry, index = np.divmod(np.arange(start, min(start + _CHUNK, parents.size * level.size)), level.size)
            yield from _offsets(levels[1:], first * level.size + start, parents[entry] + index * level.stride)
        return
    segments = level.metadata.segments[first : first + parents.size + 1].astype(np.int64)
    for start in range(int(segments[0]), int(segments[-1]), _CHUNK):
        stop = min(start + _CHUNK, int(segments[-1]))
        entry = np.searchsorted(segments, np.arange(start, stop), side="right") - 1
        index = level.metadata.indices[start:stop].astype(np.int64)
        yield from _offsets(levels[1:], start, parents[entry] + index * level.stride)
