"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED: numbers worked out by hand, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.kernels.registry import KERNELS
from int8rt.model import ActivationFunctionType, Operator, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat
from int8rt.schema.options import (
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    TransposeConvOptions,
)
from tests.kernels.single import q, run_operator, variable

VALID = Conv2DOptions(Padding.VALID, 1, 1)
SAME = Conv2DOptions(Padding.SAME, 1, 1)
DEPTHWISE = DepthwiseConv2DOptions(Padding.VALID, 1, 1)
IMAGE = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def plane(rows: list[list[int]], dtype: str = "int8") -> Any:
    return np.array(rows, dtype)[np.newaxis, :, :, np.newaxis]


def convolve(
    name: str,
    image: Any,
    filter: Any,
    bias: Any,
    options: Any,
    *,
    scales: tuple[float, float, float] = (1.0, 1.0, 1.0),
    zero_points: tuple[int, int] = (0, 0),
    filter_quantization: Quantization | None = None,
    bias_quantization: Quantization | None = None,
) -> Any:
    image, filter = np.asarray(image), np.asarray(filter)
    inputs: list[Any] = [
        variable(image, q(scales[0], zero_points[0])),
        TensorSpec.constant(filter, filter_quantization or q(scales[1])),
    ]
    if bias is not None:
        inputs.append(TensorSpec.constant(bias, bias_quantization or q(scales[0] * scales[1])))
    output = TensorSpec(TensorType[image.dtype.name.upper()], (), q(scales[2], zero_points[1]))
    return run_operator(name, inputs, [output], options, 8 if name == "CONV_2D" else 5)


def test_padding_counts_as_the_zero_point() -> None:
    found = convolve(
        "CONV_2D", plane(IMAGE), np.ones((1, 3, 3, 1), np.int8), np.int32([100]), SAME, zero_points=(1, -9)
    )
    # Sums of value - 1 over what each window sees, + 100 - 9.
    assert found[0, :, :, 0].tolist() == [[99, 106, 103], [112, 127, 118], [111, 124, 115]]


def test_strides_and_dilations() -> None:
    options = Conv2DOptions(Padding.SAME, 2, 1, dilation_w_factor=2)
    found = convolve("CONV_2D", plane(IMAGE), np.int8([[[[1], [10]]]]), np.int32([0]), options)
    # The taps are two columns apart: one before and one after the pixel at columns 0 and 2.
    assert found[0, :, :, 0].tolist() == [[20, 2], [50, 5], [80, 8]]


def test_groups_have_their_own_channels() -> None:
    image = np.int8([1, 2, 10, 20]).reshape(1, 1, 1, 4)
    filter = np.int8([[1, 1], [1, -1], [1, 1], [1, -1]]).reshape(4, 1, 1, 2)
    found = convolve("CONV_2D", image, filter, np.int32([0, 0, 0, 5]), VALID)
    assert found.ravel().tolist() == [3, -1, 30, -5]


def test_ties_of_both_roundings() -> None:
    image = np.int8([-3, -2, -1, 1, 2, 3]).reshape(1, 1, 6, 1)
    one = np.ones((1, 1, 1, 1), np.int8)
    # 1/2 is one rounding, ties up; 1/4 adds one with ties away from zero.
    half = convolve("CONV_2D", image, one, np.int32([0]), VALID, scales=(0.5, 1.0, 1.0))
    assert half.ravel().tolist() == [-1, -1, 0, 1, 1, 2]
    quarter = convolve("CONV_2D", image, one, np.int32([0]), VALID, scales=(0.25, 1.0, 1.0))
    assert quarter.ravel().tolist() == [-1, -1, 0, 1, 1, 1]


def test_fully_connected_rounds_ties_away_from_zero() -> None:
    rows, one = np.int8([[-3], [-1], [1], [3]]), np.ones((1, 1), np.int8)
    found = convolve("FULLY_CONNECTED", rows, one, None, FullyConnectedOptions(), scales=(0.5, 1.0, 1.0))
    assert found.ravel().tolist() == [-2, -1, 1, 2]


