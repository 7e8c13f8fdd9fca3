"""Model -> bytes of a .tflite file; the inverse of `schema.reader`."""

from __future__ import annotations

from typing import Any

from int8rt.errors import ModelError
from int8rt.model import BlockwiseQuantization, Model, Operator, Quantization, Signature, Sparsity, Subgraph, Tensor
from int8rt.schema.names import BUILTIN_CODES, operator_code
from int8rt.schema.options import UnknownOptions
from int8rt.schema.options.unions import BUILTIN_OPTIONS, BUILTIN_OPTIONS_2
from int8rt.schema.output import ALIGNMENT, Output

_LARGEST_FLATBUFFER = 2**31 - 2**24
_FIRST_UNION = {table: i for i, table in enumerate(BUILTIN_OPTIONS, 1)}
_SECOND_UNION = {table: i for i, table in enumerate(BUILTIN_OPTIONS_2, 1)}
_INDEX_VECTORS = {"int32": 1, "uint16": 2, "uint8": 3}

# The old one-byte field of an operator's number holds this where the number does not fit.
_PLACEHOLDER = BUILTIN_CODES["PLACEHOLDER_FOR_GREATER_OP_CODES"]


def write_model(model: Model, *, buffers_outside: bool | None = None) -> bytes:
    """The .tflite file of `model`, its buffers aligned to 16 bytes.

    buffers_outside: put buffers behind the flatbuffer, found by offset and size, as files over 2 GiB must; None does so
    where the size asks for it. Nothing but the types of the values is checked, so that broken files can be made, too.
    Raises ModelError, naming the place, where a value does not fit its type in the file.
    """
    return bytes(model_file(model, buffers_outside=buffers_outside))


def model_file(model: Model, *, buffers_outside: bool | None = None) -> bytes | memoryview:
    """As `write_model`, without a last copy: for what goes straight into a file."""
    total = sum(len(buffer) for buffer in model.buffers if buffer is not None)
    outside = total > _LARGEST_FLATBUFFER if buffers_outside is None else buffers_outside
    writer = _Writer(outside, total)
    try:
        writer.write(model)
    except (ModelError, TypeError, AttributeError, UnicodeError) as error:
        raise ModelError(f"cannot write {writer.where}: {error}") from error
    flatbuffer = writer.out.finished()
    return _with_buffers_behind(bytearray(flatbuffer), model, writer.places) if outside else flatbuffer


