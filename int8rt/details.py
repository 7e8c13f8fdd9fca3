"""The dictionaries in which the TensorFlow Lite interpreter describes tensors and operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Model, Shape, Subgraph, Tensor, TensorType
from int8rt.schema import constant_value

# What the interpreter reports as `dtype` where it is not the dtype of the values: strings as bytes.
_REPORTED: dict[TensorType, type[Any]] = {TensorType.STRING: np.bytes_}


def tensor_details(model: Model, subgraph_index: int, index: int, shape: Shape) -> dict[str, Any]:
    """One tensor as `Interpreter.get_tensor_details` describes it, with the shape that it has now."""
    subgraph = model.subgraphs[subgraph_index]
    tensor = subgraph.tensors[index]
    scales, zero_points, block_size = _parameters(model, subgraph, tensor)
    whole = block_size == 0 and scales.size == 1 and zero_points.size == 1
    return {
        "name": tensor.name,
        "index": index,
        "shape": np.array(shape, np.int32),
        "shape_signature": np.array(tensor.shape_signature or shape, np.int32),
        "dtype": _reported(tensor),
        "quantization": (float(scales[0]), int(zero_points[0])) if whole else (0.0, 0),
        "quantization_parameters": {
            "scales": scales,
            "zero_points": zero_points,
            "quantized_dimension": 0 if tensor.quantization is None else tensor.quantization.quantized_dimension,
            "block_size": block_size,
        },
        "sparsity_parameters": _sparsity(tensor),
    }


def operator_details(subgraph: Subgraph, index: int) -> dict[str, Any]:
    """One operator as the interpreter's `_get_op_details` describes it."""
    operator = subgraph.operators[index]
    return {
        "index": index,
        "op_name": operator.custom_code or operator.name,
        "inputs": np.array(operator.inputs, np.int32),
        "outputs": np.array(operator.outputs, np.int32),
        "operand_types": [_reported(subgraph.tensors[i]) for i in operator.inputs if i >= 0],
        "result_types": [_reported(subgraph.tensors[i]) for i in operator.outputs if i >= 0],
    }


def _reported(tensor: Tensor) -> type[Any]:
    return _REPORTED.get(tensor.type, tensor.type.dtype.type)


def _parameters(
    model: Model, subgraph: Subgraph, tensor: Tensor
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32], int]:
    """(scales, zero points, block size); those of blocks are the values of other tensors, in their own dtype."""
    quantization = tensor.quantization
    if quantization is None:
        return np.array([], np.float32), np.array([], np.int32), 0
    blocks = quantization.blockwise
    if blocks is None:
        return quantization.scale.copy(), quantization.zero_point.astype(np.int32), 0
    scales = constant_value(model, subgraph.tensors[blocks.scales])
    zero_points = constant_value(model, subgraph.tensors[blocks.zero_points]) if blocks.zero_points >= 0 else None
    return (
        np.array([], np.float16) if scales is None else scales.ravel().copy(),
        np.array([], np.int32) if zero_points is None else zero_points.ravel().astype(np.int32),
        blocks.block_size,
    )


def _sparsity(tensor: Tensor) -> dict[str, Any]:
    sparsity = tensor.sparsity
    if sparsity is None:
        return {}
    return {
        "traversal_order": np.array(sparsity.traversal_order, np.int32),
        "block_map": np.array(sparsity.block_map, np.int32),
        "dim_metadata": [
            {"format": 1, "array_segments": np.array(d.segments), "array_indices": np.array(d.indices)}
            if d.sparse
            else {"format": 0, "dense_size": d.dense_size}
            for d in sparsity.dimensions
        ],
    }
