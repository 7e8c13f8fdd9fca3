"""Input data for comparing runtimes: what a model is fed when the user brings nothing of his own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from int8rt.model import Model, Shape, Subgraph, Tensor, TensorType
from int8rt.quantization.affine import quantize
from int8rt.verify.index_range import index_range

Array = npt.NDArray[Any]
Kind = Literal["random", "natural", "minimum", "maximum", "alternating"]

KINDS: tuple[Kind, ...] = get_args(Kind)
# Float inputs are drawn from here where no QUANTIZE after them says otherwise; other integers (counts, lengths) too.
_FLOAT_RANGE = (-1.0, 1.0)
_INTEGER_RANGE = (0, 8)
_QUANTIZED = (TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.INT4, TensorType.UINT4)
_SAME_VALUES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "PAD", "STRIDED_SLICE", "SLICE", "SPLIT")


def make_inputs(
    model: Model, kind: Kind, seed: int = 0, shapes: Sequence[Shape] | None = None, subgraph_index: int = 0
) -> list[Array]:
    """A value for each input of a subgraph, the same for the same arguments. `shapes`: the model's own by default.

    "random": all codes of the type, equally likely. "natural": smooth waves with a little noise, over the whole range.
    "minimum", "maximum", "alternating" (of the two, element by element): the corners, where sums saturate.
    Real-valued inputs cover the range of the QUANTIZE operator that reads them, else [-1, 1]. Integer inputs that are
    indices into a tensor of known size stay inside it, other integers within [0, 8).
    """
    subgraph = model.subgraphs[subgraph_index]
    rng = np.random.default_rng(seed)
    return [
        _draw(subgraph, index, subgraph.tensors[index].shape if shapes is None else shapes[position], kind, rng)
        for position, index in enumerate(subgraph.inputs)
    ]


def _draw(subgraph: Subgraph, index: int, shape: Shape, kind: Kind, rng: np.random.Generator) -> Array:
    tensor = subgraph.tensors[index]
    dtype = tensor.type.dtype
    if dtype.kind == "O":
        return np.array([b"%d" % i for i in rng.integers(0, 100, int(np.prod(shape)))], object).reshape(shape)
    if dtype.kind == "b":
        return _between(0, 1, shape, kind, rng, whole=True).astype(dtype)
    if dtype.kind in "fc":
        low, high = real_range(subgraph, index)
        return _between(low, high, shape, kind, rng).astype(dtype)
    if tensor.type in _QUANTIZED:
        return _codes(tensor, shape, kind, rng)
    least, most = index_range(subgraph, index) or (_INTEGER_RANGE[0], _INTEGER_RANGE[1] - 1)
    return _between(least, most, shape, kind, rng, whole=True).astype(dtype)


def _codes(tensor: Tensor, shape: Shape, kind: Kind, rng: np.random.Generator) -> Array:
    dtype = tensor.type.dtype
    info = np.iinfo(dtype)
    low, high = (info.min, info.max) if tensor.type.bits >= 8 else (info.min >> 4, info.max >> 4)
    quantization = tensor.quantization
    if kind == "natural" and quantization is not None and quantization.scale.size == 1:
        scale, zero_point = float(quantization.scale[0]), int(quantization.zero_point[0])
        real = _between((low - zero_point) * scale, (high - zero_point) * scale, shape, kind, rng)
        codes = np.clip(quantize(real, scale, zero_point, dtype), low, high)
    else:
        codes = _between(low, high, shape, kind, rng, whole=True)
    return np.asarray(codes, dtype)


def _between(
    low: float, high: float, shape: Shape, kind: Kind, rng: np.random.Generator, *, whole: bool = False
) -> Array:
    """Values of one kind in [low, high]: float64, or int64 where `whole`."""
    if kind == "random":
        return rng.integers(int(low), int(high), shape, endpoint=True) if whole else rng.uniform(low, high, shape)
    if kind == "natural":
        value = low + (high - low) * _waves(shape, rng)
        return np.rint(value).astype(np.int64) if whole else value
    dtype = np.int64 if whole else np.float64
    if kind == "alternating":
        count = int(np.prod(shape))
        return np.where(np.arange(count) % 2 == 0, low, high).astype(dtype).reshape(shape)
    return np.full(shape, low if kind == "minimum" else high, dtype)


def _waves(shape: Shape, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A few slow sine waves across all dimensions and some noise, in [0, 1]."""
    total = rng.normal(0.0, 0.05, shape)
    for _ in range(4):
        phase = np.full(shape, rng.uniform(0, 2 * np.pi))
        for axis, size in enumerate(shape):
            along = [1] * len(shape)
            along[axis] = size
            phase = phase + rng.uniform(0, 4 * np.pi) * np.linspace(0, 1, size).reshape(along)
        total = total + np.sin(phase)
    least, most = total.min(initial=0.0), total.max(initial=1.0)
    return np.asarray((total - least) / (most - least))


def real_range(subgraph: Subgraph, index: int) -> tuple[float, float]:
    """(least, most) of a real-valued input: what the QUANTIZE that reads it can represent, else [-1, 1]."""
    return range_of_quantize(subgraph, index) or _FLOAT_RANGE


def range_of_quantize(subgraph: Subgraph, index: int) -> tuple[float, float] | None:
    """(least, most) that the QUANTIZE which reads a real-valued input can represent; None where there is none."""
    reached = {index}
    for operator in subgraph.operators:
        if not operator.inputs or operator.inputs[0] not in reached:
            continue
        if operator.name in _SAME_VALUES:
            reached.update(operator.outputs)
        elif operator.name == "QUANTIZE" and operator.outputs:
            tensor = subgraph.tensors[operator.outputs[0]]
            quantization = tensor.quantization
            if quantization is not None and quantization.scale.size == 1 and tensor.type in _QUANTIZED:
                info = np.iinfo(tensor.type.dtype)
                scale, zero_point = float(quantization.scale[0]), int(quantization.zero_point[0])
                return (info.min - zero_point) * scale, (info.max - zero_point) * scale
    return None
