"""The writing half of the codec: tables, vectors and strings through the flatbuffers builder."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.schema.fields import NUMBERS, fields_of

_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in NUMBERS}
ALIGNMENT = 16
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Output:
    """A growing flatbuffer. Methods that make something return its offset, to be put into a table later."""

    def __init__(self, size: int) -> None:
        self.builder = flatbuffers.Builder(size)

    def finished(self) -> memoryview:
        """The flatbuffer, once its root is there; a view of the builder's memory."""
        return memoryview(self.builder.Bytes)[self.builder.Head() :]

    def string(self, text: str) -> int:
        """A string, in UTF-8."""
        return int(self.builder.CreateString(text))

    def raw(self, data: bytes | memoryview, alignment: int = ALIGNMENT) -> int:
        """A vector of bytes whose first element is aligned."""
        builder = self.builder
        builder.StartVector(1, len(data), alignment)
        builder.head = builder.head - len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        return int(builder.EndVector())

    def vector(self, values: npt.ArrayLike | Iterable[Any], storage: str) -> int:
        """A vector of numbers of type `storage` (a key of NUMBERS). Raises ModelError if one does not fit."""
        array = _as_array(values, storage)
        if array.size == 0:
            self.builder.StartVector(array.itemsize, 0, array.itemsize)
            return int(self.builder.EndVector())
        return int(self.builder.CreateNumpyVector(array))

    def offsets(self, offsets: list[int]) -> int:
        """A vector of offsets to tables or strings."""
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def table(self, *slots: tuple[int, str, Any, Any]) -> int:
        """A table of (slot, storage, value, default); for storage "offset" the value of another method, 0 if absent."""
        self.builder.StartObject(max((slot for slot, *_ in slots), default=-1) + 1)
        for slot, storage, value, default in slots:
            if storage == "offset":
                self.builder.PrependUOffsetTRelativeSlot(slot, value, 0)
            else:
                self.builder.PrependSlot(NUMBERS[storage], slot, _as_number(value, storage), default)
        return int(self.builder.EndObject())

    def options(self, options: object) -> int:
        """A table of one of the dataclasses of `schema.options`. Raises ModelError naming a field that does not fit."""
        slots: list[tuple[int, str, Any, Any]] = []
        for field in fields_of(type(options)):
            value = getattr(options, field.name)
            try:
                if field.storage in NUMBERS:
                    slots.append((field.slot, field.storage, _as_number(value, field.storage), field.default))
                elif field.storage == "string":
                    slots.append((field.slot, "offset", self.string(value), 0))
                elif field.storage == "bytes":
                    slots.append((field.slot, "offset", self.raw(value, 1) if value else 0, 0))
                else:
                    slots.append((field.slot, "offset", self.vector(value, field.storage[1:-1]), 0))
            except (ModelError, TypeError, AttributeError) as error:
                raise ModelError(f"{type(options).__name__}.{field.name}: {error}") from error
        return self.table(*slots)


def _as_number(value: Any, storage: str) -> Any:
    number = NUMBERS[storage]
    if storage == "float32":
        if math.isfinite(value) and abs(value) > _FLOAT32_MAX:
            raise ModelError(f"{value!r} is too large for float32")
        return float(value)
    if isinstance(value, float) or not number.min_val <= value <= number.max_val:
        raise ModelError(f"{value!r} is not a value of type {storage}")
    return number.py_type(value)


def _as_array(values: npt.ArrayLike | Iterable[Any], storage: str) -> npt.NDArray[Any]:
    dtype = _DTYPES[storage]
    given = np.asarray(values if isinstance(values, np.ndarray) else list(values))  # type: ignore[arg-type]
    if given.size == 0:
        return np.zeros(0, dtype)
    if storage != "float32":
        if given.dtype.kind not in "biu":
            raise ModelError(f"expected integers, got an array of {given.dtype}")
        number = NUMBERS[storage]
        if int(given.min()) < number.min_val or int(given.max()) > number.max_val:
            raise ModelError(f"a value is outside of {storage}")
    return np.ascontiguousarray(given.ravel(), dtype)
