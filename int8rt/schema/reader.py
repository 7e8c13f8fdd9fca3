"""Bytes of a .tflite file -> Model; nothing in the file is believed before it is checked."""

from __future__ import annotations

import os
from pathlib import Path

from int8rt.errors import ModelError
from int8rt.model import (
    ExternalBuffer,
    Metadata,
    Model,
    Operator,
    Signature,
    Subgraph,
    Tensor,
    TensorType,
    VariantTensor,
    shown,
)
from int8rt.schema.checks import check_model
from int8rt.schema.cursor import Cursor, Table
from int8rt.schema.limits import Limits
from int8rt.schema.names import operator_name
from int8rt.schema.read_options import read_enum, read_options
from int8rt.schema.read_quantization import read_quantization, read_sparsity

_IDENTIFIER = b"TFL3"
_Code = tuple[str, str, int]


def load_model(path: str | os.PathLike[str], *, limits: Limits | None = None) -> Model:
    """Reads the .tflite file at `path`; see `read_model`, whose ModelError names the file here.

    Raises OSError where the file cannot be read.
    """
    return read_model(Path(path).read_bytes(), limits=limits, name=path)


def read_model(
    data: bytes | bytearray | memoryview, *, limits: Limits | None = None, name: str | os.PathLike[str] = ""
) -> Model:
    """Reads the bytes of a .tflite file. name: the file's, for messages.

    The model's buffers and its vectors of scales are views of `data`, which must not change while the model is in use.
    Raises ModelError, naming the place, where the file is cut off, contradicts itself, or asks for more than `limits`.
    What is well formed but cannot be run is not looked at here; see `checks.check_loadable` for what LiteRT refuses.
    """
    try:
        return _checked_model(Cursor(memoryview(data).toreadonly().cast("B")), limits or Limits())
    except ModelError as error:
        if name:
            raise ModelError(f"{os.fspath(name)}: {error}") from None
        raise


def _checked_model(cursor: Cursor, limits: Limits) -> Model:
    if cursor.size < 8:
        raise ModelError(f"not a TensorFlow Lite model: {cursor.size} bytes")
    if cursor.data[4:8] != _IDENTIFIER:
        raise ModelError(f"not a TensorFlow Lite model: its identifier is {bytes(cursor.data[4:8])!r}, not b'TFL3'")
    model = _read_model(cursor.table(cursor.target(0, "model"), "model"))
    check_model(model, limits)
    return model


def _read_model(root: Table) -> Model:
    cursor = root.cursor
    codes = [_read_code(table) for table in root.tables(1, "operator codes")]
    subgraphs = []
    for i, table in enumerate(root.tables(2, "subgraphs")):
        subgraphs.append(_read_subgraph(table, i, codes))
        cursor.where = ""
    return Model(
        subgraphs=tuple(subgraphs),
        buffers=tuple(_read_buffer(table, i) for i, table in enumerate(root.tables(4, "buffers"))),
        version=root.number(0, "version", "uint32"),
        description=root.string(3, "description"),
        signatures=tuple(_read_signature(table) for table in root.tables(7, "signatures")),
        metadata=tuple(
            Metadata(table.string(0, "metadata name"), table.number(1, "metadata buffer", "uint32"))
            for table in root.tables(6, "metadata")
        ),
        metadata_buffer=root.numbers(5, "metadata buffers") or (),
        external_buffer_groups=tuple(
            table.string(0, "group name") for table in root.tables(8, "external buffer groups")
        ),
        external_buffers=tuple(
            ExternalBuffer(
                id=table.number(0, "id", "uint32"),
                group=table.number(1, "group", "uint32"),
                offset=table.number(2, "offset", "uint64"),
                length=table.number(3, "length", "uint64"),
                packing=table.string(4, "packing"),
            )
            for table in root.tables(9, "external buffers")
        ),
    )


def _read_code(table: Table) -> _Code:
    """Name, custom code and version. Files from before 2020 have the number in the first, one-byte field only."""
    code = max(table.number(0, "deprecated_builtin_code", "int8"), table.number(3, "builtin_code", "int32"))
    if code < 0:
        table.cursor.fail(f"operator code {code} is negative")
    return operator_name(code), table.string(1, "custom_code"), table.number(2, "version", "int32", 1)


