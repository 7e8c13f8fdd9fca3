from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import SoftmaxOptions
from tests.differential.cases import Array, Case, check_cases, examples, generators, shapes
from tests.differential.elementwise import quantized, zero_points

pytestmark = pytest.mark.litert

PAIRS = [("int8", "int8"), ("uint8", "uint8"), ("int8", "int16"), ("uint8", "int16"), ("int16", "int16")]
OUTPUTS = {
    ("int8", "int8"): (1 / 256, -128),
    ("uint8", "uint8"): (1 / 256, 0),
    ("int8", "int16"): (1 / 65536, -32768),
    ("uint8", "int16"): (1 / 65536, -32768),
    ("int16", "int16"): (1 / 32768, 0),
}
depths = st.sampled_from([1, 2, 3, 10, 100, 256, 1001]) | st.integers(1, 40)


@st.composite
def logits(draw: st.DrawFn, type: TensorType, largest_depth: int = 1001) -> Array:
    """Rows of one kind each: all codes, two ends, close to each other, all the same."""
    rng = draw(generators)
    shape = (*draw(shapes((0, 3), 4, 1)), min(draw(depths), largest_depth))
    info = np.iinfo(type.dtype)
    middle, spread = rng.integers(info.min, info.max, (2, *shape[:-1], 1), endpoint=True)
    rows = [
        rng.integers(info.min, info.max, shape, endpoint=True),
        np.where(rng.random(shape) < 0.5, info.min, info.max),
        middle + np.rint(rng.normal(0, 3, shape)),
        middle + np.rint(rng.normal(0, 1, shape) * spread / 8),
        np.broadcast_to(middle, shape),
    ]
    kinds = rng.integers(0, len(rows), (*shape[:-1], 1))
    return np.clip(np.choose(kinds, rows), info.min, info.max).astype(type.dtype)


@st.composite
def softmax(draw: st.DrawFn) -> Case:
    pair = draw(st.sampled_from(PAIRS))
    input_type, output_type = (TensorType[name.upper()] for name in pair)
    x = draw(logits(input_type))
    scale, zero_point = OUTPUTS[pair]
    if draw(st.integers(0, 9)) == 0:  # 8-bit outputs may be off by 0.1 %, and uint8 is not checked at all
        scale *= draw(st.sampled_from([1.0005, 1.002, 0.9995, 0.5]))
        zero_point = draw(zero_points(output_type))
    beta = draw(st.sampled_from([1.0, 1.0, 1.0, 0.5, 0.1, 3.0, 100.0, 0.0, -1.0]))
    inputs = [TensorSpec(input_type, x.shape, draw(quantized(input_type)))]
    outputs = [TensorSpec(output_type, x.shape, Quantization.per_tensor(scale, zero_point))]
    return Case(single_operator_model("SOFTMAX", inputs, outputs, SoftmaxOptions(beta), draw(st.integers(1, 3))), [x])


@st.composite
def log_softmax(draw: st.DrawFn) -> Case:
    type, zero_point = draw(st.sampled_from([(TensorType.INT8, 127), (TensorType.UINT8, 255)]))
    x = draw(logits(type))
    scale = 1 / 16
    if draw(st.integers(0, 19)) == 0:
        scale, zero_point = draw(st.sampled_from([(1 / 16, 0), (1 / 32, zero_point)]))
    inputs = [TensorSpec(type, x.shape, draw(quantized(type)))]
    outputs = [TensorSpec(type, x.shape, Quantization.per_tensor(scale, zero_point))]
    return Case(single_operator_model("LOG_SOFTMAX", inputs, outputs, version=draw(st.integers(1, 2))), [x])


@examples
def test_softmax(examples: int) -> None:
    check_cases(softmax(), examples)


@examples
def test_log_softmax(examples: int) -> None:
    check_cases(log_softmax(), examples)


def long_row(name: str, pair: tuple[str, str], depth: int) -> Case:
    """All elements are the same, so that the sum is as large as it can be."""
    input_type, output_type = (TensorType[name.upper()] for name in pair)
    x = np.full((2, depth), 5, input_type.dtype)
    scale, zero_point = OUTPUTS[pair] if name == "SOFTMAX" else (1 / 16, np.iinfo(output_type.dtype).max)
    inputs = [TensorSpec(input_type, x.shape, Quantization.per_tensor(0.1))]
    outputs = [TensorSpec(output_type, x.shape, Quantization.per_tensor(scale, int(zero_point)))]
    options = SoftmaxOptions(1.0) if name == "SOFTMAX" else None
    return Case(single_operator_model(name, inputs, outputs, options), [x])


# LiteRT aborts from a sum of 512 on where inputs and outputs have 8 bits.
@pytest.mark.parametrize("depth", [255, 256, 257, 511, 512, 1001])
def test_softmax_of_long_rows(depth: int) -> None:
    check_cases(st.just(long_row("SOFTMAX", ("int8", "int8"), depth)), 1)


# Here the sum wraps around, or the operator aborts.
@pytest.mark.parametrize("depth", [4095, 4096, 8191, 8192])
def test_wide_outputs_of_long_rows(depth: int) -> None:
    check_cases(st.just(long_row("SOFTMAX", ("int8", "int16"), depth)), 1)


@pytest.mark.parametrize("depth", [65535, 65538, 65539, 140_000])
def test_int16_softmax_of_long_rows(depth: int) -> None:
    check_cases(st.just(long_row("SOFTMAX", ("int16", "int16"), depth)), 1)


@pytest.mark.parametrize("depth", [4095, 4096, 8191, 8193, 9000])
def test_log_softmax_of_long_rows(depth: int) -> None:
    check_cases(st.just(long_row("LOG_SOFTMAX", ("uint8", "uint8"), depth)), 1)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3)])
@pytest.mark.parametrize("name", ["SOFTMAX", "LOG_SOFTMAX"])
def test_empty_and_scalar_inputs(name: str, shape: tuple[int, ...]) -> None:
    scale, zero_point = (1 / 256, -128) if name == "SOFTMAX" else (1 / 16, 127)
    specs = [TensorSpec(TensorType.INT8, shape, Quantization.per_tensor(*p)) for p in ((0.1, 0), (scale, zero_point))]
    options = SoftmaxOptions(1.0) if name == "SOFTMAX" else None
    model = single_operator_model(name, specs[:1], specs[1:], options)
    check_cases(st.just(Case(model, [np.zeros(shape, np.int8)])), 1)
