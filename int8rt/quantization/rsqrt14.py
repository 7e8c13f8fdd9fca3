"""1 / √x with 14 bits as processors approximate it, VRSQRT14PS of AVX-512F, and XNNPACK's roots by one step from it.

The instruction cuts two octaves of x into 64 pieces, in each of which its 16 fractional bits fall along a line. The
lines were found by running it on every float32 (AMD EPYC, family 25); Intel's emulator has the same numbers.
Source of the roots: XNNPACK src/f32-vrsqrt/simd-rsqrt.c.in, src/f32-vsqrt/simd-rsqrt.c.in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization.xnnpack import flush

Float32 = npt.NDArray[np.float32]

# Of each piece the first value, in quarters of 2^-16, and the fall over half of it in steps of 2^-16.
_STARTS = (
    *(262121, 254113, 246469, 239154, 232142, 225415, 218957, 212753, 206778, 201025, 195479, 190132, 184962, 179962),
    *(175135, 170459, 165927, 161539, 157279, 153144, 149133, 145235, 141448, 137763, 134175, 130683, 127286, 123966),
    *(120735, 117590, 114511, 111514, 108565, 102905, 97500, 92324, 87372, 82615, 78049, 73657, 69437, 65371, 61445),
    *(57661, 54005, 50474, 47057, 43755, 40551, 37443, 34431, 31513, 28675, 25918, 23236, 20632, 18098, 15629, 13223),
    *(10878, 8597, 6365, 4192, 2070),
)
_FALLS = (
    *(1001, 955, 915, 877, 841, 807, 775, 747, 719, 693, 669, 647, 625, 603, 585, 567, 549, 533, 517, 501, 487, 473),
    *(461, 449, 437, 425, 415, 403, 393, 385, 375, 367, 707, 675, 647, 619, 595, 571, 549, 527, 509, 491, 473, 457),
    *(441, 427, 413, 401, 389, 377, 365, 355, 345, 335, 325, 317, 309, 301, 293, 285, 279, 271, 265, 259),
)
_STARTS_OF, _FALLS_OF = np.array(_STARTS, np.int64), np.array(_FALLS, np.int64)

_ONE, _HALF = np.float32(1), np.float32(0.5)


def rsqrt14(x: Float32) -> Float32:
    """About 1 / √x: infinite of zeros, with their sign; NaN of negative numbers. x holds no subnormal numbers."""
    bits = np.asarray(x, order="C").view(np.uint32).astype(np.int64)
    exponent, fraction = (bits >> 23) - 127, bits & 0x7FFFFF
    odd = exponent & 1
    piece, place = odd * 32 + (fraction >> 18), fraction >> 8 & 1023
    value = (_STARTS_OF[piece] * 128 - _FALLS_OF[piece] * place) >> 9
    biased = 126 - ((exponent - odd) >> 1)
    exact = (fraction == 0) & (odd == 0)
    found = np.where(exact, (biased + 1) << 23, (biased << 23) + (value << 7)).astype(np.uint32).view(np.float32)
    found = np.where(x == 0, np.copysign(np.float32(np.inf), x), found)
    found = np.where(np.isposinf(x), np.float32(0), found)
    return np.where((x < 0) | np.isnan(x), np.float32(np.nan), found)


def _stepped(x: Float32) -> Float32:
    """One step of Newton's from the approximation; each operation is rounded."""
    y = rsqrt14(x)
    error = flush(flush(x * flush(y * y)) - _ONE)
    return flush(y - flush(error * flush(_HALF * y)))


def rsqrt(x: Float32) -> Float32:
    """1 / √x of numbers that are not subnormal; NaN of zeros."""
    return np.where(np.isposinf(x), np.float32(0), _stepped(x))


def sqrt(x: Float32) -> Float32:
    """√x of numbers that are not subnormal."""
    return np.where(np.isposinf(x), x, flush(x * np.where(x != 0, _stepped(x), np.float32(0))))
