"""REVERSE_SEQUENCE: the first elements of each batch's sequence in reverse, as many as its length says.

input: T[...], seq_lengths: int32 or int64 [input.shape[batch_dim]], output: T[...]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.schema.options import ReverseSequenceOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseSequenceParams(Params):
    """The dimensions along which elements are reversed and lengths are counted."""

    seq_dim: int
    batch_dim: int


def prepare(context: OperatorContext) -> ReverseSequenceParams:
    """Check that there is a length for each batch."""
    input, seq_lengths, options = context.input(0), context.input(1), context.options(ReverseSequenceOptions)
    seq_dim, batch_dim = options.seq_dim, options.batch_dim
    if not (0 <= seq_dim < input.rank and 0 <= batch_dim < input.rank and seq_dim != batch_dim):
        raise context.invalid(f"seq_dim {seq_dim} and batch_dim {batch_dim} are no two dimensions of {input.rank}")
    if seq_lengths.shape != (input.shape[batch_dim],):
        raise context.invalid(
            f"seq_lengths {list(seq_lengths.shape)} must be a vector of {input.shape[batch_dim]} elements"
        )
    return ReverseSequenceParams(output_shapes=(input.shape,), seq_dim=seq_dim, batch_dim=batch_dim)


def evaluate(params: ReverseSequenceParams, input: Array, seq_lengths: Array) -> Array:
    """The reversed sequences; a length below 0 counts as 0. `EvaluationError` for one beyond the sequence."""
    steps = input.shape[params.seq_dim]
    # TensorFlow Lite checks the first length only, and writes to other memory with the others.
    if np.any(seq_lengths > steps):
        raise EvaluationError(f"a length is {seq_lengths.max()}, more than the {steps} elements of a sequence")
    rows = np.moveaxis(input, (params.batch_dim, params.seq_dim), (0, 1))
    step, length = np.arange(steps), seq_lengths.astype(np.int64)[:, np.newaxis]
    source = np.where(step < length, length - 1 - step, step)
    reversed_rows = rows[np.arange(len(rows))[:, np.newaxis], source]
    return np.ascontiguousarray(np.moveaxis(reversed_rows, (0, 1), (params.batch_dim, params.seq_dim)))


REVERSE_SEQUENCE = Kernel(
    name="REVERSE_SEQUENCE",
    signatures=signatures("T,int32|int64 -> T", T=("uint8", "int16", "int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/reverse_sequence.cc, reference/reference_ops.h",
    max_version=1,
)
