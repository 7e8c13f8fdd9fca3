"""`affine.quantize` as vector code, up to its clamp: real numbers of float32 to codes of int32."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.isa.emitter import F32, I16, I32, Emitter, constant, vector
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.isa.x86 import Avx512Vnni

# Scales within which neither reciprocals nor what is left of a division leave the range of normal numbers.
_SMALLEST, _LARGEST = 2.0**-60, 2.0**60


def multiplies(level: Level, scale: float) -> bool:
    """Whether quotients by this scale are made with fused multiply-adds, with the bits of a division."""
    return isinstance(level, Avx512Vnni) and _SMALLEST <= scale <= _LARGEST


def factors(scale: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """float32[2] from float32[1]: the scale and its reciprocal, as `prepare` loads them."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.concatenate([scale, np.float32(1) / scale])


def prepare(e: Emitter, lanes: int, address: Any) -> list[Any]:
    """What `emit` needs of the `factors` at an address."""
    return [e.splat(e.load(address, F32, 4 * i), lanes) for i in range(2)]


def emit(e: Emitter, level: Level, real: Any, prepared: list[Any], multiplied: bool) -> Any:
    """int32 of round(real / scale), ties away from zero, before the zero point is added; -2^31 for what has no int32.

    multiplied: what `multiplies` says of the level and the scale.
    """
    b, lanes = e.b, real.type.count
    quotient = _quotient(e, real, *prepared) if multiplied else b.fdiv(real, prepared[0])
    bits = b.bitcast(quotient, vector(I32, lanes))
    # The float32 just below one half, with the quotient's sign: a half itself would take 0.49999997 to 1.
    half = int(np.float32(0.49999997).view(np.int32))
    half_bits = b.or_(b.and_(bits, constant(I32, [-(1 << 31)] * lanes)), constant(I32, [half] * lanes))
    shifted = b.fadd(quotient, b.bitcast(half_bits, vector(F32, lanes)))
    if isinstance(level, Avx512Vnni):
        nothing = constant(I32, [0] * lanes)
        name = "llvm.x86.avx512.mask.cvttps2dq.512"
        return e.intrinsic(name, nothing.type, [shifted, nothing, I16(-1), I32(4)])
    lowest = e.splat(F32(-(2.0**31)), lanes)
    fits = b.and_(b.fcmp_ordered(">=", shifted, lowest), b.fcmp_ordered("<", shifted, e.splat(F32(2.0**31), lanes)))
    return b.fptosi(b.select(fits, shifted, lowest), vector(I32, lanes))


def _quotient(e: Emitter, real: Any, scale: Any, reciprocal: Any) -> Any:
    """real / scale, correctly rounded where an int32 comes of it; else something that has none, or rounds to 0 too.

    The product with the reciprocal is a last bit or two off; what is left of the division corrects it, and again.
    Then it is the rounded quotient by Markstein's theorem ("IA-64 and Elementary Functions", theorem 8.3).
    """

    def fused(x: Any, y: Any, z: Any) -> Any:
        return e.intrinsic(f"llvm.fma.v{x.type.count}f32", x.type, [x, y, z])

    quotient = e.b.fmul(real, reciprocal)
    negative = e.b.fneg(scale)
    for _ in range(2):
        quotient = fused(fused(quotient, negative, real), reciprocal, quotient)
    return quotient
