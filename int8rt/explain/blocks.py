"""QUANTIZE and DEQUANTIZE in the optimized kernels: what a vector of elements gets, and what the few after the last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from int8rt.explain.derivation import Line
from int8rt.explain.rescale import clamp_lines, requantization_lines
from int8rt.explain.subject import Subject, index_text
from int8rt.kernels.opt.quantize import VectorDequantizeParams, VectorQuantizeParams, VectorRequantizeParams
from int8rt.quantization.affine import dequantize, dequantize_in_eights
from int8rt.quantization.requantization import Rounding
from int8rt.quantization.rounding import float_to_int32, round_half_away, wrap_int32

BLOCKS = (VectorDequantizeParams, VectorQuantizeParams, VectorRequantizeParams)


def explain_blocks(subject: Subject) -> tuple[list[Line], int | float]:
    """By the element's place in the flattened tensor."""
    params = subject.params
    if isinstance(params, VectorDequantizeParams):
        return _dequantize(subject, params)
    if isinstance(params, VectorQuantizeParams):
        return _quantize(subject, params)
    assert isinstance(params, VectorRequantizeParams)
    code, inside, place = _place(subject, 16)
    less = int(wrap_int32(int(code) - params.input_zero_point))
    real = less * subject.scale(0)
    requantization = params.requantization
    if inside:
        requantization = replace(requantization, rounding=Rounding.TIES_UP)
    lines = [
        Line(f"input{index_text(subject.at)}", int(code), real, place),
        Line(f"− zero point {params.input_zero_point}", less, real),
    ]
    more, result = requantization_lines(less, requantization, 0, subject.output_scale)
    return lines + more, result


def _dequantize(subject: Subject, params: VectorDequantizeParams) -> tuple[list[Line], float]:
    code, inside, place = _place(subject, 8)
    scale, zero_point = params.scale, params.zero_point
    lines = [Line(f"input{index_text(subject.at)}", int(code), (int(code) - zero_point) * scale, place)]
    if not inside:
        real = float(dequantize(code, scale, zero_point))
        rule = "the product in float64, then rounded to float32"
        lines.append(Line(f"− zero point {zero_point}", int(code) - zero_point, real))
        return [*lines, Line(f"· scale {scale:.9g}", real, real, rule)], real
    real = float(dequantize_in_eights(np.full(8, code), scale, zero_point)[0])
    product = float(np.float32(code) * np.float32(scale))
    lines.append(Line(f"· scale {scale:.9g}", product, rule="in float32"))
    return [*lines, Line(f"− zero point {zero_point} · scale", real, real, "both in float32")], real


def _quantize(subject: Subject, params: VectorQuantizeParams) -> tuple[list[Line], int]:
    x, inside, place = _place(subject, 8)
    scale, zero_point = float(params.scale), int(params.zero_point)
    with np.errstate(all="ignore"):
        inverse = np.float32(1.0 / np.float64(scale))
        steps = float(np.float32(x) * inverse if inside else np.float64(x) / np.float64(scale))
        rounded = int(float_to_int32(np.rint(steps) if inside else round_half_away(np.float64(steps))))
    lines = [
        Line(f"input{index_text(subject.at)}", float(x), float(x), place),
        Line(f"· {float(inverse):.9g}", steps, rule="1 / scale; in float32")
        if inside
        else Line(f"/ scale {scale:.9g}", steps, rule="in float64"),
        Line("round", rounded, rounded * scale, "a tie to the even number" if inside else "a tie away from zero"),
    ]
    more, result = clamp_lines(rounded, zero_point, params.low, params.high, scale, np.dtype(params.dtype))
    return lines + more, result


def _place(subject: Subject, size: int) -> tuple[np.generic, bool, str]:
    """The element, whether it is in a whole block, and words for that."""
    value = subject.value(0)
    flat = int(np.ravel_multi_index(subject.at, value.shape)) if value.shape else 0
    inside = flat < value.size // size * size
    return value.reshape(-1)[flat], inside, f"in a whole block of {size}" if inside else f"after the blocks of {size}"
