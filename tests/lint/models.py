"""Small models of one operator, right or wrong as their arguments say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from int8rt.model import BlockwiseQuantization, Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    BatchMatMulOptions,
    BidirectionalSequenceRNNOptions,
    ConcatenationOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    MulOptions,
    StridedSliceOptions,
    SubOptions,
)

INT8, INT16, UINT8, INT32, INT64 = (
    TensorType.INT8,
    TensorType.INT16,
    TensorType.UINT8,
    TensorType.INT32,
    TensorType.INT64,
)
MODELS = Path(__file__).parent.parent / "models"
FLOAT32, INT4, BOOL = TensorType.FLOAT32, TensorType.INT4, TensorType.BOOL
Q = Quantization.per_tensor
WEIGHTS = np.array([[127, -3, 5], [-127, 60, 2]], np.int8)
SCALES = np.array([0.25, 0.125], np.float32)


def per_axis(scale: Any, zero_point: Any = (0, 0), dimension: int = 0) -> Quantization:
    return Quantization.per_axis(scale, zero_point, dimension)


def fully_connected(
    *,
    input: TensorSpec | None = None,
    filter: TensorSpec | None = None,
    bias: TensorSpec | None = None,
    output: TensorSpec | None = None,
    options: FullyConnectedOptions | None = None,
) -> Model:
    """FULLY_CONNECTED of int8[1,3] to int8[1,2] as TensorFlow's converter makes it, but for what is given."""
    return single_operator_model(
        "FULLY_CONNECTED",
        [
            input or TensorSpec(INT8, (1, 3), Q(0.5, 3)),
            filter or TensorSpec.constant(WEIGHTS, per_axis(SCALES)),
            bias or TensorSpec.constant(np.int32([7, -9]), per_axis(0.5 * SCALES)),
        ],
        [output or TensorSpec(INT8, (1, 2), Q(2.0, -128))],
        options or FullyConnectedOptions(),
        version=9,
    )


def fully_connected_16x8(bias: type[np.integer[Any]] = np.int64, options: FullyConnectedOptions | None = None) -> Model:
    return fully_connected(
        input=TensorSpec(INT16, (1, 3), Q(0.5)),
        bias=TensorSpec.constant(np.array([7, -9], bias), per_axis(0.5 * SCALES)),
        output=TensorSpec(INT16, (1, 2), Q(2.0)),
        options=options,
    )


def hybrid(weights: Any) -> Model:
    weights = np.asarray(weights, np.int8)
    return single_operator_model(
        "FULLY_CONNECTED",
        [TensorSpec(FLOAT32, (1, weights.shape[1])), TensorSpec.constant(weights, Q(0.25)), None],
        [TensorSpec(FLOAT32, (1, weights.shape[0]))],
        FullyConnectedOptions(),
        version=9,
    )


def bidirectional_rnn(time_major: bool, own_input: bool) -> Model:
    def state() -> TensorSpec:
        return TensorSpec(FLOAT32, (1, 1), is_variable=True)

    one, bias = TensorSpec.constant(np.ones((1, 1), np.int8), Q(0.5)), TensorSpec.constant(np.ones(1, np.float32))
    sequence = TensorSpec(FLOAT32, (2, 1, 1) if time_major else (1, 2, 1))
    cells = [one, one, bias, state(), one, one, bias, state()]
    return single_operator_model(
        "BIDIRECTIONAL_SEQUENCE_RNN",
        [sequence, *cells, sequence if own_input else None, None, None],
        [sequence, sequence],
        BidirectionalSequenceRNNOptions(time_major),
        version=3,
    )


def depthwise(dimension: int = 3) -> Model:
    shape = (1, 2, 2, 2)
    return single_operator_model(
        "DEPTHWISE_CONV_2D",
        [
            TensorSpec(INT8, shape, Q(0.5)),
            TensorSpec.constant(np.full((1, 2, 2, 2), 127, np.int8), per_axis(SCALES, dimension=dimension)),
            TensorSpec.constant(np.int32([1, 2]), per_axis(0.5 * SCALES)),
        ],
        [TensorSpec(INT8, (1, 1, 1, 2), Q(2.0))],
        DepthwiseConv2DOptions(Padding.VALID, 1, 1, 1),
        version=3,
    )


def uint8_conv(filter: Quantization | None = None) -> Model:
    return single_operator_model(
        "CONV_2D",
        [
            TensorSpec(UINT8, (1, 2, 2, 1), Q(0.5, 128)),
            TensorSpec.constant(np.full((2, 1, 1, 1), 200, np.uint8), filter or Q(0.25, 120)),
            TensorSpec.constant(np.int32([1, 2]), Q(0.125)),
        ],
        [TensorSpec(UINT8, (1, 2, 2, 2), Q(2.0, 0))],
        Conv2DOptions(Padding.VALID, 1, 1),
    )


def unary(
    name: str,
    input: Quantization | None,
    output: Quantization | None,
    options: Any = None,
    *,
    shape: tuple[int, ...] = (2, 8),
    type: TensorType = INT8,
) -> Model:
    return single_operator_model(name, [TensorSpec(type, shape, input)], [TensorSpec(type, shape, output)], options)


