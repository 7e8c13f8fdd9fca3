"""The order in which GNU's std::partial_sort leaves equal values: it follows from how its heap moves them."""

from __future__ import annotations

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
