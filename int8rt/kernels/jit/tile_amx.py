"""Rows of a matrix tile with the tile registers of AMX: 16 rows of 64 bytes times 16 channels an instruction.

Four tiles of sums: of four vectors of channels and 16 rows, two and 32, or one and 64. Packed weights are what a tile
wants them to be: a row holds four weights of each of 16 channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from int8rt.kernels.jit.finish import finish_rows
from int8rt.kernels.jit.isa.emitter import I8, I16, I32, I64, Values, constant, vector
from int8rt.kernels.jit.isa.tiles import BYTES, ROW_BYTES, ROWS, TILES, Tiles
from int8rt.kernels.jit.tile_rows import OFFSET_BYTES, Rows, row_addresses

_SUMS = 4
_ADDRESS_BYTES = 8
# Rows that are requantized at once.
_TOGETHER = 4


@dataclass(frozen=True, slots=True)
class _Source:
    """16 rows of the input: evenly spaced from an address on, or (`even` is false) where a list of addresses says."""

    even: Any
    first: Any
    stride: Any
    addresses: Any


class AmxRows(Rows):
    """`Rows` whose products are made by tile registers. Up to 63 bytes beyond each row are read."""

    def panel(self, vectors: int, weights: Any, words: Any, channel: Any) -> None:
        """All rows, in blocks of 16; the last ones overlap where rows do not fill them."""
        e, b, blocks = self.e, self.e.b, _SUMS // vectors
        assert self.level.tiles is not None
        tiles = self.level.tiles(e)
        # Rows that lie apart are brought together here; then the sums go through it, out of the tiles.
        buffer, addresses = e.local(_SUMS * BYTES), e.local(blocks * ROWS * _ADDRESS_BYTES)
        filled = b.icmp_signed(">=", self.rows, I64(ROWS))
        last, count = b.select(filled, b.sub(self.rows, I64(ROWS)), I64(0)), b.select(filled, I64(ROWS), self.rows)
        with e.count(I64(0), self.rows, ROWS * blocks) as row:
            starts, sources = [], []
            for i in range(blocks):
                start = b.add(row, I64(ROWS * i))
                starts.append(b.select(b.icmp_signed("<", start, last), start, last))
                sources.append(self._source(starts[i], filled, b.add(addresses, I64(i * ROWS * _ADDRESS_BYTES))))
                for v in range(vectors):  # every row of sums begins with the constants
                    tiles.load(i * vectors + v, b.add(words, I64(ROW_BYTES * v)), I64(0))
            self._multiply(tiles, vectors, sources, weights, buffer)
            width = ROW_BYTES * vectors
            for i in range(blocks):
                for v in range(vectors):
                    tiles.store(i * vectors + v, b.add(buffer, I64(i * ROWS * width + ROW_BYTES * v)), I64(width))
            for i, start in enumerate(starts):
                sums = b.add(buffer, I64(i * ROWS * width))
                several = b.and_(count, I64(-_TOGETHER))
                with e.count(I64(0), several, _TOGETHER) as r:
                    self._finish(vectors, _TOGETHER, start, r, sums, words, channel)
                with e.count(several, count) as r:
                    self._finish(vectors, 1, start, r, sums, words, channel)

    def _source(self, start: Any, filled: Any, addresses: Any) -> _Source:
        """Rows [start, start + 16); where there are not so many the last one stands for those that are missing."""
        e, b = self.e, self.e.b
        even, first, stride = filled, self.a, self.a_stride
        if self.listed:
            kind = vector(I32, ROWS)
            offsets = e.load(b.add(self.a_stride, b.mul(start, I64(OFFSET_BYTES))), kind)
            one, two = (b.extract_element(offsets, I32(i)) for i in (0, 1))
            step = b.sub(two, one)
            line = b.add(e.splat(one, ROWS), b.mul(e.splat(step, ROWS), constant(I32, range(ROWS))))
            same = b.bitcast(b.icmp_signed("==", offsets, line), I16)
            even = b.and_(filled, b.icmp_signed("==", same, I16(-1)))
            first, stride = b.add(first, b.sext(one, I64)), b.sext(step, I64)
        else:
            first = b.add(first, b.mul(start, stride))
        with b.if_then(b.not_(even)), e.count(I64(0), I64(ROWS)) as r:
            row, last = b.add(start, r), b.sub(self.rows, I64(1))
            row = b.select(b.icmp_signed("<", row, last), row, last)
            if self.listed:
                distance = b.sext(e.load(b.add(self.a_stride, b.mul(row, I64(OFFSET_BYTES))), I32), I64)
            else:
                distance = b.mul(row, self.a_stride)
            e.store(b.add(self.a, distance), b.add(addresses, b.mul(r, I64(_ADDRESS_BYTES))))
        return _Source(even, first, stride, addresses)

    def _multiply(self, tiles: Tiles, vectors: int, sources: list[_Source], weights: Any, buffer: Any) -> None:
        """Add up the products: loops over segments and their bytes, 64 at a time."""
        e, b, field = self.e, self.e.b, self.field
        beyond = b.mul(field["segments"], field["segment_stride"])

        def step(values: Values, end: Any) -> tuple[Any, Values]:
            offset, here = values
            self._step(tiles, vectors, sources, offset, here, buffer)
            following = b.add(offset, I64(ROW_BYTES))
            return b.icmp_signed("<", following, end), [following, b.add(here, I64(BYTES * vectors))]

        def segment(values: Values) -> tuple[Any, Values]:
            begin = values[0]
            end = b.add(begin, field["segment_bytes"])
            _, here = e.repeat(values, lambda carried: step(carried, end))
            following = b.add(begin, field["segment_stride"])
            return b.icmp_signed("<", following, beyond), [following, here]

        e.repeat([I64(0), weights], segment)

    def _step(self, tiles: Tiles, vectors: int, sources: list[_Source], offset: Any, weights: Any, buffer: Any) -> None:
        """64 bytes of each row times their weights. What serves several times keeps its tile, the rest takes turns."""
        b, free = self.e.b, list(range(_SUMS, TILES))
        held = [free.pop() for _ in range(min(vectors, len(sources)))]

        def load_weights(tile: int, v: int) -> None:
            tiles.load(tile, b.add(weights, I64(ROW_BYTES * v)), I64(ROW_BYTES * vectors))

        if len(sources) == 1:
            self._load(tiles, held[0], sources[0], offset, buffer)
            for v in range(vectors):
                tile = free[v % len(free)]
                load_weights(tile, v)
                tiles.dot(v, held[0], tile)
            return
        for v in range(vectors):
            load_weights(held[v], v)
        for i, source in enumerate(sources):
            tile = free[i % len(free)]
            self._load(tiles, tile, source, offset, b.add(buffer, I64(BYTES * i)))
            for v in range(vectors):
                tiles.dot(i * vectors + v, tile, held[v])

    def _load(self, tiles: Tiles, tile: int, source: _Source, offset: Any, buffer: Any) -> None:
        """64 bytes of 16 rows into a tile."""
        e, b = self.e, self.e.b
        with b.if_then(b.not_(source.even)), e.count(I64(0), I64(ROWS)) as r:
            address = e.load(b.add(source.addresses, b.mul(r, I64(_ADDRESS_BYTES))), I64)
            value = e.load(b.add(address, offset), vector(I8, ROW_BYTES))
            e.store(value, b.add(buffer, b.mul(r, I64(ROW_BYTES))))
        first = b.select(source.even, b.add(source.first, offset), buffer)
        tiles.load(tile, first, b.select(source.even, source.stride, I64(ROW_BYTES)))

    def _finish(self, vectors: int, height: int, start: Any, first: Any, sums: Any, words: Any, channel: Any) -> None:
        """Requantize and store `height` rows, from row `first` of a block that begins with row `start` on."""
        e, b, field, lanes = self.e, self.e.b, self.field, self.level.lanes
        here, width = b.add(sums, b.mul(first, I64(ROW_BYTES * vectors))), ROW_BYTES * vectors
        accumulators = [
            [e.load(here, vector(I32, lanes), width * r + ROW_BYTES * v) for v in range(vectors)] for r in range(height)
        ]
        row, stride = b.add(start, first), field["output_stride"]
        if self.asymmetric:
            for r in range(height):
                term = e.splat(e.load(b.add(self.row_terms, b.shl(b.add(row, I64(r)), I64(2))), I32), lanes)
                accumulators[r] = [b.add(value, term) for value in accumulators[r]]
        outs = row_addresses(e, b.add(b.add(self.out, channel), b.mul(row, stride)), stride, height)
        left = b.sub(field["outputs"], channel)
        finish_rows(e, self.level, self.variant, accumulators, words, field["low"], field["high"], outs, left)
