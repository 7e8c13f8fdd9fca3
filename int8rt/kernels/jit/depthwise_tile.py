"""The inner tiles of DEPTHWISE_CONV_2D: four taps of a channel side by side in a lane, taken by one dot product.

`depthwise_pixels` takes any window, as a list of the taps' addresses for every pixel. `depthwise_columns` is for
windows three or four rows high: it interleaves each input column once for all the pixels whose windows it is in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from int8rt.kernels.jit.finish import requantize_rows, store_rows
from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.tile_rows import row_addresses


@dataclass(frozen=True, slots=True)
class _Tile:
    """The IR for `repeats` times `sharing` neighbouring output pixels at once, 4 · lanes / sharing channels of each."""

    level: Level
    variant: str
    repeats: int
    sharing: int

    def emit(
        self, e: Emitter, table: Any, pixels: Any, groups: Any, channel: Any, weights: Any, words: Any, low: Any,
        high: Any, out: Any, out_stride: Any, count: Any,
    ) -> None:  # fmt: skip
        """A loop over the pixels, in which the last tile overlaps its neighbour; within it one over groups of taps."""
        kind, width, together = vector(I32, self.level.lanes), 4 * self.level.lanes, self.repeats * self.sharing
        before, each, after = e.b.block, e.b.append_basic_block("pixels"), e.b.append_basic_block("pixels.end")
        e.b.branch(each)
        e.b.position_at_end(each)
        pixel = e.b.phi(I64)
        pixel.add_incoming(I64(0), before)
        last = e.b.sub(pixels, I64(together))
        start = e.b.select(e.b.icmp_signed("<", pixel, last), pixel, last)
        row_bytes = e.b.shl(groups, I64(5))
        pointers = e.b.add(table, e.b.mul(start, row_bytes))
        tables = [e.b.add(pointers, e.b.mul(row_bytes, I64(i))) for i in range(together)]
        constants = [e.load(words, kind, width * v) for v in range(4)]
        entry, body, done = e.b.block, e.b.append_basic_block("taps"), e.b.append_basic_block("taps.end")
        e.b.branch(body)
        e.b.position_at_end(body)
        group = e.b.phi(I64)
        group.add_incoming(I64(0), entry)
        carried = [[e.b.phi(kind) for _ in range(4)] for _ in range(self.repeats)]
        for sums in carried:
            for phi, value in zip(sums, constants, strict=True):
                phi.add_incoming(value, entry)
        row = e.b.add(weights, e.b.mul(group, I64(4 * width)))
        taken = [e.load(row, vector(I8, width), width * v) for v in range(4)]
        offset = e.b.shl(group, I64(5))
        new = []
        for r, sums in enumerate(carried):
            inputs = self._inputs(e, tables[r * self.sharing : (r + 1) * self.sharing], offset, channel)
            new.append([self.level.dot(e, *triple) for triple in zip(sums, inputs, taken, strict=True)])
        following = e.b.add(group, I64(1))
        group.add_incoming(following, body)
        for phis, values in zip(carried, new, strict=True):
            for phi, value in zip(phis, values, strict=True):
                phi.add_incoming(value, body)
        e.b.cbranch(e.b.icmp_signed("<", following, groups), body, done)
        e.b.position_at_end(done)
        codes = requantize_rows(e, self.level, self.variant, new, words, low, high)
        share = width // self.sharing
        parts = [
            e.shuffle(code, code, range(i * share, (i + 1) * share)) for code in codes for i in range(self.sharing)
        ]
        target = e.b.add(out, e.b.mul(start, out_stride))
        store_rows(e, parts, row_addresses(e, target, out_stride, together), count)
        next_pixel = e.b.add(pixel, I64(together))
        pixel.add_incoming(next_pixel, e.b.block)
        e.b.cbranch(e.b.icmp_signed("<", next_pixel, pixels), each, after)
        e.b.position_at_end(after)

    def _inputs(self, e: Emitter, tables: list[Any], offset: Any, channel: Any) -> list[Any]:
        """For every vector, the four taps of each of its channels side by side; the pixels one behind the other."""
        part = vector(I8, 4 * self.level.lanes // self.sharing)
        taps = []
        for tap in range(4):
            addresses = [e.b.add(e.load(e.b.add(table, offset), I64, 8 * tap), channel) for table in tables]
            taps.append(e.concatenate([e.load(address, part) for address in addresses]))
        return self.level.interleave(e, taps)


@intrinsic(prefer_literal=True)
def depthwise_pixels(
    typing_context: Any, level: Any, variant: Any, repeats: Any, sharing: Any, table: Any, pixels: Any, groups: Any,
    channel: Any, weights: Any, words: Any, low: Any, high: Any, out: Any, out_stride: Any, count: Any,
) -> Any:  # fmt: skip
    """One block of channels of a row of output pixels, at least repeats · sharing of them.

    table: address of int64[pixels, groups, 4], the addresses of each pixel's taps; channel: offset of the block in
    each of them; weights, words: of this block; low, high: the clamp; count: channels to store.
    """
    if not all(isinstance(x, types.Literal) for x in (level, variant, repeats, sharing)):
        return None
    tile = _Tile(BY_NAME[level.literal_value], variant.literal_value, repeats.literal_value, sharing.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile.emit(Emitter(builder), *arguments[4:])
        return context.get_dummy_value()

    return types.void(level, variant, repeats, sharing, *[types.int64] * 11), codegen


@dataclass(frozen=True, slots=True)
class _ColumnTile:
    """The IR for `sharing` groups of `pixels` neighbouring output pixels, 4 · lanes / sharing channels of each."""

    level: Level
    variant: str
    pixels: int
    sharing: int
    columns: int
    stride: int

    def emit(
        self, e: Emitter, table: Any, pixels: Any, channel: Any, weights: Any, words: Any, low: Any, high: Any,
        out: Any, out_stride: Any, count: Any,
    ) -> None:  # fmt: skip
        """A loop over the pixels, in which the last tile overlaps its neighbour; the window is written out."""
        kind, width, together = vector(I32, self.level.lanes), 4 * self.level.lanes, self.pixels * self.sharing
        before, each, after = e.b.block, e.b.append_basic_block("pixels"), e.b.append_basic_block("pixels.end")
        e.b.branch(each)
        e.b.position_at_end(each)
        pixel = e.b.phi(I64)
        pixel.add_incoming(I64(0), before)
        last = e.b.sub(pixels, I64(together))
        start = e.b.select(e.b.icmp_signed("<", pixel, last), pixel, last)
        first = e.b.add(table, e.b.mul(start, I64(32 * self.stride)))
        constants = [e.load(words, kind, width * v) for v in range(4)]
        sums = [list(constants) for _ in range(self.pixels)]
        for column in range((self.pixels - 1) * self.stride + self.columns):
            taps = self._column(e, first, column, channel)
            for x, accumulators in enumerate(sums):
                kx = column - x * self.stride
                if 0 <= kx < self.columns:
                    for v in range(4):
                        taken = e.load(weights, vector(I8, width), (4 * kx + v) * width)
                        accumulators[v] = self.level.dot(e, accumulators[v], taps[v], taken)
        codes = requantize_rows(e, self.level, self.variant, sums, words, low, high)
        share = width // self.sharing
        rows = [
            e.shuffle(codes[x], codes[x], range(i * share, (i + 1) * share))
            for i in range(self.sharing)
            for x in range(self.pixels)
        ]
        target = e.b.add(out, e.b.mul(start, out_stride))
        store_rows(e, rows, row_addresses(e, target, out_stride, together), count)
        following = e.b.add(pixel, I64(together))
        pixel.add_incoming(following, e.b.block)
        e.b.cbranch(e.b.icmp_signed("<", following, pixels), each, after)
        e.b.position_at_end(after)

    def _column(self, e: Emitter, first: Any, column: int, channel: Any) -> list[Any]:
        part = vector(I8, 4 * self.level.lanes // self.sharing)
        taps = []
        for ky in range(4):
            offsets = [32 * (column + i * self.pixels * self.stride) + 8 * ky for i in range(self.sharing)]
            addresses = [e.b.add(e.load(first, I64, offset), channel) for offset in offsets]
            taps.append(e.concatenate([e.load(address, part) for address in addresses]))
        return self.level.interleave(e, taps)


@intrinsic(prefer_literal=True)
def depthwise_columns(
    typing_context: Any, level: Any, variant: Any, repeats: Any, sharing: Any, columns: Any, stride: Any, table: Any,
    pixels: Any, channel: Any, weights: Any, words: Any, low: Any, high: Any, out: Any, out_stride: Any, count: Any,
) -> Any:  # fmt: skip
    """One block of channels of a row of output pixels, at least repeats · sharing of them, `stride` columns apart.

    columns: of the window. table: address of int64[input columns, 4], the addresses of the four taps of each input
    column from the first pixel's first on; the rest as in `depthwise_pixels`.
    """
    literals = (level, variant, repeats, sharing, columns, stride)
    if not all(isinstance(x, types.Literal) for x in literals):
        return None
    name, *rest = (x.literal_value for x in literals)
    tile = _ColumnTile(BY_NAME[name], *rest)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile.emit(Emitter(builder), *arguments[6:])
        return context.get_dummy_value()

    return types.void(*literals, *[types.int64] * 10), codegen
