"""Packed elements: int4 and int2 in parts of bytes (lowest bits first), and string tensors as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError

_INT32 = np.dtype("<i4")


def pack_bits(values: npt.ArrayLike, bits: int) -> bytes:
    """Packs integers into `bits` (2 or 4) bits each, two's complement; unused bits of the last byte are 0.

    Only the low `bits` of a value count: the caller has checked the range.
    """
    per_byte = 8 // bits
    flat = np.asarray(values).astype(np.uint8).ravel() & ((1 << bits) - 1)
    padded = np.zeros(-(-flat.size // per_byte) * per_byte, np.uint8)
    padded[: flat.size] = flat
    packed = np.zeros(padded.size // per_byte, np.uint8)
    for i in range(per_byte):
        packed |= padded[i::per_byte] << (bits * i)
    return packed.tobytes()


def unpack_bits(data: bytes | memoryview, bits: int, count: int, *, signed: bool) -> npt.NDArray[Any]:
    """The first `count` integers of `bits` (2 or 4) bits each, as int8[count] (uint8[count] if not `signed`)."""
    per_byte = 8 // bits
    packed = np.frombuffer(data, np.uint8, -(-count // per_byte))
    result = np.empty(count, np.int8 if signed else np.uint8)
    for i in range(per_byte):
        part = packed[: result[i::per_byte].size] << (8 - bits * (i + 1))
        result[i::per_byte] = part.view(result.dtype) >> (8 - bits)
    return result


def pack_strings(values: npt.ArrayLike) -> bytes:
    """A string tensor's bytes: int32 count, int32 offsets[count + 1] from the start, then the characters."""
    texts = [bytes(text) for text in np.asarray(values, np.object_).ravel()]
    start = 4 * (len(texts) + 2)
    ends = start + np.cumsum([len(text) for text in texts], dtype=np.int64)
    header = np.concatenate([[len(texts), start], ends]).astype(_INT32)
    return header.tobytes() + b"".join(texts)


def string_count(data: bytes | memoryview) -> int:
    """How many strings a string tensor's bytes hold. Raises ModelError where count and length disagree."""
    if len(data) < 4:
        raise ModelError(f"string data has {len(data)} bytes, fewer than the 4 of its count")
    count = int(np.frombuffer(data, _INT32, 1)[0])
    if count < 0 or 4 * (count + 2) > len(data):
        raise ModelError(f"string data has {len(data)} bytes, but counts {count} strings")
    return count


def unpack_strings(data: bytes | memoryview) -> npt.NDArray[np.object_]:
    """The strings of a string tensor as bytes objects, object[count]. Raises ModelError where offsets are wrong."""
    count = string_count(data)
    offsets = np.frombuffer(data, _INT32, count + 1, 4)
    if offsets[0] < 4 * (count + 2) or offsets[-1] > len(data) or (offsets[1:] < offsets[:-1]).any():
        raise ModelError("string data has offsets that are not in order or outside of it")
    result = np.empty(count, np.object_)
    for i, (start, end) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
        result[i] = bytes(data[start:end])
    return result
