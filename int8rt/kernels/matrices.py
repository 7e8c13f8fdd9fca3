"""The matrices that BATCH_MATMUL multiplies: shapes, transposition, broadcasting of the leading dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, OperatorContext, Params, element_count
from int8rt.schema.options import BatchMatMulOptions

_RANKS = range(2, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixParams(Params):
    """adj_x, adj_y: the last two dimensions of the first or second input come exchanged. depth: terms of a sum."""

    adj_x: bool
    adj_y: bool
    depth: int


def prepare_matrices(context: OperatorContext) -> MatrixParams:
    """Check the ranks and shapes of a BATCH_MATMUL."""
    options = context.options(BatchMatMulOptions)
    lhs, rhs = context.input(0), context.input(1)
    if lhs.rank not in _RANKS or rhs.rank not in _RANKS:
        raise context.invalid(f"inputs must have ranks 2 to 5, found {list(lhs.shape)} and {list(rhs.shape)}")
    rows, depth = lhs.shape[:-3:-1] if options.adj_x else lhs.shape[-2:]
    other_depth, columns = rhs.shape[:-3:-1] if options.adj_y else rhs.shape[-2:]
    if depth != other_depth:
        raise context.invalid(f"{list(lhs.shape)} times {list(rhs.shape)} are sums of {depth} and {other_depth} terms")
    try:
        leading = np.broadcast_shapes(lhs.shape[:-2], rhs.shape[:-2])
    except ValueError:
        raise context.invalid(f"the batches of {list(lhs.shape)} and {list(rhs.shape)} do not broadcast") from None
    return MatrixParams(
        output_shapes=((*leading, rows, columns),), adj_x=options.adj_x, adj_y=options.adj_y, depth=depth
    )


def in_rows(params: MatrixParams, lhs: Array, rhs: Array) -> tuple[Array, Array]:
    """The inputs as [.., rows, depth] and [.., columns, depth]: each row with each row makes an element."""
    return (lhs.swapaxes(-1, -2) if params.adj_x else lhs), (rhs if params.adj_y else rhs.swapaxes(-1, -2))


def batches(left: Array, right: Array, output: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Matrices [n, depth], [columns, depth] and their part of the output [n, columns], a view of it.

    A right matrix that serves the whole batch meets all rows of it at once.
    """
    if element_count(right.shape[:-2]) == 1:
        count = element_count(output.shape[:-1])
        yield left.reshape(count, left.shape[-1]), right[(0,) * (right.ndim - 2)], output.reshape(count, -1)
        return
    leading = output.shape[:-2]
    left = np.broadcast_to(left, leading + left.shape[-2:])
    right = np.broadcast_to(right, leading + right.shape[-2:])
    for index in np.ndindex(leading):
        yield left[index], right[index], output[index]


def macs(params: MatrixParams) -> int:
    """Multiply-accumulate operations of one run."""
    (shape,) = params.output_shapes
    return element_count(shape or ()) * params.depth
