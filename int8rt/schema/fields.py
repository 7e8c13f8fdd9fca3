"""Where each field of an options table stands in the file: derived from the dataclass, read by reader and writer."""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flatbuffers import number_types

from int8rt.schema.enums import StablehloPrecisionConfig, storage_of

NUMBERS: Mapping[str, Any] = MappingProxyType(
    {
        "bool": number_types.BoolFlags,
        "int8": number_types.Int8Flags,
        "uint8": number_types.Uint8Flags,
        "uint16": number_types.Uint16Flags,
        "int32": number_types.Int32Flags,
        "uint32": number_types.Uint32Flags,
        "int64": number_types.Int64Flags,
        "uint64": number_types.Uint64Flags,
        "float32": number_types.Float32Flags,
    }
)
"""The number types of flatbuffers by the names that `schema.storage` uses."""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field: its slot in the table, and how it is stored.

    storage: a key of NUMBERS, "string", "bytes", or "[number]" for a vector.
    enumeration: the class of the value (or of a vector's elements) where it is an enumeration.
    """

    name: str
    slot: int
    storage: str
    default: Any
    enumeration: type[enum.IntEnum] | None = None


_known: dict[type, tuple[Field, ...]] = {}


def fields_of(table: type) -> tuple[Field, ...]:
    """Fields of an options dataclass in slot order."""
    fields = _known.get(table)
    if fields is None:
        hints = typing.get_type_hints(table, include_extras=True)
        first = getattr(table, "first_slot", 0)
        fields = tuple(_field(item, first + i, hints[item.name]) for i, item in enumerate(dataclasses.fields(table)))
        _known[table] = fields
    return fields


def _field(item: dataclasses.Field[Any], slot: int, hint: Any) -> Field:
    if isinstance(hint, type) and issubclass(hint, enum.IntEnum):
        return Field(item.name, slot, storage_of(hint), item.default, hint)
    (storage,) = typing.get_args(hint)[1:]
    enumeration = StablehloPrecisionConfig if storage == "[uint32]" else None
    return Field(item.name, slot, storage, item.default, enumeration)
