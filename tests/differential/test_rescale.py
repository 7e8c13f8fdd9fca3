"""The roundings of other resolvers: LiteRT's optimized kernels and XNNPACK, on an x86 processor."""

from __future__ import annotations

import platform

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.model import Padding, Quantization, TensorType
from int8rt.quantization import Requantization, Rounding, quantize_multiplier, requantize
from int8rt.quantization.effective_scales import float32_product_ratio
from int8rt.quantization.multiplier import convolution_multipliers
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import Conv2DOptions
from int8rt.schema.writer import write_model
from tests.differential.cases import examples, generators
from tests.differential.harness import assert_equal, oracle

pytestmark = [
    pytest.mark.litert,
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these roundings are those of x86"),
]

scales = st.sampled_from([0.5, 0.25, 2.0**-7, 0.1, 0.0235])
CHANNELS = 24


@pytest.mark.parametrize(
    ("resolver", "rounding"), [("ref", Rounding.DOUBLE), ("opt", Rounding.TIES_UP), ("xnnpack", Rounding.FLOAT32)]
)
@examples
def test_a_convolution_of_one_tap(resolver: str, rounding: Rounding, examples: int) -> None:
    """With a bias the accumulators are whatever we want, ties of powers of two among them."""

    @settings(max_examples=examples)
    @given(generators, scales, st.lists(scales, min_size=CHANNELS, max_size=CHANNELS), scales, st.integers(-128, 127))
    def check(rng: np.random.Generator, s: float, filter_scales: list[float], so: float, zero_point: int) -> None:
        x = rng.integers(-128, 128, (1, 4, 8, 3)).astype(np.int8)
        w = rng.integers(-127, 128, (CHANNELS, 1, 1, 3)).astype(np.int8)
        bias = rng.integers(-4000, 4000, CHANNELS).astype(np.int32)
        per_axis = Quantization.per_axis(filter_scales, np.zeros(CHANNELS, np.int64), 0)
        bias_scale = Quantization.per_axis(np.float32(s) * per_axis.scale, np.zeros(CHANNELS, np.int64), 0)
        model = single_operator_model(
            "CONV_2D",
            [
                TensorSpec(TensorType.INT8, x.shape, Quantization.per_tensor(s, 3)),
                TensorSpec.constant(w, per_axis),
                TensorSpec.constant(bias, bias_scale),
            ],
            [TensorSpec(TensorType.INT8, (1, 4, 8, CHANNELS), Quantization.per_tensor(so, zero_point))],
            Conv2DOptions(padding=Padding.VALID, stride_w=1, stride_h=1),
            3,
        )
        (expected,) = oracle().run(write_model(model), [x], resolver=resolver).outputs  # type: ignore[arg-type]
        accumulator = (x.astype(np.int32) - 3) @ w[:, 0, 0].T.astype(np.int32) + bias
        assert_equal(
            requantize(accumulator, parameters(rounding, s, per_axis.scale, so, zero_point)), expected, "output"
        )

    check()


def parameters(rounding: Rounding, s: float, filter_scales: np.ndarray, so: float, zero_point: int) -> Requantization:
    real = convolution_multipliers(np.float32(s), filter_scales, np.float32(so))
    if rounding == Rounding.FLOAT32:
        real = np.array([float32_product_ratio(s, float(scale), so) for scale in filter_scales])
    multiplier, shift = np.array([quantize_multiplier(float(value)) for value in real], np.int32).T
    return Requantization(rounding, multiplier, shift, real, zero_point, -128, 127, np.dtype(np.int8))
