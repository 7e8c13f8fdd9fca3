"""Sums of products in float32 by fused multiply-add, one term after the other, as XNNPACK's kernels form them.

Every step rounds x · y + total once, to float32; subnormal numbers count as 0, and become 0.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from int8rt.quantization.xnnpack import flush

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Of a float64, the bits that float32 has no place for; and those of a number in the middle between two of float32.
_BELOW_FLOAT32 = np.int64((1 << 29) - 1)
_MIDDLE = np.int64(1 << 28)
# Numbers below this round to less than the smallest normal number.
_SMALLEST = float(np.ldexp(1 - 2.0**-25, -126))


def factors(values: Float32) -> Float64:
    """float32 numbers, without the subnormal ones, as `fused_sum` takes them."""
    return flush(values).astype(np.float64)


def may_underflow(x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], start: npt.NDArray[np.floating]) -> bool:
    """Whether a sum of products of these numbers, from one of `start` on, can come near the subnormal numbers.

    It cannot where all products are multiples of the smallest normal number.
    """
    return _exponent(x) + _exponent(y) < -78 or _exponent(start) < -102


def _exponent(values: npt.NDArray[np.floating]) -> int:
    """e of the smallest number other than 0, which is at least 2^(e - 1); 128 where all are 0."""
    sizes = np.abs(values)
    smallest = np.min(sizes, where=sizes >= np.finfo(np.float32).tiny, initial=np.inf)
    return int(np.frexp(smallest)[1]) if np.isfinite(smallest) else 128


def fused_sum(
    terms: Iterable[tuple[Float64, Float64]], start: npt.ArrayLike, shape: tuple[int, ...], tiny: bool
) -> Float32:
    """start + Σ x · y in the order of the terms: float32[shape].

    terms: pairs of what `factors` makes, which broadcast to `shape`, as `start` does. tiny: see `may_underflow`.

    A product is exact in float64, and so nearly is its sum with the total. Rounding that again to float32 goes wrong
    only from the middle between two numbers, where it matters on which side of it the exact sum is.
    """
    total = np.empty(shape, np.float64)
    total[...] = factors(np.asarray(start, np.float32))
    product, exact = np.empty_like(total), np.empty_like(total)
    below, middle = np.empty(shape, np.int64), np.empty(shape, np.bool_)
    rounded = total.astype(np.float32)
    with np.errstate(all="ignore"):
        for x, y in terms:
            np.multiply(x, y, out=product)
            np.add(product, total, out=exact)
            np.bitwise_and(exact.view(np.int64), _BELOW_FLOAT32, out=below)
            np.equal(below, _MIDDLE, out=middle)
            if middle.any():
                exact[middle] = _odd(exact[middle], product[middle], total[middle])
            if tiny:
                small = np.less(np.abs(exact, out=product), _SMALLEST, out=middle)
                if small.any():
                    exact[small] = np.copysign(0.0, exact[small])
            np.copyto(rounded, exact, casting="same_kind")
            np.copyto(total, rounded)
    return rounded


def _odd(total: Float64, x: Float64, y: Float64) -> Float64:
    """total = x + y, moved towards the exact sum by the smallest step where it is not exact."""
    part = total - x
    error = (x - (total - part)) + (y - part)
    moves = (error != 0) & np.isfinite(total)
    return np.where(moves, np.nextafter(total, np.copysign(np.inf, error)), total)
