"""Rows of a matrix tile: accumulators that never leave their registers, a loop over the bytes of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from int8rt.kernels.jit.finish import finish_rows
from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, Values, vector
from int8rt.kernels.jit.isa.levels import Level

OFFSET_BYTES = 4


@dataclass(frozen=True, slots=True)
class Rows:
    """The IR of one call of `matrix_rows`, with its arguments; `field` has what the block holds."""

    e: Emitter
    level: Level
    variant: str
    asymmetric: bool
    listed: bool
    field: dict[str, Any]
    a: Any
    a_stride: Any
    rows: Any
    row_terms: Any
    out: Any

    def emit(self, first_part: Any, last_part: Any) -> None:
        """All parts [first_part, last_part): the panels, then the pair of vectors and the single one."""
        b, field = self.e.b, self.field
        last = b.select(b.icmp_signed("<", last_part, field["panels"]), last_part, field["panels"])
        with self.e.count(first_part, last) as i:
            weights = b.add(field["weights"], b.mul(i, field["panel_bytes"]))
            words = b.add(field["words"], b.mul(i, field["words_bytes"]))
            self.panel(4, weights, words, b.mul(i, field["panel_channels"]))
        has_rest, channel = (
            b.icmp_signed(">", last_part, field["panels"]),
            b.mul(field["panels"], field["panel_channels"]),
        )
        for vectors, name in ((2, "pair"), (1, "single")):
            with b.if_then(b.and_(has_rest, b.icmp_signed(">", field[f"{name}s"], I64(0)))):
                self.panel(vectors, field[f"{name}_weights"], field[f"{name}_words"], channel)
            channel = b.add(channel, b.mul(field[f"{name}s"], I64(vectors * self.level.lanes)))

    def panel(self, vectors: int, weights: Any, words: Any, channel: Any) -> None:
        """All rows, in tiles of three heights.

        As many of the highest as there are rows for; what is left takes another one that overlaps the last, or one or
        two of a third of the height; single rows where there are too few for those.
        """
        b, rows, whole = self.e.b, self.rows, self.level.rows[vectors]
        third = max(1, whole // 3)
        rest = b.srem(rows, I64(whole))
        enough = b.and_(b.icmp_signed(">", rest, I64(2 * third)), b.icmp_signed(">", rows, I64(whole)))
        end = b.select(enough, rows, b.sub(rows, rest))

        def tile(height: int, row: Any) -> None:
            last = b.sub(rows, I64(height))
            self._tile(vectors, height, b.select(b.icmp_signed("<", row, last), row, last), weights, words, channel)

        with self.e.count(I64(0), end, whole) as row:
            tile(whole, row)
        for height in sorted({third, 1}, reverse=True):
            last = b.select(b.icmp_signed(">=", rows, I64(height)), rows, end)
            with self.e.count(end, last, height) as row:
                tile(height, row)
            end = last

    def _tile(self, vectors: int, height: int, start: Any, weights: Any, words: Any, channel: Any) -> None:
        """Rows [start, start + height)."""
        e, b, field = self.e, self.e.b, self.field
        sums = self._products(vectors, self._inputs(start, height), weights, words)
        if self.asymmetric:
            for r in range(height):
                term = e.load(b.add(self.row_terms, b.shl(b.add(start, I64(r)), I64(2))), I32)
                sums[r] = [b.add(value, e.splat(term, self.level.lanes)) for value in sums[r]]
        stride, left = field["output_stride"], b.sub(field["outputs"], channel)
        first = b.add(b.add(self.out, channel), b.mul(start, stride))
        outs = row_addresses(e, first, stride, height)
        finish_rows(e, self.level, self.variant, sums, words, field["low"], field["high"], outs, left)

    def _inputs(self, start: Any, height: int) -> list[Any]:
        """Addresses of the rows of the input."""
        e, b = self.e, self.e.b
        if not self.listed:
            return row_addresses(e, b.add(self.a, b.mul(start, self.a_stride)), self.a_stride, height)
        entry = b.add(self.a_stride, b.mul(start, I64(OFFSET_BYTES)))
        return [b.add(self.a, b.sext(e.load(entry, I32, OFFSET_BYTES * r), I64)) for r in range(height)]

    def _products(self, vectors: int, starts: Sequence[Any], panel: Any, words: Any) -> list[list[Any]]:
        """The accumulators [row][vector]: loops over segments and their bytes, with all of them in registers."""
        e, b, field = self.e, self.e.b, self.field
        lanes, width = self.level.lanes, 4 * self.level.lanes
        constants = [e.load(words, vector(I32, lanes), width * v) for v in range(vectors)]
        beyond = b.mul(field["segments"], field["segment_stride"])

        def four_bytes(values: Values, end: Any) -> tuple[Any, Values]:
            offset, here, *sums = values
            weights = [e.load(here, vector(I8, width), width * v) for v in range(vectors)]
            new = []
            for r, start in enumerate(starts):
                four = e.b.bitcast(e.splat(e.load(b.add(start, offset), I32), lanes), vector(I8, width))
                row = sums[r * vectors : (r + 1) * vectors]
                new += [self.level.dot(e, total, four, w) for total, w in zip(row, weights, strict=True)]
            following = b.add(offset, I64(4))
            return b.icmp_signed("<", following, end), [following, b.add(here, I64(width * vectors)), *new]

        def segment(values: Values) -> tuple[Any, Values]:
            begin = values[0]
            end = b.add(begin, field["segment_bytes"])
            _, here, *sums = e.repeat(values, lambda carried: four_bytes(carried, end))
            following = b.add(begin, field["segment_stride"])
            return b.icmp_signed("<", following, beyond), [following, here, *sums]

        _, _, *sums = e.repeat([I64(0), panel, *(constants * len(starts))], segment)
        return [list(sums[r * vectors : (r + 1) * vectors]) for r in range(len(starts))]


def row_addresses(e: Emitter, first: Any, stride: Any, rows: int) -> list[Any]:
    """Addresses of `rows` rows, `stride` bytes apart."""
    addresses = [first]
    for _ in range(rows - 1):
        addresses.append(e.b.add(addresses[-1], stride))
    return addresses
