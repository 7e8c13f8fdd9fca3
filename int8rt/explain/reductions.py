"""AVERAGE_POOL_2D, MEAN and SOFTMAX."""

from __future__ import annotations

import numpy as np

from int8rt.explain.derivation import Line
from int8rt.explain.rescale import multiplier_lines, requantization_lines
from int8rt.explain.subject import Array, Subject, index_text
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.kernels.padding import Window
from int8rt.kernels.pooling import Pool2DParams
from int8rt.kernels.softmax import (
    ACCUMULATION_INTEGER_BITS,
    SoftmaxInt16Params,
    SoftmaxParams,
    evaluate,
    exponentials_of_differences,
    sum_of_exponentials,
)
from int8rt.quantization.division import divide_round_half_away
from int8rt.quantization.fixed_point import INT32
from int8rt.quantization.reciprocal import get_reciprocal
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import rounding_divide_by_pot, wrap_int32

_SHOWN = 9


def explain_average_pool(subject: Subject) -> tuple[list[Line], int]:
    """AVERAGE_POOL_2D."""
    params = subject.params
    assert isinstance(params, Pool2DParams)
    input = subject.value(0)
    if input.dtype.kind == "f":
        raise subject.unsupported("arithmetic that is not quantized")
    batch, row, column, channel = subject.at
    rows, columns = _inside(params.height, row), _inside(params.width, column)
    codes = input[batch, rows, columns, channel]
    scale, zero_point = subject.output_scale, subject.output_zero_point
    total = int(codes.sum(dtype=np.int32))
    lines = _codes(codes, f"input[{batch},{rows.start}:{rows.stop},{columns.start}:{columns.stop},{channel}]")
    mean = int(divide_round_half_away(np.array([total], np.int32), codes.size)[0])
    lines.append(Line("Σ codes", total, rule="the codes themselves: nothing is rescaled"))
    rule = (
        f"/ {codes.size} taps inside of the input, a tie away from zero; without the zero point, so code 0 is no zero"
    )
    lines.append(Line("mean", mean, (mean - zero_point) * scale, rule))
    code = int(min(max(mean, params.activation_min), params.activation_max))
    clamp = f"clamp to [{params.activation_min:g}, {params.activation_max:g}]"
    return [*lines, Line(clamp, code, (code - zero_point) * scale, "the type's range and the fused activation")], code


def explain_mean(subject: Subject) -> tuple[list[Line], int]:
    """MEAN."""
    params = subject.parameters(QuantizedSumParams)
    input = subject.value(0)
    kept = iter(subject.at)
    keeps_dimensions = len(subject.at) == input.ndim
    where: list[slice | int] = []
    for axis in range(input.ndim):
        if axis in params.axis:
            where.append(slice(None))
            if keeps_dimensions:
                next(kept)
        else:
            where.append(next(kept))
    codes = input[tuple(where)]
    text = ",".join(":" if isinstance(i, slice) else str(i) for i in where)
    lines = _codes(codes, f"input[{text}]")
    total = int(codes.sum(dtype=np.int32))
    lines.append(Line("Σ codes", total, rule=f"{codes.size} codes, in int32"))
    less = int(wrap_int32(total - params.input_zero_point * params.count))
    rule = f"{params.count} times; in int32"
    lines.append(Line(f"− count · zero point {params.input_zero_point}", less, less * subject.scale(0), rule))
    more, code = requantization_lines(less, params.requantization, 0, subject.output_scale)
    lines.append(Line("count", params.count, rule="is part of the multiplier: input scale / output scale / count"))
    return lines + more, code


def explain_softmax(subject: Subject) -> tuple[list[Line], int]:
    """SOFTMAX of the row in which the element is."""
    params = subject.params
    if isinstance(params, SoftmaxInt16Params):
        return _softmax_int16(subject, params)
    params = subject.parameters(SoftmaxParams)
    row = subject.value(0)[subject.at[:-1]]
    code, most = int(row[subject.at[-1]]), int(row.max())
    scale = subject.scale(0)
    scaled, exponentials = exponentials_of_differences(
        params.input_multiplier, params.input_left_shift, params.diff_min
    )
    difference = code - most
    taken = difference >= params.diff_min
    own = int(exponentials[-difference])
    terms = exponentials[most - row.astype(np.int64)]
    total = int(sum_of_exponentials(terms)[0])
    reciprocal, over_unit = get_reciprocal(total, ACCUMULATION_INTEGER_BITS)
    info = np.iinfo(params.dtype)
    exponent = int(over_unit) + 31 - info.bits
    product = int(INT32.multiply(own, reciprocal))
    shifted = int(rounding_divide_by_pot(product, exponent))
    result = min(max(shifted + int(info.min), int(info.min)), int(info.max))
    left = f"−{-params.diff_min} is the least that takes part" + ("" if taken else ": this one is 0")
    inverse = 2.0 ** (-31 - int(over_unit))
    small = int(scaled[-difference])
    lines = [
        Line(f"input{index_text(subject.at)}", code, (code - _zero_point(subject)) * scale),
        Line("− largest of the row", difference, difference * scale, f"the largest code is {most}; {left}"),
        *multiplier_lines(params.input_multiplier, params.input_left_shift),
        Line("scaled difference", small, small * 2.0**-26, "beta · scale · difference, 26 fractional bits"),
        Line("exponential", own, own * 2.0**-31, "of the scaled difference, 31 fractional bits"),
        Line("Σ exponentials", total, total * 2.0**-19, f"of {row.size} codes, each rounded to 19 fractional bits"),
        Line("1 / Σ", int(reciprocal), int(reciprocal) * inverse, "by Newton's method, 31 bits"),
        Line("exponential · 1 / Σ", product, product * inverse, "the doubling high multiply, a tie up"),
        Line(f">> {exponent}", shifted, shifted * 2.0**-info.bits, f"to 1/{2**info.bits}, a tie away from zero"),
        Line(f"+ {info.min}, saturated", result, (result - int(info.min)) * 2.0**-info.bits, "the output's zero point"),
    ]
    return lines, result


def _softmax_int16(subject: Subject, params: SoftmaxInt16Params) -> tuple[list[Line], int]:
    row = subject.value(0)[subject.at[:-1]]
    code, most = int(row[subject.at[-1]]), int(row.max())
    difference = code - most
    scaled = int(multiply_by_quantized_multiplier(difference, params.input_multiplier, params.input_left_shift))
    result = int(evaluate(params, row[np.newaxis])[0, subject.at[-1]])
    scale = subject.scale(0)
    return [
        Line(f"input{index_text(subject.at)}", code, code * scale),
        Line("− largest of the row", difference, difference * scale, f"the largest code is {most}"),
        *multiplier_lines(params.input_multiplier, params.input_left_shift),
        Line("scaled difference", scaled, scaled * 10.0 / 65535, "in steps of 10 / 65535"),
        Line("e^difference / Σ", result, result * 2.0**-15, "both by tables of 513 entries, interpolated"),
    ], result


def _zero_point(subject: Subject) -> int:
    tensor = subject.tensors[0]
    quantization = tensor.quantization if tensor is not None else None
    return int(quantization.zero_point[0]) if quantization is not None else 0


def _codes(codes: Array, name: str) -> list[Line]:
    flat = codes.reshape(-1)
    shown = ", ".join(str(int(code)) for code in flat[:_SHOWN]) + (", …" if flat.size > _SHOWN else "")
    return [Line(name, f"{flat.size} codes", rule=shown)]


def _inside(window: Window, output: int) -> slice:
    start = output * window.stride - window.pad_before
    return slice(max(0, start), min(window.input, start + window.kernel))
