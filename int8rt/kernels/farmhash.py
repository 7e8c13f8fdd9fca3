"""FarmHash's Fingerprint64 of many keys of the same length. Source: FarmHash, farmhashna::Hash64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_SEED = np.uint64(81)


def fingerprint64(keys: npt.NDArray[np.uint8]) -> Words:
    """uint64[n] of keys uint8[n,length]."""
    length = keys.shape[1]
    with np.errstate(over="ignore"):
        if length <= 16:
            return _up_to_16(keys, length)
        if length <= 32:
            return _up_to_32(keys, length)
        return _up_to_64(keys, length) if length <= 64 else _longer(keys, length)


def _fetch(keys: npt.NDArray[np.uint8], at: int, width: int = 8) -> Words:
    """The little-endian number of `width` bytes at this place, or so far from the end where it is negative."""
    at += keys.shape[1] if at < 0 else 0
    chunk = np.ascontiguousarray(keys[:, at : at + width])
    return chunk.view(f"<u{width}")[:, 0].astype(np.uint64)


def _rotate(value: Words, bits: int) -> Words:
    return (value >> np.uint64(bits)) | (value << np.uint64(64 - bits))


def _shift_mix(value: Words) -> Words:
    return value ^ (value >> np.uint64(47))


def _mix(u: Words, v: Words, factor: Words | np.uint64) -> Words:
    """HashLen16."""
    return _shift_mix((v ^ _shift_mix((u ^ v) * factor)) * factor) * factor


def _up_to_16(keys: npt.NDArray[np.uint8], length: int) -> Words:
    factor = _K2 + np.uint64(2 * length)
    if length >= 8:
        a, b = _fetch(keys, 0) + _K2, _fetch(keys, -8)
        return _mix(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if length >= 4:
        return _mix(np.uint64(length) + (_fetch(keys, 0, 4) << np.uint64(3)), _fetch(keys, -4, 4), factor)
    if length > 0:
        first, middle, last = (keys[:, at].astype(np.uint64) for at in (0, length >> 1, length - 1))
        y, z = first + (middle << np.uint64(8)), np.uint64(length) + (last << np.uint64(2))
        return _shift_mix(y * _K2 ^ z * _K0) * _K2
    return np.full(len(keys), _K2, np.uint64)


def _up_to_32(keys: npt.NDArray[np.uint8], length: int) -> Words:
    factor = _K2 + np.uint64(2 * length)
    a, b = _fetch(keys, 0) * _K1, _fetch(keys, 8)
    c, d = _fetch(keys, -8) * factor, _fetch(keys, -16) * _K2
    return _mix(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, factor)


def _up_to_64(keys: npt.NDArray[np.uint8], length: int) -> Words:
    factor = _K2 + np.uint64(2 * length)
    a, b = _fetch(keys, 0) * _K2, _fetch(keys, 8)
    c, d = _fetch(keys, -8) * factor, _fetch(keys, -16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _mix(y, a + _rotate(b + _K2, 18) + c, factor)
    e, f = _fetch(keys, 16) * factor, _fetch(keys, 24)
    g, h = (y + _fetch(keys, -32)) * factor, (z + _fetch(keys, -24)) * factor
    return _mix(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


def _weak(keys: npt.NDArray[np.uint8], at: int, a: Words, b: Words) -> tuple[Words, Words]:
    """WeakHashLen32WithSeeds."""
    w, x, y, z = (_fetch(keys, at + 8 * i) for i in range(4))
    a = a + w
    b = _rotate(b + a + z, 21)
    c, a = a, a + x + y
    return a + z, b + _rotate(a, 44) + c


def _longer(keys: npt.NDArray[np.uint8], length: int) -> Words:
    zero = np.zeros(len(keys), np.uint64)
    y = zero + (_SEED * _K1 + np.uint64(113))
    z = _shift_mix(y * _K2 + np.uint64(113)) * _K2
    x = _SEED * _K2 + _fetch(keys, 0)
    v, w = (zero, zero), (zero, zero)

    def stir(at: int, factor: Words | np.uint64, times: int) -> None:
        nonlocal x, y, z, v, w
        scale = np.uint64(times)
        x = _rotate(x + y + v[0] + _fetch(keys, at + 8), 37) * factor
        y = _rotate(y + v[1] + _fetch(keys, at + 48), 42) * factor
        x = x ^ (w[1] * scale)
        y = y + v[0] * scale + _fetch(keys, at + 40)
        z = _rotate(z + w[0], 33) * factor
        v = _weak(keys, at, v[1] * factor, x + w[0])
        w = _weak(keys, at + 32, z + w[1], y + _fetch(keys, at + 16))
        z, x = x, z

    for start in range(0, (length - 1) // 64 * 64, 64):
        stir(start, _K1, 1)
    factor = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w = (w[0] + np.uint64((length - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    stir(length - 64, factor, 9)
    return _mix(_mix(v[0], w[0], factor) + _shift_mix(y) * _K0 + z, _mix(v[1], w[1], factor) + x, factor)
