"""ADD and SUB: two inputs at a common scale, added or subtracted, and rescaled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from int8rt.kernels.add import AddParams, ScaledInput, scale_codes
from int8rt.quantization import dialects
from int8rt.quantization.vector_body import scale_input_down, scale_input_in_one
from int8rt.quantization.xnnpack import sum_of_codes
from int8rt.verify.identify.piece import Array, Candidates, Piece, quantization, xnnpack_range

REFERENCE = "two roundings an input and two of the sum (gemmlowp)"
VECTORS = "LiteRT's vectors: inputs rounded once (int8, int16) or up and then down (uint8), the rest as gemmlowp"
XNNPACK = "multipliers of 20 bits, one rounding, ties up (XNNPACK)"

_Scaling = Callable[[Array, int, int, int, int], Array]


def add(piece: Piece) -> Candidates:
    """LiteRT's kernels, XNNPACK's, real sums with one rounding; then the reference with deviations."""
    p: AddParams = piece.params
    r = p.requantization
    info = np.iinfo(r.dtype)

    def finish(value: Array) -> Array:
        return piece.finish(value + r.zero_point, r.activation_min, r.activation_max)

    exact = finish(_total(piece, p, scale_codes))
    once, down = (finish(_total(piece, p, s)) for s in (scale_input_in_one, scale_input_down))
    yield REFERENCE, exact
    block, fast = (8, down) if r.dtype == np.uint8 else (16, once)
    whole = exact.size // block * block
    vectors = np.concatenate([fast.ravel()[:whole], exact.ravel()[whole:]]).reshape(exact.shape)
    yield VECTORS, vectors
    if r.dtype != np.int16:
        in_20_bits = _in_20_bits(piece)
        yield XNNPACK, vectors if in_20_bits is None else in_20_bits
    yield "one rounding an input and two of the sum", once
    yield "inputs rounded down", down
    for dtype in (np.dtype(np.float64), np.dtype(np.float32)):
        real = _real(piece, dtype)
        for how in ("half away", "half even"):
            yield f"{dtype.name}, {how}", finish(dialects.round_real(real, how))
        if dtype == np.float64:
            yield "truncation", finish(dialects.round_real(real, "truncate"))
    free = (int(info.min), int(info.max))
    total = _total(piece, p, scale_codes)
    yield REFERENCE + "; the output's zero point is ignored", piece.finish(total, r.activation_min, r.activation_max)
    yield REFERENCE + "; no activation", piece.finish(total + r.zero_point, *free)
    plain = dataclasses.replace(p, input1=_plain(p.input1), input2=_plain(p.input2))
    yield REFERENCE + "; the inputs' zero points are ignored", finish(_total(piece, plain, scale_codes))


def _total(piece: Piece, p: AddParams, scaling: _Scaling) -> Array:
    r = p.requantization
    scaled = [
        scaling(piece.value(i), s.offset, s.multiplier, s.shift, s.left_shift).astype(np.int64)
        for i, s in enumerate((p.input1, p.input2))
    ]
    return dialects.rescale_sum(scaled[0] + _sign(piece) * scaled[1], int(r.multiplier[0]), int(r.shift[0]))


def _in_20_bits(piece: Piece) -> Array | None:
    """XNNPACK's sum of codes; None for scales so far apart that it leaves them to LiteRT's kernels."""
    (scale1, zero_point1), (scale2, zero_point2) = piece.input(0), piece.input(1)
    output_scale, zero_point = quantization(piece.output)
    ratio1, ratio2 = (np.float32(scale) / np.float32(output_scale) for scale in (scale1, scale2))
    if not all(2**-10 <= ratio < 2**8 for ratio in (ratio1, ratio2)):
        return None
    total = sum_of_codes(ratio1, zero_point1, _sign(piece) * ratio2, zero_point2)(piece.value(0), piece.value(1))
    return piece.finish(total.astype(np.int64) + zero_point, *xnnpack_range(piece))


def _sign(piece: Piece) -> int:
    return -1 if piece.operator.name == "SUB" else 1


def _real(piece: Piece, dtype: np.dtype[Any]) -> Array:
    """The sum in steps of the output, in a floating-point type."""
    total: Array = np.zeros(piece.found.shape, dtype)
    for place in (0, 1):
        scale, zero_point = piece.input(place)
        term = (piece.value(place).astype(dtype) - dtype.type(zero_point)) * dtype.type(scale)
        total = total + (_sign(piece) if place else 1) * term
    scaled: Array = total / dtype.type(quantization(piece.output)[0])
    return scaled


def _plain(scaled: ScaledInput) -> ScaledInput:
    return dataclasses.replace(scaled, offset=0)