def _outside(cursor: Cursor, offset: int, size: int, what: str) -> memoryview:
    """Bytes that stand behind the flatbuffer, in files over 2 GiB."""
    if offset + size > cursor.size:
        cursor.fail(f"{what}: bytes {offset} to {offset + size} are outside of the file ({cursor.size} bytes)")
    return cursor.data[offset : offset + size]


def _read_buffer(table: Table, index: int) -> memoryview | None:
    data = table.raw(0, "buffer data")
    offset = table.number(1, "buffer offset", "uint64")
    if data is None and offset > 1:  # 0 and 1 mean that the field is not used
        size = table.number(2, "buffer size", "uint64")
        return _outside(table.cursor, offset, size, f"buffer {index}")
    return data


def _read_subgraph(table: Table, index: int, codes: list[_Code]) -> Subgraph:
    cursor = table.cursor
    here = f"subgraph {index}"
    tensors = []
    for i, item in enumerate(table.tables(0, f"{here}, tensors")):
        cursor.where = f"{here}, tensor {i}"
        tensors.append(_read_tensor(item))
    operators = []
    cursor.where = here
    for i, item in enumerate(table.tables(3, "operators")):
        cursor.where = f"{here}, operator {i}"
        operators.append(_read_operator(item, codes))
    cursor.where = here
    return Subgraph(
        name=table.string(4, "name"),
        tensors=tuple(tensors),
        inputs=table.numbers(1, "inputs") or (),
        outputs=table.numbers(2, "outputs") or (),
        operators=tuple(operators),
        debug_metadata_index=table.number(5, "debug_metadata_index", "int32", -1),
    )


def _read_tensor(table: Table) -> Tensor:
    return Tensor(
        name=table.string(3, "name"),
        type=read_enum(table, 1, "type", TensorType),
        shape=table.numbers(0, "shape") or (),
        buffer=table.number(2, "buffer", "uint32"),
        quantization=read_quantization(table.table(4, "quantization")),
        shape_signature=table.numbers(7, "shape_signature"),
        is_variable=table.number(5, "is_variable", "bool", False),
        has_rank=table.number(8, "has_rank", "bool", False),
        sparsity=read_sparsity(table.table(6, "sparsity")),
        variant_tensors=tuple(
            VariantTensor(
                shape=item.numbers(0, "variant shape") or (),
                type=read_enum(item, 1, "variant type", TensorType),
                has_rank=item.number(2, "variant has_rank", "bool", False),
            )
            for item in table.tables(9, "variant_tensors")
        ),
        external_buffer=table.number(10, "external_buffer", "uint32"),
    )


def _read_operator(table: Table, codes: list[_Code]) -> Operator:
    cursor = table.cursor
    index = table.number(0, "opcode_index", "uint32")
    if index >= len(codes):
        cursor.fail(f"its code is number {index}, but the model has {len(codes)} operator codes")
    name, custom_code, version = codes[index]
    cursor.where = f"{cursor.where} ({name}{':' if custom_code else ''}{shown(custom_code)})"
    custom_options = table.copy(5, "custom_options")
    offset = table.number(9, "large_custom_options_offset", "uint64")
    if not custom_options and offset > 1:
        size = table.number(10, "large_custom_options_size", "uint64")
        view = _outside(cursor, offset, size, "large_custom_options")
        cursor.charge(size, "large_custom_options")
        custom_options = bytes(view)
    return Operator(
        name=name,
        inputs=table.numbers(1, "inputs") or (),
        outputs=table.numbers(2, "outputs") or (),
        version=version,
        options=read_options(table),
        custom_code=custom_code,
        custom_options=custom_options,
        intermediates=table.numbers(8, "intermediates") or (),
        mutating_variable_inputs=table.numbers(7, "mutating_variable_inputs", "bool") or (),
        debug_metadata_index=table.number(13, "debug_metadata_index", "int32", -1),
    )


def _read_signature(table: Table) -> Signature:
    inputs, outputs = (
        {item.string(0, "tensor name"): item.number(1, "tensor_index", "uint32") for item in table.tables(slot, what)}
        for slot, what in ((0, "signature inputs"), (1, "signature outputs"))
    )
    return Signature(table.string(2, "signature key"), table.number(4, "subgraph_index", "uint32"), inputs, outputs)
