"""How much memory a file may ask for before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a file declares; raise them for a model that is known to be that large.

    max_tensor_bytes: of one tensor, its elements as NumPy holds them (int4 takes a byte, a string STRING_BYTES).
    max_total_bytes: of all tensors of all subgraphs together.
    max_rank: dimensions of a tensor.
    """

    max_tensor_bytes: int = 2 * 2**30
    max_total_bytes: int = 4 * 2**30
    max_rank: int = 32


STRING_BYTES = 48
"""What a string element counts as: a pointer and an empty bytes object."""
