"""One operator of a model as a model of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from int8rt.model import Model, Subgraph, Tensor
from int8rt.schema.encode import encode

Array = npt.NDArray[Any]

_CALLS = ("IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE")


def cut_operator(
    model: Model, position: int, values: Mapping[int, Array], constants: Mapping[int, Array]
) -> tuple[Model, tuple[int, ...]] | None:
    """The operator at `position` of the first subgraph alone, and which tensors of `model` its inputs are.

    values: of its inputs and outputs, by tensor index, for their shapes. constants: what is known without running; it
    becomes constant data. None where the operator can't stand alone: it calls subgraphs, or its parameters are in other
    tensors.
    """
    subgraph = model.subgraphs[0]
    operator = subgraph.operators[position]
    used = list(dict.fromkeys(i for i in (*operator.inputs, *operator.outputs, *operator.intermediates) if i >= 0))
    if operator.name in _CALLS or any(_elsewhere(subgraph.tensors[index]) for index in used):
        return None
    buffers: list[bytes | memoryview | None] = [None]
    tensors, inputs = [], []
    for index in used:
        tensor = subgraph.tensors[index]
        data = model.buffers[tensor.buffer] if tensor.buffer else None
        if data is None and index in constants and index not in operator.outputs:
            data, tensor = encode(constants[index], tensor.type, constants[index].shape), replace(tensor, sparsity=None)
        elif data is None and index in operator.inputs and not tensor.is_variable:
            inputs.append(index)
        shape = values[index].shape if data is None and index in values else tensor.shape
        if data is not None:
            buffers.append(data)
        signature = None if data is None else tensor.shape_signature
        number = 0 if data is None else len(buffers) - 1
        tensors.append(replace(tensor, shape=shape, buffer=number, shape_signature=signature))
    new = {index: place for place, index in enumerate(used)} | {-1: -1}
    alone = replace(
        operator,
        inputs=tuple(new[i] for i in operator.inputs),
        outputs=tuple(new[i] for i in operator.outputs),
        intermediates=tuple(new[i] for i in operator.intermediates),
        debug_metadata_index=-1,
    )
    graph = Subgraph(
        "main",
        tuple(tensors),
        tuple(new[i] for i in inputs),
        tuple(new[i] for i in dict.fromkeys(operator.outputs)),
        (alone,),
    )
    return Model((graph,), tuple(buffers), description=f"operator {position} of a model"), tuple(inputs)


def _elsewhere(tensor: Tensor) -> bool:
    quantization = tensor.quantization
    apart = quantization is not None and (quantization.blockwise is not None or quantization.multi_axis is not None)
    return apart or tensor.external_buffer != 0
