"""Functions of one variable on every code: look-up tables, and 16-bit fixed point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.kernels.elu import ELU
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import GeluOptions
from int8rt.schema.writer import write_model
from tests.differential.cases import Case, check_cases, examples, types
from tests.differential.elementwise import all_codes, quantized
from tests.differential.harness import assert_equal, oracle, run_int8rt

pytestmark = pytest.mark.litert

TYPES = {
    "LOGISTIC": ("int8", "uint8", "int16"),
    "TANH": ("int8", "uint8", "int16"),
    "HARD_SWISH": ("int8", "uint8"),
    "GELU": ("int8", "uint8", "int16"),
    "EXP": ("int8", "int16"),
    "LOG": ("int8", "int16"),
}
VERSIONS = {"LOGISTIC": 3, "TANH": 3, "HARD_SWISH": 1}
# The outputs that the operator demands; now and then another one, which it has to refuse.
OUTPUT_SCALES = {("LOGISTIC", 8): 1 / 256, ("LOGISTIC", 16): 1 / 32768, ("TANH", 16): 1 / 32768}

# int16 LOGISTIC and TANH take another way where the scale is one of these powers of two, within 0.1 %.
near_powers = st.tuples(st.sampled_from([-13, -12, -11, -10]), st.sampled_from([1, 1.0006, 1.0008, 0.9994])).map(
    lambda pair: float(np.float32(2.0 ** pair[0] * pair[1]))
)
# Infinities, NaN and numbers beyond int32 on the way.
extreme = st.sampled_from([1e-45, 1e-38, 1e-20, 1e-12, 1e6, 1e20, 3e38])


@st.composite
def parameters(draw: st.DrawFn, type: TensorType, extremes: bool = True) -> Quantization:
    kind = draw(st.integers(0, 7))
    if kind == 0 and extremes:
        return draw(quantized(type, float(np.float32(draw(extreme)))))
    if kind == 1:
        return draw(quantized(type, draw(near_powers)))
    return draw(quantized(type))


@st.composite
def every_code(draw: st.DrawFn, name: str) -> Case:
    type = draw(types(*TYPES[name]))
    codes = all_codes(type)
    extremes = name != "HARD_SWISH"  # whose multipliers have to be finite
    output = draw(parameters(type, extremes))
    demanded = OUTPUT_SCALES.get((name, 8 * type.dtype.itemsize))
    if demanded and draw(st.integers(0, 7)):
        output = draw(quantized(type, demanded))
    options = GeluOptions(draw(st.booleans())) if name == "GELU" else None
    version = draw(st.integers(1, VERSIONS.get(name, 2)))
    inputs = [TensorSpec(type, codes.shape, draw(parameters(type, extremes)))]
    outputs = [TensorSpec(type, codes.shape, output)]
    return Case(single_operator_model(name, inputs, outputs, options, version), [codes])


@pytest.mark.parametrize("name", list(TYPES))
@examples
def test_every_code(name: str, examples: int) -> None:
    check_cases(every_code(name), examples)


@pytest.mark.parametrize("zero_points", [(-32768, 0), (5, 0), (0, 7), (0, 0)])
@pytest.mark.parametrize("name", ["GELU", "EXP", "LOGISTIC"])
def test_int16_zero_points(name: str, zero_points: tuple[int, int]) -> None:
    codes = all_codes(TensorType.INT16)
    specs = [
        TensorSpec(TensorType.INT16, codes.shape, Quantization.per_tensor(scale, zero_point))
        for scale, zero_point in zip((1e-4, 1 / 32768), zero_points, strict=True)
    ]
    options = GeluOptions() if name == "GELU" else None
    check_cases(st.just(Case(single_operator_model(name, specs[:1], specs[1:], options), [codes])), 1)


@examples
def test_hard_swish_of_coarse_and_fine_scales(examples: int) -> None:
    """Both exponents from far below zero to far above: the multipliers' shifts in both directions."""

    @st.composite
    def models(draw: st.DrawFn) -> Case:
        type = draw(types("int8", "uint8"))
        codes = all_codes(type)
        scales = [float(np.float32(2.0 ** draw(st.floats(-30, 12)))) for _ in range(2)]
        specs = [TensorSpec(type, codes.shape, draw(quantized(type, scale))) for scale in scales]
        return Case(single_operator_model("HARD_SWISH", specs[:1], specs[1:]), [codes])

    check_cases(models(), examples)


@pytest.mark.parametrize("zero_points", [(300, 0), (0, 300), (40000, 0), (0, 40000), (-40000, 0), (0, -40000)])
@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.UINT8])
def test_hard_swish_of_zero_points_beyond_their_type(type: TensorType, zero_points: tuple[int, int]) -> None:
    """They must fit 16 bits."""
    specs = [TensorSpec(type, (256,), Quantization.per_tensor(0.1, zero_point)) for zero_point in zero_points]
    check_cases(st.just(Case(single_operator_model("HARD_SWISH", specs[:1], specs[1:]), [all_codes(type)])), 1)


@examples
def test_elu_is_that_of_the_optimized_kernels(examples: int) -> None:
    codes = all_codes(TensorType.INT8)

    @settings(max_examples=examples)
    @given(parameters(TensorType.INT8), parameters(TensorType.INT8))
    def check(input: Quantization, output: Quantization) -> None:
        specs = [TensorSpec(TensorType.INT8, codes.shape, quantization) for quantization in (input, output)]
        model = single_operator_model(ELU.name, specs[:1], specs[1:])
        (expected,) = oracle().run(write_model(model), [codes], resolver="opt").outputs
        assert_equal(run_int8rt(model, [codes])[1], expected, "output")

    check()
