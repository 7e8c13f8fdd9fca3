"""A model of one operator in real numbers: what a runtime gives that dequantizes, computes in floats, and quantizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from int8rt.errors import Int8rtError
from int8rt.model import Model, Quantization, Tensor, TensorType
from int8rt.schema.encode import encode
from int8rt.verify.compare import run_int8rt
from int8rt.verify.identify.piece import Array

Change = Callable[[Array], Array]


def in_reals(model: Model, inputs: Sequence[Array], change: Change | None = None) -> Array | None:
    """The operator's output 0 in float32, from the real values of everything quantized. None where int8rt does not
    compute it. change: what becomes of inputs and of constants, but for biases, before that.
    """
    graph = model.subgraphs[0]
    buffers = list(model.buffers)
    tensors = []
    for tensor in graph.tensors:
        if _quantization(tensor) is None:
            tensors.append(tensor)
            continue
        if tensor.buffer and (data := buffers[tensor.buffer]) is not None:
            codes = np.frombuffer(data, tensor.type.dtype).reshape(tensor.shape)
            value = _dequantized(codes, tensor)
            value = change(value) if change is not None and codes.itemsize < 4 else value
            buffers.append(encode(value, TensorType.FLOAT32, tensor.shape))
            tensor = replace(tensor, buffer=len(buffers) - 1)
        tensors.append(replace(tensor, type=TensorType.FLOAT32, quantization=None))
    given = [_dequantized(value, graph.tensors[i]) for i, value in zip(graph.inputs, inputs, strict=True)]
    if change is not None:
        given = [change(v) if v.dtype == np.float32 else v for v in given]
    if graph.operators[0].name in ("QUANTIZE", "DEQUANTIZE"):
        return given[0]
    operators = (replace(graph.operators[0], version=1),)
    floats = replace(
        model, subgraphs=(replace(graph, tensors=tuple(tensors), operators=operators),), buffers=tuple(buffers)
    )
    try:
        values, _ = run_int8rt(floats, given, "tflite-ref", "numpy", keep=False)
    except (Int8rtError, ValueError):  # operators on integers that are no codes, for example
        return None
    return values[graph.outputs[0]]


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
