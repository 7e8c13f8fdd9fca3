"""How far arrays are apart, in steps: a histogram, the largest difference and where it is; over one run or several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.verify.difference import compare_arrays

Array = npt.NDArray[Any]

# Differences beyond this many steps are not told apart in a histogram.
WIDEST = 16


@dataclass(frozen=True, slots=True)
class Statistics:
    """found - expected, element by element, of one tensor.

    A step is a quantized step for integers, and for floats a unit in the last place (0.0 and -0.0 are one step apart).
    histogram: steps to number of elements, from -WIDEST to WIDEST. beyond: how many are further apart, NaN
    instead of a number too. largest: |steps|; `inf` where NaN or infinity stands against a number.
    run, at, found, expected: one element with the largest difference. mismatch: what is wrong with type or shape, or
    that there is nothing; the elements are not compared then.
    """

    elements: int = 0
    different: int = 0
    histogram: Mapping[int, int] = field(default_factory=dict)
    beyond: int = 0
    largest: float = 0
    run: str = ""
    at: tuple[int, ...] = ()
    found: float | str | None = None
    expected: float | str | None = None
    mismatch: str = ""

    @property
    def equal(self) -> bool:
        """Whether nothing differs, in any run."""
        return not self.different and not self.mismatch

    def __add__(self, other: Statistics) -> Statistics:
        """Both together: counts are added, the larger difference is kept, the first mismatch too."""
        worst = other if other.largest > self.largest or (other.different and not self.different) else self
        return Statistics(
            self.elements + other.elements,
            self.different + other.different,
            dict(sorted((Counter(self.histogram) + Counter(other.histogram)).items())),
            self.beyond + other.beyond,
            max(self.largest, other.largest),
            worst.run,
            worst.at,
            worst.found,
            worst.expected,
            self.mismatch or other.mismatch,
        )


def restored(data: Mapping[str, Any]) -> Statistics:
    """From `dataclasses.asdict` that went through JSON, where steps are strings and `at` is a list."""
    steps = {int(step): count for step, count in data["histogram"].items()}
    return Statistics(**{**data, "histogram": steps, "at": tuple(data["at"])})


def measure(found: Array | None, expected: Array, run: str = "") -> Statistics:
    """Compare what a runtime gave (None: nothing) with what was expected; bit by bit, but any NaN equals any other."""
    if found is None:
        return Statistics(expected.size, run=run, mismatch="no value")
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype != expected.dtype:
        return Statistics(expected.size, run=run, mismatch=f"type {found.dtype}, expected {expected.dtype}")
    if found.shape != expected.shape:
        mismatch = f"shape {list(found.shape)}, expected {list(expected.shape)}"
        return Statistics(expected.size, run=run, mismatch=mismatch)
    difference = compare_arrays(found, expected)
    if expected.dtype.kind not in "biuf":
        return Statistics(
            expected.size,
            difference.different,
            beyond=difference.different,
            largest=float("inf") if difference else 0,
            run=run,
            at=difference.at,
            found=difference.found,
            expected=difference.expected,
        )
    if not difference:
        return Statistics(expected.size, histogram={0: expected.size} if expected.size else {}, run=run)
    steps = _steps(found, expected)
    magnitude = np.abs(steps)
    near = magnitude <= WIDEST
    values, counts = np.unique(steps[near], return_counts=True)
    worst = np.unravel_index(int(np.argmax(magnitude)), steps.shape)
    at = tuple(int(i) for i in worst)
    return Statistics(
        expected.size,
        difference.different,
        {int(value): int(count) for value, count in zip(values, counts, strict=True)},
        int(np.count_nonzero(~near)),
        float(magnitude.max()),
        run,
        at,
        _scalar(found[at]),
        _scalar(expected[at]),
    )


def top1(found: Array, expected: Array) -> tuple[int, int]:
    """(rows along the last axis, rows in which the first of the largest elements is the same one); no rows where there
    is nothing to choose from. Both of one shape.
    """
    if expected.ndim == 0 or expected.shape[-1] < 2 or not expected.size or expected.dtype.kind not in "iuf":
        return 0, 0
    classes = expected.shape[-1]
    same = found.reshape(-1, classes).argmax(axis=1) == expected.reshape(-1, classes).argmax(axis=1)
    return same.size, int(np.count_nonzero(same))


def _steps(found: Array, expected: Array) -> npt.NDArray[np.float64]:
    if expected.dtype.kind != "f":
        if expected.dtype.itemsize == 8:
            return np.asarray(found.astype(object) - expected.astype(object), np.float64)
        return (found.astype(np.int64) - expected.astype(np.int64)).astype(np.float64)
    steps = np.array(_ordered(found) - _ordered(expected))  # an array for scalars, too
    strange = (np.isfinite(found) != np.isfinite(expected)) | (np.isnan(found) != np.isnan(expected))
    both_nan = np.isnan(found) & np.isnan(expected)
    steps[strange], steps[both_nan] = np.inf, 0
    return steps


def _ordered(values: Array) -> npt.NDArray[np.float64]:
    """Floats counted in units of the last place: 0 for 0.0, -1 for -0.0."""
    bits = np.ascontiguousarray(values).view(f"i{values.dtype.itemsize}").reshape(values.shape).astype(np.int64)
    lowest = -(1 << (8 * values.dtype.itemsize - 1))
    ordered: npt.NDArray[np.float64] = np.where(bits < 0, lowest - bits - 1, bits).astype(np.float64)
    return ordered


def _scalar(value: Any) -> float | str:
    scalar = value.item()
    return scalar if isinstance(scalar, (bool, int, float)) else repr(scalar)
