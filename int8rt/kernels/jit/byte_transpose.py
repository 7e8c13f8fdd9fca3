"""Bytes transposed: columns of neighbouring bytes to rows, in squares of sixteen times as many as there are.

Rows of a square are interleaved in rounds: each puts every byte of one half of the rows behind one of the other half.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from int8rt.kernels.jit.abi import carray, fields, kernel, share
from int8rt.kernels.jit.isa.emitter import I8, I64, Emitter, vector
from int8rt.kernels.jit.numba_later import intrinsic, types

# outer: blocks, outer_step bytes apart in the source; of each, `columns` neighbouring bytes become rows of `depth`
# bytes that lie `step` bytes apart in the source.
TRANSPOSE = fields("input output outer outer_step columns depth step")
_COLUMNS = 16


@intrinsic(prefer_literal=True)
def transpose_square(
    typing_context: Any, rows: Any, source: Any, step: Any, target: Any, line: Any, columns: Any
) -> Any:  # fmt: skip
    """target[i · line + r] = source[r · step + i] for r < rows and i < min(columns, 16); 16 bytes a row are read.

    rows: a literal power of two up to 16.
    """
    if not isinstance(rows, types.Literal):
        return None
    count = rows.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, step, target, line, columns = arguments[1:]
        kind = vector(I8, _COLUMNS)
        parts = [e.load(builder.add(source, builder.mul(step, I64(r))), kind) for r in range(count)]
        zipped = [lane for i in range(_COLUMNS) for lane in (i, _COLUMNS + i)]
        for _ in range(count.bit_length() - 1):
            pairs = zip(parts[: count // 2], parts[count // 2 :], strict=True)
            parts = [e.shuffle(a, b, half) for a, b in pairs for half in (zipped[:_COLUMNS], zipped[_COLUMNS:])]

        def store(column: int) -> None:
            first = column * count % _COLUMNS
            part = parts[column * count // _COLUMNS]
            value = e.shuffle(part, part, range(first, first + count))
            e.store(value, builder.add(target, builder.mul(line, I64(column))))

        with builder.if_else(builder.icmp_signed(">=", columns, I64(_COLUMNS))) as (whole, partial):
            with whole:
                for column in range(_COLUMNS):
                    store(column)
            with partial:
                for column in range(_COLUMNS):
                    with builder.if_then(builder.icmp_signed("<", I64(column), columns)):
                        store(column)
        return context.get_dummy_value()

    return types.void(rows, *[types.int64] * 5), codegen


@cache
def transpose_kernel(rows: int) -> Any:
    """The compiled transpose in squares of so many rows, of which there are at least as many."""

    @kernel
    def transpose_bytes(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, TRANSPOSE)[0]
        depth, blocks = p.depth, (p.columns + 15) // 16
        first, last = share(p.outer * blocks, thread, threads)
        for item in range(first, last):
            outer, column = item // blocks, min(item % blocks * 16, max(p.columns - 16, 0))
            source = p.input + outer * p.outer_step + column
            target = p.output + (outer * p.columns + column) * depth
            for row in range(0, depth, rows):
                start = min(row, depth - rows)
                transpose_square(rows, source + start * p.step, p.step, target + start, depth, p.columns - column)

    return transpose_bytes
