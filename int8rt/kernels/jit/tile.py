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

from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.quantization import vectorized


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


# The fields that `matrix_rows` reads; they come first in the block of every kernel that calls it.
MATRIX = (
    *("weights", "words", "panels", "panel_bytes", "words_bytes", "panel_channels"),
    *("tail_weights", "tail_words", "tail_vectors", "tail_count"),
    *("last_weights", "last_words", "last_count"),
    *("segments", "segment_stride", "depth4", "low", "high", "output_stride"),
)


@intrinsic(prefer_literal=True)
def matrix_rows(
    typing_context: Any, level: Any, variant: Any, asymmetric: Any, block: Any, a: Any, a_stride: Any, rows: Any,
    row_terms: Any, out: Any, first_panel: Any, last_panel: Any,
) -> Any:  # fmt: skip
    """out[r] = requantize(constant + row_terms[r] + a[r] · weights) for all r < rows, for some panels of channels.

    level, variant: literal strings; asymmetric: literal integer, whether row_terms (address of int32[rows]) is read.
    block: the kernel's block, which begins with MATRIX. a, out: addresses; a_stride: bytes between rows of `a`. A row
    is `segments` runs of depth4 groups of four bytes, segment_stride bytes apart. Panels of 4 · lanes channels count
    from 0; panel number `panels` is the tail, of one, two or four vectors, and where that is less work of two and one.
    """
    if not all(isinstance(x, types.Literal) for x in (level, variant, asymmetric)):
        return None
    name, rounding, terms = level.literal_value, variant.literal_value, bool(asymmetric.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _emit_matrix(Emitter(builder), BY_NAME[name], rounding, terms, *arguments[3:])
        return context.get_dummy_value()

    return types.void(level, variant, asymmetric, *[types.int64] * 8), codegen


def _emit_matrix(
    e: Emitter, level: Level, variant: str, asymmetric: bool, block: Any, a: Any, a_stride: Any, rows: Any,
    row_terms: Any, out: Any, first_panel: Any, last_panel: Any,
) -> None:  # fmt: skip
    field = {name: e.load(block, I64, 8 * i) for i, name in enumerate(MATRIX)}

    def panel(vectors: int, weights: Any, words: Any, target: Any, count: Any) -> None:
        _Tile(level, vectors, variant, asymmetric).emit_panel(
            e, a, a_stride, rows, row_terms, weights, field["segments"], field["segment_stride"], field["depth4"],
            words, field["low"], field["high"], target, field["output_stride"], count,
        )  # fmt: skip

    whole = e.b.select(e.b.icmp_signed("<", last_panel, field["panels"]), last_panel, field["panels"])
    with e.count(first_panel, whole) as i:
        weights = e.b.add(field["weights"], e.b.mul(i, field["panel_bytes"]))
        words = e.b.add(field["words"], e.b.mul(i, field["words_bytes"]))
        target = e.b.add(out, e.b.mul(i, field["panel_channels"]))
        panel(4, weights, words, target, field["panel_channels"])
    target = e.b.add(out, e.b.mul(field["panels"], field["panel_channels"]))
    has_tail = e.b.icmp_signed(">", last_panel, field["panels"])
    for vectors in (1, 2, 4):
        chosen = e.b.and_(has_tail, e.b.icmp_signed("==", field["tail_vectors"], I64(vectors)))
        with e.b.if_then(chosen):
            panel(vectors, field["tail_weights"], field["tail_words"], target, field["tail_count"])
    target = e.b.add(target, field["tail_count"])
    with e.b.if_then(e.b.and_(has_tail, e.b.icmp_signed(">", field["last_count"], I64(0)))):
        panel(1, field["last_weights"], field["last_words"], target, field["last_count"])


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
            last = e.b.sub(rows, I64(height))
            with e.count(I64(0), rows, height) as row:
                start = e.b.select(e.b.icmp_signed("<", row, last), row, last)
                self._emit_tile(e, height, e.b.add(a, e.b.mul(start, a_stride)), a_stride, start, row_terms, *rest)

        with e.b.if_else(e.b.icmp_signed(">=", rows, I64(whole))) as (enough, few):
            with enough:
                tiles(whole)
            with few:
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
        segments: Any,
        segment_stride: Any,
        depth4: Any,
        words: Any,
        low: Any,
        high: Any,
        out: Any,
        out_stride: Any,
        count: Any,
    ) -> None:
        rows = row_addresses(e, a, a_stride, height)
        sums = _products(e, self.level, self.vectors, rows, panel, segments, segment_stride, depth4, words)
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
    e: Emitter,
    level: Level,
    vectors: int,
    starts: Sequence[Any],
    panel: Any,
    segments: Any,
    segment_stride: Any,
    depth4: Any,
    words: Any,
) -> list[list[Any]]:
    """The accumulators [row][vector]: loops over segments and their depth, with every one of them in a register."""
    kind, width = vector(I32, level.lanes), 4 * level.lanes
    constants = [e.load(words, kind, width * v) for v in range(vectors)]
    before = e.b.block
    outer, body, next_segment, after = (
        e.b.append_basic_block(name) for name in ("segment", "depth", "segment.next", "depth.end")
    )

    def phis(initial: Sequence[Sequence[Any]], block: Any) -> list[list[Any]]:
        carried = [[e.b.phi(kind) for _ in row] for row in initial]
        _incoming(carried, initial, block)
        return carried

    e.b.branch(outer)
    e.b.position_at_end(outer)
    segment, offset, here = e.b.phi(I64), e.b.phi(I64), e.b.phi(I64)
    for phi, value in ((segment, I64(0)), (offset, I64(0)), (here, panel)):
        phi.add_incoming(value, before)
    whole = phis([constants for _ in starts], before)
    bases = [e.b.add(start, offset) for start in starts]
    e.b.branch(body)
    e.b.position_at_end(body)
    k = e.b.phi(I64)
    k.add_incoming(I64(0), outer)
    carried = phis(whole, outer)
    position = e.b.add(here, e.b.mul(k, I64(width * vectors)))
    weights = [e.load(position, vector(I8, width), width * v) for v in range(vectors)]
    four_k = e.b.shl(k, I64(2))
    sums = []
    for base, row in zip(bases, carried, strict=True):
        four = e.b.bitcast(e.splat(e.load(e.b.add(base, four_k), I32), level.lanes), vector(I8, width))
        sums.append([level.dot(e, phi, four, w) for phi, w in zip(row, weights, strict=True)])
    following = e.b.add(k, I64(1))
    k.add_incoming(following, body)
    _incoming(carried, sums, body)
    e.b.cbranch(e.b.icmp_signed("<", following, depth4), body, next_segment)
    e.b.position_at_end(next_segment)
    segment_after = e.b.add(segment, I64(1))
    segment.add_incoming(segment_after, next_segment)
    offset.add_incoming(e.b.add(offset, segment_stride), next_segment)
    here.add_incoming(e.b.add(here, e.b.mul(depth4, I64(width * vectors))), next_segment)
    _incoming(whole, sums, next_segment)
    e.b.cbranch(e.b.icmp_signed("<", segment_after, segments), outer, after)
    e.b.position_at_end(after)
    return sums


def _incoming(phis: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]], block: Any) -> None:
    for row, new in zip(phis, values, strict=True):
        for phi, value in zip(row, new, strict=True):
            phi.add_incoming(value, block)


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
    e: Emitter,
    level: Level,
    variant: str,
    sums: Sequence[Sequence[Any]],
    words: Any,
    low: Any,
    high: Any,
    alike: bool = False,
) -> list[Any]:
    """The output bytes of accumulators [row][vector], clamped, a vector of bytes for each row.

    alike: `words` are those of one vector, and serve all.
    """
    kind, vectors = vector(I32, level.lanes), len(sums[0])
    width = 4 * level.lanes
    stride = width if alike else width * vectors
    codes: list[list[Any]] = [[] for _ in sums]
    prepared: list[Any] = []
    for v in range(vectors):
        if not (alike and prepared):
            offsets = [stride * (1 + row) + width * v for row in range(vectorized.ROWS[variant])]
            prepared = vectorized.load_rows(variant, e, [e.load(words, kind, offset) for offset in offsets])
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
    here, rounding = BY_NAME[level.literal_value], variant.literal_value

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
