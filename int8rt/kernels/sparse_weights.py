"""FULLY_CONNECTED of sparse weights: for which forms of them TensorFlow Lite has kernels.

Real weights may be sparse in any way, they are made dense. int8 weights must lie in blocks of 1 x 16, of which each row
has its own; with int8 activations their sums are requantized as the optimized kernels do it, in two roundings.
"""

from __future__ import annotations

from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.model import TensorType

# Columns of a block; and the largest number of a block that the kernel of float activations can name.
BLOCK = 16
_MOST_BLOCKS = 256


def check_sparse_weights(context: OperatorContext, input: TensorInfo, filter: TensorInfo) -> None:
    """`UnsupportedError` unless `filter`, which is sparse, is one that TensorFlow Lite has a kernel for."""
    sparsity = filter.sparsity
    assert sparsity is not None
    if filter.type == TensorType.FLOAT32:
        return
    if not input.shape or input.shape[-1] != filter.shape[1]:
        # The kernels take the last dimension for the rows' length, and go beyond the end.
        raise context.unsupported(
            f"sparse weights {filter.name!r} of {filter.shape[1]} columns with an input {list(input.shape)}"
        )
    levels = sparsity.dimensions
    in_blocks = (
        sparsity.traversal_order == (0, 1, 2)
        and sparsity.block_map == (1,)
        and [level.sparse for level in levels] == [False, True, False]
        and levels[2].dense_size == BLOCK
    )
    activations = input.type in (TensorType.INT8, TensorType.FLOAT32)
    if filter.type != TensorType.INT8 or not activations or not in_blocks:
        raise context.unsupported(
            f"sparse {filter.type.label} weights {filter.name!r} with {input.type.label} activations; accepted: int8 "
            f"ones in blocks of 1 x {BLOCK}, row by row, with int8 or float32 activations"
        )
    if input.type == TensorType.FLOAT32 and filter.shape[1] >= BLOCK * _MOST_BLOCKS:
        raise context.unsupported(
            f"sparse weights {filter.name!r} of {filter.shape[1]} columns with float32 activations"
        )
