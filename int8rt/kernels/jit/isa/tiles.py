"""The tile registers of AMX, eight of 16 rows of 64 bytes; and the same in memory, for processors that have none."""

from __future__ import annotations

import struct
from typing import Any

from int8rt.kernels.jit.isa.emitter import I8, I32, I64, VOID, Emitter, constant, vector

TILES, ROWS, ROW_BYTES = 8, 16, 64
BYTES = ROWS * ROW_BYTES
# What LDTILECFG reads: palette 1, then the bytes of a row (16 bits each) and the rows of every tile.
CONFIGURATION = (
    bytes([1]).ljust(16, b"\0")
    + struct.pack(f"<{TILES}H", *[ROW_BYTES] * TILES).ljust(32, b"\0")
    + bytes([ROWS] * TILES).ljust(16, b"\0")
)


class Tiles:
    """The tile registers within one function. They are named by numbers, 0 to 7, addresses are 64-bit integers.

    A thread has to configure them before it uses them. It should release them afterwards: while it has them, the system
    saves and restores 8 KB more whenever it switches to another thread.
    """

    def __init__(self, e: Emitter) -> None:
        self.e = e

    def configure(self) -> None:
        """All tiles as whole ones."""
        place = self.e.local(len(CONFIGURATION))
        self.e.store(constant(I8, CONFIGURATION), place)
        self._do("ldtilecfg", self.e.pointer(place, I8))

    def release(self) -> None:
        """Give the tiles back."""
        self._do("tilerelease")

    def load(self, tile: int, address: Any, stride: Any) -> None:
        """Rows of 64 bytes, `stride` bytes apart, into a tile."""
        self._do("tileloadd64", I8(tile), self.e.pointer(address, I8), stride)

    def store(self, tile: int, address: Any, stride: Any) -> None:
        """The tile's rows into memory, `stride` bytes apart."""
        self._do("tilestored64", I8(tile), self.e.pointer(address, I8), stride)

    def dot(self, sums: int, unsigned: int, signed: int) -> None:
        """sums[r, i] += Σ_k Σ_j unsigned[r, 4k + j] · signed[k, 4i + j]: int32 modulo 2^32, of bytes."""
        self._do("tdpbusd", I8(sums), I8(unsigned), I8(signed))

    def _do(self, name: str, *arguments: Any) -> None:
        self.e.intrinsic(f"llvm.x86.{name}", VOID, arguments)


class SoftwareTiles(Tiles):
    """The same with tiles in the function's frame, and products by plain vector code."""

    def __init__(self, e: Emitter) -> None:
        super().__init__(e)
        self._memory = e.local(TILES * BYTES)

    def configure(self) -> None:
        """Nothing to do: they are there, and whole."""

    def release(self) -> None:
        """Nothing to do."""

    def load(self, tile: int, address: Any, stride: Any) -> None:
        """Copies the rows."""
        b = self.e.b
        with self.e.count(I64(0), I64(ROWS)) as row:
            value = self.e.load(b.add(address, b.mul(row, stride)), vector(I8, ROW_BYTES))
            self.e.store(value, self._row(tile, row))

    def store(self, tile: int, address: Any, stride: Any) -> None:
        """Copies the rows."""
        b = self.e.b
        with self.e.count(I64(0), I64(ROWS)) as row:
            value = self.e.load(self._row(tile, row), vector(I8, ROW_BYTES))
            self.e.store(value, b.add(address, b.mul(row, stride)))

    def dot(self, sums: int, unsigned: int, signed: int) -> None:
        """Row by row of the sums, four bytes of the unsigned one at a time."""
        e, b, lanes, wide = self.e, self.e.b, ROW_BYTES // 4, vector(I32, ROW_BYTES)
        with e.count(I64(0), I64(ROWS)) as row, e.count(I64(0), I64(ROWS)) as k:
            four = e.splat(e.load(b.add(self._row(unsigned, row), b.shl(k, I64(2))), I32), lanes)
            left = b.zext(b.bitcast(four, vector(I8, ROW_BYTES)), wide)
            product = b.mul(left, b.sext(e.load(self._row(signed, k), vector(I8, ROW_BYTES)), wide))
            total = e.load(self._row(sums, row), vector(I32, lanes))
            for j in range(4):
                total = b.add(total, e.shuffle(product, product, range(j, ROW_BYTES, 4)))
            e.store(total, self._row(sums, row))

    def _row(self, tile: int, row: Any) -> Any:
        return self.e.b.add(self._memory, self.e.b.add(I64(tile * BYTES), self.e.b.mul(row, I64(ROW_BYTES))))
