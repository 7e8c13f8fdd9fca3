"""Custom options: a FlexBuffer as plain Python values, whatever its bytes are.

Maps become dict, vectors list, blobs bytes, null None. Every offset, length and width is checked, and the number of
values is bounded, since a small buffer can refer to the same vector again and again.
Source: flatbuffers.dev, FlexBuffers; the types are numbered there. (The reader of the package `flatbuffers` checks
nothing.)
"""

from __future__ import annotations

import struct
from typing import Any

from int8rt.errors import ModelError

_NULL, _INT, _UINT, _FLOAT, _KEY, _STRING, _INDIRECT_INT, _INDIRECT_UINT, _INDIRECT_FLOAT, _MAP, _VECTOR = range(11)
_BLOB, _BOOL = 25, 26
# Vectors of one type: of any length, or of two, three or four elements.
_TYPED = {11: _INT, 12: _UINT, 13: _FLOAT, 14: _KEY, 15: _STRING, 36: _BOOL}
_FIXED = {16 + 3 * (n - 2) + k: (n, kind) for n in (2, 3, 4) for k, kind in enumerate((_INT, _UINT, _FLOAT))}
_INDIRECT = {_INDIRECT_INT: _INT, _INDIRECT_UINT: _UINT, _INDIRECT_FLOAT: _FLOAT}
_INLINE = (_NULL, _INT, _UINT, _FLOAT, _BOOL)
_FORMATS = {_INT: "bhiq", _UINT: "BHIQ", _BOOL: "BHIQ", _FLOAT: "  fd"}

_DEEPEST = 32
_MOST_VALUES = 1 << 20


def decode(data: bytes) -> Any:
    """The value that a FlexBuffer holds. Raises ModelError where the bytes are none."""
    if len(data) < 3:
        raise ModelError(f"a FlexBuffer has at least 3 bytes, found {len(data)}")
    width = data[-1]
    reader = _Reader(data)
    return reader.value(len(data) - 2 - reader.checked_width(width), width, data[-2], 0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        # Sharing what is the same is common, so a good buffer may unfold to somewhat more than it has.
        self._left = min(4 * len(data) + 64, _MOST_VALUES)

    def checked_width(self, width: int) -> int:
        """1, 2, 4 or 8."""
        if width not in (1, 2, 4, 8):
            raise ModelError(f"FlexBuffer: a width of {width} bytes")
        return width

    def value(self, at: int, width: int, packed: int, depth: int) -> Any:
        """The value at `at`, where a field of `width` bytes stands for it. packed: its type, and its own width."""
        kind, own = packed >> 2, 1 << (packed & 3)
        self._charge(1)
        if depth > _DEEPEST:
            raise ModelError(f"FlexBuffer: nested more than {_DEEPEST} deep")
        if kind in _INLINE:
            return self._scalar(at, width, kind)
        target = self._target(at, width)
        if kind in _INDIRECT:
            return self._scalar(target, own, _INDIRECT[kind])
        if kind == _KEY:
            return self._key(target)
        if kind in (_STRING, _BLOB):
            text = self._bytes(target, self._size(target, own))
            self._charge(len(text) // 16)
            return text if kind == _BLOB else text.decode("utf-8", "backslashreplace")
        if kind == _MAP:
            return self._map(target, own, depth)
        if kind == _VECTOR:
            return self._untyped(target, own, depth)
        if kind in _TYPED:
            return self._typed(target, own, self._size(target, own), _TYPED[kind], depth)
        if kind in _FIXED:
            count, element = _FIXED[kind]
            return self._typed(target, own, count, element, depth)
        raise ModelError(f"FlexBuffer: there is no type {kind}")

    def _charge(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ModelError("FlexBuffer: too many values")

    def _bytes(self, at: int, count: int) -> bytes:
        if at < 0 or at + count > len(self._data):
            raise ModelError(f"FlexBuffer: {count} bytes at {at} are outside of its {len(self._data)} bytes")
        return self._data[at : at + count]

    def _scalar(self, at: int, width: int, kind: int) -> Any:
        field = self._bytes(at, width)
        if kind == _NULL:
            return None
        letter = _FORMATS[kind][width.bit_length() - 1]
        if letter == " ":
            raise ModelError(f"FlexBuffer: a floating-point number of {width} bytes")
        (number,) = struct.unpack(f"<{letter}", field)
        return bool(number) if kind == _BOOL else number

    def _unsigned(self, at: int, width: int) -> int:
        return int.from_bytes(self._bytes(at, width), "little")

    def _target(self, at: int, width: int) -> int:
        """What the offset at `at` refers to: offsets count backwards."""
        return at - self._unsigned(at, width)

    def _size(self, target: int, width: int) -> int:
        return self._unsigned(target - width, width)

    def _key(self, at: int) -> str:
        end = self._data.find(b"\0", at) if at >= 0 else -1
        if end < 0:
            raise ModelError("FlexBuffer: a key does not end")
        self._charge((end - at) // 16)
        return self._data[at:end].decode("utf-8", "backslashreplace")

    def _untyped(self, target: int, width: int, depth: int) -> list[Any]:
        count = self._size(target, width)
        self._bytes(target, count * width)
        types = self._bytes(target + count * width, count)
        return [self.value(target + i * width, width, packed, depth + 1) for i, packed in enumerate(types)]

    def _map(self, target: int, width: int, depth: int) -> dict[str, Any]:
        values = self._untyped(target, width, depth)
        keys = self._target(target - 3 * width, width)
        key_width = self.checked_width(self._unsigned(target - 2 * width, width))
        names = self._typed(keys, key_width, self._size(keys, key_width), _KEY, depth)
        if len(names) != len(values):
            raise ModelError(f"FlexBuffer: a map of {len(names)} keys and {len(values)} values")
        return dict(zip(names, values, strict=True))

    def _typed(self, target: int, width: int, count: int, kind: int, depth: int) -> list[Any]:
        self._bytes(target, count * width)
        # The elements of a deprecated vector of strings have lengths of one byte.
        return [self.value(target + i * width, width, kind << 2, depth + 1) for i in range(count)]