def test_a_sum_that_wraps_around_in_int32() -> None:
    bias = np.int32([2**31 - 1])
    found = convolve("CONV_2D", plane([[1]]), np.ones((1, 1, 1, 1), np.int8), bias, VALID, scales=(0.5, 2.0**-23, 1.0))
    assert found.ravel().tolist() == [-128]


def test_a_clamp_that_wraps_around_in_int32() -> None:
    # The upper end is 2^31 - 1 + 24, and its low byte is what remains.
    relu6 = Conv2DOptions(Padding.VALID, 1, 1, ActivationFunctionType.RELU6)
    found = convolve("CONV_2D", plane([[1]]), ONE, BIAS, relu6, scales=(1.0, 1.0, 0.25), zero_points=(0, 2**31 - 1))
    assert found.ravel().tolist() == [23]


def test_per_axis_scales() -> None:
    filter = np.ones((3, 1, 1, 1), np.int8)
    found = convolve(
        "CONV_2D",
        plane([[40]]),
        filter,
        np.int32([0, 0, 2**31 - 1]),
        VALID,
        filter_quantization=Quantization.per_axis([1.0, 0.25, 1e-12], [0, 0, 0], 0),
    )
    assert found.ravel().tolist() == [40, 10, 0]


def test_uint8_subtracts_the_zero_point_of_the_filter() -> None:
    image, filter = np.uint8([10, 20]).reshape(1, 1, 1, 2), np.uint8([101, 99]).reshape(1, 1, 1, 2)
    found = convolve("CONV_2D", image, filter, np.int32([50]), VALID, filter_quantization=q(1.0, 100))
    assert found.ravel().tolist() == [40]


def test_depth_multiplier_keeps_the_channels_of_an_input_together() -> None:
    image, filter = np.int8([3, 5]).reshape(1, 1, 1, 2), np.int8([1, 2, 3, 4]).reshape(1, 1, 1, 4)
    found = convolve("DEPTHWISE_CONV_2D", image, filter, np.int32([0, 0, 0, 100]), DEPTHWISE)
    assert found.ravel().tolist() == [3, 6, 15, 120]


def test_depthwise_stride_and_dilation() -> None:
    options = DepthwiseConv2DOptions(Padding.VALID, 2, 1, dilation_w_factor=3)
    filter = np.int8([1, 10]).reshape(1, 1, 2, 1)
    found = convolve("DEPTHWISE_CONV_2D", plane([[1, 2, 3, 4, 5, 6]]), filter, None, options)
    assert found.ravel().tolist() == [41, 63]


def transposed(shape: list[int], image: Any, filter: Any, bias: Any, options: TransposeConvOptions, **more: Any) -> Any:
    inputs = [
        TensorSpec.constant(np.array(shape, np.int32)),
        TensorSpec.constant(filter, q(1.0)),
        variable(image, q(1.0, more.get("zero_point", 0))),
        None if bias is None else TensorSpec.constant(bias, q(1.0)),
    ]
    return run_operator("TRANSPOSE_CONV", inputs, [TensorSpec(TensorType.INT8, (), q(1.0))], options, 3)


def test_transposed_windows_overlap() -> None:
    filter = np.int8([[1, 2, 3]]).reshape(1, 1, 3, 1)
    options = TransposeConvOptions(Padding.VALID, 2, 1)
    found = transposed([1, 1, 5, 1], plane([[10, 1]]), filter, None, options)
    assert found.ravel().tolist() == [10, 20, 31, 2, 3]
    found = transposed([1, 1, 5, 1], plane([[10, 1]]), filter, np.int32([-1]), options, zero_point=1)
    assert found.ravel().tolist() == [8, 17, 26, -1, -1]


def test_transposed_same_cuts_the_border_off() -> None:
    filter = np.int8([[1, 2, 3]]).reshape(1, 1, 3, 1)
    found = transposed([1, 1, 3, 1], plane([[10, 1]]), filter, None, TransposeConvOptions(Padding.SAME, 2, 1))
    assert found.ravel().tolist() == [20, 31, 2]


