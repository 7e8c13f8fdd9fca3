"""HASHTABLE, HASHTABLE_IMPORT, HASHTABLE_FIND, HASHTABLE_SIZE: tables that all subgraphs of a model share.

A table is known by the number in the file and keeps what was first put into it. Keys are int64 and values strings, or
the other way round. LiteRT's reference kernels lack these operators; they move data, as the optimized resolver's do.

HASHTABLE        output: resource[1]
HASHTABLE_IMPORT input: resource[1], keys[..], values[..] of one shape; no output; of equal keys the first counts
HASHTABLE_FIND   input: resource[1], keys[..], default, output: values[..]
HASHTABLE_SIZE   input: resource[1], output: int64[1]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.runtime import Runtime, Table, TableHandle
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.schema.options import HashtableOptions

_PAIRS = ((TensorType.INT64, TensorType.STRING), (TensorType.STRING, TensorType.INT64))
# What an entry takes besides its bytes.
_ENTRY_BYTES = 100


def prepare_handle(context: OperatorContext) -> Params:
    """The handle, which is known before anything runs."""
    options = context.options(HashtableOptions)
    key, value = TensorType(options.key_dtype), TensorType(options.value_dtype)
    if (key, value) not in _PAIRS:
        raise context.invalid(f"a table of {value.label} by {key.label}; accepted: int64 and string, either way round")
    handle = np.empty(1, object)
    handle[0] = TableHandle(options.table_id, key, value)
    return Params(output_shapes=((1,),), known_outputs=(handle,))


def evaluate_handle(params: Params, runtime: Runtime) -> Array:
    """The value found by `prepare_handle`; the table is there from now on."""
    (handle,) = params.known_outputs
    assert handle is not None
    runtime.table(handle[0])
    return handle


def prepare_import(context: OperatorContext) -> Params:
    """Check that there is a value for each key."""
    _check_handle(context)
    keys, values = context.input(1), context.input(2)
    if keys.shape != values.shape:
        raise context.invalid(f"keys {list(keys.shape)} and values {list(values.shape)} have different shapes")
    return Params(output_shapes=())


def evaluate_import(params: Params, runtime: Runtime, resource: Array, keys: Array, values: Array) -> tuple[Array, ...]:
    """Fill the table, unless that was done before."""
    table = _table(runtime, resource, keys, values)
    if table.entries is None:
        entries = dict(zip(keys.reshape(-1)[::-1].tolist(), values.reshape(-1)[::-1].tolist(), strict=True))
        size = sum(len(item) for side in (keys, values) if side.dtype == object for item in side.flat)
        runtime.fill_table(resource.item(), entries, size + _ENTRY_BYTES * len(entries))
    return ()


def prepare_find(context: OperatorContext) -> Params:
    """Check that there is a default."""
    _check_handle(context)
    default = context.input(2)
    if not element_count(default.shape):
        raise context.invalid(f"default {default.name!r} is empty")
    return Params(output_shapes=(context.input(1).shape,))


def evaluate_find(params: Params, runtime: Runtime, resource: Array, keys: Array, default: Array) -> Array:
    """The value of each key, the first default where there is none; `EvaluationError` of a table never filled."""
    table = _table(runtime, resource, keys, default)
    if table.entries is None:
        raise EvaluationError(f"table {resource.item().number} is asked for values before it has any")
    found = np.empty(keys.shape, default.dtype)
    other = default.flat[0]
    found.reshape(-1)[:] = [table.entries.get(key, other) for key in keys.reshape(-1).tolist()]
    return found


def prepare_size(context: OperatorContext) -> Params:
    """Nothing to derive."""
    _check_handle(context)
    return Params(output_shapes=((1,),))


def evaluate_size(params: Params, runtime: Runtime, resource: Array) -> Array:
    """How many entries there are."""
    return np.array([len(_of(runtime, resource).entries or ())], np.int64)


def _check_handle(context: OperatorContext) -> None:
    resource = context.input(0)
    if resource.shape != (1,):
        raise context.invalid(f"input {resource.name!r} has the shape {list(resource.shape)}, expected one handle")


def _of(runtime: Runtime, resource: Array) -> Table:
    handle = resource.item()
    if not isinstance(handle, TableHandle):
        raise EvaluationError("the resource tensor holds no table's handle")
    return runtime.table(handle)


def _table(runtime: Runtime, resource: Array, keys: Array, values: Array) -> Table:
    table = _of(runtime, resource)
    if (keys.dtype, values.dtype) != (table.key.dtype, table.value.dtype):
        raise EvaluationError(f"table {resource.item().number} has {table.value.label} by {table.key.label}")
    return table


def _kernel(
    name: str,
    types: tuple[str, ...],
    prepare: Callable[[OperatorContext], Params],
    evaluate: Callable[..., Array | tuple[Array, ...]],
) -> Kernel:
    return Kernel(
        name=name,
        signatures=signatures(*types),
        prepare=prepare,
        evaluate=evaluate,
        source=f"kernels/{name.lower()}.cc, experimental/resource/static_hashtable.cc",
        max_version=1,
        pure=False,
        reaches_out=True,
    )


HASHTABLE = _kernel("HASHTABLE", ("-> resource",), prepare_handle, evaluate_handle)
HASHTABLE_FIND = _kernel(
    "HASHTABLE_FIND",
    ("resource,int64,string -> string", "resource,string,int64 -> int64"),
    prepare_find,
    evaluate_find,
)
HASHTABLE_IMPORT = _kernel(
    "HASHTABLE_IMPORT", ("resource,int64,string ->", "resource,string,int64 ->"), prepare_import, evaluate_import
)
HASHTABLE_SIZE = _kernel("HASHTABLE_SIZE", ("resource -> int64",), prepare_size, evaluate_size)
