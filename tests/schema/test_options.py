"""The options tables against the accessors that flatbuffers generated: from the `tflite` package and from LiteRT."""

from __future__ import annotations

import dataclasses
import enum
import re
from types import ModuleType
from typing import Any

import pytest
import tflite

from int8rt import model
from int8rt.schema import enums
from int8rt.schema.fields import Field, fields_of
from int8rt.schema.names import BUILTIN_CODES
from int8rt.schema.options.unions import BUILTIN_OPTIONS, BUILTIN_OPTIONS_2
from int8rt.schema.output import Output

TABLES = [*BUILTIN_OPTIONS, *BUILTIN_OPTIONS_2]
# What LiteRT 2.3.0's schema has beyond that of tflite 2.18.
NEWER_TABLES = {"StablehloCaseOptions"}
NEWER_FIELDS = {
    ("FullyConnectedOptions", "quant_spec"),
}
SCALARS = ("bool", "int8", "int32", "uint32", "int64", "float32")
WIDTHS = {"bytes": 1, "[bool]": 1, "[int32]": 4, "[uint32]": 4, "[float32]": 4, "[int64]": 8}


@pytest.fixture(params=["tflite", pytest.param("litert", marks=pytest.mark.litert)])
def generated(request: pytest.FixtureRequest) -> Any:
    if request.param == "tflite":
        return tflite
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def names_of(enumeration: type) -> dict[str, int]:
    return {name: value for name, value in vars(enumeration).items() if not name.startswith("_")}


def camel(name: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in name.split("_"))


class Recorder:
    """Stands for a flatbuffers builder and notes what generated code asks of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))

    def only_call(self) -> tuple[Any, ...]:
        (call,) = self.calls
        return call


def is_newer(generated: ModuleType, table: type, field: str = "") -> bool:
    return generated is tflite and (table.__name__ in NEWER_TABLES or (table.__name__, field) in NEWER_FIELDS)


@pytest.mark.parametrize("number", [1, 2])
def test_unions_hold_the_tables_in_order(generated: Any, number: int) -> None:
    ours = (BUILTIN_OPTIONS, BUILTIN_OPTIONS_2)[number - 1]
    theirs = names_of((generated.BuiltinOptions, generated.BuiltinOptions2)[number - 1])
    mine = {"NONE": 0} | {table.__name__: i for i, table in enumerate(ours, 1) if not is_newer(generated, table)}
    assert mine == theirs


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_fields_stand_in_their_slots(generated: Any, table: type) -> None:
    if is_newer(generated, table):
        assert not hasattr(generated, table.__name__)
        return
    fields = [field for field in fields_of(table) if not is_newer(generated, table, field.name)]
    name = table.__name__
    start = Recorder()
    getattr(generated, f"{name}Start")(start)
    assert start.only_call() == ("StartObject", len(fields) + getattr(table, "first_slot", 0))
    adders = {key for key in vars(generated) if re.fullmatch(rf"{name}Add\w+", key)}
    assert adders == {f"{name}Add{camel(field.name)}" for field in fields}
    for field in fields:
        record = Recorder()
        getattr(generated, f"{name}Add{camel(field.name)}")(record, 7)
        method, slot, _, default = record.only_call()
        assert slot == field.slot, field
        if field.storage in SCALARS:
            assert method == f"Prepend{field.storage.capitalize()}Slot", field
            assert default == field.default, field
        else:
            assert method == "PrependUOffsetTRelativeSlot", field
        if field.storage in WIDTHS:
            vector = Recorder()
            getattr(generated, f"{name}Start{camel(field.name)}Vector")(vector, 3)
            assert vector.only_call()[:3] == ("StartVector", WIDTHS[field.storage], 3), field


def sample(field: Field) -> Any:
    """A value other than the default."""
    if field.enumeration is not None:
        last = max(field.enumeration)
        return (last, min(field.enumeration)) if field.storage.startswith("[") else last
    return {
        "bool": not field.default,
        "int32": -(2**31) + 5,
        "uint32": 2**32 - 5,
        "int64": -(2**63) + 5,
        "float32": -0.375,
        "string": "naïve",
        "bytes": b"\x00\xff",
        "[bool]": (True, False, True),
        "[int32]": (1, -(2**31)),
        "[int64]": (2**63 - 1, -2, 3),
        "[float32]": (0.5, -0.25),
    }[field.storage]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_generated_accessors_read_what_we_write(generated: Any, table: type) -> None:
    if is_newer(generated, table):
        return
    values = {field.name: sample(field) for field in fields_of(table)}
    for options in (table(), table(**values)):
        out = Output(256)
        out.builder.Finish(out.options(options))
        accessor = getattr(generated, table.__name__).GetRootAs(out.builder.Output(), 0)
        for field in fields_of(table):
            if is_newer(generated, table, field.name):
                continue
            value = getattr(options, field.name)
            get = getattr(accessor, camel(field.name))
            if field.storage in WIDTHS:
                length = getattr(accessor, f"{camel(field.name)}Length")()
                assert [get(i) for i in range(length)] == list(value), field
            elif field.storage == "string":
                assert get() == value.encode(), field
            else:
                assert get() == value, field


def test_every_enumeration_has_the_generated_numbers(generated: Any) -> None:
    found = 0
    for ours in {**vars(model), **vars(enums)}.values():
        if not (isinstance(ours, type) and issubclass(ours, enum.IntEnum) and ours is not enum.IntEnum):
            continue
        theirs = names_of(getattr(generated, ours.__name__))
        prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", ours.__name__).upper() + "_"
        numbers = {name.removeprefix(prefix): value for name, value in theirs.items()}
        mine = {item.name: item.value for item in ours}
        if generated is tflite and ours is model.TensorType:
            mine = {name: value for name, value in mine.items() if value <= max(numbers.values())}
        assert mine == numbers, ours
        found += 1
    assert found == 14


def test_operator_codes(generated: Any) -> None:
    theirs = names_of(generated.BuiltinOperator)
    newer = {"STABLEHLO_CASE": 209} if generated is tflite else {}
    assert dict(BUILTIN_CODES) == theirs | newer
    assert len(set(BUILTIN_CODES.values())) == len(BUILTIN_CODES)


def test_options_are_frozen_values() -> None:
    for table in TABLES:
        options = table()
        assert options == table()
        assert hash(options) == hash(table())
        assert dataclasses.is_dataclass(options)
        with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
            options.anything = 1
    assert BUILTIN_OPTIONS[0](stride_w=2) != BUILTIN_OPTIONS[0]()
    assert len({table() for table in TABLES}) == len(TABLES)
