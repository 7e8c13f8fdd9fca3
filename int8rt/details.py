"""The dictionaries in which the TensorFlow Lite interpreter describes tensors and operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.model import Operator, Shape, Tensor, TensorType

# What the interpreter reports as `dtype`: the packed types as they are stored, strings as bytes.
_REPORTED: dict[TensorType, type[Any]] = {TensorType.STRING: np.bytes_}


def tensor_details(tensor: Tensor, index: int, shape: Shape) -> dict[str, Any]:
    """One tensor as `Interpreter.get_tensor_details` describes it, with the shape that it has now."""
    quantization = tensor.quantization
    scales = np.array([], np.float32) if quantization is None else quantization.scale
    zero_points = np.array([], np.int32) if quantization is None else quantization.zero_point.astype(np.int32)
    per_tensor = (float(scales[0]), int(zero_points[0])) if scales.size == 1 and zero_points.size == 1 else (0.0, 0)
    blockwise = quantization.blockwise if quantization is not None else None
    return {
        "name": tensor.name,
        "index": index,
        "shape": np.array(shape, np.int32),
        "shape_signature": np.array(tensor.shape_signature or shape, np.int32),
        "dtype": _REPORTED.get(tensor.type, tensor.type.dtype.type),
        "quantization": per_tensor,
        "quantization_parameters": {
            "scales": scales,
            "zero_points": zero_points,
            "quantized_dimension": 0 if quantization is None else quantization.quantized_dimension,
            "block_size": 0 if blockwise is None else blockwise.block_size,
        },
        "sparsity_parameters": _sparsity(tensor),
    }


def operator_details(operator: Operator, index: int) -> dict[str, Any]:
    """One operator as `Interpreter._get_op_details` describes it."""
    return {
        "index": index,
        "op_name": operator.custom_code or operator.name,
        "inputs": np.array(operator.inputs, np.int32),
        "outputs": np.array(operator.outputs, np.int32),
    }


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
