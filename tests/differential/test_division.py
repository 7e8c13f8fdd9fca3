"""DIV and POW."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import DivOptions, PowOptions
from tests.differential.cases import Case, check_cases, examples, generators, random_data, types
from tests.differential.elementwise import SPECIAL, all_codes, all_pairs, broadcastable, quantized

pytestmark = pytest.mark.litert

ACTIVATIONS = st.sampled_from(list(ActivationFunctionType)[:4])
INTEGERS = np.array([0, 1, -1, 2, -2, 3, 7, -7, 10, 1290, 46341, 65536, -65536, 2**31 - 1, -(2**31)], np.int32)


@st.composite
def quotients_of_codes(draw: st.DrawFn) -> Case:
    """Every pair of 8-bit codes, or many of 16 bits, except that no divisor stands for 0."""
    type = draw(types("int8", "uint8", "int16"))
    first, second, output = (draw(quantized(type)) for _ in range(3))
    rng = draw(generators)
    if type == TensorType.INT16:
        data = [random_data(rng, TensorSpec(type, (1000,))) for _ in range(2)]
    else:
        data = list(all_pairs(all_codes(type)))
    zero_point = int(second.zero_point[0])
    data[1] = np.where(data[1] == zero_point, zero_point - 1 if zero_point > 0 else zero_point + 1, data[1])
    data[1] = data[1].astype(type.dtype)
    specs = [TensorSpec(type, values.shape, q) for values, q in zip(data, (first, second), strict=True)]
    options = DivOptions(fused_activation_function=draw(ACTIVATIONS))
    return Case(single_operator_model("DIV", specs, [TensorSpec(type, data[0].shape, output)], options, 2), data)


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.slow)])
def test_quotients_of_codes(examples: int) -> None:
    check_cases(quotients_of_codes(), examples)


@st.composite
def broadcast_quotients(draw: st.DrawFn) -> Case:
    """Divisors are mostly not 0: one is enough for an error of integers."""
    type = draw(types("int8", "uint8", "int16", "int32", "float32"))
    with_scale = type.label in ("int8", "uint8", "int16")
    specs = [TensorSpec(type, s, draw(quantized(type)) if with_scale else None) for s in draw(broadcastable())]
    rng = draw(generators)
    data = [random_data(rng, spec) for spec in specs]
    zero = specs[1].quantization.zero_point[0] if specs[1].quantization else 0
    if draw(st.integers(0, 9)):
        data[1] = np.where(data[1] == zero, np.asarray(zero ^ 1, type.dtype), data[1])
    output = TensorSpec(type, (), draw(quantized(type)) if with_scale else None)
    return Case(single_operator_model("DIV", specs, [output], DivOptions(draw(ACTIVATIONS))), data)


@examples
def test_broadcast_quotients(examples: int) -> None:
    check_cases(broadcast_quotients(), examples)


@st.composite
def powers(draw: st.DrawFn) -> Case:
    """Exponents of int32 are mostly not negative; a single one is often a whole number, which is a way of its own."""
    type = draw(types("int32", "float32"))
    shapes, rng = list(draw(broadcastable())), draw(generators)
    if draw(st.booleans()):
        shapes[1] = (1,) * draw(st.integers(0, 2))
    data = [random_data(rng, TensorSpec(type, shape)) for shape in shapes]
    if type == TensorType.INT32:
        data[0] = data[0] if draw(st.booleans()) else data[0] % 41 - 20
        data[1] = data[1] % 35 - (draw(st.integers(0, 9)) == 0)
    elif draw(st.booleans()):
        data[1] = np.round(data[1]) + rng.choice(np.array([0, 8e-6, -9e-6, 2e-5], np.float32), shapes[1])
    data = [values.astype(type.dtype) for values in data]
    specs = [TensorSpec(type, values.shape) for values in data]
    return Case(single_operator_model("POW", specs, [TensorSpec(type, ())], PowOptions()), data)


@examples
def test_powers(examples: int) -> None:
    check_cases(powers(), examples)


@pytest.mark.parametrize("name", ["DIV", "POW"])
def test_special_numbers(name: str) -> None:
    """-2^31 / -1 among them, and powers that do not fit."""
    floats, integers = all_pairs(SPECIAL), all_pairs(INTEGERS)
    whole = integers[0], np.where(integers[1] == 0, 5, integers[1] if name == "DIV" else integers[1] & 0x7FFFFFFF)
    for first, second in (floats, whole):
        spec = TensorSpec(TensorType[first.dtype.name.upper()], first.shape)
        model = single_operator_model(name, [spec, spec], [spec])
        check_cases(st.just(Case(model, [first, second.astype(first.dtype)])), 1)


@pytest.mark.parametrize("exponent", [1, 2, 3, 17, 100, 0.5, 0, -1, 2.0000095, 2.0000114, 1e9, 2.0**31, np.nan, np.inf])
def test_one_exponent(exponent: float) -> None:
    data = [SPECIAL.reshape(1, -1), np.array(exponent, np.float32)]
    specs = [TensorSpec(TensorType.FLOAT32, values.shape) for values in data]
    check_cases(st.just(Case(single_operator_model("POW", specs, specs[:1]), data)), 1)
