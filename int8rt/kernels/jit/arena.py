"""Where tensors lie in one block of memory: those that are never alive together may share a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ALIGNMENT = 64
# Steps that all tensors together may be alive before they are laid out one behind the other.
_MOST_WORK = 1 << 18


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`size` bytes that are in use from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int


def plan_arena(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """(offset of each, total bytes): greedy, the largest first, each at the lowest offset that is free all its life."""
    offsets, total = [0] * len(lifetimes), 0
    begin, end = min((one.first for one in lifetimes), default=0), max((one.last for one in lifetimes), default=0)
    # Who lives from the beginning to the end shares with nobody; and a file may ask for more work than it is worth.
    whole_life = (begin, end)
    if sum(one.last - one.first for one in lifetimes if (one.first, one.last) != whole_life) > _MOST_WORK:
        lasting = list(range(len(lifetimes)))
    else:
        lasting = [item for item, one in enumerate(lifetimes) if (one.first, one.last) == whole_life]
    for item in lasting:
        offsets[item], total = total, total + aligned(lifetimes[item].size)
    base, apart = total, set(lasting)
    alive: dict[int, list[int]] = {}
    others = [item for item in range(len(lifetimes)) if item not in apart]
    for item in sorted(others, key=lambda i: (-lifetimes[i].size, lifetimes[i].first)):
        life = range(lifetimes[item].first, lifetimes[item].last + 1)
        size, offset = aligned(lifetimes[item].size), base
        for other in sorted({other for step in life for other in alive.get(step, ())}, key=lambda i: offsets[i]):
            if offset + size <= offsets[other]:
                break
            offset = max(offset, offsets[other] + aligned(lifetimes[other].size))
        offsets[item], total = offset, max(total, offset + size)
        for step in life:
            alive.setdefault(step, []).append(item)
    return offsets, total


def aligned(size: int) -> int:
    """`size` rounded up to whole cache lines."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT
