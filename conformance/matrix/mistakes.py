"""What a runtime may do wrong beside rounding, tried on a whole model of one operator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from int8rt.conformance.run import expected
from int8rt.kernels.rows import by_rows
from int8rt.kernels.softmax import SoftmaxInt16Params, softmax_int16
from int8rt.model import ActivationFunctionType, Model, Tensor, TensorType
from int8rt.quantization.lookup_table import RealFunction, lookup_int16, populate_lookup_table_int16
from int8rt.verify.runtimes.base import Array
from int8rt.verify.teacher import Teacher

NO_ACTIVATION = "tflite-ref; no activation"
AS_INT8 = "tflite-ref of uint8 as int8, 128 less"
AS_INT8_NO_ACTIVATION = f"{AS_INT8}; no activation"
FLOAT64_TABLE = "a table of 513 entries, computed in float64"
WRAPPED_SOFTMAX = "tflite-ref; scaled differences wrap around"
HALF_PIXELS = "half_pixel_centers is ignored"
ONE_GROUP = "the input's memory is read with the channels of one group"
_FUNCTIONS: dict[str, RealFunction] = {"LOGISTIC": lambda x: 1 / (1 + np.exp(-x)), "TANH": np.tanh}


def mistaken(model: Model, inputs: Sequence[Array]) -> Iterator[tuple[str, Array]]:
    """Name and output of each; where one does not concern the model, what is right."""
    yield from _of_tables(model, inputs)
    plain, shifted, values = _without_activation(model), _as_int8(model), [_lower(value) for value in inputs]
    right = expected(model, inputs)
    yield NO_ACTIVATION, right if plain is model else expected(plain, inputs)
    if shifted is not model:
        yield AS_INT8, _higher(expected(shifted, values))
        yield AS_INT8_NO_ACTIVATION, _higher(expected(_without_activation(shifted), values))


def _of_tables(model: Model, inputs: Sequence[Array]) -> Iterator[tuple[str, Array]]:
    """int16 functions as models have them after their conversion to TOSA."""
    graph = model.subgraphs[0]
    operator, output = graph.operators[0], graph.tensors[graph.outputs[0]]
    if output.type != TensorType.INT16 or output.quantization is None:
        return
    if operator.name in _FUNCTIONS:
        quantization = graph.tensors[operator.inputs[0]].quantization
        assert quantization is not None
        # TensorFlow Lite's tables count 65536 steps on the way of 65535.
        scales = float(quantization.scale[0]), 0, float(output.quantization.scale[0]) * 65536 / 65535, 0
        table = populate_lookup_table_int16(_FUNCTIONS[operator.name], *scales, np.float64)
        yield FLOAT64_TABLE, lookup_int16(inputs[0], table)
    elif operator.name == "SOFTMAX":
        params = Teacher(model, inputs, "tflite-ref").plan.steps[0].params
        assert isinstance(params, SoftmaxInt16Params)
        wrapping = partial(softmax_int16, params, narrow=lambda x, dtype: x.astype(dtype))
        yield WRAPPED_SOFTMAX, by_rows(inputs[0], np.int16, wrapping)


def variants(model: Model, inputs: Sequence[Array]) -> Iterator[tuple[str, Model, Sequence[Array]]]:
    """The model without what a converter may lose: what is added to a name, the model, its inputs; none that are the
    same.
    """
    options: Any = model.subgraphs[0].operators[0].options
    if (plain := _without_activation(model)) is not model:
        yield "no activation", plain, inputs
    if getattr(options, "beta", 1.0) != 1.0:
        yield "beta is ignored", _with_options(model, replace(options, beta=1.0)), inputs
    if getattr(options, "half_pixel_centers", False):
        yield HALF_PIXELS, _with_options(model, replace(options, half_pixel_centers=False)), inputs
    if (narrow := _of_one_group(model, inputs)) is not None:
        yield ONE_GROUP, *narrow


def _without_activation(model: Model) -> Model:
    options: Any = model.subgraphs[0].operators[0].options
    none = ActivationFunctionType.NONE
    if getattr(options, "fused_activation_function", none) == none:
        return model
    return _with_options(model, replace(options, fused_activation_function=none))


def _with_options(model: Model, options: Any) -> Model:
    graph = model.subgraphs[0]
    operator = replace(graph.operators[0], options=options)
    return replace(model, subgraphs=(replace(graph, operators=(operator,)),))


def _of_one_group(model: Model, inputs: Sequence[Array]) -> tuple[Model, Sequence[Array]] | None:
    """A CONV_2D in groups on the input's first codes, as an image with the channels of one group; None for others."""
    graph = model.subgraphs[0]
    if graph.operators[0].name != "CONV_2D":
        return None
    input, filter = (graph.tensors[i] for i in graph.operators[0].inputs[:2])
    channels = filter.shape[3]
    if input.shape[3] <= channels or graph.inputs != graph.operators[0].inputs[:1]:
        return None
    shape = (*input.shape[:3], channels)
    tensors = tuple(replace(t, shape=shape, shape_signature=None) if t is input else t for t in graph.tensors)
    codes = np.resize(inputs[0].reshape(-1), shape)
    return replace(model, subgraphs=(replace(graph, tensors=tensors),)), [codes]


def _as_int8(model: Model) -> Model:
    """The model on codes that are 128 less; itself where it has constants of uint8, or none of that type."""
    graph = model.subgraphs[0]
    unsigned = [tensor for tensor in graph.tensors if tensor.type == TensorType.UINT8]
    if not unsigned or any(tensor.buffer or tensor.quantization is None for tensor in unsigned):
        return model
    return replace(model, subgraphs=(replace(graph, tensors=tuple(map(_lower_tensor, graph.tensors))),))


def _lower_tensor(tensor: Tensor) -> Tensor:
    if tensor.type != TensorType.UINT8 or tensor.quantization is None:
        return tensor
    lower = replace(tensor.quantization, zero_point=tensor.quantization.zero_point - 128)
    return replace(tensor, type=TensorType.INT8, quantization=lower)


def _lower(value: Array) -> Array:
    return (value.astype(np.int16) - 128).astype(np.int8) if value.dtype == np.uint8 else value


def _higher(value: Array) -> Array:
    return (value.astype(np.int16) + 128).astype(np.uint8) if value.dtype == np.int8 else value