def enlarged(size: int) -> Model:
    image = TensorSpec(INT8, (1, 2, 2, 1), Q(0.5))
    larger = TensorSpec(INT8, (1, size, 4, 1), Q(0.5))
    return single_operator_model("RESIZE_BILINEAR", [image, TensorSpec.constant(np.int32([size, 4]))], [larger])


def long_rows(count: int) -> Model:
    return single_operator_model(
        "FULLY_CONNECTED",
        [TensorSpec(FLOAT32, (1, count)), TensorSpec.constant(np.full((1, count), 127, np.int8), Q(0.25)), None],
        [TensorSpec(FLOAT32, (1, 1))],
        FullyConnectedOptions(asymmetric_quantize_inputs=True),
        version=9,
    )


def batch_matmul(first: tuple[int, ...], second: tuple[int, ...]) -> Model:
    return single_operator_model(
        "BATCH_MATMUL",
        [
            TensorSpec(FLOAT32, (*first, 2, 4)),
            TensorSpec.constant(np.ones((*second, 4, 5), np.int8), Q(0.25)),
        ],
        [TensorSpec(FLOAT32, (*first, 2, 5))],
        BatchMatMulOptions(),
    )


def blocks() -> Quantization:
    none = np.zeros(0, np.float32), np.zeros(0, np.int64)
    return Quantization(*none, blockwise=BlockwiseQuantization(scales=0, zero_points=-1, block_size=32))


def two_bits() -> Model:
    """CONV_2D of float activations and int2 weights."""
    weights = TensorSpec.constant(np.ones((2, 1, 1, 4), np.int8), per_axis(SCALES), type=TensorType.INT2)
    image, bias = TensorSpec(FLOAT32, (1, 2, 2, 4)), TensorSpec.constant(np.zeros(2, np.float32))
    options = Conv2DOptions(stride_w=1, stride_h=1)
    return single_operator_model("CONV_2D", [image, weights, bias], [TensorSpec(FLOAT32, (1, 2, 2, 2))], options)


def blockwise() -> Model:
    return single_operator_model(
        "FULLY_CONNECTED",
        [
            TensorSpec(FLOAT32, (1, 32)),
            TensorSpec(INT4, (2, 32), blocks(), np.zeros((2, 32), np.int8)),
            None,
        ],
        [TensorSpec(FLOAT32, (1, 2))],
        FullyConnectedOptions(),
    )


def add(first: TensorSpec, output: TensorSpec | None = None) -> Model:
    second = TensorSpec(INT8, (1, 4), Q(0.5, 3))
    return single_operator_model("ADD", [first, second], [output or TensorSpec(INT8, (1, 4), Q(1.0))], AddOptions())


def mul(scale: float) -> Model:
    inputs = [TensorSpec(INT8, (1, 4), Q(scale)), TensorSpec(INT8, (1, 4), Q(0.5))]
    return single_operator_model("MUL", inputs, [TensorSpec(INT8, (1, 4), Q(1.0))], MulOptions())


def concatenation(other: Quantization, type: TensorType = INT8) -> Model:
    inputs = [TensorSpec(type, (1, 4), Q(0.5, 3)), TensorSpec(type, (1, 4), other)]
    output = TensorSpec(type, (1, 8), Q(0.5, 3))
    return single_operator_model("CONCATENATION", inputs, [output], ConcatenationOptions(axis=1))


def strided_slice(output: Quantization) -> Model:
    bounds = [TensorSpec.constant(np.int32([value]), name=f"bound{value}") for value in (0, 2, 1)]
    inputs = [TensorSpec(INT8, (4,), Q(0.5, 3)), *bounds]
    return single_operator_model("STRIDED_SLICE", inputs, [TensorSpec(INT8, (2,), output)], StridedSliceOptions())


def comparison(name: str, *scales: float) -> Model:
    inputs = [TensorSpec(INT8, (4,), Q(scale)) for scale in scales]
    return single_operator_model(name, inputs, [TensorSpec(BOOL, (4,))])


def difference(scale: float, output_scale: float) -> Model:
    input, output = TensorSpec(INT8, (4,), Q(scale)), TensorSpec(INT8, (4,), Q(output_scale))
    return single_operator_model("SUB", [input, input], [output], SubOptions())


def of_axis(name: str, axis: int) -> Model:
    inputs = [TensorSpec(INT8, (2, 3), Q(0.5)), TensorSpec.constant(np.int32([axis]))]
    return single_operator_model(name, inputs, [TensorSpec(INT8, (2,), Q(0.5))])


def lonely(type: TensorType, quantization: Quantization) -> Model:
    return ModelBuilder().input("x", type, (2, 3), quantization).output("x").build()


def wide(count: int = 70_000) -> Model:
    """Sums of 70,000 products of 127 and 255 need more than int32."""
    return single_operator_model(
        "FULLY_CONNECTED",
        [
            TensorSpec(INT8, (1, count), Q(0.5, -128)),
            TensorSpec.constant(np.full((1, count), 127, np.int8), Q(1e-3)),
            None,
        ],
        [TensorSpec(INT8, (1, 1), Q(2.0))],
        FullyConnectedOptions(),
    )


def axes_without_quantization() -> Quantization:
    return Quantization(np.zeros(0, np.float32), np.zeros(0, np.int64))


# Rule: (a model that breaks it, what is found).
