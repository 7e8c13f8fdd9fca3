"""Reads options tables and enumerations, by the fields of the dataclasses of `schema.options`."""

from __future__ import annotations

import enum
from typing import Any, TypeVar

from int8rt.schema.cursor import Table
from int8rt.schema.enums import storage_of
from int8rt.schema.fields import NUMBERS, Field, fields_of
from int8rt.schema.options import UnknownOptions
from int8rt.schema.options.unions import BUILTIN_OPTIONS, BUILTIN_OPTIONS_2

_Enum = TypeVar("_Enum", bound=enum.IntEnum)


def read_enum(table: Table, slot: int, what: str, enumeration: type[_Enum]) -> _Enum:
    """A member of `enumeration`, its zero where the field is absent. Raises ModelError for any other number."""
    return _member(table, what, enumeration, table.number(slot, what, storage_of(enumeration)))


def read_options(operator: Table) -> Any:
    """The options of an operator table: a dataclass of `schema.options`, or None where there are none."""
    for union, slot, tables in ((1, 3, BUILTIN_OPTIONS), (2, 11, BUILTIN_OPTIONS_2)):
        number = operator.number(slot, "type of its options", "uint8")
        table = operator.table(slot + 1, "options") if number else None
        if table is None:
            continue
        if number > len(tables):
            return UnknownOptions(union, number)
        kind = tables[number - 1]
        return kind(*[_value(table, field, kind) for field in fields_of(kind)])
    return None


def _value(table: Table, field: Field, kind: type) -> Any:
    what = f"{kind.__name__}.{field.name}"
    storage = field.storage
    if storage in NUMBERS:
        value = table.number(field.slot, what, storage, field.default)
        return value if field.enumeration is None else _member(table, what, field.enumeration, value)
    if storage == "string":
        return table.string(field.slot, what)
    if storage == "bytes":
        return table.copy(field.slot, what)
    values = table.numbers(field.slot, what, storage[1:-1]) or ()
    if field.enumeration is not None:
        return tuple(_member(table, what, field.enumeration, value) for value in values)
    return values


def _member(table: Table, what: str, enumeration: type[_Enum], value: int) -> _Enum:
    try:
        return enumeration(value)
    except ValueError:
        table.cursor.fail(f"{what} is {value}, not a {enumeration.__name__}")
