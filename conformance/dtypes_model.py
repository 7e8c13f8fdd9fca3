"""Models of one operator with other types than they were made for, for `dtypes`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from int8rt.model import Model, Operator, Quantization, Shape, Tensor, TensorType
from int8rt.schema.constant import constant_value
from int8rt.schema.encode import encode

Array = npt.NDArray[Any]
# How codes of other types are quantized: as those that they replace, with a scale in any case, without.
Scales = Literal["given", "scaled", "bare"]
SCALES: tuple[Scales, ...] = ("given", "scaled", "bare")

# LiteRT's Python interface can't set tensors of these types, nor one string: they become constants.
_CONSTANT = {
    TensorType.BFLOAT16,
    TensorType.FLOAT8_E4M3FN,
    TensorType.FLOAT8_E5M2,
    TensorType.UINT4,
    TensorType.INT2,
}
_EIGHT_BIT = (TensorType.INT8, TensorType.UINT8)
_CODES = (*_EIGHT_BIT, TensorType.INT16)
_SCALED = (*_CODES, TensorType.INT32, TensorType.INT64, TensorType.INT4, TensorType.UINT4, TensorType.INT2)
_FIRST_VERSIONS = {"BROADCAST_TO": 2}
_FIXED_INT16 = ("LOGISTIC", "TANH", "SOFTMAX")


def values(shape: Shape, type: TensorType, small: bool = False) -> Array:
    """Something to feed: numbers from the whole type, or 0 and 1 where they may be places or numbers of elements."""
    count = int(np.prod(shape))
    rng = np.random.default_rng(count)
    if type is TensorType.STRING:
        strings = np.empty(count, object)
        strings[:] = [b"ab"[: 1 + i % 2] for i in range(count)]
        return strings.reshape(shape)
    numbers: Any = np.arange(count) % 2
    if not small and type.bits >= 8:
        if type.dtype.kind == "f":
            numbers = rng.uniform(-2, 2, count)
        elif type.dtype.kind == "c":
            numbers = rng.normal(size=count) + 1j * rng.normal(size=count)
        elif type in _EIGHT_BIT:
            numbers = rng.integers(np.iinfo(type.dtype).min, np.iinfo(type.dtype).max, count, endpoint=True)
        elif type is TensorType.INT16:
            numbers = rng.integers(-3000, 3000, count)
    return np.asarray(numbers).astype(type.dtype).reshape(shape)


def retyped(model: Model, types: Mapping[int, TensorType], scales: Scales) -> Model | None:
    """`model` with tensors of its one operator in these types; None where a sparse tensor would change.

    Constants keep their numbers as far as they fit, options that name the output's type follow it, and so do the
    tensors of other subgraphs that stand for its elements.
    """
    graph = model.subgraphs[0]
    (operator,) = graph.operators
    tensors, buffers, inputs = list(graph.tensors), list(model.buffers), list(graph.inputs)
    for index, type in types.items():
        tensor = tensors[index]
        if tensor.sparsity is not None:
            if type != tensor.type:
                return None
            continue
        data = constant_value(model, tensor)
        if data is not None and type != tensor.type:
            data = _converted(data, type)
        elif _is_unsettable(type, tensor.shape) and index in inputs and not tensor.is_variable:
            data = values(tensor.shape, type, small=True)
            inputs.remove(index)
        quantization = _quantization(operator, tensor, type, scales, index in operator.outputs)
        tensors[index] = dataclasses.replace(tensor, type=type, quantization=quantization)
        if data is not None:
            buffers.append(encode(data, type, tensor.shape))
            tensors[index] = dataclasses.replace(tensors[index], buffer=len(buffers) - 1)
    version = max(operator.version, _FIRST_VERSIONS.get(operator.name, 1))
    operator = dataclasses.replace(operator, options=_options(operator, tensors), version=version)
    main = dataclasses.replace(graph, tensors=tuple(tensors), inputs=tuple(inputs), operators=(operator,))
    others = model.subgraphs[1:]
    if operator.name.startswith("STABLEHLO_") and operator.name != "STABLEHLO_COMPOSITE":
        element = tensors[operator.inputs[0]].type
        others = tuple(
            dataclasses.replace(other, tensors=tuple(dataclasses.replace(t, type=element) for t in other.tensors))
            for other in others
        )
    return dataclasses.replace(model, subgraphs=(main, *others), buffers=tuple(buffers))


def _is_unsettable(type: TensorType, shape: Shape) -> bool:
    return type in _CONSTANT or (type is TensorType.STRING and not shape)


def _converted(data: Array, type: TensorType) -> Array:
    if type is TensorType.STRING or data.dtype == object:
        return values(data.shape, type, small=True)
    with np.errstate(all="ignore"):
        if type.bits >= 8:
            return data.astype(type.dtype)
        signed = type.dtype.kind == "i"
        low, high = (-(1 << (type.bits - 1)), (1 << (type.bits - 1)) - 1) if signed else (0, (1 << type.bits) - 1)
        return np.clip(data.real.astype(np.float64), low, high).astype(type.dtype)


def _quantization(
    operator: Operator, tensor: Tensor, type: TensorType, scales: Scales, is_output: bool
) -> Quantization | None:
    given = tensor.quantization
    if scales == "bare" or type not in _SCALED or (given is None and (scales == "given" or type not in _CODES)):
        return None
    given = given or Quantization.per_tensor(0.05, 3)
    if type == tensor.type or given.scale.size != 1:
        return given
    scale, zero_point = float(given.scale[0]), int(given.zero_point[0])
    signed = zero_point - 128 if tensor.type is TensorType.UINT8 else zero_point
    if type in _EIGHT_BIT:
        return Quantization.per_tensor(scale, signed if type is TensorType.INT8 else signed + 128)
    fixed = type is TensorType.INT16 and is_output and operator.name in _FIXED_INT16
    return Quantization.per_tensor(1 / 32768 if fixed else scale)


def _options(operator: Operator, tensors: list[Tensor]) -> Any:
    """Options with the types that they name."""
    options = operator.options
    if options is None or not operator.outputs:
        return options
    named: dict[str, TensorType] = {}
    for field in dataclasses.fields(options):
        if not isinstance(getattr(options, field.name), TensorType):
            continue
        bias = 3 if operator.name == "TRANSPOSE_CONV" else 2
        if field.name == "quantized_bias_type":
            index = operator.inputs[bias] if len(operator.inputs) > bias else -1
        else:
            index = operator.inputs[0] if field.name == "in_data_type" else operator.outputs[-1]
        if index >= 0:
            named[field.name] = tensors[index].type
    return dataclasses.replace(options, **named)
