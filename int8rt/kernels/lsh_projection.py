"""LSH_PROJECTION: bits by which similar inputs can be found (locality-sensitive hashing).

hash: float32[functions,bits] (seeds), input: T[n,..], weight: float32[n] or none -> SPARSE: int32[functions], the bits
of a function as one number, to which function · 2^bits is added; DENSE: int32[functions · bits] of 0 and 1.
A bit is 1 where Σ weight[i] · fingerprint64(seed, input[i]) > 0, summed in float64 in the order of i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.farmhash import fingerprint64
from int8rt.kernels.layout import COPIED_TYPES
from int8rt.kernels.signature import signatures
from int8rt.quantization.rounding import wrap_int32
from int8rt.schema.enums import LSHProjectionType
from int8rt.schema.options import LSHProjectionOptions

_MOST_BITS = 32
_BLOCK_BYTES = 1 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class LSHProjectionParams(Params):
    """The option: which form the bits take."""

    type: LSHProjectionType


def prepare(context: OperatorContext) -> LSHProjectionParams:
    """Check the shapes."""
    hash, input, weight = context.input(0), context.input(1), context.optional_input(2)
    if hash.rank != 2 or hash.shape[1] > _MOST_BITS:
        raise context.invalid(f"hash {hash.name!r} has shape {list(hash.shape)}, expected up to {_MOST_BITS} columns")
    if input.rank < 1 or input.shape[0] < 1 or (weight is not None and weight.shape != input.shape[:1]):
        raise context.invalid(f"input {input.name!r} {list(input.shape)} does not fit its weights")
    functions, bits = hash.shape
    type = context.options(LSHProjectionOptions).type
    if type == LSHProjectionType.UNKNOWN:
        raise context.invalid("has no type of projection")
    if type == LSHProjectionType.SPARSE and bits == _MOST_BITS and functions > 1:
        raise context.invalid(f"{functions} functions of {bits} bits overflow int32")
    shape = (functions,) if type == LSHProjectionType.SPARSE else (functions * bits,)
    return LSHProjectionParams(output_shapes=(shape,), type=type)


def evaluate(params: LSHProjectionParams, hash: Array, input: Array, weight: Array | None = None) -> Array:
    """The bits, for several seeds at a time."""
    items = np.frombuffer(np.ascontiguousarray(input), np.uint8).reshape(len(input), -1)
    seeds = np.ascontiguousarray(hash).reshape(-1, 1).view(np.uint8)
    block = max(1, _BLOCK_BYTES // (items.size + 4 * len(items)))
    signs = [_sign_bits(seeds[at : at + block], items, weight) for at in range(0, len(seeds), block)]
    bits = np.concatenate([np.zeros(0, np.int64), *signs]).reshape(hash.shape)
    if params.type == LSHProjectionType.DENSE:
        return bits.astype(np.int32).reshape(-1)
    numbers = np.zeros(len(hash), np.int64)
    for column in bits.T:
        numbers = 2 * numbers + column
    return wrap_int32(numbers + np.arange(len(hash)) * (1 << hash.shape[1])).astype(np.int32)


def _sign_bits(
    seeds: npt.NDArray[np.uint8], items: npt.NDArray[np.uint8], weight: Array | None
) -> npt.NDArray[np.int64]:
    """seeds: the 4 bytes of each, items: the bytes of each."""
    keys = np.empty((len(seeds), len(items), 4 + items.shape[1]), np.uint8)
    keys[:, :, :4], keys[:, :, 4:] = seeds[:, np.newaxis], items
    hashes = fingerprint64(keys.reshape(-1, keys.shape[2])).view(np.int64).reshape(keys.shape[:2])
    score = np.zeros(len(seeds))
    with np.errstate(all="ignore"):
        for item, values in enumerate(hashes.T.astype(np.float64)):
            score += values if weight is None else values * np.float64(weight[item])
        return (score > 0).astype(np.int64)


LSH_PROJECTION = Kernel(
    name="LSH_PROJECTION",
    signatures=signatures("float32,T,float32? -> int32", T=(*COPIED_TYPES, "complex128")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/lsh_projection.cc",
    max_version=1,
)
