"""Is an answer a nearest code of the real-valued result? That is what a runtime gives that computes in floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from int8rt.errors import Int8rtError
from int8rt.model import Model, Quantization, Tensor, TensorType
from int8rt.quantization.bfloat16 import bfloat16_to_float32, float32_to_bfloat16
from int8rt.schema.encode import encode
from int8rt.verify.compare import run_int8rt
from int8rt.verify.runtimes.base import Array

# How far a result may be from the middle of two codes and pass as a tie, in steps: of 8 bits, and of 16, whose codes
# float32 resolves no better. And of floats, relative.
_TIES = {1: 0.002, 2: 0.06}
_RELATIVE = 1e-6
NAME = "a nearest code of the real-valued result"
NAME_WRAPPED = "a nearest code of the real-valued result, which wraps around where it should saturate"
NAME_CUT = "the real-valued result cut off to an integer, which wraps around where it should saturate"
NAME_BFLOAT16 = "a nearest code of the real-valued result of inputs and constants in bfloat16"
NAME_OF_REALS = "the real value, but for the last bits of float32"


def real_result(model: Model, inputs: Sequence[Array], bfloat16: bool = False) -> Array | None:
    """The output of a model of one operator, computed in float32 from the real values of everything quantized, in
    codes of the output where it has a scale. None where int8rt does not compute it. bfloat16: inputs and constants
    are rounded to it first, but for biases.
    """
    graph = model.subgraphs[0]
    output = graph.tensors[graph.outputs[0]]
    buffers = list(model.buffers)
    tensors = []
    for tensor in graph.tensors:
        if tensor.quantization is None or not tensor.quantization.scale.size:
            tensors.append(tensor)
            continue
        if tensor.buffer and (data := buffers[tensor.buffer]) is not None:
            codes = np.frombuffer(data, tensor.type.dtype).reshape(tensor.shape)
            value = _dequantized(codes, tensor)
            value = _in_bfloat16(value) if bfloat16 and codes.itemsize < 4 else value
            buffers.append(encode(value, TensorType.FLOAT32, tensor.shape))
            tensor = replace(tensor, buffer=len(buffers) - 1)
        tensors.append(replace(tensor, type=TensorType.FLOAT32, quantization=None))
    given = [_dequantized(value, graph.tensors[i]) for i, value in zip(graph.inputs, inputs, strict=True)]
    given = [_in_bfloat16(v) if bfloat16 and v.dtype == np.float32 else v for v in given]
    if graph.operators[0].name in ("QUANTIZE", "DEQUANTIZE"):
        return _codes(given[0], output)
    operators = (replace(graph.operators[0], version=1),)
    floats = replace(
        model, subgraphs=(replace(graph, tensors=tuple(tensors), operators=operators),), buffers=tuple(buffers)
    )
    try:
        values, _ = run_int8rt(floats, given, "tflite-ref", "numpy", keep=False)
    except (Int8rtError, ValueError):  # operators on integers that are no codes, for example
        return None
    return _codes(values[graph.outputs[0]], output)


def farther(found: Array, real: Array) -> tuple[int, int]:
    """How many elements are no nearest code (or not the value itself) of the real-valued result; and how many of these
    are none either when codes wrap around.
    """
    if found.dtype.kind == "f":
        wrong = int(np.count_nonzero(~(np.abs(found - real) <= _RELATIVE * np.abs(real).max(initial=0))))
        return wrong, wrong
    if found.dtype.kind not in "iu":
        wrong = int(np.count_nonzero(found != real))
        return wrong, wrong
    info, reach = np.iinfo(found.dtype), 0.5 + _TIES.get(found.itemsize, 0)
    near = np.abs(found - np.clip(real, info.min, info.max)) <= reach
    span = float(int(info.max) - int(info.min) + 1)
    distance = found - real
    wrapped = np.abs(distance - span * np.rint(distance / span)) <= reach
    return int(np.count_nonzero(~near)), int(np.count_nonzero(~(near | wrapped)))


def cut_off(found: Array, real: Array) -> bool:
    """Whether all elements are the real-valued result without its fraction, wrapped around the type's range."""
    if found.dtype.kind not in "iu":
        return False
    tie, span = _TIES.get(found.itemsize, 0) / 2, 1 << 8 * found.itemsize
    near = [(found - np.trunc(real + by)) % span == 0 for by in (-tie, tie)]
    return bool(np.all(near[0] | near[1]))


def distance(found: Array, real: Array) -> float:
    """How far the codes are at most from the real-valued result within their range, in steps."""
    info = np.iinfo(found.dtype)
    return float(np.abs(found - np.clip(real, info.min, info.max)).max(initial=0))


def _in_bfloat16(value: Array) -> Array:
    return bfloat16_to_float32(float32_to_bfloat16(value))


def _quantization(tensor: Tensor) -> Quantization | None:
    known = tensor.quantization is not None and tensor.quantization.scale.size
    return tensor.quantization if known else None


def _dequantized(codes: Array, tensor: Tensor) -> Array:
    """Real values, in float32; what has no scale is left as it is."""
    own = _quantization(tensor)
    if own is None:
        return codes
    shape = [1] * codes.ndim
    if own.scale.size > 1:
        shape[own.quantized_dimension] = own.scale.size
    zero = np.broadcast_to(own.zero_point, own.scale.shape).reshape(shape if own.scale.size > 1 else ())
    scale = own.scale.astype(np.float64).reshape(shape if own.scale.size > 1 else ())
    return np.asarray((codes - zero) * scale).astype(np.float32)


def _codes(value: Array, output: Tensor) -> Array:
    own = _quantization(output)
    real = value.astype(np.float64)
    return real if own is None else real / float(own.scale[0]) + int(own.zero_point[0])