def test_fully_connected_flattens_or_keeps_dimensions() -> None:
    rows, filter = np.arange(12, dtype=np.int8).reshape(2, 2, 3), np.int8([[1, 1, 1], [0, 0, -1]])
    flat = convolve("FULLY_CONNECTED", rows, filter, np.int32([0, 1]), FullyConnectedOptions())
    assert flat.tolist() == [[3, -1], [12, -4], [21, -7], [30, -10]]
    kept = convolve("FULLY_CONNECTED", rows, filter, np.int32([0, 1]), FullyConnectedOptions(keep_num_dims=True))
    assert kept.tolist() == [[[3, -1], [12, -4]], [[21, -7], [30, -10]]]


def test_fully_connected_subtracts_the_zero_point_of_a_filter_with_one_scale() -> None:
    found = convolve(
        "FULLY_CONNECTED",
        np.int8([[1, 2]]),
        np.int8([[3, 4]]),
        None,
        FullyConnectedOptions(),
        filter_quantization=q(1.0, 2),
    )
    assert found.tolist() == [[5]]


def test_int16_takes_the_accumulator_of_the_option() -> None:
    image, one = plane([[-32768, 32767]], "int16"), np.full((1, 1, 1, 1), 127, np.int8)
    for dtype, label in ((np.int32, TensorType.INT32), (np.int64, TensorType.INT64)):
        options = Conv2DOptions(Padding.VALID, 1, 1, quantized_bias_type=label)
        found = convolve("CONV_2D", image, one, np.array([127], dtype), options, scales=(1.0, 2.0**-7, 1.0))
        assert found.ravel().tolist() == [-32511, 32512]


ONE = np.ones((1, 1, 1, 1), np.int8)
BIAS = np.zeros(1, np.int32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("CONV_2D", plane(IMAGE), ONE, np.zeros(2, np.int32), VALID),
            r"bias 'input2' has shape \[2\], expected \[1\]",
        ),
        (("CONV_2D", plane(IMAGE), np.ones((1, 1, 1, 2), np.int8), BIAS, VALID), "1 input channels do not fit"),
        (("CONV_2D", plane(IMAGE), np.ones((1, 5, 5, 1), np.int8), BIAS, VALID), r"a \(5, 5\) window does not fit"),
        (("CONV_2D", plane(IMAGE), ONE, BIAS, Conv2DOptions()), r"strides \(0, 0\).*within \[1, 32767\]"),
        (("DEPTHWISE_CONV_2D", plane(IMAGE), np.ones((2, 1, 1, 1), np.int8), BIAS, DEPTHWISE), "do not fit a filter"),
        (("DEPTHWISE_CONV_2D", plane(IMAGE, "int16"), ONE, None, DEPTHWISE), "depth_multiplier is 0, the shapes say 1"),
        (("FULLY_CONNECTED", np.int8([[1]]), ONE, BIAS, FullyConnectedOptions()), r"must be a matrix"),
        (
            (
                "FULLY_CONNECTED",
                np.int8([[1, 2]]),
                np.int8([[1]]),
                None,
                FullyConnectedOptions(keep_num_dims=True),
            ),
            r"input \[1, 2\] does not end in the filter's 1 columns",
        ),
        (
            (
                "FULLY_CONNECTED",
                np.int8([[1]]),
                np.int8([[1]]),
                None,
                FullyConnectedOptions(ActivationFunctionType.TANH),
            ),
            "fused activation TANH",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ModelError, match=rf"{arguments[0]}.*{message}"):
        convolve(*arguments)


