from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.errors import ModelError
from int8rt.schema.packing import pack_bits, pack_strings, string_count, unpack_bits, unpack_strings


def test_the_first_element_is_in_the_lowest_bits() -> None:
    assert pack_bits([1, -2, 7], 4) == b"\xe1\x07"
    assert pack_bits([1, -2, -1, 0, 1], 2) == b"\x39\x01"
    assert unpack_bits(b"\xe1\x07", 4, 3, signed=True).tolist() == [1, -2, 7]
    assert unpack_bits(b"\xe1\x07", 4, 3, signed=False).tolist() == [1, 14, 7]
    assert unpack_bits(b"\x39\x01", 2, 5, signed=True).tolist() == [1, -2, -1, 0, 1]


@given(st.sampled_from([2, 4]), st.booleans(), st.data())
def test_bits_come_back(bits: int, signed: bool, data: st.DataObject) -> None:
    low = -(1 << (bits - 1)) if signed else 0
    values = data.draw(st.lists(st.integers(low, low + (1 << bits) - 1), max_size=40))
    packed = pack_bits(np.array(values, np.int8), bits)
    assert len(packed) == (len(values) * bits + 7) // 8
    found = unpack_bits(packed, bits, len(values), signed=signed)
    assert found.dtype == (np.int8 if signed else np.uint8)
    assert found.tolist() == values


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_strings_come_back(texts: list[bytes]) -> None:
    packed = pack_strings(np.array(texts, object))
    assert string_count(packed) == len(texts)
    assert unpack_strings(packed).tolist() == texts


def test_the_layout_of_strings() -> None:
    # int32 count, count + 1 offsets from the start, characters (TFLite "string_util.h")
    assert pack_strings([b"ab", b"c"]) == bytes.fromhex("02000000 10000000 12000000 13000000") + b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\0\0",
        b"\xff\xff\xff\xff",
        b"\x01\0\0\0\x0c\0\0\0",
        b"\x01\0\0\0\x0c\0\0\0\x0d\0\0\0",
        b"\x01\0\0\0\x04\0\0\0\x0c\0\0\0",
        b"\x02\0\0\0\x10\0\0\0\x12\0\0\0\x11\0\0\0abc",
        b"\xff\xff\xff\x7f" + bytes(100),
    ],
)
def test_broken_strings_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="string data has"):
        unpack_strings(data)
