"""Operators that only move elements.

An output that is a view of the input in another order tells by its strides how to walk. Any other operator is evaluated
on the numbers of the input's elements, and its result tells where each output element comes from, run by run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Params, as_tuple, element_count
from int8rt.kernels.concatenation import ConcatenationParams
from int8rt.kernels.jit.byte_transpose import TRANSPOSE, transpose_kernel
from int8rt.kernels.jit.copies import (
    BLOCKS,
    RANK,
    RUNS,
    STRIDED,
    blocks_kernel,
    rescaled_blocks_kernel,
    runs_kernel,
    strided_kernel,
)
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, to_arena
from int8rt.kernels.registry import KERNELS
from int8rt.kernels.space_batch import SpaceBatchParams
from int8rt.kernels.strided_slice import taken_view
from int8rt.model import TensorType

# Beyond this many runs their list is larger than what it moves.
_MOST_RUNS = 1 << 16
_OBJECTS = (TensorType.STRING, TensorType.RESOURCE, TensorType.VARIANT)


def lower(params: Params, context: LowerContext) -> Lowered | list[Lowered] | None:
    """The steps of an operator that moves the elements of one input, the others being constants."""
    index = 1 if context.name == "SPLIT" else 0
    source = context.input(index)
    others = [slot for i, slot in enumerate(context.inputs) if slot is not None and i != index]
    if any(slot.value is None for slot in others):
        return None
    size = source.type.dtype.itemsize
    if any(slot.type in _OBJECTS or slot.type.dtype.itemsize != size for slot in (source, *context.outputs)):
        return None
    probe = np.empty(source.shape, np.dtype(f"V{size}"))
    if context.name in _VIEWS:
        views = zip(context.outputs, _VIEWS[context.name](params, probe), strict=True)
        steps = [_strided(slot.index, source.index, view, probe) for slot, view in views]
        if None not in steps:
            return [step for step in steps if step is not None]
    return _runs(params, context, index) if len(context.outputs) == 1 else None


def lower_concatenation(params: Any, context: LowerContext) -> list[Lowered] | None:
    """CONCATENATION and PACK: each input's blocks to their places in the output's rows."""
    output = context.outputs[0]
    if output.type in _OBJECTS:
        return None
    axis, size = params.axis, output.type.dtype.itemsize
    rows = element_count(output.shape[:axis])
    stride = element_count(output.shape[axis:]) * size
    steps, offset = [], 0
    for index in range(len(context.inputs)):
        input = context.input(index)
        block = element_count(input.shape) // rows * size
        table = params.tables[index] if isinstance(params, ConcatenationParams) else None
        values: dict[str, Any] = {
            "input": At(input.index),
            "output": At(output.index),
            "rows": rows,
            "bytes": block,
            "output_stride": stride,
            "output_offset": offset,
        }
        if table is None:
            steps.append(Lowered(blocks_kernel(), BLOCKS, values))
        else:
            steps.append(Lowered(rescaled_blocks_kernel(), BLOCKS, values | {"table": Data(table)}))
        offset += block
    return steps


def _split(params: Any, input: Array) -> tuple[Array, ...]:
    ahead = (slice(None),) * params.axis
    shapes = zip(params.begin, params.output_shapes, strict=True)
    return tuple(input[(*ahead, slice(begin, begin + shape[params.axis]))] for begin, shape in shapes)


def _unpack(params: Any, input: Array) -> tuple[Array, ...]:
    moved = np.moveaxis(input, params.axis, 0)
    return tuple(moved[i, ...] for i in range(len(moved)))


def _space_to_depth(params: Any, input: Array) -> tuple[Array, ...]:
    (batches, height, width, _), block = params.output_shapes[0], params.block_size
    return (input.reshape(batches, height, block, width, block, input.shape[3]).transpose(0, 1, 3, 2, 4, 5),)


def _depth_to_space(params: Any, input: Array) -> tuple[Array, ...]:
    block = params.block_size
    return (input.reshape(*input.shape[:3], block, block, params.output_shapes[0][3]).transpose(0, 1, 3, 2, 4, 5),)


def _tile(params: Any, input: Array) -> tuple[Array, ...]:
    shape = [n for pair in zip(params.multipliers, input.shape, strict=True) for n in pair]
    return (np.broadcast_to(input.reshape([n for size in input.shape for n in (1, size)]), shape),)


def _slice(params: Any, input: Array) -> tuple[Array, ...]:
    shape = params.output_shapes[0]
    return (input[tuple(slice(begin, begin + size) for begin, size in zip(params.begin, shape, strict=True))],)


def _strided_slice(params: Any, input: Array) -> tuple[Array, ...]:
    return (taken_view(params, input),)


# Operators as views of their input whose elements are in the order of the outputs'.
_VIEWS: Mapping[str, Callable[[Any, Array], tuple[Array, ...]]] = {
    "BROADCAST_TO": lambda params, input: (np.broadcast_to(input, params.output_shapes[0]),),
    "DEPTH_TO_SPACE": _depth_to_space,
    "REVERSE_V2": lambda params, input: (np.flip(input, params.axis),),
    "SLICE": _slice,
    "SPACE_TO_DEPTH": _space_to_depth,
    "SPLIT": _split,
    "SPLIT_V": _split,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _tile,
    "TRANSPOSE": lambda params, input: (np.transpose(input, params.perm),),
    "UNPACK": _unpack,
}


def _evaluate(params: Params, context: LowerContext, index: int, input: Array) -> tuple[Array, ...] | None:
    inputs = [None if slot is None else slot.value for slot in context.inputs]
    inputs[index] = input
    try:
        return as_tuple(KERNELS[context.name].evaluate(params, *inputs))
    except EvaluationError:  # an index that is out of range: NumPy says so while running
        return None


def _strided(output: int, source: int, view: Array, probe: Array) -> Lowered | None:
    dimensions: list[list[int]] = []
    for n, stride in zip(view.shape, view.strides, strict=True):
        if n == 1:
            continue
        if dimensions and dimensions[-1][1] == n * stride:
            dimensions[-1] = [dimensions[-1][0] * n, stride]
        else:
            dimensions.append([n, stride])
    size = probe.dtype.itemsize
    if dimensions and dimensions[-1][1] == size:
        size *= dimensions.pop()[0]
    offset = view.ctypes.data - probe.ctypes.data
    if size == 1 and len(dimensions) in (2, 3) and dimensions[-2][1] == 1 and offset == 0:
        squares = _transposed(output, source, dimensions)
        if squares is not None:
            return squares
    if len(dimensions) > RANK:
        return None
    dimensions = [[1, 0]] * (RANK - len(dimensions)) + dimensions
    values: dict[str, Any] = {
        "input": At(source),
        "output": At(output),
        "size": size,
        "offset": offset,
        **{f"n{i}": n for i, (n, _) in enumerate(dimensions)},
        **{f"s{i}": stride for i, (_, stride) in enumerate(dimensions)},
    }
    return Lowered(strided_kernel(), STRIDED, values)


def _transposed(output: int, source: int, dimensions: list[list[int]]) -> Lowered | None:
    """The step where neighbouring bytes become the first bytes of neighbouring rows; None for rows of a byte or so."""
    outer, (columns, _), (depth, step) = dimensions[:-2], dimensions[-2], dimensions[-1]
    rows = next((n for n in (16, 8, 4, 2) if n <= depth), 1)
    if rows == 1 or step < 0:
        return None
    values = {
        "input": At(source),
        "output": At(output),
        "outer": outer[0][0] if outer else 1,
        "outer_step": outer[0][1] if outer else 0,
        "columns": columns,
        "depth": depth,
        "step": step,
    }
    return Lowered(transpose_kernel(rows), TRANSPOSE, values)


def pattern(element: Array) -> int:
    """An element of at most eight bytes as it lies in the arena, repeated to fill them, as one int64."""
    return int(np.frombuffer((to_arena(element.reshape(1)).tobytes() * 8)[:8], np.int64)[0])


def _runs(params: Params, context: LowerContext, index: int) -> Lowered | None:
    """One step that copies run after run; a run that starts at -1 is filled."""
    slot, output = context.input(index), context.outputs[0]
    size, elements, pad_value = slot.type.dtype.itemsize, element_count(slot.shape), 0
    if elements > np.iinfo(np.int32).max:
        return None
    if isinstance(params, SpaceBatchParams):
        pad_value = params.pad_value
        params = dataclasses.replace(params, pad_value=-1)
    numbers = np.arange(elements, dtype=np.int32).reshape(slot.shape)
    results = _evaluate(params, context, index, numbers)
    if results is None:
        return None
    origin: npt.NDArray[np.int32] = results[0].reshape(-1)
    breaks = np.flatnonzero(origin[1:] != np.where(origin[:-1] < 0, -1, origin[:-1] + 1)) + 1
    starts = np.concatenate([np.zeros(1, np.int64), breaks])
    if starts.size > _MOST_RUNS:
        return None
    lengths = np.diff(np.append(starts, origin.size))
    first = origin[starts].astype(np.int64)
    runs = np.stack([np.where(first < 0, -1, first * size), lengths * size, starts * size], axis=1)
    values = {
        "input": At(slot.index),
        "output": At(output.index),
        "runs": Data(np.ascontiguousarray(runs)),
        "count": len(runs),
        "pattern": pattern(np.array(pad_value, output.type.dtype)),
    }
    return Lowered(runs_kernel(), RUNS, values)
