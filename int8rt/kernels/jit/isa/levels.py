"""Instruction-set levels: how many int32 lanes a vector has, and how bytes are multiplied and narrowed there.

All levels compute the same integers. Activations are unsigned bytes, weights signed bytes.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding

from int8rt.errors import InputError
from int8rt.kernels.jit.isa.emitter import I8, I16, I32, Emitter, constant, vector


class Level:
    """The level for any processor: plain LLVM vectors, which LLVM fits to whatever there is.

    lanes: int32 lanes of a vector. rows: rows of a matrix tile for each number of vectors across, as many as the
    registers hold.
    """

    name = "generic"
    lanes = 8
    rows: Mapping[int, int] = MappingProxyType({1: 4, 2: 4, 4: 2})
    features: tuple[str, ...] = ()
    looks_up = False

    def available(self, has: Mapping[str, bool]) -> bool:
        """Whether a processor with these features runs it."""
        return all(has.get(feature, False) for feature in self.features)

    @property
    def products(self) -> str:
        """Name of the level whose code serves here wherever nothing is looked up: its own, or that of a lower level."""
        return self.name

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
        low, high = (e.shuffle(a, b, zipped) for a, b in _two(taps))
        order = [x for i in range(0, 2 * width, 2) for x in (i, i + 1, 2 * width + i, 2 * width + i + 1)]
        return [e.shuffle(low, high, order[start : start + width]) for start in range(0, 4 * width, width)]

    def look_up(self, e: Emitter, table: Sequence[Any], codes: Any) -> Any:
        """The bytes of a table of 256 (four vectors of 64) for 64 codes; only where `looks_up` says so."""
        raise NotImplementedError(f"{self.name} does not look up bytes in registers")


def _two(taps: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [(taps[0], taps[1]), (taps[2], taps[3])]


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

        pairs = [[unpack(a, b, 1, half) for a, b in _two(taps)] for half in (0, 1)]
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

    def look_up(self, e: Emitter, table: Sequence[Any], codes: Any) -> Any:
        """Two instructions look 7 bits up in half of the table each; the eighth chooses."""
        kind = vector(I8, 64)
        low, high = (
            e.intrinsic("llvm.x86.avx512.vpermi2var.qi.512", kind, [table[i], codes, table[i + 1]]) for i in (0, 2)
        )
        return e.b.select(e.b.icmp_signed("<", codes, constant(I8, [0] * 64)), high, low)


LEVELS: tuple[Level, ...] = (Level(), Avx2(), AvxVnni(), Avx512Vnni(), Avx512Vbmi())
BY_NAME: Mapping[str, Level] = {level.name: level for level in LEVELS}


@functools.cache
def available_levels() -> tuple[Level, ...]:
    """The levels that this processor has, the slowest first."""
    has = binding.get_host_cpu_features()
    return tuple(level for level in LEVELS if level.available(has))


def choose_level(name: str | None = None) -> Level:
    """The level of that name, of INT8RT_ISA, or the best one that this processor has.

    Raises `InputError` for a name that is unknown or that this processor lacks.
    """
    wanted = name or os.environ.get("INT8RT_ISA")
    levels = {level.name: level for level in available_levels()}
    if not wanted:
        return available_levels()[-1]
    if wanted not in levels:
        raise InputError(f"instruction set {wanted!r} is not available here; available: {', '.join(levels)}")
    return levels[wanted]
