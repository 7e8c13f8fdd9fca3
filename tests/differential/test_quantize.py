from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from int8rt.model import BlockwiseQuantization, Quantization, Shape, TensorType
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from tests.differential.cases import Case, check_cases, examples, generators, shapes, types
from tests.differential.elementwise import SPECIAL, all_codes, quantized, scale_of, scales, zero_points

pytestmark = pytest.mark.litert


@st.composite
def per_axis(draw: st.DrawFn, type: TensorType, shape: Shape) -> Quantization:
    """A scale and a zero point for each index of one dimension; int16 has zero points too here."""
    axis = draw(st.integers(0, len(shape) - 1))
    size = shape[axis]
    points = zero_points(TensorType.INT8 if type == TensorType.INT16 else type)
    return Quantization.per_axis(
        draw(st.lists(scales, min_size=size, max_size=size)), draw(st.lists(points, min_size=size, max_size=size)), axis
    )


def real_numbers(rng: np.random.Generator, shape: Shape, scale: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Many ties between codes, both sides of the range, numbers far beyond it, special ones."""
    codes = rng.integers(-400, 400, shape) + rng.choice([0.0, 0.5, 0.25, 0.49999997], shape)
    values = (codes * rng.choice(scale.ravel(), shape)).astype(np.float32)
    wild = rng.choice(np.concatenate([SPECIAL, np.array([1e9, -1e9, 2e9, 1e12, 3e4], np.float32)]), shape)
    return np.where(rng.random(shape) < 0.1, wild, values).astype(np.float32)


@st.composite
def quantizes(draw: st.DrawFn) -> Case:
    type, shape = draw(types("int8", "uint8", "int16")), draw(shapes((1, 4), 7))
    q = draw(per_axis(type, shape) if draw(st.booleans()) else quantized(type))
    if type == TensorType.INT16 and draw(st.booleans()):
        q = Quantization.per_tensor(draw(scales), draw(st.integers(-32768, 32767)))
    data = real_numbers(draw(generators), shape, q.scale)
    inputs = [TensorSpec(TensorType.FLOAT32, shape)]
    return Case(single_operator_model("QUANTIZE", inputs, [TensorSpec(type, shape, q)], version=3), [data])


@examples
def test_quantize(examples: int) -> None:
    check_cases(quantizes(), examples)


@pytest.mark.parametrize("zero_point", [0, 3, -9, 40])
@pytest.mark.parametrize("type", [TensorType.INT4, TensorType.UINT4])
def test_quantize_to_four_bits(type: TensorType, zero_point: int) -> None:
    q = Quantization.per_tensor(0.3, zero_point)
    data = real_numbers(np.random.default_rng(0), (3, 67), q.scale)
    model = single_operator_model(
        "QUANTIZE", [TensorSpec(TensorType.FLOAT32, data.shape)], [TensorSpec(type, data.shape, q)], version=6
    )
    check_cases(st.just(Case(model, [data])), 1)


def test_quantize_a_large_tensor() -> None:
    """More than one block."""
    q = Quantization.per_tensor(0.03, 5)
    data = real_numbers(np.random.default_rng(0), (1, 224, 224, 3), q.scale)
    output = TensorSpec(TensorType.INT8, data.shape, q)
    model = single_operator_model("QUANTIZE", [TensorSpec(TensorType.FLOAT32, data.shape)], [output])
    check_cases(st.just(Case(model, [data])), 1)


# Input types, and the output types that TensorFlow Lite takes with each.
REQUANTIZATIONS = {
    "int8": ("int8", "uint8", "int16"),
    "uint8": ("int8", "uint8", "int16"),
    "int16": ("int8", "int16", "int32"),
    "int32": ("int8", "int16"),
}


@st.composite
def requantizes(draw: st.DrawFn) -> Case:
    """Every code, also from int8 to uint8 and back with zero points 128 apart: TensorFlow Lite's short cut."""
    source = draw(st.sampled_from(sorted(REQUANTIZATIONS)))
    type, output_type = TensorType[source.upper()], draw(types(*REQUANTIZATIONS[source]))
    data: npt.NDArray[Any]
    if type == TensorType.INT32:
        data = draw(generators).integers(-(2**31), 2**31, 4096).astype(np.int32)
        data >>= draw(generators).integers(0, 32, 4096).astype(np.int32)
    else:
        data = all_codes(type)
    symmetric = type == output_type == TensorType.INT16
    input_zero_point = 0 if symmetric else draw(zero_points(TensorType.INT8 if type.bits > 8 else type))
    output_zero_point = 0 if symmetric else draw(zero_points(TensorType.INT8 if output_type.bits > 8 else output_type))
    scale = draw(scales)
    ratio = draw(st.sampled_from([1.0, 0.5, 2.0]) | st.floats(-40, 40).map(lambda e: 2.0**e))
    if {type, output_type} == {TensorType.INT8, TensorType.UINT8} and draw(st.booleans()):
        ratio = 1.0
        output_zero_point = input_zero_point + (128 if type == TensorType.INT8 else -128)
    output = Quantization.per_tensor(float(np.float32(scale / ratio)), output_zero_point)
    model = single_operator_model(
        "QUANTIZE",
        [TensorSpec(type, data.shape, Quantization.per_tensor(scale, input_zero_point))],
        [TensorSpec(output_type, data.shape, output)],
        version=draw(st.integers(1, 6)),
    )
    return Case(model, [data])


@examples
def test_requantize(examples: int) -> None:
    check_cases(requantizes(), examples)


@st.composite
def dequantizes(draw: st.DrawFn) -> Case:
    type = draw(types("int8", "uint8", "int16", "int4", "float16"))
    if type == TensorType.FLOAT16:
        data: npt.NDArray[Any] = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
        output = TensorSpec(TensorType.FLOAT32, data.shape)
        return Case(single_operator_model("DEQUANTIZE", [TensorSpec(type, data.shape)], [output], version=3), [data])
    limits = (-8, 7) if type == TensorType.INT4 else (np.iinfo(type.dtype).min, np.iinfo(type.dtype).max)
    if type == TensorType.INT16 or draw(st.booleans()):
        data = np.arange(limits[0], limits[1] + 1).astype(type.dtype)
        q = Quantization.per_tensor(
            draw(scales), 0 if type in (TensorType.INT16, TensorType.INT4) else draw(zero_points(type))
        )
    else:
        shape = draw(shapes((1, 4), 6))
        data = draw(generators).integers(*limits, shape, type.dtype, endpoint=True)
        q = draw(per_axis(type, shape))
        if type == TensorType.INT4:
            q = Quantization.per_axis(q.scale, np.zeros(q.scale.size), q.quantized_dimension)
    spec = TensorSpec(type, data.shape, q)
    inputs: list[Any] = [data]
    if type == TensorType.INT4 or draw(st.booleans()):
        spec, inputs = TensorSpec.constant(data, q, type=type), []
    return Case(
        single_operator_model("DEQUANTIZE", [spec], [TensorSpec(TensorType.FLOAT32, data.shape)], version=6), inputs
    )


@pytest.mark.parametrize("type", [TensorType.INT4, TensorType.INT2, TensorType.INT8])
def test_dequantize_does_not_know_blocks(type: TensorType) -> None:
    builder = ModelBuilder().constant("scales", np.full((3, 2), 0.5, np.float16))
    details = BlockwiseQuantization(0, -1, 32)
    quantization = Quantization(np.zeros(0, np.float32), np.zeros(0, np.int64), blockwise=details)
    codes = np.random.default_rng(0).integers(-2, 2, (3, 64)).astype(np.int8)
    builder.constant("codes", codes, quantization, type=type).output("out", TensorType.FLOAT32, (3, 64))
    builder.operator("DEQUANTIZE", ["codes"], ["out"], version=6)
    check_cases(st.just(Case(builder.build(), [])), 1)


@examples
def test_dequantize(examples: int) -> None:
    check_cases(dequantizes(), examples)


def test_int16_with_an_axis_is_refused() -> None:
    q = Quantization.per_axis([0.5, 0.25], [0, 0], 0)
    data = np.ones((2, 3), np.int16)
    output = TensorSpec(TensorType.FLOAT32, (2, 3))
    check_cases(
        st.just(Case(single_operator_model("DEQUANTIZE", [TensorSpec(TensorType.INT16, (2, 3), q)], [output]), [data])),
        1,
    )


@pytest.mark.parametrize("points", [(3, 0), (0, 3)])
def test_int16_to_int16_with_a_zero_point_is_refused(points: tuple[int, int]) -> None:
    input, output = (Quantization.per_tensor(0.5, point) for point in points)
    data = np.ones(3, np.int16)
    model = single_operator_model(
        "QUANTIZE", [TensorSpec(TensorType.INT16, (3,), input)], [TensorSpec(TensorType.INT16, (3,), output)]
    )
    check_cases(st.just(Case(model, [data])), 1)
    assert scale_of(input) == 0.5
