"""Sums in float32 grouped as TensorFlow Lite's vector code groups them: four partial sums, then what remains in turn.

On x86 that code's NEON instructions become SSE ones, without fused multiply-add.
Source: TensorFlow Lite kernels/internal/optimized/neon_tensor_utils.cc.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.kernels.float32.sequential_product import sequential_product

Float32 = npt.NDArray[np.float32]

_LANES = 4


def matrix_batch_vector_multiply_accumulate(result: Float32, weights: Float32, x: Float32) -> None:
    """result[n,O] += x[n,K] times weights[O,K]; the last K % 4 terms are added to the result one by one."""
    depth = weights.shape[1]
    end = depth // _LANES * _LANES
    with np.errstate(all="ignore"):
        result += _across([sequential_product(x[:, i:end:_LANES], weights[:, i:end:_LANES]) for i in range(_LANES)])
        for k in range(end, depth):
            result += x[:, k, np.newaxis] * weights[:, k]


def vector_sums(values: Float32) -> Float32:
    """Σ over the last axis."""
    end = values.shape[-1] // _LANES * _LANES
    groups = values[..., :end].reshape(*values.shape[:-1], -1, _LANES)
    with np.errstate(all="ignore"):
        total = _across([_in_turn(groups[..., i]) for i in range(_LANES)])
        for k in range(end, values.shape[-1]):
            total = total + values[..., k]
    return total


def _in_turn(values: Float32) -> Float32:
    """0 plus the elements of the last axis, from the first to the last."""
    total = np.zeros(values.shape[:-1], np.float32)
    for k in range(values.shape[-1]):
        total = total + values[..., k]
    return total


def _across(lanes: list[Float32]) -> Float32:
    return ((lanes[0] + lanes[1]) + lanes[2]) + lanes[3]
