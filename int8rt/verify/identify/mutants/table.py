"""The mutations: one line each. Names of whole arithmetics are those that `int8rt identify` gives them."""

from __future__ import annotations

import numpy as np

from int8rt.errors import InputError
from int8rt.quantization import dialects
from int8rt.quantization.requantization import Rounding
from int8rt.verify.identify.mutants import arithmetics as a
from int8rt.verify.identify.mutants import choices
from int8rt.verify.identify.mutants.changes import (
    Array,
    Mutation,
    changed_input,
    changed_output,
    odd_pad_before,
    padded_with_zero,
    parameters,
    requantized,
    rescaled,
    rounded,
    swapped,
)
from int8rt.verify.identify.piece import Piece

_CONV = ("CONV_2D", "DEPTHWISE_CONV_2D")
_SUMS = (*_CONV, "FULLY_CONNECTED")
_CHANNELS = (*_SUMS, "TRANSPOSE_CONV")
_ONE = (*_CHANNELS, "MUL", "MEAN")  # one rescaling
_BOUNDED = ("RELU", "RELU6", "RELU_N1_TO_1")
_PAIRS = ("ADD", "SUB")
_RESCALED = (*_SUMS, "MUL", "MEAN", *_PAIRS)
_SCALED = (*_RESCALED, "TRANSPOSE_CONV", "BATCH_MATMUL", *_BOUNDED)
_ACTIVATED = (*_SUMS, "MUL", *_PAIRS)
_ALONE = ("ABS", "HARD_SWISH", "LEAKY_RELU", "SQUARED_DIFFERENCE")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_FUNCTIONS = ("LOGISTIC", "TANH")
_NEAREST = "RESIZE_NEAREST_NEIGHBOR"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation("two roundings, both with ties up", _ONE, rounded(Rounding.TIES_UP), whole=True),
    Mutation("one rounding, ties up", _ONE, rounded(Rounding.SINGLE), whole=True),
    Mutation("two roundings (gemmlowp)", ("FULLY_CONNECTED",), rounded(Rounding.DOUBLE), whole=True),
    Mutation("float32, half even", _CHANNELS, rounded(Rounding.FLOAT32), whole=True),
    Mutation("float64, half away", (*_CONV, "TRANSPOSE_CONV", "MUL", "MEAN"), rounded(Rounding.FLOAT64), whole=True),
    Mutation("truncation", (*_ONE, "BATCH_MATMUL", *_BOUNDED), rescaled(dialects.multiply_truncate), whole=True),
    Mutation("floor", (*_ONE, "BATCH_MATMUL", *_BOUNDED), rescaled(dialects.multiply_floor), whole=True),
    Mutation("both roundings of the sum with ties up", _PAIRS, rounded(Rounding.TIES_UP)),
    Mutation("the sum rounded once, ties up", _PAIRS, rounded(Rounding.SINGLE)),
    Mutation("the sum rescaled in float64, half away", _PAIRS, rounded(Rounding.FLOAT64)),
    Mutation("the multiplier's last bit too small", _SUMS, requantized(a.smaller_multiplier)),
    Mutation(
        "the shift one too small",
        (*_RESCALED, "TRANSPOSE_CONV", "BATCH_MATMUL", *_BOUNDED),
        requantized(a.smaller_shift),
    ),
    Mutation("the next channel's multiplier", _CHANNELS, requantized(a.rolled_channels)),
    Mutation("one multiplier for all channels", _CHANNELS, requantized(a.first_channel)),
    Mutation("clamped before the zero point", _RESCALED, a.clamped_early),
    Mutation(
        "the output's zero point is ignored",
        _SCALED,
        requantized(lambda old, _: {"zero_point": 0} if old.zero_point else {}),
    ),
    Mutation("no saturation", _RESCALED, a.wrapped),
    Mutation("no activation", _ACTIVATED, requantized(a.no_activation)),
    Mutation("the bound of RELU6 is truncated", _ACTIVATED, requantized(a.cut_bound)),
    Mutation(
        "never the lowest code",
        (*_RESCALED, "QUANTIZE"),
        changed_output(lambda y: np.maximum(y, np.iinfo(y.dtype).min + 1).astype(y.dtype)),
    ),
    Mutation("the input's zero point is ignored", (*_CHANNELS, "MEAN", *_BOUNDED), parameters(input_zero_point=0)),
    Mutation("the filter's zero point is ignored", _SUMS, parameters(filter_zero_point=0)),
    Mutation("no bias", _SUMS, changed_input(2, np.zeros_like)),
    Mutation("the bias at twice its scale", _SUMS, changed_input(2, lambda bias: bias * 2)),
    Mutation("no bias", ("TRANSPOSE_CONV",), changed_input(3, np.zeros_like)),
    Mutation("a negative bias is unsigned, of 48 bits", _SUMS, changed_input(2, a.unsigned_bias)),
    Mutation("a negative bias is unsigned, of 48 bits", ("TRANSPOSE_CONV",), changed_input(3, a.unsigned_bias)),
    Mutation("the bias in 16 bits", _SUMS, changed_input(2, lambda bias: bias.astype(np.int16).astype(bias.dtype))),
    Mutation("the odd pad is before", _CONV, odd_pad_before),
    Mutation("the border is code 0", (*_CONV, "MAX_POOL_2D"), padded_with_zero),
    Mutation("strides swapped", (*_CONV, *_POOLS), swapped("stride")),
    Mutation("dilations swapped", _CONV, swapped("dilation")),
    Mutation("the filter turned around", _CONV, changed_input(1, lambda w: w[:, ::-1, ::-1])),
    Mutation("the first input's zero point is ignored", ("MUL",), parameters(input1_zero_point=0)),
    Mutation("the second input's zero point is ignored", ("MUL",), parameters(input2_zero_point=0)),
    Mutation("the first input's zero point is ignored", ("BATCH_MATMUL",), parameters(lhs_zero_point=0)),
    Mutation("the second input's zero point is ignored", ("BATCH_MATMUL",), parameters(rhs_zero_point=0)),
    Mutation("the input's zero point is ignored", _ALONE, a.requantized_tensor(input=True)),
    Mutation("the output's zero point is ignored", _ALONE, a.requantized_tensor(input=False)),
    Mutation("codes are compared as those of the other sign", ("MAXIMUM", "MINIMUM"), choices.other_sign),
    Mutation("the inputs the other way round", ("CONCATENATION",), lambda p: p.run(inputs=p.inputs[::-1])),
    Mutation(
        "the inputs' parameters exchanged",
        _PAIRS,
        parameters(input1=lambda piece: piece.params.input2, input2=lambda piece: piece.params.input1),
    ),
    Mutation("the border counts, as code 0", ("AVERAGE_POOL_2D",), a.pooled("half away", counts_border=True)),
    Mutation("the codes' mean, floor", ("AVERAGE_POOL_2D",), a.pooled("floor"), whole=True),
    Mutation("the codes' mean, half up", ("AVERAGE_POOL_2D",), a.pooled("half up"), whole=True),
    Mutation("the codes' mean, half even", ("AVERAGE_POOL_2D",), a.pooled("half even"), whole=True),
    Mutation("the codes' mean, truncate", ("AVERAGE_POOL_2D",), a.pooled("truncate"), whole=True),
    Mutation(
        "no activation",
        _POOLS,
        parameters(
            activation_min=lambda piece: int(np.iinfo(piece.found.dtype).min),
            activation_max=lambda piece: int(np.iinfo(piece.found.dtype).max),
        ),
    ),
    Mutation("float64, half even", ("SOFTMAX",), a.softmax("half even"), whole=True),
    Mutation("float64, truncate", ("SOFTMAX", *_FUNCTIONS), lambda piece: _real(piece, "truncate"), whole=True),
    Mutation("float64, half away; the input's zero point is ignored", _FUNCTIONS, a.function("half away", False), True),
    Mutation("float32, half even", ("QUANTIZE",), a.quantized("half even"), whole=True),
    Mutation("float32, half up", ("QUANTIZE",), a.quantized("half up"), whole=True),
    Mutation("float32, truncate", ("QUANTIZE",), a.quantized("truncate"), whole=True),
    Mutation("no saturation", ("QUANTIZE",), a.unsaturated),
    Mutation("the zero point is ignored", ("DEQUANTIZE",), a.without_zero_point),
    Mutation("the border is code 0", ("PAD",), parameters(pad_value=0)),
    Mutation("the border one place further", ("PAD",), changed_output(lambda y: np.roll(y, 1, axis=2))),
    Mutation("half_pixel_centers is ignored", (_NEAREST,), choices.without_options(half_pixel_centers=False)),
    Mutation(
        "align_corners and half_pixel_centers are ignored",
        (_NEAREST,),
        choices.without_options(align_corners=False, half_pixel_centers=False),
    ),
    Mutation("the nearest pixel, not the one before", (_NEAREST,), choices.rounded_positions),
    Mutation("codes above -1 become -1", ("REDUCE_MAX", "REDUCE_MIN"), choices.negative),
    Mutation("the bound of RELU6 is truncated", ("RELU6",), choices.cut_bound),
)


def _real(piece: Piece, how: str) -> Array | None:
    return (a.softmax if piece.operator.name == "SOFTMAX" else a.function)(how)(piece)


def mutations_of(operator: str) -> tuple[Mutation, ...]:
    """Those of one operator."""
    return tuple(mutation for mutation in MUTATIONS if operator in mutation.operators)


def find_mutation(operator: str, wrong: str) -> Mutation:
    """The mutation of that name; `InputError` that lists those of the operator for another one."""
    known = mutations_of(operator)
    for mutation in known:
        if mutation.wrong == wrong:
            return mutation
    names = ", ".join(repr(mutation.wrong) for mutation in known) or "none"
    raise InputError(f"unknown mutation {wrong!r} of {operator}; known: {names}")
