"""LOCAL_RESPONSE_NORMALIZATION: each number over a power of the squares of its neighbours among the channels.

input: float32[N,H,W,C], output: float32[N,H,W,C]
output[c] = input[c] · (bias + alpha · Σ input[k]²)^-beta, with k from c - radius to c + radius - 1, in this order. The
sum is float32; the power, the C library's, is taken in float64 and rounded to float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm
from int8rt.schema.options import LocalResponseNormalizationOptions

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResponseNormalizationParams(Params):
    """The options: `radius` in channels, the others float32 numbers."""

    radius: int
    bias: float
    alpha: float
    beta: float


def prepare(context: OperatorContext) -> LocalResponseNormalizationParams:
    """Check the input's rank."""
    options, input = context.options(LocalResponseNormalizationOptions), context.input(0)
    if input.rank != 4:
        raise context.invalid(f"input {input.name!r} must have rank 4, found {list(input.shape)}")
    if abs(options.radius) > _INT32_MAX - input.shape[3]:
        raise context.invalid(f"radius {options.radius} and {input.shape[3]} channels overflow int32")
    return LocalResponseNormalizationParams(
        output_shapes=(input.shape,),
        radius=options.radius,
        bias=float(np.float32(options.bias)),
        alpha=float(np.float32(options.alpha)),
        beta=float(np.float32(options.beta)),
    )


def evaluate(params: LocalResponseNormalizationParams, input: Array) -> Array:
    """LOCAL_RESPONSE_NORMALIZATION, one neighbour after the other."""
    channels = input.shape[3]
    with np.errstate(all="ignore"):
        squares = input * input
        total = np.zeros_like(squares)
        for offset in range(max(-params.radius, 1 - channels), min(params.radius, channels)):
            first, stop = max(0, -offset), channels - max(0, offset)
            total[..., first:stop] += squares[..., first + offset : stop + offset]
        base = params.bias + params.alpha * total.astype(np.float64)
        return np.asarray(input * libm.pow(base, np.array(-params.beta)).astype(np.float32))


LOCAL_RESPONSE_NORMALIZATION = Kernel(
    name="LOCAL_RESPONSE_NORMALIZATION",
    signatures=signatures("float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/local_response_norm.cc, reference/reference_ops.h",
    max_version=1,
)
