"""For each rule, a model that breaks it; and models that break none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from int8rt.model import ActivationFunctionType, Model, Quantization
from int8rt.schema import TensorSpec, load_model, single_operator_model
from int8rt.schema.options import FullyConnectedOptions, SoftmaxOptions
from tests.differential.control_flow import swap, while_model
from tests.hostile.operators import MODELS as MODELS_BY_HAND
from tests.lint.models import (
    FLOAT32,
    INT4,
    INT8,
    INT16,
    INT32,
    MODELS,
    SCALES,
    UINT8,
    WEIGHTS,
    Q,
    add,
    axes_without_quantization,
    batch_matmul,
    bidirectional_rnn,
    blocks,
    blockwise,
    comparison,
    concatenation,
    depthwise,
    difference,
    enlarged,
    fully_connected,
    fully_connected_16x8,
    hybrid,
    lonely,
    long_rows,
    mul,
    of_axis,
    per_axis,
    strided_slice,
    two_bits,
    uint8_conv,
    unary,
    wide,
)

BROKEN: dict[str, list[tuple[Callable[[], Model], str]]] = {
    "scale-is-positive": [
        (lambda: lonely(INT8, Q(0.0)), "scale 0.0"),
        (lambda: lonely(INT8, per_axis([1, -2, np.nan], [0, 0, 0], 1)), "scale -2.0 at index 1 and 1 more such"),
    ],
    "scale-is-normal": [(lambda: lonely(INT8, Q(1e-40)), "scale 1e-40")],
    "zero-point-is-a-code": [
        (lambda: lonely(INT8, Q(0.5, 128)), "zero point 128"),
        (lambda: lonely(UINT8, Q(0.5, -1)), "zero point -1"),
    ],
    "int16-is-symmetric": [(lambda: lonely(INT16, Q(0.5, -1)), "zero point -1")],
    "one-zero-point-a-scale": [
        (lambda: lonely(INT8, Quantization(np.float32([0.5]), np.zeros(0, np.int64))), "1 scales and 0 zero points")
    ],
    "one-scale-an-index": [
        (lambda: lonely(INT8, per_axis(SCALES, dimension=1)), "2 scales along dimension 1 of [2, 3]"),
        (lambda: lonely(INT8, per_axis(SCALES, dimension=2)), "2 scales along dimension 2 of [2, 3]"),
    ],
    "activations-have-one-type": [
        (lambda: add(TensorSpec(UINT8, (1, 4), Q(0.5))), "int8"),
        (lambda: fully_connected(output=TensorSpec(FLOAT32, (1, 2))), "float32"),
    ],
    "activations-are-quantized": [(lambda: add(TensorSpec(INT8, (1, 4))), "no quantization parameters")],
    "activations-are-per-tensor": [
        (lambda: add(TensorSpec(INT8, (1, 2), per_axis(SCALES, dimension=1))), "2 scales"),
        (lambda: unary("QUANTIZE", per_axis(SCALES), Q(0.5)), "2 scales"),
    ],
    "fixed-output-parameters": [
        (lambda: unary("SOFTMAX", Q(0.5), Q(1 / 255, -128), SoftmaxOptions(1.0)), "scale 0.003921569, zero point -128"),
        (lambda: unary("LOGISTIC", Q(0.5), Q(1 / 256, 0)), "scale 0.00390625, zero point 0"),
        (lambda: unary("TANH", Q(0.5), Q(1 / 256)), "scale 0.00390625, zero point 0"),
        (lambda: unary("L2_NORMALIZATION", Q(0.5), Q(1 / 64)), "scale 0.015625, zero point 0"),
        (lambda: unary("LOG_SOFTMAX", Q(0.5), Q(1 / 16)), "scale 0.0625, zero point 0"),
    ],
    "equal-parameters": [
        (lambda: concatenation(Q(0.5, 4)), "scale 0.5, zero point 4"),
        (lambda: unary("MAXIMUM", Q(0.25), Q(0.5)), "scale 0.25, zero point 0"),
        (lambda: unary("RESHAPE", Q(0.25), None), "scale 0.25, zero point 0"),
    ],
    "copied-codes-keep-their-meaning": [
        (lambda: strided_slice(Q(0.5, 4)), "scale 0.5, zero point 3"),
        (lambda: unary("REVERSE_V2", Q(0.25), Q(0.5)), "scale 0.25, zero point 0"),
        (lambda: unary("TRANSPOSE", Q(0.25), Q(0.5), type=UINT8), "scale 0.25, zero point 0"),
    ],
    "requantization-changes-something": [
        (lambda: unary("QUANTIZE", Q(0.5), Q(0.5)), "scale 0.5, zero point 0, as tensor 0 'input0'")
    ],
    "weights-fit-activations": [
        (
            lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS.astype(np.int16), per_axis(SCALES))),
            "int16",
        )
    ],
    "weights-are-quantized": [
        (lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS)), "no quantization parameters")
    ],
    "weights-are-symmetric": [
        (
            lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS, per_axis(SCALES, (0, 5)))),
            "zero point 5 of channel 1",
        )
    ],
    "weights-avoid-the-lowest-code": [
        (
            lambda: fully_connected(filter=TensorSpec.constant(np.minimum(WEIGHTS, -128), per_axis(SCALES))),
            "6 of 6 weights are -128",
        ),
        (lambda: hybrid([[-128, 3]]), "1 of 2 weights are -128"),
    ],
    "scales-belong-to-output-channels": [
        (lambda: depthwise(2), "scales along dimension 2"),
        (
            lambda: fully_connected(
                filter=TensorSpec.constant(WEIGHTS, per_axis([0.5, 0.5, 0.5], [0, 0, 0], 1)),
            ),
            "scales along dimension 1",
        ),
    ],
    "uint8-weights-are-per-tensor": [(lambda: uint8_conv(per_axis(SCALES)), "2 scales")],
    "weights-are-per-channel": [(lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS, Q(0.25))), "one scale")],
    "bias-fits-activations": [
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int64([1, 2]), per_axis(0.5 * SCALES))),
            "int64",
        )
    ],
    "bias-zero-point-is-zero": [
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int32([1, 2]), per_axis(0.5 * SCALES, (0, 1)))),
            "zero point 1",
        )
    ],
    "bias-scale-is-the-product": [
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int32([1, 2]), per_axis(0.501 * SCALES))),
            "scale 0.12525 in channel 0",
        ),
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int32([1, 2]), Q(0.125))),
            "scale 0.125 in channel 1",
        ),
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int32([1, 2]), per_axis([1, 1, 1], [0, 0, 0]))),
            "3 scales",
        ),
    ],
    "bias-is-quantized": [
        (lambda: fully_connected(bias=TensorSpec.constant(np.int32([1, 2]))), "no quantization parameters")
    ],
    "bias-does-not-saturate": [
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int32([1, 2**31 - 1]), per_axis(0.5 * SCALES))),
            "1 of 2 biases",
        )
    ],
    "weights-use-their-range": [
        (
            lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS // 3, per_axis(SCALES))),
            "weights of at most 43",
        ),
    ],
    "channels-have-weights": [
        (
            lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS * np.int8([[0], [1]]), per_axis(SCALES))),
            "1 of 2 channels have only zeros, the first 0",
        )
    ],
    "accumulator-does-not-overflow": [(wide, "sums from 0 to 2266950000 in channel 0, 1 of 1 too wide")],
    "outputs-can-change": [
        (
            lambda: fully_connected(filter=TensorSpec.constant(WEIGHTS * np.int8([[1], [0]]), per_axis(SCALES))),
            "channel 1 is always -128, 1 of 2 channels never change",
        ),
        (
            lambda: fully_connected(
                bias=TensorSpec.constant(np.int32([7, -30000]), per_axis(0.5 * SCALES)),
                output=TensorSpec(INT8, (1, 2), Q(2.0, -128)),
                options=FullyConnectedOptions(ActivationFunctionType.RELU),
            ),
            "channel 1 is always -128",
        ),
    ],
    "multiplier-fits-a-shift": [
        (lambda: fully_connected(output=TensorSpec(INT8, (1, 2), Q(1e-12))), "multiplier 1.25e+11")
    ],
    "multiplier-is-below-one": [
        (
            lambda: fully_connected(output=TensorSpec(INT8, (1, 2), Q(0.125))),
            "multiplier 1 in channel 0, 1 of 2 from 1 on",
        ),
        (lambda: mul(3.0), "multiplier 1.5"),
    ],
    "clamp-leaves-most-codes": [
        (
            lambda: fully_connected(
                output=TensorSpec(INT8, (1, 2), Q(0.5, -128)),
                options=FullyConnectedOptions(ActivationFunctionType.RELU6),
            ),
            "-128 to -116: 13 codes",
        )
    ],
    "reference-is-right": [
        (lambda: of_axis("SUM", 1), "a known defect: int8 and int16 codes"),
        (lambda: fully_connected_16x8(np.int32), "a known defect: With int16 activations the bias"),
        (
            lambda: fully_connected(bias=TensorSpec.constant(np.int64([1, 2]), per_axis(0.5 * SCALES))),
            "a known defect: With 8-bit activations an int64 bias",
        ),
        (two_bits, "a known defect: Float activations times int2 weights"),
        (lambda: hybrid([[-128] + 15 * [0]]), "a known defect: Float activations times int8 weights"),
        (
            lambda: bidirectional_rnn(time_major=True, own_input=False),
            "a known defect: Float activations times integer weights: a time-major sequence is run through once",
        ),
        (
            lambda: bidirectional_rnn(time_major=False, own_input=True),
            "a known defect: The backward cell's own input is ignored",
        ),
        (lambda: unary("NEG", Q(0.5, 1), Q(0.5, 1)), "a known defect: Codes are negated"),
        (lambda: difference(0.5, 2.0**-21), "a known defect: A difference of codes"),
        (lambda: comparison("LESS", 0.5, 0.25), "a known defect: 8-bit inputs are each multiplied"),
        (lambda: comparison("EQUAL", 1.0, 1.0), "a known defect: An 8-bit input with a scale of 1"),
        (lambda: unary("LOG_SOFTMAX", Q(0.5), Q(16 / 256, 127), shape=(1, 4096)), "a known defect: The sum of exp"),
        (lambda: enlarged(65), "a known defect: The ratio of sizes"),
        (lambda: load_model(MODELS / "lstm_int8.tflite"), "a known defect: The TANH of an integer cell state"),
        (lambda: MODELS_BY_HAND["LSTM.2"], "a known defect: With twelve intermediate tensors"),
        (lambda: unary("WHERE", Q(0.5, 3), None), "a known defect: The codes of a quantized condition"),
        (
            lambda: single_operator_model(
                "DEQUANTIZE", [TensorSpec(INT8, (2, 32), blocks())], [TensorSpec(FLOAT32, (2, 32))]
            ),
            "a known defect: Weights with a scale for each block, times float activations",
        ),
        (blockwise, "a known defect: Weights with a scale for each block, times float activations"),
        (lambda: long_rows(2080), "a known defect: Float activations times int8 weights with asymmetric"),
        (lambda: batch_matmul((2, 3), (2, 3)), "a known defect: Float activations times int8 weights: with two"),
        (lambda: while_model(2, swap), "a known defect: A body that passes one of its inputs on"),
    ],
}

# Rules that each of these models breaks: none that is not named.
CLEAN: dict[str, tuple[Callable[[], Model], tuple[str, ...]]] = {
    "fully connected": (fully_connected, ()),
    "zeros for a bias": (
        lambda: fully_connected(bias=TensorSpec.constant(np.zeros(2, np.int32), per_axis(SCALES))),
        (),
    ),
    "16x8": (fully_connected_16x8, ()),
    "16x8 with an int32 bias": (
        lambda: fully_connected_16x8(np.int32, FullyConnectedOptions(quantized_bias_type=INT32)),
        (),
    ),
    "int4 weights": (
        lambda: fully_connected(
            filter=TensorSpec.constant(np.int8([[-8, 7, 1], [1, 2, 3]]), per_axis(SCALES), type=INT4)
        ),
        (),
    ),
    "depthwise": (depthwise, ()),
    "uint8": (uint8_conv, ()),
    "rows that are just short enough": (lambda: long_rows(2079), ()),
    "one batch dimension": (lambda: batch_matmul((1, 3), (1, 3)), ()),
    "one matrix for the last batch dimension": (lambda: batch_matmul((2, 3), (2, 1)), ()),
    "hybrid": (lambda: hybrid([16 * [127]]), ()),
    # The defect concerns whole groups of 16 columns.
    "hybrid, few columns": (lambda: hybrid([[-128, 3]]), ("weights-avoid-the-lowest-code",)),
    "add": (lambda: add(TensorSpec(INT8, (1, 4), Q(0.25))), ()),
    "mul": (lambda: mul(0.5), ()),
    "concatenation": (lambda: concatenation(Q(0.5, 3)), ()),
    # The kernel of uint8 rescales.
    "uint8 concatenation": (lambda: concatenation(Q(0.5, 4), UINT8), ()),
    "enlarged image": (lambda: enlarged(64), ()),
    "slice": (lambda: strided_slice(Q(0.5, 3)), ()),
    "softmax": (lambda: unary("SOFTMAX", Q(0.5), Q(1 / 256, -128), SoftmaxOptions(1.0)), ()),
    "logistic": (lambda: unary("LOGISTIC", Q(0.5), Q(1 / 256, -128)), ()),
    "tanh": (lambda: unary("TANH", Q(0.5), Q(1 / 128)), ()),
    "l2 normalization": (lambda: unary("L2_NORMALIZATION", Q(0.5), Q(1 / 128)), ()),
    "log softmax": (lambda: unary("LOG_SOFTMAX", Q(0.5), Q(16 / 256, 127)), ()),
    "requantization": (lambda: unary("QUANTIZE", Q(0.5), Q(0.5, 1)), ()),
    "negation": (lambda: unary("NEG", Q(0.5), Q(0.5)), ()),
    "reverse": (lambda: unary("REVERSE_V2", Q(0.5), Q(0.5)), ()),
    "plain integers": (lambda: unary("RESHAPE", None, None), ()),
    "comparison": (lambda: comparison("LESS", 0.5, 0.5), ()),
    "mean": (lambda: of_axis("MEAN", 1), ()),
    "narrow sums": (lambda: wide(60_000), ()),
    "per axis": (lambda: lonely(INT8, per_axis(SCALES)), ()),
    "wide zero points": (lambda: lonely(INT8, Q(0.5, -128)), ()),
    "int16": (lambda: lonely(INT16, Q(0.5)), ()),
    "smallest normal scale": (lambda: lonely(INT8, Q(2.0**-126)), ()),
    "calibrated only": (lambda: lonely(FLOAT32, axes_without_quantization()), ()),
}
