"""Options of custom operators by name, as TensorFlow Lite's own readers convert them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from int8rt.errors import ModelError
from int8rt.kernels.base import OperatorContext
from int8rt.kernels.custom.flexbuffer import decode

_INT32 = np.iinfo(np.int32)


class CustomOptions:
    """A FlexBuffer's map. What is absent is 0, as it is for TensorFlow Lite; a value that is no number is refused."""

    def __init__(self, context: OperatorContext) -> None:
        self._context = context
        try:
            values = decode(context.operator.custom_options)
        except ModelError as error:
            raise context.invalid(f"its options can't be read: {error}") from None
        self._values: dict[str, Any] = values if isinstance(values, dict) else {}

    def has(self, name: str) -> bool:
        """Whether there is such an option, and it is not null."""
        return self._values.get(name) is not None

    def integer(self, name: str) -> int:
        """An int32; real numbers are truncated."""
        number = self._number(name)
        value = int(number) if np.isfinite(number) else _INT32.max + 1
        if not _INT32.min <= value <= _INT32.max:
            raise self._context.invalid(f"option {name!r} is {number}")
        return value

    def real(self, name: str) -> float:
        """A float32, as a Python float."""
        with np.errstate(over="ignore"):
            return float(np.float32(self._number(name)))

    def boolean(self, name: str) -> bool:
        """Whether it is other than 0."""
        return bool(self._number(name))

    def text(self, name: str) -> str:
        """A string; "" where it is none."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def integers(self, name: str) -> list[int]:
        """A vector of int32; empty where it is none."""
        value = self._values.get(name)
        items = value if isinstance(value, list) else []
        if not all(isinstance(item, int) and _INT32.min <= item <= _INT32.max for item in items):
            raise self._context.invalid(f"option {name!r} is no vector of integers")
        return [int(item) for item in items]

    def _number(self, name: str) -> int | float:
        value = self._values.get(name)
        if value is None:
            return 0
        if not isinstance(value, int | float):
            raise self._context.invalid(f"option {name!r} is no number")
        return value


def struct_fields(context: OperatorContext, count: int) -> tuple[int, ...]:
    """The first `count` int32 fields of options that are a C struct."""
    data = context.operator.custom_options
    if len(data) < 4 * count:
        raise context.invalid(f"its options have {len(data)} bytes, expected at least {4 * count}")
    return struct.unpack_from(f"<{count}i", data)
