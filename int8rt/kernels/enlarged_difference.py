"""SUB of codes whose output scale is so small that the difference is multiplied by more than 1.

TensorFlow's converter writes such scales (2·10^-6 / 255) where it saw nothing but zeros, as in x - x, its test for
infinity. TensorFlow Lite then shifts right by a negative number of bits, which C++ leaves undefined: the difference is
not enlarged, but its sign is left, or a few of its bits. Here is what the kernels for x86-64 do.
Source: TensorFlow Lite kernels/sub.cc, PrepareGeneralSubOp; reference/sub.h; gemmlowp fixedpoint.h.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array
from int8rt.quantization.requantization import Requantization
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import wrap_int32

# Elements that the loop over two inputs of one shape takes at once; those left at its end come one by one.
_VECTOR = 4


def requantize_enlarged(difference: Array, parameters: Requantization, in_vectors: bool) -> Array:
    """Codes of an int32 difference at the common scale; parameters: with one shift, 1 to 32.

    RoundingDivideByPOT of an exponent below 0: one by one, the processor counts the shift of the number modulo 32; in
    vectors, such a shift leaves the sign. The mask for what is cut off has all bits.
    """
    p = parameters
    value = multiply_by_quantized_multiplier(difference.reshape(-1), p.multiplier, 0)
    output = (value >> (-int(p.shift[0]) & 31)) + (value >= 0)
    if in_vectors:
        whole = value.size // _VECTOR * _VECTOR
        output[:whole] = (value[:whole] >> 63) + (value[:whole] >= 0)
    output = wrap_int32(output + p.zero_point)
    return np.clip(output, p.activation_min, p.activation_max).astype(p.dtype).reshape(difference.shape)
