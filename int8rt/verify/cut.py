"""One operator of a model as a model of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from int8rt.model import Model, Subgraph, Tensor
from int8rt.schema.encode import encode

Array = npt.NDArray[Any]

_CALLS = ("IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_CASE", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE")


def cut_operator(
    model: Model, position: int, values: Mapping[int, Array], constants: Mapping[int, Array]
) -> tuple[Model, tuple[int, ...]] | None:
    """The operator at `position` of the first subgraph alone, and which tensors of `model` its inputs are.

    values: of its inputs and outputs, by tensor index, for their shapes. constants: what is known without running; it
    becomes constant data. None where the operator can't stand alone: it calls subgraphs, or its parameters are in other
    tensors.
    """
    return cut_operators(model, range(position, position + 1), values, constants)


def cut_operators(
    model: Model, positions: range, values: Mapping[int, Array], constants: Mapping[int, Array]
) -> tuple[Model, tuple[int, ...]] | None:
    """The operators at `positions`, which follow one another, as `cut_operator` has one.

    Its outputs are what these operators write and do not themselves read, or what the rest of the model reads.
    """
    subgraph = model.subgraphs[0]
    operators = subgraph.operators[positions.start : positions.stop]
    used = list(dict.fromkeys(i for o in operators for i in (*o.inputs, *o.outputs, *o.intermediates) if i >= 0))
    if any(o.name in _CALLS for o in operators) or any(_elsewhere(subgraph.tensors[index]) for index in used):
        return None
    read = {index for operator in operators for index in operator.inputs}
    written = dict.fromkeys(index for operator in operators for index in operator.outputs)
    others = [o for place, o in enumerate(subgraph.operators) if place not in positions]
    wanted = {index for operator in others for index in operator.inputs} | set(subgraph.outputs)
    buffers: list[bytes | memoryview | None] = [None]
    tensors, inputs = [], []
    for index in used:
        tensor = subgraph.tensors[index]
        data = model.buffers[tensor.buffer] if tensor.buffer else None
        if data is None and index in constants and index not in written:
            shape = constants[index].shape  # which the file need not tell of what is computed
            data = encode(constants[index], tensor.type, shape)
            tensor = replace(tensor, shape=shape, shape_signature=None, sparsity=None)
        elif data is None and index in read and index not in written and not tensor.is_variable:
            inputs.append(index)
        shape = values[index].shape if data is None and index in values else tensor.shape
        if data is not None:
            buffers.append(data)
        signature = None if data is None else tensor.shape_signature
        number = 0 if data is None else len(buffers) - 1
        tensors.append(replace(tensor, shape=shape, buffer=number, shape_signature=signature))
    new = {index: place for place, index in enumerate(used)} | {-1: -1}
    alone = tuple(
        replace(
            operator,
            inputs=tuple(new[i] for i in operator.inputs),
            outputs=tuple(new[i] for i in operator.outputs),
            intermediates=tuple(new[i] for i in operator.intermediates),
            debug_metadata_index=-1,
        )
        for operator in operators
    )
    outputs = tuple(new[i] for i in written if len(operators) == 1 or i not in read or i in wanted)
    graph = Subgraph("main", tuple(tensors), tuple(new[i] for i in inputs), outputs, alone)
    what = f"operator {positions.start}" if len(operators) == 1 else f"operators {positions.start} to {positions[-1]}"
    return Model((graph,), tuple(buffers), description=f"{what} of a model"), tuple(inputs)


def _elsewhere(tensor: Tensor) -> bool:
    quantization = tensor.quantization
    apart = quantization is not None and (quantization.blockwise is not None or quantization.multi_axis is not None)
    return apart or tensor.external_buffer != 0
