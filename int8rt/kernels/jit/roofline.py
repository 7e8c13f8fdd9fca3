"""What this processor can do at most on one core: byte products a second, and bytes a second from its caches."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import address_of, kernel
from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import LEVELS, Level
from int8rt.kernels.jit.isa.tiles import BYTES, ROWS, TILES, Tiles
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.run import entry

_LEVELS = {level.name: level for level in LEVELS}
_CHAINS, _VECTORS = 12, 8
_WIDTH = 64
# Tiles of sums; the others hold what is multiplied.
_TILE_CHAINS = 4


@intrinsic(prefer_literal=True)
def products(typing_context: Any, level: Any, block: Any, rounds: Any) -> Any:
    """`rounds` times 12 independent dot products of a vector, with nothing else in the loop but loads.

    With tile registers: 4 independent products of tiles, and no loads.
    """
    if not isinstance(level, types.Literal):
        return None
    chosen = _LEVELS[level.literal_value]

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        block, rounds = arguments[1:]
        if chosen.tiles is not None:
            _tile_products(e, chosen.tiles(e), block, rounds)
            return context.get_dummy_value()
        sums, codes = vector(I32, chosen.lanes), vector(I8, 4 * chosen.lanes)
        right = e.load(block, codes)
        starts = [e.load(block, sums, _WIDTH * i) for i in range(_CHAINS)]

        def body(index: Any, chains: list[Any]) -> list[Any]:
            # Other codes each time and for each chain, or LLVM would multiply only once.
            here = e.b.add(block, e.b.shl(e.b.and_(index, I64(63)), I64(6)))
            return [chosen.dot(e, chain, e.load(here, codes, _WIDTH * i), right) for i, chain in enumerate(chains)]

        for i, value in enumerate(_loop(e, rounds, 1, starts, body)):
            e.store(value, block, _WIDTH * i)
        return context.get_dummy_value()

    return types.void(level, types.int64, types.int64), codegen


def _tile_products(e: Emitter, tiles: Tiles, block: Any, rounds: Any) -> None:
    tiles.configure()
    for tile in range(TILES):
        tiles.load(tile, block, I64(_WIDTH))
    with e.count(I64(0), rounds):
        for i in range(_TILE_CHAINS):
            tiles.dot(i, _TILE_CHAINS + i, TILES - 1 - i)
    tiles.release()


@intrinsic
def read_bytes(typing_context: Any, block: Any, count: Any) -> Any:
    """Read `count` bytes, a multiple of 512."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        block, count = arguments
        words = vector(I64, 8)

        def body(offset: Any, chains: list[Any]) -> list[Any]:
            here = builder.add(block, offset)
            return [builder.xor(chain, e.load(here, words, _WIDTH * i)) for i, chain in enumerate(chains)]

        starts = [e.load(block, words) for _ in range(_VECTORS)]
        for i, value in enumerate(_loop(e, count, _WIDTH * _VECTORS, starts, body)):
            e.store(value, block, _WIDTH * i)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def _loop(e: Emitter, end: Any, step: int, starts: list[Any], body: Any) -> list[Any]:
    before, loop, after = e.b.block, e.b.append_basic_block("loop"), e.b.append_basic_block("loop.end")
    e.b.branch(loop)
    e.b.position_at_end(loop)
    index = e.b.phi(I64)
    index.add_incoming(I64(0), before)
    phis = [e.b.phi(start.type) for start in starts]
    values: list[Any] = body(index, phis)
    following = e.b.add(index, I64(step))
    index.add_incoming(following, loop)
    for phi, start, value in zip(phis, starts, values, strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(value, loop)
    e.b.cbranch(e.b.icmp_signed("<", following, end), loop, after)
    e.b.position_at_end(after)
    return values


@cache
def products_kernel(level: str) -> Any:
    """The compiled products for an instruction set."""

    @kernel
    def multiply(block, rounds, unused):  # type: ignore[no-untyped-def]
        products(level, address_of(block), rounds)

    return multiply


@kernel
def read(block, count, passes):  # type: ignore[no-untyped-def]
    """Read `count` bytes at `block`, so many times."""
    for _ in range(passes):
        read_bytes(address_of(block), count)


@cache
def macs_per_second(level: Level) -> float:
    """Byte products that one core can add up in a second with the level's dot product, or that of its tiles."""
    memory, rounds, macs = np.zeros(1024, np.int64), 1 << 16, _CHAINS * level.lanes * 4
    if level.tiles is not None:
        rounds, macs = 1 << 12, _TILE_CHAINS * BYTES * ROWS
    call = entry(products_kernel(level.name))
    seconds = min(_timed(call, int(memory.ctypes.data), rounds, 0) for _ in range(20))
    return rounds * macs / seconds


@cache
def bytes_per_second(size: int) -> float:
    """Bytes that one core can read in a second, again and again from the same `size` bytes (a multiple of 512)."""
    memory = np.zeros(size + _WIDTH, np.uint8)
    call, passes = entry(read), max(1, (1 << 20) // size)
    seconds = min(_timed(call, int(memory.ctypes.data), size, passes) for _ in range(20))
    return size * passes / seconds


def _timed(call: Any, address: int, count: int, passes: int) -> float:
    start = time.perf_counter()
    call(address, count, passes)
    return time.perf_counter() - start