def test_quantization_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ModelError, match="filter 'input1' has a zero point other than 0"):
        convolve("CONV_2D", plane(IMAGE), ONE, BIAS, VALID, filter_quantization=q(1.0, 3))
    with pytest.raises(ModelError, match="bias 'input2' has a zero point other than 0"):
        convolve("CONV_2D", plane(IMAGE), ONE, BIAS, VALID, bias_quantization=q(1.0, 3))
    axis = Quantization.per_axis([1.0, 1.0, 1.0], [0, 0, 0], 2)
    with pytest.raises(ModelError, match=r"has 3 scales along dimension 2, expected 1 along dimension 0"):
        convolve("CONV_2D", plane(IMAGE), np.ones((1, 1, 3, 1), np.int8), BIAS, VALID, filter_quantization=axis)
    with pytest.raises(ModelError, match=r"bias 'input2' has scale 1.5, expected .* = 1 within 0.02 output steps"):
        convolve("CONV_2D", plane(IMAGE, "uint8"), np.uint8(ONE), BIAS, VALID, bias_quantization=q(1.5))
    with pytest.raises(ModelError, match="int16 tensor 'input0' has a zero point other than 0"):
        convolve("CONV_2D", plane(IMAGE, "int16"), ONE, np.zeros(1, np.int64), VALID, zero_points=(1, 0))
    with pytest.raises(ModelError, match="bias 'input2' is int32, but quantized_bias_type says int64"):
        convolve("CONV_2D", plane(IMAGE, "int16"), ONE, BIAS, VALID)


def test_output_shapes_that_do_not_belong_to_the_input_are_refused() -> None:
    filter = np.ones((1, 3, 3, 1), np.int8)
    options = TransposeConvOptions(Padding.SAME, 2, 2)
    with pytest.raises(ModelError, match=r"the output \[1, 7, 6, 1\] belongs to an input of \[4, 3\] pixels"):
        transposed([1, 7, 6, 1], plane(IMAGE), filter, None, options)
    with pytest.raises(ModelError, match=r"output shape \[2, 6, 6, 1\] does not fit"):
        transposed([2, 6, 6, 1], plane(IMAGE), filter, None, options)
    with pytest.raises(ModelError, match=r"output shape \[1, 6, -6, 1\] is empty"):
        transposed([1, 6, -6, 1], plane(IMAGE), filter, None, options)


def test_types_that_no_kernel_has_are_refused() -> None:
    with pytest.raises(
        UnsupportedError, match=r"types int8, int8, int64 -> int8; accepted: int8,int8\|int4,int32 -> int8"
    ):
        convolve("CONV_2D", plane(IMAGE), ONE, np.zeros(1, np.int64), VALID)
    shuffled = FullyConnectedOptions(weights_format=FullyConnectedOptionsWeightsFormat.SHUFFLED4x16INT8)
    with pytest.raises(ModelError, match="needs a second output, for its shuffled weights"):
        convolve("FULLY_CONNECTED", np.int8([[1]]), np.int8([[1]]), None, shuffled)


@pytest.mark.parametrize(
    ("name", "filter", "options", "macs"),
    [
        ("CONV_2D", (5, 3, 3, 2), Conv2DOptions(Padding.SAME, 2, 2), 2 * 4 * 4 * 5 * 3 * 3 * 2),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 6), DepthwiseConv2DOptions(Padding.SAME, 2, 2), 2 * 4 * 4 * 6 * 3 * 3),
        ("FULLY_CONNECTED", (5, 49), FullyConnectedOptions(), 4 * 5 * 49),
    ],
)
def test_multiply_accumulate_operations(name: str, filter: Any, options: Any, macs: int) -> None:
    tensor = TensorInfo("x", TensorType.INT8, (2, 7, 7, 2), q(1.0))
    bias = TensorInfo("b", TensorType.INT32, (filter[3] if name == "DEPTHWISE_CONV_2D" else filter[0],), q(1.0))
    inputs = (tensor, TensorInfo("w", TensorType.INT8, filter, q(1.0)), bias)
    context = OperatorContext(Operator(name, (0, 1, 2), (3,), options=options), inputs, (tensor,))
    kernel = KERNELS[name]
    assert kernel.macs is not None
    assert kernel.macs(kernel.prepare(context)) == macs
