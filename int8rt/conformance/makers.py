"""From a case's parameters to a model of one operator and its inputs. Zero points are given for int8."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.conformance import code_makers
from int8rt.conformance.code_makers import codes, quantization, random
from int8rt.conformance.convolutions import convolution
from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    MulOptions,
    Pool2DOptions,
    ReducerOptions,
    SoftmaxOptions,
    SubOptions,
)

Array = npt.NDArray[Any]
Made = tuple[Model, list[Array]]
_PAIRS: dict[str, Any] = {"ADD": AddOptions, "SUB": SubOptions, "MUL": MulOptions}


def pair(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    scales: Sequence[float],
    zero_points: Sequence[int] = (3, -11, 7),
    activation: str = "NONE",
    wrong: str = "",
) -> Made:
    """ADD, SUB, MUL of every code with others; a number of elements that no vector divides."""
    count = 16 * 256 + 13
    options: dict[str, Any] = {"fused_activation_function": ActivationFunctionType[activation]}
    if operator != "MUL":
        options["pot_scale_int16"] = False
    first = codes(type, count).reshape(1, -1)
    second = random(rng, type, (1, count))
    # The products of int16 codes need a larger scale, unless an activation cuts them off.
    output_scale = scales[2] * (64 if type == TensorType.INT16 and operator == "MUL" and activation == "NONE" else 1)
    specs = [
        TensorSpec(type, (1, count), quantization(type, scale, zero_point))
        for scale, zero_point in zip((*scales[:2], output_scale), zero_points, strict=True)
    ]
    if wrong == "zero point":
        specs[0] = TensorSpec(type, (1, count), Quantization.per_tensor(scales[0], 3))
    return single_operator_model(operator, specs[:2], specs[2:], _PAIRS[operator](**options), 2), [first, second]


def pool(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: str,
    activation: str,
) -> Made:
    """A pool of a 9x8 image with 5 channels."""
    size = (9, 8)
    symmetric = padding == "SAME"
    out = [
        -(-n // max(s, 1)) if symmetric else (n - k) // max(s, 1) + 1
        for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    x = random(rng, type, (1, *size, 5))
    same = quantization(type, 0.0371 if type.bits == 8 else 0.00037, -9)
    options = Pool2DOptions(
        padding=Padding[padding],
        stride_h=stride[0],
        stride_w=stride[1],
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=ActivationFunctionType[activation],
    )
    output = TensorSpec(type, (1, out[0], out[1], 5), same)
    version = 3 if type == TensorType.INT16 else 2
    return single_operator_model(operator, [TensorSpec(type, x.shape, same)], [output], options, version), [x]


def mean(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    axes: Sequence[int],
    scales: Sequence[float],
    keep_dims: bool,
    zero_points: Sequence[int] = (-9, 4),
) -> Made:
    """MEAN, SUM, REDUCE_MAX or REDUCE_MIN of a 2x5x7x6 array."""
    shape = (2, 5, 7, 6)
    x = random(rng, type, shape)
    kept = [1 if i in axes else n for i, n in enumerate(shape) if keep_dims or i not in axes]
    model = single_operator_model(
        operator,
        [
            TensorSpec(type, shape, quantization(type, scales[0], zero_points[0])),
            TensorSpec.constant(np.array(axes, np.int32)),
        ],
        [TensorSpec(type, tuple(kept), quantization(type, scales[1], zero_points[1]))],
        ReducerOptions(keep_dims=keep_dims),
        2,
    )
    return model, [x]


def softmax(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    scale: float,
    depth: int,
    beta: float = 1.0,
    output_scale: float | None = None,
    rows: int = 32,
) -> Made:
    """Rows of random codes, some of them close to each other, some equal."""
    x = random(rng, type, (rows, depth))
    x[8:16] //= 8
    x[16:20] = x[16:20, :1]
    wide = type == TensorType.INT16
    made = quantization(type, output_scale or (1 / 32768 if wide else 1 / 256), -128)
    model = single_operator_model(
        operator,
        [TensorSpec(type, x.shape, quantization(type, scale / (256 if wide else 1), 3))],
        [TensorSpec(type, x.shape, made)],
        SoftmaxOptions(beta=beta),
        3,
    )
    return model, [x]


def function(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    scale: float,
    zero_point: int = 0,
    output_zero_point: int | None = None,
) -> Made:
    """LOGISTIC, TANH of every code (of int16: every 61st)."""
    wide = type == TensorType.INT16
    tanh = operator == "TANH"
    x = codes(type, 1075 if wide else 256).reshape(1, -1)
    output_scale = 1 / 32768 if wide else 1 / 128 if tanh else 1 / 256
    made = quantization(type, output_scale, 0 if tanh else -128)
    if output_zero_point is not None:
        made = Quantization.per_tensor(output_scale, output_zero_point)
    model = single_operator_model(
        operator,
        [TensorSpec(type, x.shape, quantization(type, scale / (256 if wide else 1), zero_point))],
        [TensorSpec(type, x.shape, made)],
        None,
        3,
    )
    return model, [x]


def reals(operator: str, type: TensorType, rng: np.random.Generator, scale: float, zero_point: int) -> Made:
    """QUANTIZE of ties of both signs, of what lies beside them and far outside; DEQUANTIZE of every code."""
    same = quantization(type, scale, zero_point)
    if operator == "DEQUANTIZE":
        x = codes(type, 1075 if type == TensorType.INT16 else 256).reshape(1, -1)
        inputs, outputs = TensorSpec(type, x.shape, same), TensorSpec(TensorType.FLOAT32, x.shape)
    else:
        halves = (np.arange(-700, 700) / 2).astype(np.float32) * np.float32(scale)
        beside = np.nextafter(halves, np.float32(np.inf))
        far = np.array([1e9, -1e9, 1e5, -1e5, 0.0, -0.0], np.float32) * np.float32(scale)
        x = np.concatenate([halves, beside, far]).reshape(1, -1)
        inputs, outputs = TensorSpec(TensorType.FLOAT32, x.shape), TensorSpec(type, x.shape, same)
    return single_operator_model(operator, [inputs], [outputs], None, 3 if type == TensorType.INT16 else 2), [x]


def pad(
    operator: str, type: TensorType, rng: np.random.Generator, paddings: Sequence[Sequence[int]], zero_point: int
) -> Made:
    """A border around a 2x3x4x5 array."""
    x = random(rng, type, (2, 3, 4, 5))
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, paddings, strict=True))
    same = quantization(type, 0.0371, zero_point)
    constant = TensorSpec.constant(np.array(paddings, np.int32))
    inputs = [TensorSpec(type, x.shape, same), constant]
    return single_operator_model(operator, inputs, [TensorSpec(type, shape, same)], None, 2), [x]


MAKERS: dict[str, Callable[..., Made]] = {
    "convolution": convolution,
    "pair": pair,
    "pool": pool,
    "mean": mean,
    "softmax": softmax,
    "function": function,
    "codes": reals,
    "pad": pad,
    "activation": code_makers.activation,
    "choice": code_makers.choice,
    "broadcast": code_makers.broadcast,
    "requantize": code_makers.requantize,
    "arrange": code_makers.arrange,
    "resize": code_makers.resize,
    "upsample": code_makers.upsample,
    "product": code_makers.product,
    "rows": code_makers.rows,
}
