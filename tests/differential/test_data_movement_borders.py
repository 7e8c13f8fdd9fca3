from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.enums import MirrorPadMode
from int8rt.schema.options import ConcatenationOptions, MirrorPadOptions, PadOptions, PadV2Options
from tests.differential.cases import (
    Case,
    at_run_time,
    case,
    check_cases,
    examples,
    generators,
    quantizations,
    random_data,
    shapes,
    types,
)

pytestmark = pytest.mark.litert

PADDED = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16")


@st.composite
def pads(draw: st.DrawFn, name: str) -> Case:
    type, shape = draw(types(*PADDED)), draw(shapes((1, 5), 5))
    paddings = np.array([[draw(st.integers(0, 3)) for _ in range(2)] for _ in shape])
    if len(shape) == 4 and draw(st.booleans()):
        paddings[[0, 3]] = 0  # an image: LiteRT has a loop of its own
    dtype = draw(st.sampled_from(["int32", "int32", "int64", "int16", "int8", "bool"]))
    if draw(st.integers(0, 29)) == 0:
        paddings[0, 0] = -1  # refused, but for bool
    input = output = draw(st.none() | quantizations(type))
    if draw(st.booleans()):
        output = draw(quantizations(type))
    rng = draw(generators)
    inputs = [TensorSpec(type, shape, input), TensorSpec.constant(paddings.astype(dtype))]
    if name == "PADV2":
        border = output if draw(st.integers(0, 9)) else draw(quantizations(type))
        spec = TensorSpec(type, draw(st.sampled_from([(), (1,), (1, 1)])), border)
        inputs.append(TensorSpec.constant(random_data(rng, spec), border))
    options = PadOptions() if name == "PAD" else PadV2Options()
    version, late = draw(st.integers(1, 4)), draw(at_run_time)
    return case(rng, name, inputs, [TensorSpec(type, (), output)], options, version, at_run_time=late)


@examples
@pytest.mark.parametrize("name", ["PAD", "PADV2"])
def test_pad(name: str, examples: int) -> None:
    check_cases(pads(name), examples)


@st.composite
def mirror_pads(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*PADDED, "float64", "complex64")), draw(shapes((1, 4), 5))
    mode = draw(st.sampled_from(MirrorPadMode))
    widest = [n - (mode == MirrorPadMode.REFLECT) + (draw(st.integers(0, 29)) == 0) for n in shape]
    paddings = np.array([[draw(st.integers(0, n)) for _ in range(2)] for n in widest])
    dtype = draw(st.sampled_from(["int32", "int64"]))
    input = output = draw(quantizations(type))
    if draw(st.integers(0, 9)) == 0:
        output = draw(quantizations(type))  # mostly refused
    return case(
        draw(generators),
        "MIRROR_PAD",
        [TensorSpec(type, shape, input), TensorSpec.constant(paddings.astype(dtype))],
        [TensorSpec(type, (), output)],
        MirrorPadOptions(mode),
        version=draw(st.integers(1, 3)),
        at_run_time=draw(at_run_time),
    )


@examples
def test_mirror_pad(examples: int) -> None:
    check_cases(mirror_pads(), examples)


def test_mirror_pad_without_options_has_no_mode() -> None:
    inputs = [TensorSpec(TensorType.INT32, (4,)), TensorSpec.constant(np.array([[1, 1]], np.int32))]
    check_cases(st.just(case(np.random.default_rng(0), "MIRROR_PAD", inputs, [TensorSpec(TensorType.INT32, ())])), 1)


@st.composite
def concatenations(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*PADDED, "uint32")), list(draw(shapes((1, 5), 4)))
    axis = draw(st.integers(0, len(shape) - 1))
    output = draw(quantizations(type))
    inputs = []
    for i in range(draw(st.integers(1, 5))):
        shape[axis] = draw(st.integers(1, 5))
        # uint8 is rescaled, int16 is copied whatever its scale; int8 with other scales is refused.
        other = draw(st.booleans()) if type in (TensorType.UINT8, TensorType.INT16) else draw(st.integers(0, 19)) == 0
        quantization = draw(quantizations(type)) if other else output
        inputs.append(TensorSpec(type, tuple(shape), quantization, name=f"x{i}"))
    options = ConcatenationOptions(axis - draw(st.sampled_from([0, len(shape)])))
    version = draw(st.integers(1, 4))
    return case(draw(generators), "CONCATENATION", inputs, [TensorSpec(type, (), output)], options, version)


@examples
def test_concatenation(examples: int) -> None:
    check_cases(concatenations(), examples)


def test_concatenation_of_every_uint8_code_between_extreme_scales() -> None:
    codes = np.arange(256, dtype=np.uint8)
    scales = [1e-30, 1e-9, 0.0039, 0.5, 0.50001, 1.0, 1.5, 3.0, 1e9, 3e38]
    for output in scales:
        specs = [
            TensorSpec.constant(codes, Quantization.per_tensor(scale, zero_point))
            for scale in scales
            for zero_point in (0, 100, 255)
        ]
        specs = [TensorSpec(TensorType.UINT8, (256,), specs[0].quantization), *specs]
        result = TensorSpec(TensorType.UINT8, (), Quantization.per_tensor(output, 17))
        drawn = case(np.random.default_rng(0), "CONCATENATION", specs, [result], ConcatenationOptions())
        check_cases(st.just(drawn), 1)
