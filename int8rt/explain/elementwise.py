"""ADD, SUB, MUL; QUANTIZE, DEQUANTIZE; LOGISTIC, TANH."""

from __future__ import annotations

import numpy as np

from int8rt.explain.derivation import Line
from int8rt.explain.rescale import clamp_lines, double_rounding_lines, multiplier_lines, requantization_lines
from int8rt.explain.subject import Subject, index_text
from int8rt.kernels.add import AddParams, EnlargedDifferenceParams, PotAddParams, ScaledInput
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.logistic import logistic
from int8rt.kernels.mul import MulParams
from int8rt.kernels.quantize import QuantizeParams, RequantizeParams
from int8rt.kernels.sigmoid import SigmoidTableParams
from int8rt.kernels.unary import LookupTableParams
from int8rt.model import Shape
from int8rt.quantization import libm
from int8rt.quantization.affine import dequantize, quantize
from int8rt.quantization.rounding import float_to_int32, round_half_away, saturate, saturating_truncate, wrap_int32
from int8rt.quantization.rounding_int16 import rounding_divide_by_pot_int16
from int8rt.quantization.sigmoid_table import logistic_by_table, scale_to_table, tanh_by_table


def explain_sum(subject: Subject) -> tuple[list[Line], int]:
    """ADD and SUB."""
    params = subject.params
    sign, word = (-1, "−") if subject.operator.name == "SUB" else (1, "+")
    if isinstance(params, PotAddParams):
        return _sum_by_shifts(subject, params, sign, word)
    if isinstance(params, EnlargedDifferenceParams):
        raise subject.unsupported("a difference that is multiplied by more than 1")
    params = subject.parameters(AddParams)
    unit = 2 * max(subject.scale(0), subject.scale(1)) / (1 << params.input1.left_shift)
    first, value1 = _scaled(subject, 0, params.input1, unit)
    second, value2 = _scaled(subject, 1, params.input2, unit)
    total = int(wrap_int32(value1 + sign * value2))
    lines = [*first, *second, Line(f"input1 {word} input2", total, total * unit, "in int32, at the common scale")]
    more, code = requantization_lines(total, params.requantization, 0, subject.output_scale)
    return lines + more, code


def _scaled(subject: Subject, index: int, own: ScaledInput, unit: float) -> tuple[list[Line], int]:
    """One input brought to the common scale: twice the larger one, with more bits."""
    name, code = _element(subject, index)
    scale = subject.scale(index)
    less = code + own.offset
    shifted = int(wrap_int32(less << own.left_shift))
    lines = [
        Line(name, code, less * scale, f"input {index + 1}"),
        Line(f"− zero point {-own.offset}", less, less * scale),
        Line(f"<< {own.left_shift}", shifted, less * scale, "more bits, so that rescaling loses little"),
        *multiplier_lines(own.multiplier, own.shift),
        *double_rounding_lines(shifted, own.multiplier, own.shift, unit),
    ]
    return lines, int(lines[-1].value)


def _sum_by_shifts(subject: Subject, params: PotAddParams, sign: int, word: str) -> tuple[list[Line], int]:
    lines, values = [], []
    for index, shift in enumerate((params.input1_shift, params.input2_shift)):
        name, code = _element(subject, index)
        value = int(rounding_divide_by_pot_int16(np.array([code], np.int16), -shift)[0])
        lines.append(Line(name, code, code * subject.scale(index), f"input {index + 1}"))
        lines.append(Line(f">> {-shift}", value, value * subject.output_scale, "to the output's scale, a power of two"))
        values.append(value)
    total = values[0] + sign * values[1]
    lines.append(Line(f"input1 {word} input2", total, total * subject.output_scale))
    code = min(max(total, params.activation_min), params.activation_max)
    clamp = f"clamp to [{params.activation_min}, {params.activation_max}]"
    return [*lines, Line(clamp, code, code * subject.output_scale, "saturates; and the fused activation")], code


def explain_mul(subject: Subject) -> tuple[list[Line], int]:
    """MUL."""
    params = subject.parameters(MulParams)
    lines, values = [], []
    for index, zero_point in enumerate((params.input1_zero_point, params.input2_zero_point)):
        name, code = _element(subject, index)
        value = int(wrap_int32(code - zero_point))
        lines.append(Line(name, code, value * subject.scale(index), f"input {index + 1}"))
        lines.append(Line(f"− zero point {zero_point}", value, value * subject.scale(index)))
        values.append(value)
    product = int(wrap_int32(values[0] * values[1]))
    unit = subject.scale(0) * subject.scale(1)
    lines.append(Line("input1 · input2", product, product * unit, "in int32"))
    more, code = requantization_lines(product, params.requantization, 0, subject.output_scale)
    return lines + more, code


