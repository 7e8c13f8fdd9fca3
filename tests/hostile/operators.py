"""One small model for every operator that int8rt has, with several of the ways in which its inputs can come."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, Shape, TensorType
from int8rt.schema import TensorSpec, single_operator_model
from int8rt.schema import options as o
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat, LSTMKernelType
from tests.hostile.arrays import array_models
from tests.hostile.custom import CUSTOM_MODELS
from tests.hostile.floats import float_models
from tests.hostile.lookups import lookup_models
from tests.hostile.recurrent import recurrent_models
from tests.hostile.stablehlo import stablehlo_models
from tests.hostile.subgraphs import CALLING_MODELS

INT8, INT32, FLOAT32, BOOL = TensorType.INT8, TensorType.INT32, TensorType.FLOAT32, TensorType.BOOL
UINT8 = TensorType.UINT8
IMAGE: Shape = (1, 4, 6, 4)
ANY = Quantization.per_tensor(0.05, 3)


def t(shape: Shape = IMAGE, type: TensorType = INT8, scale: float = 0.05, zero_point: int = 3) -> TensorSpec:
    """A tensor computed or fed; quantized where its type is int8."""
    quantization = Quantization.per_tensor(scale, zero_point) if type is INT8 else None
    return TensorSpec(type, shape, quantization)


def c(values: npt.ArrayLike, quantization: Quantization | None = None, dtype: Any = np.int32) -> TensorSpec:
    """A constant."""
    return TensorSpec.constant(np.array(values, dtype), quantization)


def weights(*shape: int, axis: int = 0) -> TensorSpec:
    """int8 weights with a scale for each index along `axis`."""
    count = shape[axis]
    data = (np.arange(np.prod(shape)) % 251 - 125).astype(np.int8).reshape(shape)
    scales = Quantization.per_axis(np.linspace(0.001, 0.02, count), np.zeros(count, np.int64), axis)
    return TensorSpec.constant(data, scales)


def bias(count: int) -> TensorSpec:
    """A bias whose scale is the product of the input's and the weights'."""
    scales = np.float32(0.05) * np.linspace(0.001, 0.02, count).astype(np.float32)
    return TensorSpec.constant(np.arange(count, dtype=np.int32), Quantization.per_axis(scales, np.zeros(count), 0))


def _models() -> dict[str, Model]:
    made: dict[str, Model] = {}

    def add(
        name: str, inputs: list[TensorSpec], outputs: list[TensorSpec], options: Any = None, version: int = 1
    ) -> None:
        label = f"{name}.{sum(key.split('.')[0] == name for key in made)}"
        made[label] = single_operator_model(name, inputs, outputs, options, version)

    relu6, same = ActivationFunctionType.RELU6, Padding.SAME
    window = {"stride_w": 2, "stride_h": 1, "fused_activation_function": relu6}

    for name in ("ABS", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "HARD_SWISH", "EXP", "NEG", "GELU", "ELU"):
        add(name, [t()], [t(scale=0.1)])
    add("LEAKY_RELU", [t()], [t()], o.LeakyReluOptions(alpha=0.2))
    add("TANH", [t()], [t(scale=1 / 128, zero_point=0)])
    add("LOGISTIC", [t()], [t(scale=1 / 256, zero_point=-128)])
    add("SOFTMAX", [t()], [t(scale=1 / 256, zero_point=-128)], o.SoftmaxOptions(beta=1.0))
    add("LOG_SOFTMAX", [t()], [t(scale=16 / 256, zero_point=127)])
    add("L2_NORMALIZATION", [t()], [t(scale=1 / 128, zero_point=0)])
    for name in ("SIN", "COS", "SQUARE"):
        add(name, [t(type=FLOAT32)], [t(type=FLOAT32)])
    for name in ("LOG", "SQRT", "RSQRT"):
        add(name, [t(zero_point=-128)], [t()])
    add("ZEROS_LIKE", [t(type=INT32)], [t(type=INT32)])
    add("QUANTIZE", [t(type=FLOAT32)], [t()])
    add("QUANTIZE", [t()], [t(scale=0.1)])
    add("DEQUANTIZE", [t()], [t(type=FLOAT32)])
    add("CAST", [t()], [t(type=FLOAT32)])
    add("PRELU", [t(), c(np.ones((1, 1, 4)), ANY, np.int8)], [t()])

    for name, options in (("ADD", o.AddOptions), ("SUB", o.SubOptions), ("MUL", o.MulOptions)):
        add(name, [t(), t((6, 4), scale=0.03)], [t(scale=0.1)], options(fused_activation_function=relu6))
    for name in ("MAXIMUM", "MINIMUM"):
        add(name, [t(), t((1, 1, 1, 4))], [t()])
    add("SQUARED_DIFFERENCE", [t(scale=0.5), t((4,), scale=0.5)], [t(scale=2.0)])
    add("FLOOR_DIV", [t(type=INT32), c([1, 2, -3, 4])], [t(type=INT32)])
    add("FLOOR_MOD", [t(type=INT32), c([1, 2, -3, 4])], [t(type=INT32)])
    for name in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"):
        add(name, [t(), t((4,))], [t(type=BOOL)])
    for name in ("LOGICAL_AND", "LOGICAL_OR"):
        add(name, [t(type=BOOL), t((4,), BOOL)], [t(type=BOOL)])
    add("LOGICAL_NOT", [t(type=BOOL)], [t(type=BOOL)])
    for name in ("SELECT", "SELECT_V2"):
        add(name, [t(type=BOOL), t(), t()], [t()])

    convolution = o.Conv2DOptions(padding=same, dilation_w_factor=2, dilation_h_factor=1, **window | {"stride_w": 1})
    add("CONV_2D", [t(), weights(5, 2, 3, 4), bias(5)], [t((1, 4, 6, 5))], convolution, 3)
    depthwise = o.DepthwiseConv2DOptions(padding=same, depth_multiplier=2, **window)
    add("DEPTHWISE_CONV_2D", [t(), weights(1, 2, 3, 8, axis=3), bias(8)], [t((1, 4, 3, 8))], depthwise, 3)
    transposed = [c([1, 4, 12, 3]), weights(3, 2, 3, 4), t(), bias(3)]
    up = o.TransposeConvOptions(padding=same, stride_w=2, stride_h=1)
    add("TRANSPOSE_CONV", transposed, [t((1, 4, 12, 3))], up, 3)
    volume, three = t((1, 3, 4, 5, 2), FLOAT32), c(np.ones(3), dtype=np.float32)
    filter = c(np.ones((2, 3, 2, 2, 3)), dtype=np.float32)
    steps = o.Conv3DOptions(same, 1, 2, 1, relu6)
    add("CONV_3D", [volume, filter, three], [t((1, 3, 4, 3, 3), FLOAT32)], steps)
    upwards = [c([1, 3, 4, 9, 3]), c(np.ones((2, 3, 2, 3, 2)), dtype=np.float32), volume, three]
    add("CONV_3D_TRANSPOSE", upwards, [t((1, 3, 4, 9, 3), FLOAT32)], steps)
    dense = o.FullyConnectedOptions(fused_activation_function=relu6)
    add("FULLY_CONNECTED", [t((3, 8)), weights(5, 8), bias(5)], [t((3, 5))], dense, 5)
    unsigned = [TensorSpec(UINT8, (4, 16), ANY), c(np.full((4, 16), 9), ANY, np.uint8), c([1, -2, 3, 4])]
    gates = [TensorSpec(TensorType.INT16, (4, 4), Quantization.per_tensor(0.5)), TensorSpec(UINT8, (4, 16))]
    blocks = FullyConnectedOptionsWeightsFormat.SHUFFLED4x16INT8
    add("FULLY_CONNECTED", unsigned, gates, o.FullyConnectedOptions(weights_format=blocks), 2)
    add("FULLY_CONNECTED", [t((3, 8), FLOAT32), weights(5, 8), c(np.ones(5), dtype=np.float32)], [t((3, 5), FLOAT32)])
    products = o.BatchMatMulOptions(adj_y=True)
    add("BATCH_MATMUL", [t((2, 3, 8)), t((1, 5, 8), zero_point=0)], [t((2, 3, 5))], products)
    add("BATCH_MATMUL", [t((2, 3, 8), FLOAT32), weights(5, 8)], [t((2, 3, 5), FLOAT32)], products)
    add("EMBEDDING_LOOKUP", [t((4,), INT32), weights(5, 8)], [t((4, 8), FLOAT32)])
    pool = o.Pool2DOptions(padding=same, filter_width=3, filter_height=2, **window)
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        add(name, [t()], [t((1, 4, 3, 4))], pool, 2)

    add("L2_POOL_2D", [t(type=FLOAT32)], [t((1, 4, 3, 4), FLOAT32)], pool)
    neighbours = o.LocalResponseNormalizationOptions(radius=2, bias=1.0, alpha=0.5, beta=0.75)
    add("LOCAL_RESPONSE_NORMALIZATION", [t(type=FLOAT32)], [t(type=FLOAT32)], neighbours)

    for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
        add(name, [t(), c([1, -2])], [t((1, 4))], o.ReducerOptions(), 2)
        add(name, [t(), t((2,), INT32)], [t((1, 1, 1, 4))], o.ReducerOptions(keep_dims=True), 2)
    add("REDUCE_PROD", [t(type=INT32), c([3])], [t((1, 4, 6), INT32)], o.ReducerOptions())
    for name in ("REDUCE_ALL", "REDUCE_ANY"):
        add(name, [t(type=BOOL), c([0, 3])], [t((4, 6), BOOL)], o.ReducerOptions())
    add("ARG_MAX", [t(), c(-1)], [t((1, 4, 6), INT32)], o.ArgMaxOptions(output_type=INT32))
    add("ARG_MIN", [t(), c([1])], [t((1, 6, 4), INT32)], o.ArgMinOptions(output_type=INT32))
    add("TOPK_V2", [t(), c(2)], [t((1, 4, 6, 2)), t((1, 4, 6, 2), INT32)])

    boxes = [t((5, 4), FLOAT32), t((5,), FLOAT32), c(3), *[c(0.5, dtype=np.float32)] * 2]
    add("NON_MAX_SUPPRESSION_V4", boxes, [t((3,), INT32), t((), INT32)])
    sigma = [*boxes[:2], t((), INT32), *boxes[3:], c(0.5, dtype=np.float32)]
    add("NON_MAX_SUPPRESSION_V5", sigma, [t((3,), INT32), t((3,), FLOAT32), t((), INT32)])

    add("RESHAPE", [t(), c([4, -1])], [t((4, 24))], o.ReshapeOptions(new_shape=(4, -1)))
    add("RESHAPE", [t(), t((2,), INT32)], [t((4, 24))])
    add("SQUEEZE", [t()], [t((4, 6, 4))], o.SqueezeOptions(squeeze_dims=(0,)))
    add("EXPAND_DIMS", [t(), c(1)], [t((1, 1, 4, 6, 4))])
    add("SHAPE", [t()], [t((4,), INT32)], o.ShapeOptions(out_type=INT32))
    add("RANK", [t()], [t((), INT32)])
    add("TRANSPOSE", [t(), c([0, 3, 1, 2])], [t((1, 4, 4, 6))])
    add("TRANSPOSE", [t(), t((4,), INT32)], [t()])
    add("PACK", [t((2, 3)), t((2, 3))], [t((2, 2, 3))], o.PackOptions(values_count=2, axis=1))
    add("UNPACK", [t((2, 3))], [t((3,)), t((3,))], o.UnpackOptions(num=2, axis=0))
    add("CONCATENATION", [t(), t((1, 4, 2, 4))], [t((1, 4, 8, 4))], o.ConcatenationOptions(axis=2))
    add("SPLIT", [c(2), t()], [t((1, 4, 3, 4)), t((1, 4, 3, 4))], o.SplitOptions(num_splits=2))
    split = o.SplitVOptions(num_splits=2)
    add("SPLIT_V", [t(), c([1, -1]), c(2)], [t((1, 4, 1, 4)), t((1, 4, 5, 4))], split)
    pads = [[0, 0], [1, 2], [2, 0], [0, 1]]
    add("PAD", [t(), c(pads)], [t((1, 7, 8, 5))])
    add("PAD", [t(), t((4, 2), INT32)], [t((1, 7, 8, 5))])
    add("PADV2", [t(), c(pads), c([5], ANY, np.int8)], [t((1, 7, 8, 5))])
    add("MIRROR_PAD", [t(), c(pads)], [t((1, 7, 8, 5))], o.MirrorPadOptions())
    add("SLICE", [t(), c([0, 1, 0, 2]), c([1, 2, -1, 2])], [t((1, 2, 6, 2))])
    add("SLICE", [t(), t((4,), INT32), t((4,), INT32)], [t((1, 1, 1, 1))])
    strided = o.StridedSliceOptions(begin_mask=1, end_mask=2, shrink_axis_mask=8)
    cut = [c([0, 1, -1, 2]), c([1, 0, 0, 3]), c([1, 2, -2, 1])]
    add("STRIDED_SLICE", [t(), *cut], [t((1, 2, 3))], strided)
    add("STRIDED_SLICE", [t(), *[t((4,), INT32)] * 3], [t((1, 2, 3))], o.StridedSliceOptions())
    add("GATHER", [t(), c([1, 0, 3, 1])], [t((1, 4, 4, 4))], o.GatherOptions(axis=2))
    add("GATHER", [t(), t((2, 2), INT32)], [t((2, 2, 4, 6, 4))], o.GatherOptions())
    add("GATHER_ND", [t(), c([[0, 1], [0, 3]])], [t((2, 6, 4))])
    add("TILE", [t(), c([2, 1, 1, 3])], [t((2, 4, 6, 12))])
    add("TILE", [t(), t((4,), INT32)], [t()])
    add("BROADCAST_TO", [t((6, 1)), c([2, 6, 4])], [t((2, 6, 4))])
    add("FILL", [c([2, 3]), t((), INT8)], [t((2, 3))])
    add("FILL", [t((2,), INT32), t((), INT8)], [t((2, 3))])
    add("RANGE", [c(0), c(10), c(3)], [t((4,), INT32)])
    add("RANGE", [t((), INT32), t((), INT32), t((), INT32)], [t((4,), INT32)])
    add("RFFT2D", [t((2, 5, 6), FLOAT32), c([4, 8])], [t((2, 4, 5), TensorType.COMPLEX64)])
    add("REVERSE_V2", [t(), c([2])], [t()])
    add("SPACE_TO_DEPTH", [t()], [t((1, 2, 3, 16))], o.SpaceToDepthOptions(block_size=2))
    add("DEPTH_TO_SPACE", [t()], [t((1, 8, 12, 1))], o.DepthToSpaceOptions(block_size=2))
    add("SPACE_TO_BATCH_ND", [t(), c([2, 2]), c([[0, 0], [1, 1]])], [t((4, 2, 4, 4))])
    add("BATCH_TO_SPACE_ND", [t((4, 2, 3, 4)), c([2, 2]), c([[0, 1], [1, 0]])], [t((1, 3, 5, 4))])
    add("RESIZE_BILINEAR", [t(), c([8, 5])], [t((1, 8, 5, 4))], o.ResizeBilinearOptions(half_pixel_centers=True))
    nearest = o.ResizeNearestNeighborOptions(align_corners=True)
    add("RESIZE_NEAREST_NEIGHBOR", [t(), c([8, 5])], [t((1, 8, 5, 4))], nearest)
    add("RESIZE_NEAREST_NEIGHBOR", [t(), t((2,), INT32)], [t((1, 8, 5, 4))], nearest)
    made["UNIDIRECTIONAL_SEQUENCE_LSTM.0"] = _lstm(single_step=False)
    made["LSTM.0"] = _lstm(single_step=True)
    made["LSTM.1"] = _basic_lstm()
    made["LSTM.2"] = _lstm(single_step=True, products_of_8_bits=True)
    made["BIDIRECTIONAL_SEQUENCE_LSTM.0"] = _bidirectional_lstm()
    return made | array_models() | recurrent_models() | lookup_models() | float_models() | stablehlo_models()


def _lstm(single_step: bool, products_of_8_bits: bool = False) -> Model:
    """Steps of an integer cell with peepholes and a projection; with layer normalization where products have 8 bits."""
    n_input, n_cell, n_output = 3, 4, 2

    def q(scale: float, zero_point: int = 0) -> Quantization:
        return Quantization.per_tensor(scale, zero_point)

    def matrix(rows: int, columns: int) -> TensorSpec:
        return c(np.arange(rows * columns).reshape(rows, columns) - 3, q(0.01), np.int8)

    time: Shape = () if single_step else (2,)
    inputs: list[TensorSpec | None] = [TensorSpec(INT8, (1, *time, n_input), q(0.05, 3))]
    inputs += [matrix(n_cell, n_input)] * 4 + [matrix(n_cell, n_output)] * 4
    inputs += [c(np.arange(n_cell) * 1000, q(1e-5), np.int16)] * 3
    inputs += [c(np.arange(n_cell), q(1e-4))] * 4 + [matrix(n_output, n_cell), c(np.arange(n_output), q(1e-4))]
    inputs += [TensorSpec(INT8, (1, n_output), q(1 / 128, 1), is_variable=True)]
    inputs += [TensorSpec(TensorType.INT16, (1, n_cell), q(2.0**-11), is_variable=True)]
    intermediates = [TensorSpec(TensorType.INT16, (0,), q(1 / 4096))] * 4 + [TensorSpec(INT8, (0,), q(1 / 128, 2))]
    if products_of_8_bits:
        inputs += [c(np.arange(n_cell) * 1000, q(1e-4), np.int16)] * 4
        intermediates = [TensorSpec(INT8, (0,), q(1 / 64, 1))] * 12
    tanh = ActivationFunctionType.TANH
    return single_operator_model(
        "LSTM" if single_step else "UNIDIRECTIONAL_SEQUENCE_LSTM",
        inputs,
        [TensorSpec(INT8, (1, *time, n_output), q(1 / 128, 1))],
        o.LSTMOptions(tanh, 10.0) if single_step else o.UnidirectionalSequenceLSTMOptions(tanh, cell_clip=10.0),
        intermediates=intermediates,
    )


def _basic_lstm() -> Model:
    depth, size = 3, 4

    def variable() -> TensorSpec:
        return TensorSpec(FLOAT32, (1, size), is_variable=True)

    values = np.linspace(-1, 1, 4 * size * (depth + size)).reshape(4 * size, depth + size)
    weights = c(values, dtype=np.float32)
    return single_operator_model(
        "LSTM",
        [t((1, depth), FLOAT32), variable(), weights, c(np.zeros(4 * size), dtype=np.float32), variable()],
        [t((1, width), FLOAT32) for width in (size, size, depth + size, 4 * size)],
        o.LSTMOptions(ActivationFunctionType.TANH, kernel_type=LSTMKernelType.BASIC),
        2,
    )


def _bidirectional_lstm() -> Model:
    """Two steps each way of two float cells with quantized weights."""
    n_input, n_cell = 3, 4

    def cell() -> list[TensorSpec | None]:
        scale = Quantization.per_tensor(0.01)
        matrices = [c(np.arange(n_cell * n).reshape(n_cell, n) - 5, scale, np.int8) for n in (n_input, n_cell)]
        biases = [c(np.arange(n_cell), dtype=np.float32)] * 4
        return [*matrices[:1] * 4, *matrices[1:] * 4, None, None, None, *biases, None, None]

    states = [TensorSpec(FLOAT32, (1, n_cell), is_variable=True) for _ in range(4)]
    return single_operator_model(
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        [t((1, 2, n_input), FLOAT32), *cell(), *cell(), *states, *[None] * 9],
        [t((1, 2, n_cell), FLOAT32)] * 2,
        o.BidirectionalSequenceLSTMOptions(ActivationFunctionType.TANH, time_major=False),
        3,
    )


MODELS = _models() | CUSTOM_MODELS | CALLING_MODELS
