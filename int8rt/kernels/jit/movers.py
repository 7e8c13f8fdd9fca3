"""Operators that only move elements, read off their own NumPy definitions.

A definition that returns a view says itself with which strides to walk; any other is evaluated on the numbers of the
input's elements, and its result tells where each output element comes from, run by run.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Params, as_tuple, element_count
from int8rt.kernels.jit.abi import (
    copy_exactly,
    fields,
    kernel,
    load_i64,
    load_u8,
    load_u16,
    load_u32,
    share,
    stamp,
    store_i64,
    store_u8,
    store_u16,
    store_u32,
)
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, unsigned
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.pad import PadParams
from int8rt.kernels.registry import KERNELS
from int8rt.kernels.space_batch import SpaceBatchParams
from int8rt.model import TensorType

RUNS = fields("input output runs count fill")
STRIDED = fields(
    "input output size offset n0 n1 n2 n3 n4 n5 s0 s1 s2 s3 s4 s5"
)
BLOCKS = fields("input output rows bytes output_stride output_offset")
# Beyond this many runs their list is larger than what it moves.
_MOST_RUNS = 1 << 16
_RANK = 6


def lower(params: Params, context: LowerContext) -> Lowered | list[Lowered] | None:
    """The step of an operator that moves the elements of its first input that is no constant."""
    if any(slot.type in (TensorType.STRING, TensorType.RESOURCE, TensorType.VARIANT) for slot in context.outputs):
        return None
    sources = [i for i, slot in enumerate(context.inputs) if slot is not None and slot.value is None]
    if len(sources) != 1:
        return None
    source = context.input(sources[0])
    size = source.type.dtype.itemsize
    if any(slot.type.dtype.itemsize != size for slot in context.outputs) or not element_count(source.shape):
        return None
    probe = np.empty(source.shape, np.dtype(f"V{size}"))
    results = _evaluate(params, context, sources[0], probe)
    if results is None:
        return None
    steps = [
        _strided(context, i, source.index, result, probe) if np.may_share_memory(result, probe) else None
        for i, result in enumerate(results)
    ]
    if all(step is not None for step in steps):
        return [step for step in steps if step is not None]
    return _runs(params, context, sources[0]) if len(results) == 1 else None


def lower_concatenation(params: Any, context: LowerContext) -> list[Lowered] | None:
    """CONCATENATION and PACK: each input's blocks to their places in the output's rows."""
    output = context.outputs[0]
    rescaled = any(table is not None for table in getattr(params, "tables", None) or ())
    if output.type == TensorType.STRING or rescaled or not element_count(output.shape):
        return None
    axis, size = params.axis, output.type.dtype.itemsize
    rows = element_count(output.shape[:axis])
    stride = element_count(output.shape[axis:]) * size
    steps, offset = [], 0
    for index in range(len(context.inputs)):
        input = context.input(index)
        block = element_count(input.shape) // rows * size
        values: dict[str, Any] = {
            "input": At(input.index),
            "output": At(output.index),
            "rows": rows,
            "bytes": block,
            "output_stride": stride,
            "output_offset": offset,
        }
        steps.append(Lowered(blocks_kernel(stamp()), BLOCKS, values))
        offset += block
    return steps


def _evaluate(
    params: Params, context: LowerContext, source: int, probe: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], ...] | None:
    inputs = [None if slot is None else slot.value for slot in context.inputs]
    inputs[source] = probe
    try:
        return as_tuple(KERNELS[context.name].evaluate(params, *inputs))
    except (TypeError, ValueError):  # arithmetic on bare bytes: the definition does more than to move them
        return None


def _strided(
    context: LowerContext, output: int, source: int, view: npt.NDArray[Any], probe: npt.NDArray[Any]
) -> Lowered | None:
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
    if len(dimensions) > _RANK or not view.size:
        return None
    dimensions = [[1, 0]] * (_RANK - len(dimensions)) + dimensions
    values: dict[str, Any] = {
        "input": At(source),
        "output": At(context.outputs[output].index),
        "size": size,
        "offset": view.ctypes.data - probe.ctypes.data,
        **{f"n{i}": n for i, (n, _) in enumerate(dimensions)},
        **{f"s{i}": stride for i, (_, stride) in enumerate(dimensions)},
    }
    return Lowered(strided_kernel(stamp()), STRIDED, values)


def _runs(params: Params, context: LowerContext, source: int) -> Lowered | None:
    """One step that copies run after run; a run that starts at -1 is filled."""
    slot, output = context.input(source), context.outputs[0]
    fill = 0
    if isinstance(params, PadParams | SpaceBatchParams):
        if isinstance(params, PadParams) and len(context.inputs) > 2:
            return None
        fill = unsigned(output.type, params.pad_value)
        params = dataclasses.replace(params, pad_value=-1)
    numbers = np.arange(element_count(slot.shape), dtype=np.int64).reshape(slot.shape)
    results = _evaluate(params, context, source, numbers)
    if results is None or not results[0].size or (fill and slot.type.dtype.itemsize != 1):
        return None
    origin = results[0].reshape(-1)
    step = np.where(origin[:-1] < 0, 0, 1)
    breaks = np.flatnonzero(origin[1:] != origin[:-1] + step) + 1
    starts = np.concatenate([[0], breaks])
    if starts.size > _MOST_RUNS:
        return None
    size = slot.type.dtype.itemsize
    lengths = np.diff(np.append(starts, origin.size))
    runs = np.stack([np.where(origin[starts] < 0, -1, origin[starts] * size), lengths * size, starts * size], axis=1)
    values = {
        "input": At(slot.index),
        "output": At(output.index),
        "runs": Data(np.ascontiguousarray(runs)),
        "count": len(runs),
        "fill": fill,
    }
    return Lowered(runs_kernel(stamp()), RUNS, values)


@cache
def runs_kernel(stamp: str) -> Any:
    """The compiled copy of runs (from, bytes, to)."""

    @kernel
    def copy_runs(block, thread, threads):  # type: ignore[no-untyped-def]
        stamp  # noqa: B018 - part of the cache key
        p = carray(block, 1, RUNS)[0]
        first, last = share(p.count, thread, threads)
        fill = np.uint8(p.fill)
        for i in range(first, last):
            start, count, target = load_i64(p.runs, 3 * i), load_i64(p.runs, 3 * i + 1), load_i64(p.runs, 3 * i + 2)
            target += p.output
            if start < 0:
                for j in range(count):
                    store_u8(target, j, fill)
            else:
                copy_exactly(target, p.input + start, count)

    return copy_runs


@cache
def blocks_kernel(stamp: str) -> Any:
    """The compiled copy of equal blocks into rows."""

    @kernel
    def copy_blocks(block, thread, threads):  # type: ignore[no-untyped-def]
        stamp  # noqa: B018 - part of the cache key
        p = carray(block, 1, BLOCKS)[0]
        first, last = share(p.rows, thread, threads)
        target = p.output + p.output_offset
        for row in range(first, last):
            copy_exactly(target + row * p.output_stride, p.input + row * p.bytes, p.bytes)

    return copy_blocks


@cache
def strided_kernel(stamp: str) -> Any:
    """The compiled walk over a view of up to six dimensions, in units of `size` bytes."""

    @kernel
    def copy_strided(block, thread, threads):  # type: ignore[no-untyped-def]
        stamp  # noqa: B018 - part of the cache key
        p = carray(block, 1, STRIDED)[0]
        size, inner, step = p.size, p.n5, p.s5
        rows = p.n0 * p.n1 * p.n2 * p.n3 * p.n4
        first, last = share(rows, thread, threads)
        for row in range(first, last):
            source, rest = p.input + p.offset, row
            source += rest % p.n4 * p.s4
            rest //= p.n4
            source += rest % p.n3 * p.s3
            rest //= p.n3
            source += rest % p.n2 * p.s2
            rest //= p.n2
            source += rest % p.n1 * p.s1 + rest // p.n1 * p.s0
            target = p.output + row * inner * size
            if size == 1:
                for i in range(inner):
                    store_u8(target, i, load_u8(source + i * step, 0))
            elif size == 2:
                for i in range(inner):
                    store_u16(target, i, load_u16(source + i * step, 0))
            elif size == 4:
                for i in range(inner):
                    store_u32(target, i, load_u32(source + i * step, 0))
            elif size == 8:
                for i in range(inner):
                    store_i64(target, i, load_i64(source + i * step, 0))
            else:
                for i in range(inner):
                    copy_exactly(target + i * size, source + i * step, size)

    return copy_strided
