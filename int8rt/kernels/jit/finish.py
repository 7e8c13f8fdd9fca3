"""The end of every tile: accumulators requantized while they are in registers, clamped, and stored as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.quantization import vectorized


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
