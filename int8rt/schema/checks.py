"""Does a model agree with itself? Checked once on reading, so that nothing behind has to doubt an index or a size.

All is checked that reading or running could stumble over; that operators stand in an executable order is not.
"""

from __future__ import annotations

import math

import numpy as np

from int8rt.errors import ModelError
from int8rt.model import Model, Operator, Quantization, Subgraph, Tensor, TensorType, shown
from int8rt.schema.calls import check_calls
from int8rt.schema.limits import Limits
from int8rt.schema.packing import string_count
from int8rt.schema.sizes import element_count, file_bytes, memory_bytes
from int8rt.schema.sparse import check_sparsity

_NO_TENSOR = -1
_MOST_ELEMENTS = 1 << 58


def check_model(model: Model, limits: Limits) -> None:
    """Checks indices, sizes, shapes and quantization parameters of the whole model.

    Raises ModelError that names the place, e.g. "subgraph 0, operator 12 (CONV_2D): input 3 is tensor 999, but the
    subgraph has 57 tensors", or the limit that the model exceeds.
    """
    if not model.subgraphs:
        raise ModelError("the model has no subgraph")
    total = 0
    for i, graph in enumerate(model.subgraphs):
        for j, tensor in enumerate(graph.tensors):
            try:
                total += _check_tensor(model, graph, tensor, limits)
            except ModelError as error:
                raise ModelError(f"subgraph {i}, tensor {j} ({tensor.label}): {error}") from None
        if total > limits.max_total_bytes:
            raise ModelError(
                f"the tensors up to subgraph {i} take {total} bytes, more than the {limits.max_total_bytes} that"
                " Limits.max_total_bytes allows"
            )
        _check_indices(graph.inputs, graph, f"subgraph {i}", "input")
        _check_indices(graph.outputs, graph, f"subgraph {i}", "output")
        for j, operator in enumerate(graph.operators):
            _check_operator(graph, operator, f"subgraph {i}, operator {j} ({operator.label})")
    check_calls(model)
    _check_signatures(model)
    _check_buffer_references(model)


def _check_tensor(model: Model, graph: Subgraph, tensor: Tensor, limits: Limits) -> int:
    """Returns the bytes that the tensor takes in memory."""
    if len(tensor.shape) > limits.max_rank:
        raise ModelError(f"it has {len(tensor.shape)} dimensions, more than the {limits.max_rank} of Limits.max_rank")
    if min(tensor.shape, default=0) < 0:
        raise ModelError(f"its shape {tensor.shape} has a negative dimension")
    signature = tensor.shape_signature
    if signature and (len(signature) != len(tensor.shape) or min(signature) < -1):
        raise ModelError(f"its shape_signature {list(signature[:32])} does not fit its shape {list(tensor.shape)}")
    if math.prod(size for size in tensor.shape if size) > _MOST_ELEMENTS:  # NumPy counts so, although 0 makes it empty
        raise ModelError(f"its shape {tensor.shape} has more elements than can be counted")
    size = memory_bytes(tensor)
    if size > limits.max_tensor_bytes:
        raise ModelError(
            f"{tensor.type.label}{list(tensor.shape)} takes {size} bytes, more than the {limits.max_tensor_bytes} that"
            " Limits.max_tensor_bytes allows"
        )
    if tensor.quantization is not None:
        _check_quantization(graph, tensor, tensor.quantization)
    _check_data(model, tensor)
    return size


def _check_data(model: Model, tensor: Tensor) -> None:
    if tensor.external_buffer and all(item.id != tensor.external_buffer for item in model.external_buffers):
        raise ModelError(f"its data is external buffer {tensor.external_buffer}, which the model does not list")
    if tensor.buffer == 0:
        return
    if tensor.buffer >= len(model.buffers):
        raise ModelError(f"its data is buffer {tensor.buffer}, but the model has {len(model.buffers)} buffers")
    data = model.buffers[tensor.buffer]
    if data is None:
        return
    if tensor.type is TensorType.STRING:
        count = string_count(data)
        if count != element_count(tensor):
            raise ModelError(f"its shape {tensor.shape} asks for {element_count(tensor)} strings, its data has {count}")
        return
    needed = file_bytes(tensor)
    if tensor.sparsity is not None:
        needed = -(-check_sparsity(tensor.sparsity, tensor.shape) * tensor.type.bits // 8)
    if needed > len(data):
        raise ModelError(
            f"{tensor.type.label}{list(tensor.shape)} takes {needed} bytes, but buffer {tensor.buffer} has {len(data)}"
        )


def _check_quantization(graph: Subgraph, tensor: Tensor, quantization: Quantization) -> None:
    if not np.isfinite(quantization.scale).all():
        raise ModelError("a quantization scale is not finite")
    kind = tensor.type.dtype.kind
    if kind in "iu" and quantization.zero_point.size:
        signed = kind == "i"
        bits = tensor.type.bits
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        least, most = int(quantization.zero_point.min()), int(quantization.zero_point.max())
        if least < low or most > high:
            raise ModelError(f"a zero point is outside of {tensor.type.label}: {least if least < low else most}")
    for blocks in (quantization.blockwise, quantization.multi_axis):
        if blocks is None:
            continue
        count = len(graph.tensors)
        if not 0 <= blocks.scales < count or not _NO_TENSOR <= blocks.zero_points < count:
            raise ModelError(
                f"its scales are tensor {blocks.scales}, its zero points tensor {blocks.zero_points}, but the subgraph"
                f" has {count} tensors"
            )


def _check_operator(graph: Subgraph, operator: Operator, where: str) -> None:
    _check_indices(operator.inputs, graph, where, "input", optional=True)
    _check_indices(operator.outputs, graph, where, "output")
    _check_indices(operator.intermediates, graph, where, "intermediate", optional=True)


def _check_indices(indices: tuple[int, ...], graph: Subgraph, where: str, what: str, *, optional: bool = False) -> None:
    count = len(graph.tensors)
    if not indices or (min(indices) >= -optional and max(indices) < count):
        return
    for i, index in enumerate(indices):
        if not -optional <= index < count:
            raise ModelError(f"{where}: {what} {i} is tensor {index}, but the subgraph has {count} tensors")


def _check_signatures(model: Model) -> None:
    for signature in model.signatures:
        where = f"signature '{shown(signature.key)}'"
        if signature.subgraph >= len(model.subgraphs):
            raise ModelError(
                f"{where} is about subgraph {signature.subgraph}, but the model has {len(model.subgraphs)} subgraphs"
            )
        count = len(model.subgraphs[signature.subgraph].tensors)
        for what, names in (("input", signature.inputs), ("output", signature.outputs)):
            for name, index in names.items():
                if index >= count:
                    raise ModelError(
                        f"{where}: {what} '{shown(name)}' is tensor {index}, but the subgraph has {count} tensors"
                    )


def _check_buffer_references(model: Model) -> None:
    count = len(model.buffers)
    for item in model.metadata:
        if item.buffer >= count:
            raise ModelError(
                f"metadata '{shown(item.name)}' is buffer {item.buffer}, but the model has {count} buffers"
            )
    for external in model.external_buffers:
        if external.group >= len(model.external_buffer_groups):
            raise ModelError(
                f"external buffer {external.id} is in group {external.group}, but the model has"
                f" {len(model.external_buffer_groups)} groups"
            )
