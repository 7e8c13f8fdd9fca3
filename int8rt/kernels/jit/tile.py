"""The matrix tile: a few rows of unsigned bytes times one panel of packed signed weights, to output bytes.

A panel holds `vectors` · lanes output channels: for every four input bytes, four weights a lane. After the weights'
sums come the constant and the requantization, on accumulators that never leave their registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import LEVELS, Level
from int8rt.quantization import vectorized

_LEVELS = {level.name: level for level in LEVELS}


def pack_weights(level: Level, vectors: int, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """int8[channels, depth] to panels int8[tiles, ceil(depth / 4), vectors, lanes, 4], zero where there is nothing."""
    channels, depth = weights.shape
    tile = vectors * level.lanes
    padded = np.zeros((-(-channels // tile) * tile, -(-depth // 4) * 4), np.int8)
    padded[:channels, :depth] = weights
    panels = padded.reshape(padded.shape[0] // tile, tile, padded.shape[1] // 4, 4)[:, level.channels(vectors)]
    return np.ascontiguousarray(panels.transpose(0, 3, 1, 2, 4))


def pack_words(level: Level, vectors: int, words: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """int32[rows, channels] to int32[tiles, rows, vectors, lanes], zero where there is nothing."""
    rows, channels = words.shape
    tile = vectors * level.lanes
    padded = np.zeros((rows, -(-channels // tile) * tile), np.int32)
    padded[:, :channels] = words
    panels = padded.reshape(rows, padded.shape[1] // tile, tile)[:, :, level.channels(vectors)]
    return np.ascontiguousarray(panels.transpose(1, 0, 2, 3))


def words_stride(level: Level, vectors: int, variant: str) -> int:
    """Bytes of one tile of `pack_words`: the constant and the rows of the requantization."""
    return (1 + vectorized.ROWS[variant]) * vectors * level.lanes * 4


@intrinsic(prefer_literal=True)
def matrix_panel(
    typing_context: Any,
    level: Any,
    vectors: Any,
    variant: Any,
    asymmetric: Any,
    a: Any,
    a_stride: Any,
    rows: Any,
    row_terms: Any,
    panel: Any,
    depth4: Any,
    words: Any,
    low: Any,
    high: Any,
    out: Any,
    out_stride: Any,
    count: Any,
) -> Any:
    """out[r, 0:count] = requantize(constant + row_terms[r] + a[r] · panel) for all r < rows.

    level, variant: literal strings; vectors, asymmetric: literal integers. row_terms: address of int32[rows], read only
    where asymmetric is 1. a, panel, words, out: addresses; a_stride, out_stride:
    bytes between rows; depth4: number of groups of four input bytes, at least 1; low, high: the clamp, as unsigned
    bytes; count: output channels of this panel, up to vectors · lanes.
    """
    if not all(isinstance(x, types.Literal) for x in (level, vectors, variant, asymmetric)):
        return None
    tile = _Tile(
        _LEVELS[level.literal_value], vectors.literal_value, variant.literal_value, bool(asymmetric.literal_value)
    )

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile.emit_panel(Emitter(builder), *arguments[4:])
        return context.get_dummy_value()

    return types.void(level, vectors, variant, asymmetric, *[types.int64] * 12), codegen


@dataclass(frozen=True, slots=True)
class _Tile:
    """The IR of one kind of tile."""

    level: Level
    vectors: int
    variant: str
    asymmetric: bool

    def emit_panel(self, e: Emitter, a: Any, a_stride: Any, rows: Any, row_terms: Any, *rest: Any) -> None:
        """As many whole tiles as it takes: the last one overlaps its neighbour; single rows where there are too few."""
        whole = self.level.rows[self.vectors]

        def tiles(height: int) -> None:
            before, body = e.b.block, e.b.append_basic_block("rows")
            after = e.b.append_basic_block("rows.end")
            e.b.branch(body)
            e.b.position_at_end(body)
            row = e.b.phi(I64)
            row.add_incoming(I64(0), before)
            last = e.b.sub(rows, I64(height))
            start = e.b.select(e.b.icmp_signed("<", row, last), row, last)
            self._emit_tile(e, height, e.b.add(a, e.b.mul(start, a_stride)), a_stride, start, row_terms, *rest)
            following = e.b.add(row, I64(height))
            row.add_incoming(following, e.b.block)
            e.b.cbranch(e.b.icmp_signed("<", following, rows), body, after)
            e.b.position_at_end(after)

        with e.b.if_else(e.b.icmp_signed(">=", rows, I64(whole))) as (enough, few):
            with enough:
                tiles(whole)
            with few, e.b.if_then(e.b.icmp_signed(">", rows, I64(0))):
                tiles(1)

    def _emit_tile(
        self,
        e: Emitter,
        height: int,
        a: Any,
        a_stride: Any,
        start: Any,
        row_terms: Any,
        panel: Any,
        depth4: Any,
        words: Any,
        low: Any,
        high: Any,
        out: Any,
        out_stride: Any,
        count: Any,
    ) -> None:
        sums = _products(e, self.level, self.vectors, row_addresses(e, a, a_stride, height), panel, depth4, words)
        if self.asymmetric:
            for r in range(height):
                term = e.load(e.b.add(row_terms, e.b.shl(e.b.add(start, I64(r)), I64(2))), I32)
                sums[r] = [e.b.add(value, e.splat(term, self.level.lanes)) for value in sums[r]]
        first = e.b.add(out, e.b.mul(start, out_stride))
        targets = row_addresses(e, first, out_stride, height)
        finish_rows(e, self.level, self.variant, sums, words, low, high, targets, count)


def row_addresses(e: Emitter, first: Any, stride: Any, rows: int) -> list[Any]:
    """Addresses of `rows` rows, `stride` bytes apart."""
    addresses = [first]
    for _ in range(rows - 1):
        addresses.append(e.b.add(addresses[-1], stride))
    return addresses


def _products(
    e: Emitter, level: Level, vectors: int, starts: Sequence[Any], panel: Any, depth4: Any, words: Any
) -> list[list[Any]]:
    """The accumulators [row][vector]: a loop over the depth with every one of them in a register."""
    kind, width = vector(I32, level.lanes), 4 * level.lanes
    constants = [e.load(words, kind, width * v) for v in range(vectors)]
    before = e.b.block
    body, after = e.b.append_basic_block("depth"), e.b.append_basic_block("depth.end")
    e.b.branch(body)
    e.b.position_at_end(body)
    k = e.b.phi(I64)
    k.add_incoming(I64(0), before)
    carried = [[e.b.phi(kind) for _ in range(vectors)] for _ in starts]
    for row in carried:
        for phi, start in zip(row, constants, strict=True):
            phi.add_incoming(start, before)
    here = e.b.add(panel, e.b.mul(k, I64(width * vectors)))
    weights = [e.load(here, vector(I8, width), width * v) for v in range(vectors)]
    offset = e.b.shl(k, I64(2))
    sums = []
    for start, row in zip(starts, carried, strict=True):
        four = e.b.bitcast(e.splat(e.load(e.b.add(start, offset), I32), level.lanes), vector(I8, width))
        sums.append([level.dot(e, phi, four, w) for phi, w in zip(row, weights, strict=True)])
    following = e.b.add(k, I64(1))
    k.add_incoming(following, body)
    for phis, new in zip(carried, sums, strict=True):
        for phi, value in zip(phis, new, strict=True):
            phi.add_incoming(value, body)
    e.b.cbranch(e.b.icmp_signed("<", following, depth4), body, after)
    e.b.position_at_end(after)
    return sums


def finish_rows(
    e: Emitter,
    level: Level,
    variant: str,
    sums: Sequence[Sequence[Any]],
    words: Any,
    low: Any,
    high: Any,
    outs: Sequence[Any],
    count: Any,
) -> None:
    """Requantize accumulators [row][vector], clamp, and store the first `count` bytes of each row at its address."""
    store_rows(e, requantize_rows(e, level, variant, sums, words, low, high), outs, count)


def requantize_rows(
    e: Emitter, level: Level, variant: str, sums: Sequence[Sequence[Any]], words: Any, low: Any, high: Any
) -> list[Any]:
    """The output bytes of accumulators [row][vector], clamped, a vector of bytes for each row."""
    kind, vectors = vector(I32, level.lanes), len(sums[0])
    stride = 4 * level.lanes * vectors
    codes: list[list[Any]] = [[] for _ in sums]
    for v in range(vectors):
        rows = [
            e.load(words, kind, stride * (1 + row) + 4 * level.lanes * v) for row in range(vectorized.ROWS[variant])
        ]
        prepared = vectorized.load_rows(variant, e, rows)
        for target, accumulators in zip(codes, sums, strict=True):
            target.append(vectorized.emit(variant, e, accumulators[v], prepared))
    narrow = [level.narrow(e, row) for row in codes]
    lanes = narrow[0].type.count
    bottom, top = (e.splat(e.b.trunc(bound, I8), lanes) for bound in (low, high))
    return [e.minimum(e.maximum(row, bottom, signed=False), top, signed=False) for row in narrow]


def store_rows(e: Emitter, rows: Sequence[Any], outs: Sequence[Any], count: Any) -> None:
    """Store the first `count` bytes of each row at its address; all of them where count is that large."""
    lanes = rows[0].type.count
    with e.b.if_else(e.b.icmp_signed(">=", count, I64(lanes))) as (whole, part):
        with whole:
            for row, out in zip(rows, outs, strict=True):
                e.store(row, out)
        with part:
            for row, out in zip(rows, outs, strict=True):
                e.store_first(row, out, count)


@intrinsic(prefer_literal=True)
def requantize_row(
    typing_context: Any,
    level: Any,
    variant: Any,
    sums: Any,
    words: Any,
    words_step: Any,
    low: Any,
    high: Any,
    out: Any,
    count: Any,
) -> Any:
    """out[0:count] = requantize(sums[c] + constant[c]) for int32 sums in memory; up to lanes - 1 more are read.

    words: `pack_words` of one vector; words_step: bytes from one vector's words to the next's, 0 where all channels
    share the first.
    """
    if not all(isinstance(x, types.Literal) for x in (level, variant)):
        return None
    here, rounding = _LEVELS[level.literal_value], variant.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        sums, words, words_step, low, high, out, count = arguments[2:]
        kind = vector(I32, here.lanes)
        before, body, after = builder.block, builder.append_basic_block("row"), builder.append_basic_block("row.end")
        builder.branch(body)
        builder.position_at_end(body)
        done, row = builder.phi(I64), builder.phi(I64)
        done.add_incoming(I64(0), before)
        row.add_incoming(words, before)
        total = builder.add(e.load(builder.add(sums, builder.shl(done, I64(2))), kind), e.load(row, kind))
        target, left = builder.add(out, done), builder.sub(count, done)
        finish_rows(e, here, rounding, [[total]], row, low, high, [target], left)
        following = builder.add(done, I64(here.lanes))
        done.add_incoming(following, builder.block)
        row.add_incoming(builder.add(row, words_step), builder.block)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    return types.void(level, variant, *[types.int64] * 7), codegen
