"""Random bits as functions of a counter and a key: Philox4x32 with 10 rounds and Threefry2x32 with 20.

Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011), with the constants of that paper.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

_PHILOX_FACTORS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_PHILOX_STEPS = 0x9E3779B9, 0xBB67AE85
_THREEFRY_PARITY = 0x1BD11BDA
_THREEFRY_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_WORD = 0xFFFFFFFF


def words(value: int, count: int = 2) -> list[int]:
    """The 32-bit words of a number, the lowest first."""
    return [value >> (32 * i) & _WORD for i in range(count)]


def counters(first: int, count: int) -> tuple[Words, Words]:
    """The two words of `count` consecutive 64-bit counters, with wrap-around."""
    with np.errstate(over="ignore"):
        values = np.arange(count, dtype=np.uint64) + np.uint64(first & (2**64 - 1))
    return values.astype(np.uint32), (values >> np.uint64(32)).astype(np.uint32)


def philox4x32(key: tuple[int, int], counter: tuple[Words, Words, int, int]) -> Words:
    """uint32[n,4] for counters of four words, of which the first two are arrays of n."""
    a, b = counter[0], counter[1]
    c, d = (np.full_like(a, word) for word in counter[2:])
    for turn in range(10):
        k0, k1 = (np.uint32((word + turn * step) & _WORD) for word, step in zip(key, _PHILOX_STEPS, strict=True))
        p0, p1 = (factor * x.astype(np.uint64) for factor, x in zip(_PHILOX_FACTORS, (a, c), strict=True))
        low0, low1 = p0.astype(np.uint32), p1.astype(np.uint32)
        high0, high1 = ((p >> np.uint64(32)).astype(np.uint32) for p in (p0, p1))
        a, b, c, d = high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0
    return np.stack([a, b, c, d], axis=1)


def threefry2x32(key: tuple[int, int], counter: tuple[Words, Words]) -> Words:
    """uint32[n,2] for n counters of two words."""
    keys = [np.uint32(word) for word in (*key, key[0] ^ key[1] ^ _THREEFRY_PARITY)]
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for turn in range(5):
        for rotation in _THREEFRY_ROTATIONS[turn % 2]:
            a = a + b
            b = ((b << np.uint32(rotation)) | (b >> np.uint32(32 - rotation))) ^ a
        a = a + keys[(turn + 1) % 3]
        b = b + keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return np.stack([a, b], axis=1)
