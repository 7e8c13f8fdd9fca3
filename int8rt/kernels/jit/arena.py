"""Where tensors lie in one block of memory: those that are never alive together may share a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`size` bytes that are in use from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int


def plan_arena(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """(offset of each, total bytes): greedy, the largest first, each at the lowest offset that is free all its life."""
    offsets = [0] * len(lifetimes)
    placed: list[int] = []
    total = 0
    for item in sorted(range(len(lifetimes)), key=lambda i: (-lifetimes[i].size, lifetimes[i].first)):
        here = lifetimes[item]
        size = -(-here.size // _ALIGNMENT) * _ALIGNMENT
        offset = 0
        for other in placed:  # in the order of their offsets
            there = lifetimes[other]
            if there.last < here.first or there.first > here.last:
                continue
            if offset + size <= offsets[other]:
                break
            offset = max(offset, offsets[other] + -(-there.size // _ALIGNMENT) * _ALIGNMENT)
        offsets[item] = offset
        total = max(total, offset + size)
        placed.append(item)
        placed.sort(key=lambda i: offsets[i])
    return offsets, total
