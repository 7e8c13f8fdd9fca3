"""What LiteRT's loader refuses in a file that is well formed otherwise (TFLite "core/interpreter_builder.cc")."""

from __future__ import annotations

from int8rt.errors import ModelError
from int8rt.model import Model, Operator, Tensor, TensorType
from int8rt.schema.options.empty import EmptyOptions

_VERSION = 3


def check_loadable(model: Model) -> None:
    """Raises ModelError, naming the place, where LiteRT would not load the model.

    Such models can be read and inspected, so `read_model` does not ask for this; the interpreter does.
    """
    if model.version != _VERSION:
        raise ModelError(f"the model has schema version {model.version}, not {_VERSION}")
    for i, graph in enumerate(model.subgraphs):
        for j, tensor in enumerate(graph.tensors):
            try:
                _check_quantization(tensor)
                _check_variable(model, tensor)
            except ModelError as error:
                raise ModelError(f"subgraph {i}, tensor {j} ({tensor.label}): {error}") from None
        for j, operator in enumerate(graph.operators):
            _check_operator(operator, f"subgraph {i}, operator {j} ({operator.label})")


def _check_quantization(tensor: Tensor) -> None:
    quantization = tensor.quantization
    if quantization is None or quantization.blockwise is not None:
        return
    multi = quantization.multi_axis
    if multi is not None:
        if multi.block_size < 0:
            raise ModelError(f"its block size is {multi.block_size}")
        if not multi.quantized_dimensions:
            raise ModelError("it has no quantized dimension")
        for dimension in multi.quantized_dimensions:
            _check_dimension(dimension, tensor)
        return
    scales, zero_points = quantization.scale.size, quantization.zero_point.size
    if scales == 0:
        return
    if scales != zero_points:
        raise ModelError(f"it has {scales} scales, but {zero_points} zero points")
    _check_dimension(quantization.quantized_dimension, tensor)
    if scales != 1 and tensor.shape and scales != tensor.shape[quantization.quantized_dimension]:
        raise ModelError(
            f"it has {scales} scales along dimension {quantization.quantized_dimension} of shape {tensor.shape}"
        )


def _check_dimension(dimension: int, tensor: Tensor) -> None:
    if dimension < 0 or (tensor.shape and dimension >= len(tensor.shape)):
        raise ModelError(f"its quantized dimension is {dimension}, but it has {len(tensor.shape)} dimensions")


def _check_variable(model: Model, tensor: Tensor) -> None:
    if not tensor.is_variable and not tensor.external_buffer:
        return
    if tensor.buffer and model.buffers[tensor.buffer] is not None:
        raise ModelError("it is a variable or has an external buffer, but also data in the file")
    if tensor.is_variable and tensor.type in (TensorType.STRING, TensorType.RESOURCE, TensorType.VARIANT):
        raise ModelError(f"it is a variable of type {tensor.type.label}")


def _check_operator(operator: Operator, where: str) -> None:
    if operator.name == "CUSTOM":
        if not operator.custom_code:
            raise ModelError(f"{where}: a custom operator without a custom code")
        return
    both = set(operator.inputs) & set(operator.outputs)
    if both and operator.options is not None and not isinstance(operator.options, EmptyOptions):
        raise ModelError(f"{where}: tensor {min(both)} is both input and output")
