"""FlexBuffers: what the package `flatbuffers` writes is read back, and no bytes do harm."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import pytest
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st

from int8rt.errors import ModelError
from int8rt.kernels.custom.flexbuffer import decode

numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(-3e38, 3e38) | st.booleans()
# The package takes no other keys.
keys = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=5)
leaves = st.none() | numbers | st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.binary(max_size=8)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@given(values)
def test_reads_what_the_package_writes(value: Any) -> None:
    assert decode(bytes(flexbuffers.Dumps(value))) == value


def test_vectors_of_one_type() -> None:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("ints")
        builder.TypedVectorFromElements([1, -2, 300])
        builder.Key("pair")
        builder.FixedTypedVectorFromElements([1.5, -2.5])
        builder.Key("triple")
        builder.FixedTypedVectorFromElements([1, 2, 70000])
        builder.Key("quad")
        builder.FixedTypedVectorFromElements([1, 2, 3, -4])
        builder.Key("true")
        builder.TypedVectorFromElements([True, False])
        builder.Key("indirect")
        builder.IndirectFloat(0.25)
    assert decode(bytes(builder.Finish())) == {
        "ints": [1, -2, 300],
        "pair": [1.5, -2.5],
        "triple": [1, 2, 70000],
        "quad": [1, 2, 3, -4],
        "true": [True, False],
        "indirect": 0.25,
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "at least 3 bytes"),
        (b"\x00\x04\x03", "a width of 3 bytes"),
        (b"\x01\xf0\x01", "there is no type 60"),
        (b"\x09\x14\x01", "outside of its 3 bytes"),  # a string before the start
        (b"\x00\x28\x01", "outside of its 3 bytes"),  # a vector, its length before the start
        (b"\x01\x0c\x01", "floating-point number of 1 bytes"),
        (b"abc\x03\x10\x01", "a key does not end"),
    ],
)
def test_refuses(data: bytes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        decode(data)


def test_a_vector_of_itself_ends() -> None:
    with pytest.raises(ModelError, match="nested more than 32 deep"):
        decode(b"\x01\x00\x28\x02\x28\x01")  # length 1, the element's offset is 0, its type a vector


def test_few_bytes_do_not_become_many_values() -> None:
    levels = bytearray(b"\x00")
    previous = 1
    for _ in range(20):  # each a vector of eight times the one before
        start = len(levels) + 1
        levels += b"\x08" + bytes(start + i - previous for i in range(8)) + b"\x28" * 8
        previous = start
    levels += bytes([len(levels) - previous, 0x28, 1])
    before = time.perf_counter()
    with pytest.raises(ModelError, match="too many values"):
        decode(bytes(levels))
    assert time.perf_counter() - before < 1


@given(values, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_ones_end(value: Any, changes: list[tuple[int, int]]) -> None:
    data = bytearray(flexbuffers.Dumps(value))
    for place, byte in changes:
        data[place % len(data)] = byte
    with contextlib.suppress(ModelError):
        decode(bytes(data))


def test_infinite_and_large_numbers() -> None:
    assert decode(bytes(flexbuffers.Dumps(math.inf))) == math.inf
    builder = flexbuffers.Builder()
    builder.UInt(2**64 - 1)
    assert decode(bytes(builder.Finish())) == 2**64 - 1
