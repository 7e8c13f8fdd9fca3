from __future__ import annotations

import numpy as np
import pytest

from int8rt.verify.statistics import Statistics, measure, top1


def test_equal() -> None:
    value = np.array([1, 2], np.int8)
    assert measure(value, value.copy()) == Statistics(2, histogram={0: 2})
    assert measure(value, value.copy()).equal


def test_integers_are_compared_in_steps() -> None:
    found, expected = np.array([[1, -128, 5, 0]], np.int8), np.array([[1, 127, 4, 2]], np.int8)
    statistics = measure(found, expected, "a")
    assert (statistics.elements, statistics.different, statistics.beyond, statistics.largest) == (4, 3, 1, 255)
    assert statistics.histogram == {-2: 1, 0: 1, 1: 1}
    assert (statistics.run, statistics.at, statistics.found, statistics.expected) == ("a", (0, 1), -128, 127)


def test_int64_does_not_overflow() -> None:
    extremes = np.array([np.iinfo(np.int64).min], np.int64), np.array([np.iinfo(np.int64).max], np.int64)
    assert measure(*extremes).largest == 2.0**64


def test_floats_are_compared_in_units_of_the_last_place() -> None:
    one = np.float32(1)
    found = np.array([np.nextafter(one, np.float32(2)), -0.0, np.nan, 1.0, np.nan], np.float32)
    expected = np.array([1.0, 0.0, 1.0, np.inf, np.nan], np.float32)
    statistics = measure(found, expected)
    assert (statistics.different, statistics.beyond, statistics.largest) == (4, 2, np.inf)
    assert statistics.histogram == {-1: 1, 0: 1, 1: 1}
    tiny = np.array([np.nextafter(np.float32(0), -one)], np.float32)
    assert measure(tiny, -tiny).histogram == {-3: 1}
    zeros = measure(np.array([1.0, -0.0]), np.array([1.0, 0.0]))
    assert (zeros.different, zeros.largest, zeros.at) == (1, 1, (1,))


@pytest.mark.parametrize(
    ("found", "expected", "largest"),
    [(np.int8(3), np.int8(5), 2), (np.float32(1), np.float32(np.nan), np.inf), (np.float32(0), np.float32(-0.0), 1)],
)
def test_scalars(found: np.generic, expected: np.generic, largest: float) -> None:
    statistics = measure(np.array(found), np.array(expected))
    assert (statistics.elements, statistics.different, statistics.largest, statistics.at) == (1, 1, largest, ())


def test_nothing_to_compare() -> None:
    empty = np.zeros((0, 3), np.float32)
    assert measure(empty, empty).equal
    assert top1(empty, empty) == (0, 0)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "no value"),
        (np.zeros(3, np.uint8), "type uint8, expected int8"),
        (np.zeros((3, 1), np.int8), r"shape [3, 1], expected [3]"),
    ],
)
def test_what_cannot_be_compared(found: np.ndarray | None, message: str) -> None:
    statistics = measure(found, np.zeros(3, np.int8))
    assert statistics.mismatch == message
    assert not statistics.equal


def test_strings() -> None:
    statistics = measure(np.array([b"a", b"b"], object), np.array([b"a", b"c"], object))
    assert (statistics.different, statistics.at, statistics.expected) == (1, (1,), "b'c'")


def test_runs_are_added() -> None:
    zero = np.zeros(3, np.int8)
    first = measure(np.array([0, 1, 0], np.int8), zero, "first")
    second = measure(np.array([-3, 0, 20], np.int8), zero, "second")
    both = first + second + measure(zero, zero, "third")
    assert (both.elements, both.different, both.beyond, both.largest) == (9, 3, 1, 20)
    assert both.histogram == {-3: 1, 0: 6, 1: 1}
    assert (both.run, both.at) == ("second", (2,))
    assert (Statistics() + first).run == "first"
    assert (first + measure(None, zero)).mismatch == "no value"


def test_top1() -> None:
    expected = np.array([[1, 5, 2], [9, 9, 0]], np.int8)
    assert top1(np.array([[0, 3, 1], [8, 9, 0]], np.int8), expected) == (2, 1)
    assert top1(expected, expected) == (2, 2)
    assert top1(np.zeros((4, 1)), np.zeros((4, 1))) == (0, 0)
    assert top1(np.zeros(()), np.zeros(())) == (0, 0)
