"""A heap that leaves equal scores in the order in which std::priority_queue of GNU's C++ library does.

Which of several equal candidates comes first is not in the C++ standard: it follows from how that library moves the
elements of its heap, so they are moved here in the same way.
"""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """A box in the queue, by its index.

    suppress_begin_index: selections before this one have been compared with it already.
    """

    box: int
    score: float
    suppress_begin_index: int


class PriorityQueue:
    """Candidates by score, the largest first. Source: libstdc++ bits/stl_heap.h."""

    def __init__(self) -> None:
        self._heap: list[Candidate] = []

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, candidate: Candidate) -> None:
        """Add a candidate."""
        self._heap.append(candidate)
        self._rise(len(self._heap) - 1, candidate)

    def pop(self) -> Candidate:
        """Remove a candidate that no other exceeds."""
        heap = self._heap
        last = heap.pop()
        if not heap:
            return last
        top, size, hole = heap[0], len(heap), 0
        # The hole sinks to a leaf without a look at the element that fills it, which then rises again.
        while (right := 2 * hole + 2) < size:
            child = right - 1 if heap[right].score < heap[right - 1].score else right
            heap[hole] = heap[child]
            hole = child
        if right == size:
            heap[hole] = heap[right - 1]
            hole = right - 1
        self._rise(hole, last)
        return top

    def _rise(self, hole: int, candidate: Candidate) -> None:
        heap = self._heap
        while hole and heap[parent := (hole - 1) // 2].score < candidate.score:
            heap[hole] = heap[parent]
            hole = parent
        heap[hole] = candidate