def _likely_size(model: Model) -> int:
    """About what everything but the buffers' bytes takes: room for it from the start, since growing copies it all."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    scales = sum(tensor.quantization.scale.size for tensor in tensors if tensor.quantization is not None)
    names = sum(len(tensor.name) for tensor in tensors)
    operators = sum(len(graph.operators) for graph in model.subgraphs)
    return 4096 + 192 * len(tensors) + 160 * operators + 48 * len(model.buffers) + names + 12 * scales


def _with_buffers_behind(flatbuffer: bytearray, model: Model, places: dict[int, tuple[int, int]]) -> bytes:
    """Appends buffers; `places`: for a buffer, how far from the end its offset and its size stand."""
    parts: list[bytes | bytearray | memoryview] = [flatbuffer]
    end = len(flatbuffer)
    for index, fields in places.items():
        data = model.buffers[index] or b""
        parts += [bytes(-end % ALIGNMENT), data]
        start = end + -end % ALIGNMENT
        end = start + len(data)
        for field, value in zip(fields, (start, len(data)), strict=True):
            position = len(flatbuffer) - field
            flatbuffer[position : position + 8] = value.to_bytes(8, "little")
    return b"".join(parts)


class _Writer:
    """Children before parents, as a flatbuffer grows. `where` is what is being written, for error messages."""

    def __init__(self, outside: bool, total: int) -> None:
        self.out = Output(4096)
        self.inside = 0 if outside else total
        self.outside = outside
        self.codes: dict[tuple[int, str, int], int] = {}
        self.places: dict[int, tuple[int, int]] = {}
        self.where = "the model"

    def write(self, model: Model) -> None:
        out = self.out = Output(self.inside + _likely_size(model))
        buffers = out.offsets([self.buffer(i, data) for i, data in enumerate(model.buffers)])
        subgraphs = out.offsets([self.subgraph(i, graph) for i, graph in enumerate(model.subgraphs)])
        self.where = "the model"
        codes = out.offsets([self.code(*code) for code in self.codes])
        signatures = [self.signature(signature) for signature in model.signatures]
        metadata = [
            out.table((0, "offset", out.string(item.name), 0), (1, "uint32", item.buffer, 0)) for item in model.metadata
        ]
        groups = [out.table((0, "offset", out.string(name), 0)) for name in model.external_buffer_groups]
        external = [
            out.table(
                (4, "offset", out.string(item.packing) if item.packing else 0, 0),
                (2, "uint64", item.offset, 0),
                (3, "uint64", item.length, 0),
                (0, "uint32", item.id, 0),
                (1, "uint32", item.group, 0),
            )
            for item in model.external_buffers
        ]
        root = out.table(
            (0, "uint32", model.version, 0),
            (1, "offset", codes, 0),
            (2, "offset", subgraphs, 0),
            (3, "offset", out.string(model.description), 0),
            (4, "offset", buffers, 0),
            (5, "offset", out.vector(model.metadata_buffer, "int32") if model.metadata_buffer else 0, 0),
            (6, "offset", out.offsets(metadata) if metadata else 0, 0),
            (7, "offset", out.offsets(signatures) if signatures else 0, 0),
            (8, "offset", out.offsets(groups) if groups else 0, 0),
            (9, "offset", out.offsets(external) if external else 0, 0),
        )
        out.builder.Finish(root, b"TFL3")

    def buffer(self, index: int, data: bytes | memoryview | None) -> int:
        self.where = f"buffer {index}"
        out = self.out
        if data is None:
            return out.table()
        if not self.outside or len(data) == 0:
            return out.table((0, "offset", out.raw(data), 0))
        out.builder.StartObject(3)
        out.builder.PrependUint64Slot(2, 1, 0)  # two placeholders, since only the end of the writing tells the values
        size = out.builder.Offset()
        out.builder.PrependUint64Slot(1, 1, 0)
        self.places[index] = (out.builder.Offset(), size)
        return int(out.builder.EndObject())

    def code(self, code: int, custom_code: str, version: int) -> int:
        return self.out.table(
            (1, "offset", self.out.string(custom_code) if custom_code else 0, 0),
            (2, "int32", version, 1),
            (3, "int32", code, 0),
            (0, "int8", min(code, _PLACEHOLDER), 0),
        )

    def subgraph(self, index: int, graph: Subgraph) -> int:
        out = self.out
        tensors = []
        for i, tensor in enumerate(graph.tensors):
            self.where = f"subgraph {index}, tensor {i} ({tensor.label})"
            tensors.append(self.tensor(tensor))
        operators = []
        for i, operator in enumerate(graph.operators):
            self.where = f"subgraph {index}, operator {i} ({operator.label})"
            operators.append(self.operator(operator))
        self.where = f"subgraph {index}"
        return out.table(
            (0, "offset", out.offsets(tensors), 0),
            (1, "offset", out.vector(graph.inputs, "int32"), 0),
            (2, "offset", out.vector(graph.outputs, "int32"), 0),
            (3, "offset", out.offsets(operators), 0),
            (4, "offset", out.string(graph.name) if graph.name else 0, 0),
            (5, "int32", graph.debug_metadata_index, -1),
        )

    def operator(self, operator: Operator) -> int:
        out = self.out
        key = (operator_code(operator.name), operator.custom_code, operator.version)
        union, number = _union(operator.options)
        options = out.options(operator.options) if number else 0
        variables = operator.mutating_variable_inputs
        return out.table(
            (0, "uint32", self.codes.setdefault(key, len(self.codes)), 0),
            (1, "offset", out.vector(operator.inputs, "int32"), 0),
            (2, "offset", out.vector(operator.outputs, "int32"), 0),
            (4, "offset", options if union == 1 else 0, 0),
            (5, "offset", out.raw(operator.custom_options) if operator.custom_options else 0, 0),
            (7, "offset", out.vector(variables, "bool") if variables else 0, 0),
            (8, "offset", out.vector(operator.intermediates, "int32") if operator.intermediates else 0, 0),
            (12, "offset", options if union == 2 else 0, 0),
            (13, "int32", operator.debug_metadata_index, -1),
            (3, "uint8", number if union == 1 else 0, 0),
            (11, "uint8", number if union == 2 else 0, 0),
        )

    def tensor(self, tensor: Tensor) -> int:
        out = self.out
        signature = tensor.shape_signature
        variants = [
            out.table(
                (0, "offset", out.vector(item.shape, "int32"), 0),
                (1, "int8", item.type, 0),
                (2, "bool", item.has_rank, False),
            )
            for item in tensor.variant_tensors
        ]
        return out.table(
            (0, "offset", out.vector(tensor.shape, "int32"), 0),
            (2, "uint32", tensor.buffer, 0),
            (3, "offset", out.string(tensor.name) if tensor.name else 0, 0),
            (4, "offset", self.quantization(tensor.quantization) if tensor.quantization is not None else 0, 0),
            (6, "offset", self.sparsity(tensor.sparsity) if tensor.sparsity is not None else 0, 0),
            (7, "offset", out.vector(signature, "int32") if signature is not None else 0, 0),
            (9, "offset", out.offsets(variants) if variants else 0, 0),
            (10, "uint32", tensor.external_buffer, 0),
            (1, "int8", tensor.type, 0),
            (5, "bool", tensor.is_variable, False),
            (8, "bool", tensor.has_rank, False),
        )

    def quantization(self, value: Quantization) -> int:
        out = self.out
        kind, details = self.quantization_details(value)
        return out.table(
            (0, "offset", out.vector(value.min, "float32") if value.min is not None else 0, 0),
            (1, "offset", out.vector(value.max, "float32") if value.max is not None else 0, 0),
            (2, "offset", out.vector(value.scale, "float32") if value.scale.size else 0, 0),
            (3, "offset", out.vector(value.zero_point, "int64") if value.zero_point.size else 0, 0),
            (5, "offset", details, 0),
            (6, "int32", value.quantized_dimension, 0),
            (4, "uint8", kind, 0),
        )

    def quantization_details(self, value: Quantization) -> tuple[int, int]:
        out = self.out
        if value.custom is not None:
            return 1, out.table((0, "offset", out.raw(value.custom), 0))
        blocks = value.blockwise or value.multi_axis
        if blocks is None:
            return 0, 0
        last = blocks.block_shape if isinstance(blocks, BlockwiseQuantization) else blocks.quantized_dimensions
        table = out.table(
            (0, "int32", blocks.scales, 0),
            (1, "int32", blocks.zero_points, 0),
            (2, "int32", blocks.block_size, 0),
            (3, "offset", out.vector(last, "int32") if last else 0, 0),
        )
        return 2 if isinstance(blocks, BlockwiseQuantization) else 3, table

    def sparsity(self, value: Sparsity) -> int:
        out = self.out
        dimensions = []
        for item in value.dimensions:
            slots: list[tuple[int, str, Any, Any]] = [(1, "int32", item.dense_size, 0), (0, "int8", item.sparse, 0)]
            for slot, vector in ((2, item.segments), (4, item.indices)) if item.sparse else ():
                if vector.dtype.name not in _INDEX_VECTORS:
                    raise ModelError(f"a sparse dimension's indices are {vector.dtype}, not int32, uint16 or uint8")
                table = out.table((0, "offset", out.vector(vector, vector.dtype.name), 0))
                slots += [(slot + 1, "offset", table, 0), (slot, "uint8", _INDEX_VECTORS[vector.dtype.name], 0)]
            dimensions.append(out.table(*slots))
        return out.table(
            (0, "offset", out.vector(value.traversal_order, "int32"), 0),
            (1, "offset", out.vector(value.block_map, "int32") if value.block_map else 0, 0),
            (2, "offset", out.offsets(dimensions), 0),
        )

    def signature(self, value: Signature) -> int:
        out = self.out
        maps = []
        for names in (value.inputs, value.outputs):
            entries = [
                out.table((0, "offset", out.string(name), 0), (1, "uint32", index, 0)) for name, index in names.items()
            ]
            maps.append(out.offsets(entries))
        return out.table(
            (0, "offset", maps[0], 0),
            (1, "offset", maps[1], 0),
            (2, "offset", out.string(value.key), 0),
            (4, "uint32", value.subgraph, 0),
        )


def _union(options: Any) -> tuple[int, int]:
    """Which union `options` belongs to and its number there; number 0 where there are none."""
    if options is None:
        return 1, 0
    if isinstance(options, UnknownOptions):
        raise ModelError(f"options of type {options.type} of a newer schema were not kept, so they cannot be written")
    for union, numbers in enumerate((_FIRST_UNION, _SECOND_UNION), 1):
        if type(options) in numbers:
            return union, numbers[type(options)]
    raise ModelError(f"{type(options).__name__} is not an options table")
