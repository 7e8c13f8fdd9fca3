"""How two arrays differ: in how many elements, by how much, and where first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """True where there is one. The dtype and shape are those of the expected array.

    mismatch: what is wrong with dtype or shape ("" if nothing; the elements are not compared otherwise).
    different, elements: how many of how many elements differ. largest: in steps for integers, in real units for floats.
    at, found, expected: the first element that differs. unrepeatable: elements left out, on which the expected side
    does not agree with itself.
    """

    dtype: str
    shape: tuple[int, ...]
    elements: int
    different: int = 0
    largest: float = 0
    at: tuple[int, ...] = ()
    found: float | str | None = None
    expected: float | str | None = None
    mismatch: str = ""
    unrepeatable: int = 0

    def __bool__(self) -> bool:
        return bool(self.different or self.mismatch)

    def __str__(self) -> str:
        if self.mismatch:
            return self.mismatch
        if not self.different:
            return "equal"
        return (
            f"{self.different} of {self.elements} elements differ by at most {self.largest:g}, "
            f"the first at {list(self.at)}: {self.found}, LiteRT {self.expected}"
        )


def compare_arrays(found: Array, expected: Array, leave_out: npt.NDArray[np.bool_] | None = None) -> Difference:
    """Compare bit by bit: 0.0 and -0.0 differ, NaN equals NaN. `leave_out`: elements that are not compared."""
    found, expected = np.asarray(found), np.asarray(expected)
    dtype, shape, elements = str(expected.dtype), expected.shape, expected.size
    if found.dtype != expected.dtype:
        return Difference(dtype, shape, elements, mismatch=f"dtype {found.dtype}, LiteRT {dtype}")
    if found.shape != shape:
        return Difference(dtype, shape, elements, mismatch=f"shape {list(found.shape)}, LiteRT {list(shape)}")
    unequal = _unequal(found, expected)
    left_out = 0
    if leave_out is not None:
        left_out = int(np.count_nonzero(leave_out))
        unequal &= ~leave_out
    places = np.flatnonzero(unequal)
    if not places.size:
        return Difference(dtype, shape, elements, unrepeatable=left_out)
    at = tuple(int(i) for i in np.unravel_index(places[0], shape))
    return Difference(
        dtype,
        shape,
        elements,
        different=int(places.size),
        largest=_largest(found[unequal], expected[unequal]),
        at=at,
        found=_scalar(found[at]),
        expected=_scalar(expected[at]),
        unrepeatable=left_out,
    )


def unrepeatable(first: Array, second: Array) -> npt.NDArray[np.bool_] | None:
    """Where two runs of one runtime differ; None where they agree."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return np.ones(np.shape(first), np.bool_)
    unequal = _unequal(first, second)
    return unequal if unequal.any() else None


def _unequal(found: Array, expected: Array) -> npt.NDArray[np.bool_]:
    if found.dtype.kind == "c":
        return _unequal(found.real, expected.real) | _unequal(found.imag, expected.imag)
    if found.dtype.kind == "f":
        bits = f"u{found.dtype.itemsize}"
        differs = np.ascontiguousarray(found).view(bits) != np.ascontiguousarray(expected).view(bits)
        return np.asarray(differs.reshape(found.shape) & ~(np.isnan(found) & np.isnan(expected)))
    return np.asarray(found != expected, np.bool_)


def _largest(found: Array, expected: Array) -> float:
    kind = found.dtype.kind
    if kind == "O":
        return 0
    if kind in "fc":
        with np.errstate(invalid="ignore", over="ignore"):
            distance = np.abs(found.astype(np.complex128) - expected.astype(np.complex128))
        return float(np.where(np.isnan(distance), np.inf, distance).max())
    exact: type[Any] = object if found.dtype.itemsize == 8 else np.int64
    return int(np.abs(found.astype(exact) - expected.astype(exact)).max())


def _scalar(value: Any) -> float | str:
    scalar = value.item() if isinstance(value, np.generic) else value
    return scalar if isinstance(scalar, (bool, int, float)) else repr(scalar)
