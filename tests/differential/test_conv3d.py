from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.kernels.padding import sliding_window
from int8rt.model import ActivationFunctionType, Padding, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import Conv3DOptions
from tests.differential.cases import Case, check_cases, examples, generators, random_data, shapes

pytestmark = pytest.mark.litert

FLOAT32 = TensorType.FLOAT32


def real_numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if rng.random() < 0.2:
        return random_data(rng, TensorSpec(FLOAT32, shape))
    return rng.normal(0, 1, shape).astype(np.float32)


@st.composite
def convolutions(draw: st.DrawFn, transposed: bool) -> Case:
    batches, depth, height, width, channels = draw(shapes(5, 5))
    sizes, rng, outputs = (depth, height, width), draw(generators), draw(st.integers(1, 4))
    padding = draw(st.sampled_from(Padding))
    kernel = [draw(st.integers(1, size if padding == Padding.VALID else 3)) for size in sizes]
    strides, dilations = ([draw(st.sampled_from([1, 1, 2, 3])) for _ in sizes] for _ in range(2))
    options = Conv3DOptions(
        padding,
        stride_d=strides[0],
        stride_w=strides[2],
        stride_h=strides[1],
        fused_activation_function=draw(st.sampled_from(ActivationFunctionType)),
        dilation_d_factor=dilations[0],
        dilation_w_factor=dilations[2],
        dilation_h_factor=dilations[1],
    )
    pixels = [
        sliding_window(size, taps, stride, dilation, padding).output if transposed else size
        for size, taps, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    if draw(st.integers(0, 9)) == 0:
        pixels[draw(st.integers(0, 2))] += 1
    pixels = [max(1, size) for size in pixels]
    images = real_numbers(rng, (min(2, batches), *pixels, channels))
    ends = (outputs, channels) if transposed else (channels, outputs)
    data = [images, real_numbers(rng, (*kernel, *ends))]
    bias = [None, [], [real_numbers(rng, (outputs,))]][draw(st.integers(0, 2))]
    if transposed:
        data = [np.array([len(images), *sizes, outputs], np.int32), data[1], data[0]]
    data += bias or []
    # The input is fed; whether the others are constants does not matter to the numbers.
    fed = [draw(st.booleans()) or value is images for value in data]
    inputs: list[TensorSpec | None] = [
        TensorSpec(TensorType[value.dtype.name.upper()], value.shape, data=None if is_fed else value)
        for value, is_fed in zip(data, fed, strict=True)
    ]
    if bias is None:
        inputs.append(None)
    name = "CONV_3D_TRANSPOSE" if transposed else "CONV_3D"
    model = single_operator_model(name, inputs, [TensorSpec(FLOAT32, ())], options)
    return Case(model, [value for value, is_fed in zip(data, fed, strict=True) if is_fed])


@examples
@pytest.mark.parametrize("transposed", [False, True])
def test_conv_3d(transposed: bool, examples: int) -> None:
    check_cases(convolutions(transposed), examples)
