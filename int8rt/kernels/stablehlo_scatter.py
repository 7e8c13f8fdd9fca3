"""STABLEHLO_SCATTER: windows of updates joined with a tensor at computed places.

input: T[..], scatter_indices: int32 or int64, whose dimension `index_vector_dim` holds the vectors, updates: T[..] ->
T[..] of the input's shape. Each update goes to the place that its vector and its place in the window give, one after
the other, row by row; those beyond the border are left out. The body is a subgraph without operators (the update
replaces the element) or with one: STABLEHLO_ADD, STABLEHLO_MULTIPLY, STABLEHLO_MAXIMUM or STABLEHLO_MINIMUM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.signature import signatures
from int8rt.kernels.stablehlo_elementwise import OPERATIONS, STABLEHLO_TYPES, body_operators
from int8rt.kernels.stablehlo_gather import check_dimensions, check_index_vectors
from int8rt.schema.options import StablehloScatterOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterParams(Params):
    """operation: of `OPERATIONS`, "" for an update that replaces. window_dims: dimension of the input to that of the
    updates which moves along it. index_dims: dimensions of the input that the vectors count in.
    """

    operation: str
    window_dims: tuple[tuple[int, int], ...]
    update_window_dims: tuple[int, ...]
    index_dims: tuple[int, ...]
    index_vector_dim: int


def prepare(context: OperatorContext) -> ScatterParams:
    """Check that the options fit each other and the shapes, and read the body."""
    options = context.options(StablehloScatterOptions)
    input, indices, updates = context.input(0), context.input(1), context.input(2)
    window, inserted = options.update_window_dims, options.inserted_window_dims
    check_dimensions(context, "update_window_dims", window, updates.rank)
    check_dimensions(context, "inserted_window_dims", inserted, input.rank)
    check_dimensions(context, "scatter_dims_to_operand_dims", options.scatter_dims_to_operand_dims, input.rank)
    length = len(options.scatter_dims_to_operand_dims)
    batch = check_index_vectors(context, indices, options.index_vector_dim, length)
    _check_updates(context, updates, batch, window)
    kept = [dimension for dimension in range(input.rank) if dimension not in inserted]
    if len(kept) != len(window):
        raise context.invalid(f"{len(window)} update_window_dims do not fit {len(kept)} dimensions of the input")
    return ScatterParams(
        output_shapes=(input.shape,),
        operation=_operation(context),
        window_dims=tuple(zip(kept, window, strict=True)),
        update_window_dims=tuple(window),
        index_dims=tuple(options.scatter_dims_to_operand_dims),
        index_vector_dim=options.index_vector_dim,
    )


def _check_updates(
    context: OperatorContext, updates: TensorInfo, batch: tuple[int, ...], window: tuple[int, ...]
) -> None:
    found = tuple(size for dimension, size in enumerate(updates.shape) if dimension not in window)
    if found != batch:
        raise context.invalid(f"updates {list(updates.shape)} do not fit {list(batch)} vectors")


def _operation(context: OperatorContext) -> str:
    body = body_operators(context, context.options(StablehloScatterOptions).update_computation_subgraph_index)
    if len(body) > 1 or not set(body) <= set(OPERATIONS):
        raise context.unsupported(f"its body is [{', '.join(body)}]; supported: one of {', '.join(OPERATIONS)}")
    return body[0] if body else ""


def evaluate(params: ScatterParams, input: Array, scatter_indices: Array, updates: Array) -> Array:
    """The input with its updates: of those that meet in one place, first all first ones, then all second ones."""
    output = input.copy()
    places, inside = _places(params, input.shape, scatter_indices, updates.shape)
    flat, values = output.reshape(-1), updates.reshape(-1)[inside]
    operation = OPERATIONS.get(params.operation)
    with np.errstate(all="ignore"):
        for chosen in _rounds(places[inside]):
            target = places[inside][chosen]
            update = values[chosen]
            flat[target] = update if operation is None else operation(flat[target], update)
    return output


def _places(
    params: ScatterParams, shape: tuple[int, ...], indices: Array, updates: tuple[int, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each update, row by row: its place in the flat input, and whether there is one."""
    vectors = np.moveaxis(indices, params.index_vector_dim, 0).astype(np.int64)
    place, inside = np.zeros(updates, np.int64), np.ones(updates, np.bool_)
    moved = dict(params.window_dims)
    for dimension, size in enumerate(shape):
        at = np.zeros((1,) * len(updates), np.int64)
        if dimension in params.index_dims:
            at = at + np.expand_dims(vectors[params.index_dims.index(dimension)], params.update_window_dims)
        if dimension in moved:
            axis = moved[dimension]
            at = at + np.arange(updates[axis]).reshape([-1 if i == axis else 1 for i in range(len(updates))])
        inside &= (at >= 0) & (at < size)
        place = place * size + np.clip(at, 0, max(0, size - 1))
    return place.reshape(-1), inside.reshape(-1)


def _rounds(places: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Updates such that none of a round meet in one place, and those of one place keep their order."""
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    counts = np.diff(starts, append=len(places))
    turn = np.empty(len(places), np.int64)
    turn[order] = np.arange(len(places)) - np.repeat(starts, counts)
    by_turn = np.argsort(turn, kind="stable")
    return np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]) if len(places) else []


STABLEHLO_SCATTER = Kernel(
    name="STABLEHLO_SCATTER",
    signatures=signatures("T,int32|int64,T -> T", T=STABLEHLO_TYPES),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/stablehlo_scatter.cc",
    max_version=1,
)
