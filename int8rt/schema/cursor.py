"""The reading half of the codec: flatbuffers numbers, where every position is checked before it is read.

The flatbuffers package has no verifier. Here each table, vector and string is checked against the end of the file and
charged to a budget, so that many offsets to one place cost no more than a file of three times the size. Buffers are
not charged: they are not copied.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from flatbuffers import packer

from int8rt.errors import ModelError
from int8rt.schema.fields import NUMBERS

_UOFFSET = packer.uoffset.unpack_from
_SOFFSET = packer.soffset.unpack_from
_UNPACK = {name: (number.packer_type.unpack_from, number.bytewidth) for name, number in NUMBERS.items()}
_FORMATS = {name: number.packer_type.format.lstrip("<") for name, number in NUMBERS.items()}
_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in NUMBERS}

# No table of the schema has more slots; what lies beyond in a vtable belongs to a newer schema.
_MAX_SLOTS = 32

# In bytes, about a quarter of what the Python objects take. A file without any weights needs 1.6 times its size.
_BUDGET_FACTOR = 3
_SPARE_BUDGET = 1 << 16
_LARGEST_BUDGET = 1 << 28
_TABLE_CHARGE = 32
_ELEMENT_CHARGE = 8

# Of a vector that becomes a tuple: shapes, an operator's tensors, options.
_MOST_ELEMENTS = 1 << 20


class Cursor:
    """The bytes of a file, what is left of the budget, and where the reader is (for messages)."""

    __slots__ = ("data", "left", "size", "where")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.size = len(data)
        self.left = min(_BUDGET_FACTOR * self.size + _SPARE_BUDGET, _LARGEST_BUDGET)
        self.where = ""

    def fail(self, message: str) -> NoReturn:
        """Raises ModelError with the place in front."""
        raise ModelError(f"{self.where}: {message}" if self.where else message)

    def charge(self, size: int, what: str) -> None:
        """Takes `size` bytes from the budget."""
        self.left -= size
        if self.left < 0:
            self.fail(f"{what}: the file refers to the same bytes too often")

    def table(self, position: int, what: str) -> Table:
        """The table that starts at `position`."""
        data, size = self.data, self.size
        if position + 4 > size:
            self.fail(f"{what}: table at {position} is outside of the file ({size} bytes)")
        vtable = position - _SOFFSET(data, position)[0]
        if not 0 <= vtable <= size - 4:
            self.fail(f"{what}: vtable at {vtable} is outside of the file ({size} bytes)")
        length = data[vtable] | data[vtable + 1] << 8
        if length < 4 or length % 2 or vtable + length > size:
            self.fail(f"{what}: vtable at {vtable} has length {length}")
        slots = min(length // 2 - 2, _MAX_SLOTS)
        self.charge(_TABLE_CHARGE, what)
        return Table(self, position, struct.unpack_from(f"<{slots}H", data, vtable + 4))

    def target(self, position: int, what: str) -> int:
        """Where the offset at `position` leads; there are at least 4 bytes there."""
        if position + 4 > self.size:
            self.fail(f"{what}: offset at {position} is outside of the file ({self.size} bytes)")
        target: int = position + _UOFFSET(self.data, position)[0]
        if target + 4 > self.size:
            self.fail(f"{what}: offset at {position} leads to {target}, outside of the file ({self.size} bytes)")
        return target

    def vector(self, position: int, width: int, what: str) -> tuple[int, int]:
        """First position and number of elements of the vector that the offset at `position` leads to."""
        target = self.target(position, what)
        count: int = _UOFFSET(self.data, target)[0]
        if count * width > self.size - target - 4:
            self.fail(f"{what}: {count} elements at {target} reach beyond the end of the file ({self.size} bytes)")
        return target + 4, count


class Table:
    """One table. Methods take a slot and the field's name; an absent field gives the default, None or nothing."""

    __slots__ = ("cursor", "offsets", "position")

    def __init__(self, cursor: Cursor, position: int, offsets: tuple[int, ...]) -> None:
        self.cursor = cursor
        self.position = position
        self.offsets = offsets

    def at(self, slot: int) -> int:
        """Position of the field, or 0 if it is absent."""
        if slot >= len(self.offsets):
            return 0
        offset = self.offsets[slot]
        return self.position + offset if offset else 0

    def number(self, slot: int, what: str, storage: str, default: Any = 0) -> Any:
        """A number of type `storage`, a key of NUMBERS."""
        position = self.at(slot)
        if not position:
            return default
        unpack, width = _UNPACK[storage]
        if position + width > self.cursor.size:
            self.cursor.fail(f"{what}: field at {position} is outside of the file ({self.cursor.size} bytes)")
        return unpack(self.cursor.data, position)[0]

    def string(self, slot: int, what: str) -> str:
        """A string; "" if absent. What is not UTF-8 comes with backslashes."""
        data = self.raw(slot, what)
        if data is None:
            return ""
        self.cursor.charge(len(data), what)
        return str(data, "utf-8", "backslashreplace")

    def raw(self, slot: int, what: str) -> memoryview | None:
        """A vector of bytes, not copied."""
        position = self.at(slot)
        if not position:
            return None
        start, count = self.cursor.vector(position, 1, what)
        return self.cursor.data[start : start + count]

    def copy(self, slot: int, what: str) -> bytes:
        """A vector of bytes, copied; b"" if absent."""
        data = self.raw(slot, what)
        if data is None:
            return b""
        self.cursor.charge(len(data), what)
        return bytes(data)

    def numbers(self, slot: int, what: str, storage: str = "int32") -> tuple[Any, ...] | None:
        """A vector of numbers as a tuple."""
        position = self.at(slot)
        if not position:
            return None
        width = _UNPACK[storage][1]
        start, count = self.cursor.vector(position, width, what)
        if count > _MOST_ELEMENTS:
            self.cursor.fail(f"{what}: {count} elements, more than {_MOST_ELEMENTS}")
        self.cursor.charge(4 + count * _ELEMENT_CHARGE, what)
        return struct.unpack_from(f"<{count}{_FORMATS[storage]}", self.cursor.data, start)

    def array(self, slot: int, what: str, storage: str) -> npt.NDArray[Any] | None:
        """A vector of numbers as a read-only array on the file's bytes (copied where they are not aligned)."""
        position = self.at(slot)
        if not position:
            return None
        dtype = _DTYPES[storage]
        start, count = self.cursor.vector(position, dtype.itemsize, what)
        self.cursor.charge(4 + count * dtype.itemsize, what)
        array = np.frombuffer(self.cursor.data, dtype, count, start)
        if not array.flags.aligned or not array.dtype.isnative:
            array = array.astype(dtype.newbyteorder("="))
            array.flags.writeable = False
        return array

    def table(self, slot: int, what: str) -> Table | None:
        """A table."""
        position = self.at(slot)
        return self.cursor.table(self.cursor.target(position, what), what) if position else None

    def tables(self, slot: int, what: str) -> Iterator[Table]:
        """The tables of a vector, one by one."""
        position = self.at(slot)
        if not position:
            return
        start, count = self.cursor.vector(position, 4, what)
        self.cursor.charge(4 + 4 * count, what)
        for i in range(count):
            yield self.cursor.table(self.cursor.target(start + 4 * i, what), what)
