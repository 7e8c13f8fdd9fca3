"""Products of quantized rows and int8 weights as TensorFlow Lite's SSSE3 code computes them, two defects included.

Source: TensorFlow Lite kernels/internal/optimized/sse_tensor_utils.cc.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array
from int8rt.kernels.exact_product import ExactProduct
from int8rt.quantization.rounding import wrap_int32

Float32 = npt.NDArray[np.float32]

# The vector code takes that many columns at a time; what is left over is computed without its defect.
COLUMNS = 16
LARGEST_CODE = 128
_BLOCK_ELEMENTS = 1 << 18


def dot_products(codes: Array, weights: Array) -> npt.NDArray[np.int64]:
    """int8 codes [n,K] times int8 weights [O,K] as int32 sums [n,O] without any defect."""
    product = ExactProduct(weights, LARGEST_CODE)
    return wrap_int32(product(codes, len(codes)).astype(np.int64))


def flawed_dot_products(codes: Array, weights: Array) -> npt.NDArray[np.int64]:
    """`dot_products` of the SSSE3 code, which transfers the sign of a code to the weight in 8 bits.

    A weight of -128 has no negative there, so its product with a negative code comes out negative too.
    """
    sums = dot_products(codes, weights)
    columns = weights.shape[1] // COLUMNS * COLUMNS
    extreme = weights[:, :columns] == -128
    if not np.any(extreme):
        return sums
    negative = np.minimum(codes[:, :columns], 0)
    return wrap_int32(sums + 256 * dot_products(negative, extreme.astype(np.int8)))


def row_sums(weights: Array) -> npt.NDArray[np.int64]:
    """Σ over the columns of int8 weights [O,K], int64[O]: eight partial sums of every row wrap around in int16."""
    rows, depth = weights.shape
    pairs = depth // COLUMNS * COLUMNS
    half = pairs + (depth - pairs) // 8 * 8
    partial = weights[:, :pairs].reshape(rows, -1, 8, 2).sum(axis=(1, 3), dtype=np.int64)
    partial += weights[:, pairs:half].reshape(rows, -1, 8).sum(axis=1, dtype=np.int64)
    total: npt.NDArray[np.int64] = partial.astype(np.int16).sum(axis=1, dtype=np.int64)
    total += weights[:, half:].sum(axis=1, dtype=np.int64)
    return total


def matrix_batch_vector_multiply_accumulate(
    result: Float32,
    weights: Array,
    codes: Array,
    scale: Float32,
    zero_point: npt.NDArray[np.int32] | None = None,
    channel_scale: Float32 | None = None,
) -> None:
    """result[n,O] += (codes[n,K] · weights[O,K] - zero_point[n] · Σ weights) · scale[n] (· channel_scale[O]).

    The sums are int32 and become float32; the product of the two scales is rounded before it is used.
    """
    sums_of_rows = None if zero_point is None or not np.any(zero_point) else row_sums(weights)
    step = max(1, _BLOCK_ELEMENTS // max(1, *weights.shape))
    for row in range(0, len(codes), step):
        block = slice(row, row + step)
        sums = flawed_dot_products(codes[block], weights)
        if sums_of_rows is not None and zero_point is not None:
            sums = wrap_int32(sums - wrap_int32(zero_point[block, np.newaxis] * sums_of_rows))
        factor = scale[block, np.newaxis]
        if channel_scale is not None:
            factor = channel_scale * factor
        with np.errstate(all="ignore"):
            result[block] += sums.astype(np.float32) * factor
