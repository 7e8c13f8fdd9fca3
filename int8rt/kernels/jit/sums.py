"""Rows of unsigned bytes times packed int8 weights: int32 sums in memory, for those who go on with real numbers.

Weights lie in panels of `vectors` · lanes output channels: for every four bytes of a row, four weights a lane.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.numba_later import intrinsic, types


def panel_vectors(level: Level, channels: int) -> int:
    """Vectors across a panel, so that few channels do not leave most of it empty."""
    return (1, 2, 4, 4)[min(4, -(-channels // level.lanes)) - 1]


def padded_channels(level: Level, channels: int) -> int:
    """Sums that a row of `channels` outputs has, those of the last panel's empty lanes among them."""
    width = panel_vectors(level, channels) * level.lanes
    return -(-channels // width) * width


def padded_depth(depth: int) -> int:
    """Bytes that a row takes: whole groups of four."""
    return -(-depth // 4) * 4


def pack_panels(level: Level, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """int8[channels, depth] to panels int8[panels, depth / 4, vectors · lanes, 4], zero where there is nothing."""
    channels, depth = weights.shape
    width = panel_vectors(level, channels) * level.lanes
    padded = np.zeros((padded_channels(level, channels), padded_depth(depth)), np.int8)
    padded[:channels, :depth] = weights
    panels = padded.reshape(-1, width, padded.shape[1] // 4, 4)
    return np.ascontiguousarray(panels.transpose(0, 2, 1, 3))


@intrinsic(prefer_literal=True)
def product_sums(
    typing_context: Any, level: Any, vectors: Any, a: Any, a_stride: Any, rows: Any, weights: Any, depth4: Any,
    panels: Any, out: Any, out_stride: Any,
) -> Any:  # fmt: skip
    """out[r, c] = Σ a[r, k] · weights[c, k] in int32 for r < rows and every channel of `panels` panels.

    level, vectors: literals. a, weights, out: addresses; strides in bytes; depth4: groups of four bytes in a row.
    """
    if not all(isinstance(x, types.Literal) for x in (level, vectors)):
        return None
    here, across = BY_NAME[level.literal_value], int(vectors.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _emit(Emitter(builder), here, across, *arguments[2:])
        return context.get_dummy_value()

    return types.void(level, vectors, *[types.int64] * 8), codegen


def _emit(
    e: Emitter, level: Level, vectors: int, a: Any, a_stride: Any, rows: Any, weights: Any, depth4: Any,
    panels: Any, out: Any, out_stride: Any,
) -> None:  # fmt: skip
    height = level.rows[vectors]
    width = 4 * level.lanes * vectors
    whole = e.b.sub(rows, e.b.srem(rows, I64(height)))
    with e.count(I64(0), panels) as panel:
        packed = e.b.add(weights, e.b.mul(panel, e.b.mul(depth4, I64(width))))
        target = e.b.add(out, e.b.mul(panel, I64(width)))
        for first, end, count in ((I64(0), whole, height), (whole, rows, 1)):
            with e.count(first, end, count) as row:
                source = e.b.add(a, e.b.mul(row, a_stride))
                place = e.b.add(target, e.b.mul(row, out_stride))
                _emit_tile(e, level, vectors, count, source, a_stride, packed, depth4, place, out_stride)


def _emit_tile(
    e: Emitter, level: Level, vectors: int, height: int, a: Any, a_stride: Any, weights: Any, depth4: Any,
    out: Any, out_stride: Any,
) -> None:  # fmt: skip
    """A few rows times one panel, with every sum in a register."""
    kind, bytes_ = vector(I32, level.lanes), vector(I8, 4 * level.lanes)
    step = 4 * level.lanes
    starts, targets = [a], [out]
    for _ in range(height - 1):
        starts.append(e.b.add(starts[-1], a_stride))
        targets.append(e.b.add(targets[-1], out_stride))
    before, body, after = e.b.block, e.b.append_basic_block("sums"), e.b.append_basic_block("sums.end")
    e.b.branch(body)
    e.b.position_at_end(body)
    k = e.b.phi(I64)
    k.add_incoming(I64(0), before)
    carried = [[e.b.phi(kind) for _ in range(vectors)] for _ in range(height)]
    position, four_k = e.b.add(weights, e.b.mul(k, I64(step * vectors))), e.b.shl(k, I64(2))
    columns = [e.load(position, bytes_, step * v) for v in range(vectors)]
    following = e.b.add(k, I64(1))
    sums: list[list[Any]] = [[] for _ in range(height)]
    for start, row, new in zip(starts, carried, sums, strict=True):
        four = e.b.bitcast(e.splat(e.load(e.b.add(start, four_k), I32), level.lanes), bytes_)
        for phi, column in zip(row, columns, strict=True):
            new.append(level.dot(e, phi, four, column))
            phi.add_incoming(kind(None), before)
            phi.add_incoming(new[-1], body)
    k.add_incoming(following, body)
    e.b.cbranch(e.b.icmp_signed("<", following, depth4), body, after)
    e.b.position_at_end(after)
    for target, row in zip(targets, sums, strict=True):
        for v, value in enumerate(row):
            e.store(value, target, step * v)
