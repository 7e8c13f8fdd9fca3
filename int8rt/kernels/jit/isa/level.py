"""What an instruction-set level is: how many int32 lanes a vector has, how bytes are multiplied and narrowed there.

All levels compute the same integers. Activations are unsigned bytes, weights signed bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.isa.emitter import I8, I16, I32, Emitter, constant, vector
from int8rt.kernels.jit.isa.tiles import Tiles


class Level:
    """The level for any processor: plain LLVM vectors, which LLVM fits to whatever there is.

    lanes: int32 lanes of a vector. rows: rows of a matrix tile for each number of vectors across, as many as the
    registers hold. run: bytes of a row of a matrix that are multiplied at once: rows of weights are filled up to it.
    tiles: the tile registers that multiply there, if so.
    """

    name = "generic"
    lanes = 8
    rows: Mapping[int, int] = MappingProxyType({1: 4, 2: 4, 4: 2})
    features: tuple[str, ...] = ()
    looks_up = False
    run = 4
    tiles: type[Tiles] | None = None

    def available(self, has: Mapping[str, bool]) -> bool:
        """Whether a processor with these features runs it."""
        return all(has.get(feature, False) for feature in self.features)

    @property
    def products(self) -> str:
        """Name of the level whose code serves here wherever nothing is looked up: its own, or that of a lower level."""
        return self.name

    def for_rows(self, rows: int) -> Level:
        """The level whose matrix tile is the one for a matrix of so many rows."""
        return self

    def dot(self, e: Emitter, accumulator: Any, unsigned: Any, signed: Any) -> Any:
        """accumulator[i] + Σ of the four products of the bytes 4i..4i+3; vectors of 4 · lanes bytes."""
        halves = vector(I16, 2 * self.lanes)
        eight = constant(I16, [8] * (2 * self.lanes))
        u, s = e.b.bitcast(unsigned, halves), e.b.bitcast(signed, halves)
        even = (e.b.lshr(e.b.shl(u, eight), eight), e.b.ashr(e.b.shl(s, eight), eight))
        odd = (e.b.lshr(u, eight), e.b.ashr(s, eight))
        return e.b.add(accumulator, e.b.add(self.pairs(e, *even), self.pairs(e, *odd)))

    def pairs(self, e: Emitter, left: Any, right: Any) -> Any:
        """Sums of two neighbouring products of signed 16-bit numbers, as int32.

        LLVM knows this form where an instruction does it.
        """
        wide = vector(I32, 2 * self.lanes)
        product = e.b.mul(e.b.sext(left, wide), e.b.sext(right, wide))
        return e.b.add(
            e.shuffle(product, product, range(0, 2 * self.lanes, 2)),
            e.shuffle(product, product, range(1, 2 * self.lanes, 2)),
        )

    def narrow(self, e: Emitter, vectors: Sequence[Any]) -> Any:
        """The vectors' lanes as bytes, saturated to 0..255, in the order of `channels`."""
        zero, top = constant(I32, [0] * self.lanes), constant(I32, [255] * self.lanes)
        parts = [e.b.trunc(e.minimum(e.maximum(value, zero), top), vector(I8, self.lanes)) for value in vectors]
        return e.concatenate(parts)

    def channels(self, vectors: int) -> npt.NDArray[np.int64]:
        """[vectors, lanes]: which channel of a tile each lane holds, so that `narrow` yields channels in order."""
        return np.arange(vectors * self.lanes).reshape(vectors, self.lanes)

    def interleave(self, e: Emitter, taps: Sequence[Any]) -> list[Any]:
        """Four vectors of 4 · lanes bytes to four vectors whose lane holds the four taps' bytes of one channel.

        Lanes are in the order of `channels(4)`.
        """
        width = 4 * self.lanes
        zipped = [x for i in range(width) for x in (i, width + i)]
        low, high = (e.shuffle(a, b, zipped) for a, b in pairs_of(taps))
        order = [x for i in range(0, 2 * width, 2) for x in (i, i + 1, 2 * width + i, 2 * width + i + 1)]
        return [e.shuffle(low, high, order[start : start + width]) for start in range(0, 4 * width, width)]

    def look_up(self, e: Emitter, table: Sequence[Any], codes: Any) -> Any:
        """The bytes of a table of 256 (four vectors of 64) for 64 codes; only where `looks_up` says so."""
        raise NotImplementedError(f"{self.name} does not look up bytes in registers")


def pairs_of(taps: Sequence[Any]) -> list[tuple[Any, Any]]:
    """The first two of four, and the other two."""
    return [(taps[0], taps[1]), (taps[2], taps[3])]
