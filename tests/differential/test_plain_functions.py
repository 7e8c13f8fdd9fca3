"""ADD_N, SIGN, ATAN2, BITWISE_XOR, RIGHT_SHIFT, BITCAST, COMPLEX_ABS, REAL, IMAG, FAKE_QUANT, FLOOR."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import DepthToSpaceOptions, FakeQuantOptions
from tests.differential.cases import Case, case, check_cases, examples, generators, random_data, shapes, types
from tests.differential.elementwise import SPECIAL, all_pairs, broadcastable
from tests.differential.harness import assert_equal, oracle, run_int8rt
from tests.differential.test_float_functions import real_numbers

pytestmark = pytest.mark.litert

BITS = ("int8", "uint8", "int16", "uint16", "int32", "uint32")
NUMBERS = (*BITS, "int64", "uint64", "float16", "float32", "float64", "complex64", "complex128")
HALFWAY = np.array([2.5, 3.5, -2.5, -1.5, -0.4, -1e-10, 2**31, 1e10, 8388609.5, 0.49999997, -0.49999997], np.float32)


@st.composite
def elementwise(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["ADD_N", "SIGN", "ATAN2", "COMPLEX_ABS", "REAL", "IMAG", "FLOOR"]))
    names = {"ADD_N": ("int32", "float32"), "SIGN": ("int32", "float32", "float64"), "FLOOR": ("float16", "float32")}
    type = draw(types(*names.get(name, ("float16", "float32", "float64"))))
    output = TensorSpec(type, ())
    if name in ("COMPLEX_ABS", "REAL", "IMAG"):
        type = draw(types("complex64", "complex128"))
        output = TensorSpec(TensorType.FLOAT32 if type == TensorType.COMPLEX64 else TensorType.FLOAT64, ())
    count = {"ADD_N": draw(st.integers(1, 5)), "ATAN2": 2}.get(name, 1)
    return case(draw(generators), name, [TensorSpec(type, draw(shapes((0, 3), 20)))] * count, [output])


@examples
def test_elementwise(examples: int) -> None:
    check_cases(elementwise(), examples)


@st.composite
def bits(draw: st.DrawFn) -> Case:
    type, rng = draw(types(*BITS)), draw(generators)
    specs = [TensorSpec(type, shape) for shape in draw(broadcastable())]
    data = [random_data(rng, spec) for spec in specs]
    if draw(st.booleans()):
        data[1] = (data[1] % 40).astype(type.dtype)
    return Case(
        single_operator_model(draw(st.sampled_from(["BITWISE_XOR", "RIGHT_SHIFT"])), specs, [TensorSpec(type, ())]),
        data,
    )


@examples
def test_bits(examples: int) -> None:
    check_cases(bits(), examples)


@st.composite
def casts_of_bits(draw: st.DrawFn) -> Case:
    type, output, shape = draw(types(*NUMBERS, "bool")), draw(types(*NUMBERS)), draw(shapes((0, 3)))
    if (factor := output.dtype.itemsize // type.dtype.itemsize) > 1 and draw(st.integers(0, 5)):
        shape = (*shape, factor)
    return case(draw(generators), "BITCAST", [TensorSpec(type, shape)], [TensorSpec(output, ())])


@examples
def test_bitcast(examples: int) -> None:
    check_cases(casts_of_bits(), examples)


@st.composite
def fake_quants(draw: st.DrawFn) -> Case:
    rng = draw(generators)
    low, high = abs(rng.normal(0, 3, 2))
    ranges = [(-low, high), (0.0, high), (-low, 0.0), (-6.0, 6.0), (-1e-30, 1e-30), (0.0, 6.0), (-1.0, 1e30)]
    least, most = (float(np.float32(end)) for end in draw(st.sampled_from(ranges)))
    options = FakeQuantOptions(least, most, draw(st.integers(1, 16)), narrow_range=draw(st.integers(0, 9)) == 0)
    spec = TensorSpec(TensorType.FLOAT32, (400,))
    data = [np.concatenate([random_data(rng, TensorSpec(TensorType.FLOAT32, (100,))), real_numbers(rng, (300,))])]
    return Case(single_operator_model("FAKE_QUANT", [spec], [spec], options, 2), data)


@examples
def test_fake_quant(examples: int) -> None:
    check_cases(fake_quants(), examples)


def test_special_pairs() -> None:
    """Of ATAN2 and COMPLEX_ABS."""
    pair = all_pairs(np.concatenate([SPECIAL, HALFWAY]))
    spec = TensorSpec(TensorType.FLOAT32, pair[0].shape)
    check_cases(st.just(Case(single_operator_model("ATAN2", [spec, spec], [spec]), pair)), 1)
    numbers = np.empty(pair[0].shape, np.complex64)
    numbers.real, numbers.imag = pair
    model = single_operator_model("COMPLEX_ABS", [TensorSpec(TensorType.COMPLEX64, numbers.shape)], [spec])
    check_cases(st.just(Case(model, [numbers])), 1)


@pytest.mark.parametrize(("name", "type"), [("CEIL", "float32"), ("ROUND", "float32"), ("ROUND", "float16")])
def test_those_of_the_optimized_kernels(name: str, type: str) -> None:
    """BUILTIN_REF has neither."""
    kind = TensorType[type.upper()]
    if kind == TensorType.FLOAT16:
        values = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    else:
        values = np.concatenate([SPECIAL, HALFWAY, real_numbers(np.random.default_rng(0), (4000,))])
    spec = TensorSpec(kind, values.shape)
    model = single_operator_model(name, [spec], [spec])
    (expected,) = oracle().run(write_model(model), [values], resolver="opt").outputs
    assert_equal(run_int8rt(model, [values])[1], expected, "output")


@pytest.mark.parametrize("type", ["int8", "uint8", "int32", "int64", "float32"])
def test_versions_of_the_optimized_kernels(type: str) -> None:
    """BUILTIN_REF knows TILE up to version 2, DEPTH_TO_SPACE up to version 1."""
    kind, rng = TensorType[type.upper()], np.random.default_rng(0)
    data = random_data(rng, TensorSpec(kind, (2, 3, 2, 8)))
    quantization = Quantization.per_tensor(0.5, 3) if kind.dtype.itemsize == 1 else None
    spec, output = TensorSpec(kind, data.shape, quantization), TensorSpec(kind, (), quantization)
    multipliers = TensorSpec.constant(np.array([1, 2, 3, 1], np.int32))
    for model in (
        single_operator_model("TILE", [spec, multipliers], [output], None, 3),
        single_operator_model("DEPTH_TO_SPACE", [spec], [output], DepthToSpaceOptions(2), 2),
    ):
        (expected,) = oracle().run(write_model(model), [data], resolver="opt").outputs
        assert_equal(run_int8rt(model, [data])[model.subgraphs[0].outputs[0]], expected, "output")


def test_operators_of_the_optimized_resolver() -> None:
    """SEGMENT_SUM, STABLEHLO_AND and STABLEHLO_SHIFT_LEFT, which BUILTIN_REF does not have."""
    rng = np.random.default_rng(0)

    def check(name: str, inputs: list[np.ndarray]) -> None:
        specs = [TensorSpec(TensorType[values.dtype.name.upper()], values.shape) for values in inputs]
        model = single_operator_model(name, specs, [TensorSpec(specs[0].type, ())])
        (expected,) = oracle().run(write_model(model), inputs, resolver="opt").outputs
        assert_equal(run_int8rt(model, inputs)[model.subgraphs[0].outputs[0]], expected, name)

    for type in (*BITS, "int64", "uint64", "bool"):
        dtype = TensorType[type.upper()].dtype
        data = [random_data(rng, TensorSpec(TensorType[type.upper()], (101,))) for _ in range(2)]
        check("STABLEHLO_AND", data)
        if type in ("int8", "int16", "int32"):
            check("STABLEHLO_SHIFT_LEFT", [data[0], rng.integers(0, 32, 101).astype(dtype)])
    for type in ("int32", "float32"):
        for numbers in ([0, 0, 1, 2, 2], [0, 1, 2, 3, 4], [0] * 5):
            data = random_data(rng, TensorSpec(TensorType[type.upper()], (5, 30)))
            check("SEGMENT_SUM", [data, np.array(numbers, np.int32)])
