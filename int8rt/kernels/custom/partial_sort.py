"""The largest of some scores, equal ones and NaN in the order that LiteRT's build leaves them in.

Which of equal values std::partial_sort puts first follows from how GNU's library moves the elements of its heap; what
NaN does to the search for a single maximum, from the vector instructions that it is made of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def partial_argsort_descending(values: Sequence[float], count: int) -> list[int]:
    """Indices of the `count` largest values, the largest first. Source: libstdc++ bits/stl_algo.h, stl_heap.h."""
    heap = list(range(count))
    for parent in range(count // 2 - 1, -1, -1):
        _sink(heap, parent, count, heap[parent], values)
    for index in range(count, len(values)):
        if values[index] > values[heap[0]]:
            _sink(heap, 0, count, index, values)
    for size in range(count - 1, 0, -1):
        last, heap[size] = heap[size], heap[0]
        _sink(heap, 0, size, last, values)
    return heap


def _sink(heap: list[int], hole: int, size: int, index: int, values: Sequence[float]) -> None:
    """Fill `hole` with `index`: the hole goes down to a leaf by the smaller child, then `index` rises from there."""
    top = hole
    while 2 * hole + 2 < size:
        child = 2 * hole + 2
        if values[heap[child]] > values[heap[child - 1]]:
            child -= 1
        heap[hole] = heap[child]
        hole = child
    if 2 * hole + 2 == size:
        heap[hole] = heap[2 * hole + 1]
        hole = 2 * hole + 1
    while hole > top and values[heap[parent := (hole - 1) // 2]] > values[index]:
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = index


def arg_max_vector(values: Sequence[float]) -> int:
    """Index of the first of the largest values; NaN may hide larger ones.

    Source: TensorFlow Lite kernels/internal/optimized/optimized_ops.h, ArgMaxVector.
    """
    size = len(values)
    if not any(map(math.isnan, values)):
        return max(range(size), key=values.__getitem__)
    index, best, rest = 0, values[0], 1
    if size >= 4:
        rest = size // 4 * 4
        # Four searches side by side. A pair of them gives its first value where one of the two is NaN.
        lanes = [_first_of_largest(values, range(lane, rest, 4)) for lane in range(4)]
        found = [values[lane] for lane in lanes]
        left, right = (found[i + 1] if found[i + 1] > found[i] else found[i] for i in (0, 2))
        best = right if right > left else left
        index = min((lane for lane, value in zip(lanes, found, strict=True) if value == best), default=0)
    for i in range(rest, size):
        if values[i] > best or (math.isnan(best) and not math.isnan(values[i])):
            index, best = i, values[i]
    return 0 if math.isnan(best) else index


def _first_of_largest(values: Sequence[float], places: range) -> int:
    best = places[0]
    for place in places[1:]:
        if values[place] > values[best] or (math.isnan(values[best]) and not math.isnan(values[place])):
            best = place
    return best
