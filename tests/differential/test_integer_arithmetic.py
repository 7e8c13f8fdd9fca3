"""Comparisons, logic, FLOOR_DIV and FLOOR_MOD, SQUARED_DIFFERENCE: what shapes are computed with, and their kin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.errors import UnsupportedError
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import Case, case, check_cases, examples, generators, random_data, types
from tests.differential.elementwise import SPECIAL, all_codes, all_pairs, broadcastable, quantized, scale_of
from tests.differential.harness import assert_same_bits, run_int8rt

pytestmark = pytest.mark.litert

COMPARISONS = ["EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"]
QUANTIZED = ("int8", "uint8", "int16")

below_1 = st.integers(-16, -1).map(lambda exponent: 2.0**exponent) | st.floats(-16, -0.01).map(
    lambda exponent: float(np.float32(2.0**exponent))
)


@st.composite
def comparisons(draw: st.DrawFn, name: str) -> Case:
    """Few different numbers, so that some are equal. Quantized ones need a scale below 1 and a type that is scaled."""
    boolean = ["bool"] if name in ("EQUAL", "NOT_EQUAL") else []
    type = draw(types(*QUANTIZED, "int32", "int64", "float32", *boolean))
    shapes, rng = draw(broadcastable()), draw(generators)
    with_scale = type.label in QUANTIZED and (type != TensorType.INT16 or name == "NOT_EQUAL" or draw(st.booleans()))
    inputs = [TensorSpec(type, shape, draw(quantized(type, below_1)) if with_scale else None) for shape in shapes]
    data = [random_data(rng, spec) for spec in inputs]
    if data[0].size:
        data[1] = rng.choice(np.concatenate([data[0].ravel()[:3], data[1].ravel()]), data[1].shape)
    output = TensorSpec(TensorType.BOOL, np.broadcast_shapes(*shapes))
    return Case(single_operator_model(name, inputs, [output], version=2), data)


@pytest.mark.parametrize("name", COMPARISONS)
@examples
def test_comparison(name: str, examples: int) -> None:
    check_cases(comparisons(name), examples)


@st.composite
def every_pair_of_codes(draw: st.DrawFn, name: str) -> Case:
    if name == "SQUARED_DIFFERENCE":
        type = TensorType.INT8
        first, second = draw(quantized(type)), draw(quantized(type))
        # LiteRT aborts where the output's scale is below the 2^-12th of the larger input's, squared.
        least = max(scale_of(first), scale_of(second)) ** 2 * 2.0**-12
        output = draw(quantized(type, float(np.float32(least * 2.0 ** draw(st.integers(1, 30) | st.floats(0.01, 30))))))
        target = TensorSpec(type, (256, 256), output)
    else:
        type = draw(types("int8", "uint8"))
        first, second = draw(quantized(type, below_1)), draw(quantized(type, below_1))
        target = TensorSpec(TensorType.BOOL, (256, 256))
    inputs = [TensorSpec(type, (256, 256), q) for q in (first, second)]
    return Case(single_operator_model(name, inputs, [target], version=2), all_pairs(all_codes(type)))


@pytest.mark.parametrize("name", ["SQUARED_DIFFERENCE", "EQUAL", "LESS"])
@examples
def test_every_pair_of_codes(name: str, examples: int) -> None:
    check_cases(every_pair_of_codes(name), examples)


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("type", QUANTIZED)
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL", "DIV", "SQUARED_DIFFERENCE"])
def test_zero_points_beyond_their_type(name: str, type: str, which: int) -> None:
    """Some operators demand zero points that are codes; the others compute with any."""
    kind = TensorType[type.upper()]
    info = np.iinfo(kind.dtype)
    for beyond in (int(info.max) + 1, int(info.min) - 1):
        zero_points = [beyond if i == which else 0 for i in range(3)]
        specs = [TensorSpec(kind, (40,), Quantization.per_tensor(0.1, zero_point)) for zero_point in zero_points]
        drawn = case(np.random.default_rng(0), name, specs[:2], specs[2:], version=2)
        assert_same_bits(drawn.model, [np.where(value == 0, 1, value).astype(kind.dtype) for value in drawn.inputs])


def test_a_zero_point_with_which_quotients_overflow() -> None:
    specs = [TensorSpec(TensorType.INT8, (4,), Quantization.per_tensor(0.1, zero)) for zero in (2**31 - 1, 0, 0)]
    with pytest.raises(UnsupportedError, match="zero point 2147483647 is so large that integers overflow"):
        run_int8rt(single_operator_model("DIV", specs[:2], specs[2:]), [np.ones(4, np.int8)] * 2)


@st.composite
def plain(draw: st.DrawFn, name: str) -> Case:
    """Divisors are mostly not 0: one is enough for an error."""
    chosen = {
        "FLOOR_DIV": ("int8", "int16", "int32", "float32"),
        "FLOOR_MOD": ("int8", "int16", "int32", "int64", "float32"),
        "SQUARED_DIFFERENCE": ("int32", "float32"),
        "LOGICAL_AND": ("bool",),
        "LOGICAL_OR": ("bool",),
    }
    type = draw(types(*chosen[name]))
    first, second = (TensorSpec(type, shape) for shape in draw(broadcastable()))
    rng = draw(generators)
    data = [random_data(rng, first), random_data(rng, second)]
    if name.startswith("FLOOR"):
        if draw(st.booleans()) and type.dtype.kind == "i":
            data = [values % 7 - 3 for values in data]
        if draw(st.integers(0, 9)):
            data[1] = np.where(data[1] == 0, np.ones(1, type.dtype), data[1])
    output = TensorSpec(type, np.broadcast_shapes(first.shape, second.shape))
    return Case(single_operator_model(name, [first, second], [output]), data)


@pytest.mark.parametrize("name", ["FLOOR_DIV", "FLOOR_MOD", "SQUARED_DIFFERENCE", "LOGICAL_AND", "LOGICAL_OR"])
@examples
def test_plain(name: str, examples: int) -> None:
    check_cases(plain(name), examples)


@pytest.mark.parametrize("type", ["int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", ["FLOOR_DIV", "FLOOR_MOD"])
def test_smallest_integer_by_minus_1(name: str, type: str) -> None:
    """FLOOR_DIV wraps around; FLOOR_MOD of 32 or 64 bits ends LiteRT's process."""
    kind = TensorType[type.upper()]
    data = [np.array([np.iinfo(kind.dtype).min, 5], kind.dtype), np.array([-1, -3], kind.dtype)]
    spec = TensorSpec(kind, (2,))
    check_cases(st.just(Case(single_operator_model(name, [spec, spec], [spec]), data)), 1)


@pytest.mark.parametrize("name", ["FLOOR_DIV", "FLOOR_MOD", "SQUARED_DIFFERENCE", *COMPARISONS])
def test_special_floats(name: str) -> None:
    first, second = all_pairs(SPECIAL)
    if name == "FLOOR_DIV":
        second = np.where(second == 0, np.float32(-0.3), second)
    spec = TensorSpec(TensorType.FLOAT32, first.shape)
    output = TensorSpec(TensorType.BOOL, first.shape) if name in COMPARISONS else spec
    check_cases(st.just(Case(single_operator_model(name, [spec, spec], [output]), [first, second])), 1)


def test_logical_not() -> None:
    spec = TensorSpec(TensorType.BOOL, (3, 5))
    check_cases(generators.map(lambda rng: case(rng, "LOGICAL_NOT", [spec], [spec])), 5)
