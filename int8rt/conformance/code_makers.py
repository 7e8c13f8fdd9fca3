"""Models of operators that move codes, compare them, or rescale them: elementwise, arrays, images, products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.enums import MirrorPadMode
from int8rt.schema.options import (
    AddOptions,
    BatchMatMulOptions,
    ConcatenationOptions,
    L2NormOptions,
    LeakyReluOptions,
    MirrorPadOptions,
    MulOptions,
    ResizeBilinearOptions,
    ResizeNearestNeighborOptions,
    StridedSliceOptions,
    SubOptions,
    TransposeConvOptions,
)

Array = npt.NDArray[Any]
Made = tuple[Model, list[Array]]


def quantization(type: TensorType, scale: float, zero_point: int) -> Quantization:
    """Parameters of the type that stand for the same as these of int8; int16 has zero point 0."""
    shifted = {TensorType.INT8: zero_point, TensorType.UINT8: zero_point + 128}.get(type, 0)
    return Quantization.per_tensor(scale, shifted)


def codes(type: TensorType, count: int, step: int = 1) -> Array:
    """So many codes, in order, over the whole range again and again."""
    info = np.iinfo(type.dtype)
    span = int(info.max) - int(info.min) + 1
    spread = 1 if type.bits == 8 else 61
    return (np.arange(count, dtype=np.int64) * step * spread % span + info.min).astype(type.dtype)


def random(rng: np.random.Generator, type: TensorType, shape: Shape) -> Array:
    """Any codes."""
    info = np.iinfo(type.dtype)
    return rng.integers(info.min, info.max, shape, type.dtype, endpoint=True)


def activation(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    scales: Sequence[float],
    zero_points: Sequence[int],
    alpha: float = 0.0,
) -> Made:
    """RELU and its kin, LEAKY_RELU, HARD_SWISH, ABS of every code (of int16: every 61st)."""
    wide = type == TensorType.INT16
    x = codes(type, 1075 if wide else 256).reshape(1, -1)
    specs = [
        TensorSpec(type, x.shape, quantization(type, scale / (256 if wide else 1), zero_point))
        for scale, zero_point in zip(scales, zero_points, strict=True)
    ]
    options = LeakyReluOptions(alpha) if operator == "LEAKY_RELU" else None
    version = 1 if operator in ("RELU_N1_TO_1", "HARD_SWISH") else 2
    return single_operator_model(operator, specs[:1], specs[1:], options, version), [x]


def choice(operator: str, type: TensorType, rng: np.random.Generator, zero_points: Sequence[int]) -> Made:
    """MAXIMUM and MINIMUM of codes in one quantization; SQUARED_DIFFERENCE of two."""
    x = [codes(type, 4109).reshape(1, -1), random(rng, type, (1, 4109))]
    scales = (0.0371, 0.0292, 0.9) if operator == "SQUARED_DIFFERENCE" else (0.0371,) * 3
    specs = [
        TensorSpec(type, x[0].shape, quantization(type, scale, zero_point))
        for scale, zero_point in zip(scales, zero_points, strict=True)
    ]
    return single_operator_model(operator, specs[:2], specs[2:], None, 2), x


def broadcast(operator: str, type: TensorType, rng: np.random.Generator, shapes: Sequence[Sequence[int]]) -> Made:
    """ADD, SUB, MUL of shapes that are made equal by repetition."""
    options: dict[str, Any] = {"ADD": AddOptions, "SUB": SubOptions, "MUL": MulOptions}
    wide = type == TensorType.INT16
    x = [random(rng, type, tuple(shape)) for shape in shapes]
    out = np.broadcast_shapes(*(value.shape for value in x))
    output_scale = 0.0527 * (64 if wide and operator == "MUL" else 1)
    specs = [
        TensorSpec(type, shape, quantization(type, scale, zero_point))
        for shape, scale, zero_point in zip(
            (x[0].shape, x[1].shape, out), (0.0371, 0.0411, output_scale), (3, -11, 7), strict=True
        )
    ]
    made = options[operator](**({} if operator == "MUL" else {"pot_scale_int16": False}))
    return single_operator_model(operator, specs[:2], specs[2:], made, 2), x


def requantize(
    operator: str, type: TensorType, rng: np.random.Generator, to: str, scales: Sequence[float], zero_point: int = 5
) -> Made:
    """QUANTIZE of every code (of int16: every 61st) into another scale, zero point or type."""
    wide = type == TensorType.INT16
    x = codes(type, 1075 if wide else 256).reshape(1, -1)
    target = TensorType[to.upper()]
    specs = [
        TensorSpec(kind, x.shape, quantization(kind, scale / (256 if kind == TensorType.INT16 else 1), zero))
        for kind, scale, zero in zip((type, target), scales, (-3, zero_point), strict=True)
    ]
    return single_operator_model(operator, specs[:1], specs[1:], None, 2), [x]


def arrange(operator: str, type: TensorType, rng: np.random.Generator, how: Sequence[Any], wrong: str = "") -> Made:
    """CONCATENATION along how[0]; TRANSPOSE by how; RESHAPE to how; STRIDED_SLICE [begin, end, strides]; MIRROR_PAD."""
    x = random(rng, type, (2, 3, 4, 5))
    same = quantization(type, 0.0371, -9)
    options: Any = None
    inputs: list[TensorSpec | None] = [TensorSpec(type, x.shape, same)]
    given = [x]
    match operator:
        case "CONCATENATION":
            options = ConcatenationOptions(int(how[0]))
            other = random(rng, type, x.shape)
            inputs.append(TensorSpec(type, x.shape, same if wrong != "scale" else quantization(type, 0.5, -9)))
            given.append(other)
            out = x.shape if wrong else np.concatenate([x, other], int(how[0])).shape
        case "TRANSPOSE":
            inputs.append(TensorSpec.constant(np.array(how, np.int32)))
            out = x.shape if wrong else np.transpose(x, how).shape
        case "RESHAPE":
            inputs.append(TensorSpec.constant(np.array(how, np.int32)))
            out = tuple(how)
        case "STRIDED_SLICE":
            options = StridedSliceOptions()
            inputs += [TensorSpec.constant(np.array(part, np.int32)) for part in how]
            out = x.shape if wrong else x[tuple(slice(*part) for part in zip(*how, strict=True))].shape
        case _:
            options = MirrorPadOptions(MirrorPadMode[str(how[0])])
            inputs.append(TensorSpec.constant(np.array(how[1], np.int32)))
            out = tuple(n + before + after for n, (before, after) in zip(x.shape, how[1], strict=True))
    version = 1 if operator == "RESHAPE" else 2
    return single_operator_model(operator, inputs, [TensorSpec(type, out, same)], options, version), given


def resize(operator: str, type: TensorType, rng: np.random.Generator, size: Sequence[int], mode: str = "") -> Made:
    """RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR of a 5x7 image. mode: "corners", "centers" or "both" options."""
    x = random(rng, type, (2, 5, 7, 3))
    kind = ResizeBilinearOptions if operator == "RESIZE_BILINEAR" else ResizeNearestNeighborOptions
    options: Any = kind(align_corners=mode in ("corners", "both"), half_pixel_centers=mode in ("centers", "both"))
    same = quantization(type, 0.0371, -9)
    inputs = [TensorSpec(type, x.shape, same), TensorSpec.constant(np.array(size, np.int32))]
    out = TensorSpec(type, (2, size[0], size[1], 3), same)
    return single_operator_model(operator, inputs, [out], options, 3), [x]


def upsample(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: str,
    bias: bool = True,
) -> Made:
    """TRANSPOSE_CONV of a 4x5 image with 3 channels to 10."""
    x = random(rng, type, (1, 4, 5, 3))
    filter = rng.integers(-127, 128, (10, *kernel, 3)).astype(np.int8)
    scale = rng.uniform(0.003, 0.02, 10).astype(np.float32)
    wide = type == TensorType.INT16
    scale_in, scale_out = (0.0371, 0.9) if not wide else (0.00037, 0.004)
    valid = padding == "VALID"
    size = [n * s if not valid else (n - 1) * s + k for n, s, k in zip(x.shape[1:3], stride, kernel, strict=True)]
    shape = (1, size[0], size[1], 10)
    zeros = np.zeros(10)
    sums = rng.integers(-3000, 3000, 10).astype(np.int64 if wide else np.int32)
    inputs: list[TensorSpec | None] = [
        TensorSpec.constant(np.array(shape, np.int32)),
        TensorSpec.constant(filter, Quantization.per_axis(scale, zeros, 0)),
        TensorSpec(type, x.shape, quantization(type, scale_in, -9)),
    ]
    if bias:
        inputs.append(TensorSpec.constant(sums, Quantization.per_axis(np.float32(scale_in) * scale, zeros, 0)))
    options = TransposeConvOptions(Padding[padding], stride_h=stride[0], stride_w=stride[1])
    output = TensorSpec(type, shape, quantization(type, scale_out, 4))
    return single_operator_model(operator, inputs, [output], options, 3), [x]


def product(
    operator: str, type: TensorType, rng: np.random.Generator, adjoint: Sequence[bool], batch: int, depth: int = 9
) -> Made:
    """BATCH_MATMUL of a 6x9 by a 9x11 matrix; adjoint: which of them come transposed. depth: of the second, 9."""
    first, second = random(rng, type, (batch, 6, 9)), random(rng, type, (batch, depth, 11))
    x = [np.ascontiguousarray(np.swapaxes(v, 1, 2)) if t else v for v, t in zip((first, second), adjoint, strict=True)]
    wide = type == TensorType.INT16
    scales = (0.0371, 0.0411, 5.7) if not wide else (0.00037, 0.00041, 0.5)
    specs = [
        TensorSpec(type, shape, quantization(type, scale, zero))
        for shape, scale, zero in zip((x[0].shape, x[1].shape, (batch, 6, 11)), scales, (3, -11, 7), strict=True)
    ]
    return single_operator_model(operator, specs[:2], specs[2:], BatchMatMulOptions(*adjoint), 3), x


def rows(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    scale: float,
    depth: int,
    output_scale: float | None = None,
) -> Made:
    """LOG_SOFTMAX and L2_NORMALIZATION of 64 rows."""
    x = random(rng, type, (64, depth))
    x[8:16] //= 8
    log = operator == "LOG_SOFTMAX"
    made = quantization(type, output_scale or (16 / 256 if log else 1 / 128), 127 if log else 0)
    specs = TensorSpec(type, x.shape, quantization(type, scale, 3)), TensorSpec(type, x.shape, made)
    options = None if log else L2NormOptions(ActivationFunctionType.NONE)
    return single_operator_model(operator, specs[:1], specs[1:], options, 2), [x]
