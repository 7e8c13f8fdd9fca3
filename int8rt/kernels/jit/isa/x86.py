"""The levels for x86: AVX2, AVX-VNNI, AVX-512 VNNI (with and without VBMI) and AMX-INT8."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.isa.emitter import I8, I16, I32, Emitter, constant, vector
from int8rt.kernels.jit.isa.level import Level, pairs_of
from int8rt.kernels.jit.isa.permission import refusal
from int8rt.kernels.jit.isa.tiles import ROW_BYTES, ROWS, SoftwareTiles, Tiles


class _Groups(Level):
    """x86, whose instructions that narrow and interleave work within groups of 128 bits, that is, of four lanes.

    to_words, to_bytes: the instructions that pack two vectors into one of half as wide numbers, saturated.
    """

    to_words = ""
    to_bytes = ""

    def narrow(self, e: Emitter, vectors: Sequence[Any]) -> Any:
        """Two rounds of packing; fewer than four vectors are repeated to fill them."""
        a, b, c, d = (list(vectors) * 4)[:4]
        halves = [e.intrinsic(self.to_words, vector(I16, 2 * self.lanes), pair) for pair in ((a, b), (c, d))]
        packed = e.intrinsic(self.to_bytes, vector(I8, 4 * self.lanes), halves)
        if len(vectors) == 4:
            return packed
        used = 4 * len(vectors)  # bytes of each group that are not a repetition
        return e.shuffle(packed, packed, [16 * group + i for group in range(self.lanes // 4) for i in range(used)])

    def channels(self, vectors: int) -> npt.NDArray[np.int64]:
        """Each group of four lanes holds four channels of every vector in turn."""
        lane = np.arange(self.lanes)
        return np.stack([4 * vectors * (lane // 4) + 4 * v + lane % 4 for v in range(vectors)])

    def interleave(self, e: Emitter, taps: Sequence[Any]) -> list[Any]:
        """The same within groups of 16 bytes: two rounds of unpacking."""
        width = 4 * self.lanes

        def unpack(left: Any, right: Any, unit: int, high: int) -> Any:
            lanes: list[int] = []
            for group in range(0, width, 16):
                for start in range(group + 8 * high, group + 8 * high + 8, unit):
                    lanes += [*range(start, start + unit), *range(width + start, width + start + unit)]
            return e.shuffle(left, right, lanes)

        pairs = [[unpack(a, b, 1, half) for a, b in pairs_of(taps)] for half in (0, 1)]
        return [unpack(left, right, 2, half) for left, right in pairs for half in (0, 1)]


class Avx2(_Groups):
    """AVX2: products of 16-bit pairs, added to 32 bits by one instruction."""

    name = "avx2"
    lanes = 8
    rows = MappingProxyType({1: 6, 2: 4, 4: 2})
    features: tuple[str, ...] = ("avx2",)
    to_words, to_bytes = "llvm.x86.avx2.packssdw", "llvm.x86.avx2.packuswb"

    def pairs(self, e: Emitter, left: Any, right: Any) -> Any:
        """One vpmaddwd."""
        return e.intrinsic("llvm.x86.avx2.pmadd.wd", vector(I32, self.lanes), [left, right])


class AvxVnni(Avx2):
    """AVX2 with VNNI: four byte products and their sum in one instruction, as AVX-VNNI or AVX-512 encode it."""

    name = "avxvnni"
    rows = MappingProxyType({1: 8, 2: 6, 4: 2})

    def dot(self, e: Emitter, accumulator: Any, unsigned: Any, signed: Any) -> Any:
        """One vpdpbusd."""
        kind, quads = vector(I8, 32), vector(I32, 8)
        arguments = [accumulator, e.b.bitcast(unsigned, kind), e.b.bitcast(signed, kind)]
        return e.intrinsic("llvm.x86.avx512.vpdpbusd.256", quads, arguments)

    def available(self, has: Mapping[str, bool]) -> bool:
        """Whether the processor has either encoding."""
        return super().available(has) and (
            has.get("avxvnni", False) or (has.get("avx512vnni", False) and has.get("avx512vl", False))
        )


class Avx512Vnni(_Groups):
    """AVX-512 with VNNI: four byte products and their sum in one instruction."""

    name = "avx512vnni"
    lanes = 16
    rows = MappingProxyType({1: 12, 2: 12, 4: 6})
    features: tuple[str, ...] = ("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vnni")
    to_words, to_bytes = "llvm.x86.avx512.packssdw.512", "llvm.x86.avx512.packuswb.512"

    def pairs(self, e: Emitter, left: Any, right: Any) -> Any:
        """One vpmaddwd."""
        return e.intrinsic("llvm.x86.avx512.pmaddw.d.512", vector(I32, self.lanes), [left, right])

    def dot(self, e: Emitter, accumulator: Any, unsigned: Any, signed: Any) -> Any:
        """One vpdpbusd."""
        kind, quads = vector(I8, 64), vector(I32, 16)
        arguments = [accumulator, e.b.bitcast(unsigned, kind), e.b.bitcast(signed, kind)]
        return e.intrinsic("llvm.x86.avx512.vpdpbusd.512", quads, arguments)


class Avx512Vbmi(Avx512Vnni):
    """AVX-512 VNNI that also looks bytes up in tables (VBMI: Ice Lake, Zen 4 and later)."""

    name = "avx512vbmi"
    features = (*Avx512Vnni.features, "avx512vbmi")
    looks_up = True
    products = Avx512Vnni.name

    def for_rows(self, rows: int) -> Level:
        """The level below: a matrix tile looks nothing up."""
        return Avx512Vnni()

    def look_up(self, e: Emitter, table: Sequence[Any], codes: Any) -> Any:
        """Two instructions look 7 bits up in half of the table each; the eighth chooses."""
        kind = vector(I8, 64)
        low, high = (
            e.intrinsic("llvm.x86.avx512.vpermi2var.qi.512", kind, [table[i], codes, table[i + 1]]) for i in (0, 2)
        )
        return e.b.select(e.b.icmp_signed("<", codes, constant(I8, [0] * 64)), high, low)


class Amx(Avx512Vbmi):
    """AMX-INT8 (Sapphire Rapids and later) for matrices of rows enough to fill a tile; all else as the level below.

    Linux only, which gives a process the tile registers when it asks for them.
    """

    name = "amx"
    features = (*Avx512Vbmi.features, "amx-tile", "amx-int8")
    run = ROW_BYTES
    tiles: type[Tiles] | None = Tiles

    def available(self, has: Mapping[str, bool]) -> bool:
        """Whether the processor has them, and the system gives them to this process."""
        return super().available(has) and not refusal()

    def refused(self, has: Mapping[str, bool]) -> str:
        """Why the system does not give them; "" where it does, or there are none."""
        return refusal() if super().available(has) else ""

    def for_rows(self, rows: int) -> Level:
        """This one, where a tile can be filled."""
        return self if rows >= ROWS else Avx512Vnni()


class EmulatedAmx(Amx):
    """The same code with tile registers in memory, which tests run where there is no AMX; never chosen unasked."""

    name = "amx-emulated"
    features = Avx512Vbmi.features
    tiles = SoftwareTiles

    def available(self, has: Mapping[str, bool]) -> bool:
        """Whether the processor has all the rest."""
        return sys.platform == "linux" and Avx512Vbmi.available(self, has)