def explain_quantize(subject: Subject) -> tuple[list[Line], int]:
    """QUANTIZE, of real numbers or of codes of another scale."""
    params = subject.params
    at = subject.at
    if isinstance(params, RequantizeParams):
        name, code = _element(subject, 0)
        less = int(wrap_int32(code - params.input_zero_point))
        real = less * subject.scale(0)
        lines = [Line(name, code, real), Line(f"− zero point {params.input_zero_point}", less, real)]
        more, result = requantization_lines(less, params.requantization, 0, subject.output_scale)
        return lines + more, result
    assert isinstance(params, QuantizeParams)
    x = np.float32(subject.value(0)[at])
    scale = np.float32(np.broadcast_to(params.scale, subject.value(0).shape)[at])
    zero_point = int(np.broadcast_to(params.zero_point, subject.value(0).shape)[at])
    with np.errstate(all="ignore"):
        quotient = x / scale
        rounded = int(float_to_int32(round_half_away(quotient)))
    info = np.iinfo(params.dtype)
    lines = [
        Line(f"input{index_text(at)}", float(x), float(x)),
        Line(f"/ scale {float(scale):.9g}", float(quotient), rule="in float32"),
        Line("round", rounded, rounded * float(scale), "a tie away from zero; −2^31 for what does not fit int32"),
    ]
    more, _ = clamp_lines(rounded, zero_point, info.min, info.max, float(scale), params.dtype)
    return lines + more, int(quantize(x, scale, zero_point, params.dtype))


def explain_dequantize(subject: Subject) -> tuple[list[Line], float]:
    """DEQUANTIZE."""
    params, at = subject.params, subject.at
    value = subject.value(0)[at]
    if not isinstance(params, DequantizeParams):
        real = float(np.float32(value))
        return [Line(f"input{index_text(at)}", real, real, "float16, only widened")], real
    shape = subject.value(0).shape
    scale = float(np.broadcast_to(params.scale, shape)[at])
    zero_point = int(np.broadcast_to(params.zero_point, shape)[at])
    real = float(dequantize(value, scale, zero_point))
    less = int(value) - zero_point
    return [
        Line(f"input{index_text(at)}", int(value), real),
        Line(f"− zero point {zero_point}", less, real),
        Line(f"· scale {scale:.9g}", real, real, "the product in float64, then rounded to float32"),
    ], real


def explain_table(subject: Subject) -> tuple[list[Line], int]:
    """LOGISTIC and TANH by tables."""
    params = subject.params
    name, code = _element(subject, 0)
    scale, output_scale = subject.scale(0), subject.output_scale
    if isinstance(params, SigmoidTableParams):
        by_table = logistic_by_table if subject.operator.name == "LOGISTIC" else tanh_by_table
        argument = scale_to_table(code, params.input_multiplier, params.input_left_shift)
        result = int(by_table(argument))
        rule = f"(code · {params.input_multiplier}) >> {params.input_left_shift}, a tie up: in steps of 1/12288"
        return [
            Line(name, code, code * scale),
            Line("argument", int(argument), int(argument) / 12288, rule),
            Line("table", result, result * output_scale, "between two of 256 entries, linearly"),
        ], result
    params = subject.parameters(LookupTableParams)
    tensor = subject.tensors[0]
    assert tensor is not None
    assert tensor.quantization is not None
    zero_point, output_zero_point = int(tensor.quantization.zero_point[0]), subject.output_zero_point
    function = logistic if subject.operator.name == "LOGISTIC" else libm.tanh
    with np.errstate(all="ignore"):
        x = np.float32(scale) * np.array([code - zero_point], np.float32)
        y = function(x)
        steps = y * (np.float32(1) / np.float32(output_scale))
        rounded = round_half_away(steps)
        shifted = rounded + np.float32(output_zero_point)
    dtype = params.table.dtype
    narrowed = saturate(float_to_int32(shifted), dtype) if dtype == np.uint8 else saturating_truncate(shifted, dtype)
    result, info = int(narrowed[0]), np.iinfo(dtype)
    return [
        Line(name, code, float(x[0]), "8 bits: looked up in a table of 256 entries, made like this"),
        Line("real input", float(x[0]), float(x[0]), f"(code − zero point {zero_point}) · scale, in float32"),
        Line(f"{subject.operator.name.lower()}(real input)", float(y[0]), float(y[0]), "in float32"),
        Line("· 1 / output scale", float(steps[0]), float(y[0]), "in float32"),
        Line("round", float(rounded[0]), float(rounded[0]) * output_scale, "a tie away from zero, in float32"),
        Line(f"+ zero point {output_zero_point}", float(shifted[0]), rule="in float32"),
        Line(
            f"clamp to [{info.min}, {info.max}]",
            result,
            (result - output_zero_point) * output_scale,
            "the type's range: the table's entry",
        ),
    ], result


def _element(subject: Subject, index: int) -> tuple[str, int]:
    """Name and code of the element of an input that meets the output's, broadcast."""
    value = subject.value(index)
    at = broadcast_index(value.shape, subject.at)
    return f"input{index + 1}{index_text(at)}" if len(subject.inputs) > 1 else f"input{index_text(at)}", int(value[at])


def broadcast_index(shape: Shape, at: tuple[int, ...]) -> tuple[int, ...]:
    """The index into an array of `shape` that broadcasts to where `at` is."""
    own = at[len(at) - len(shape) :]
    return tuple(0 if size == 1 else i for size, i in zip(shape, own, strict=True))
