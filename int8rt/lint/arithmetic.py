"""Rules on what the numbers of an operator lead to, from its weights and its input's range of codes.

The parameters are those that running the operator uses (`Params`); rules that need them say nothing of operators that
int8rt can't run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array
from int8rt.lint.rule import Found, Operand, OperatorView, Severity, operator_rule
from int8rt.lint.specification import WEIGHTED
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, requantize

_LARGEST_SHIFT = 30
_BLOCK_ELEMENTS = 1 << 20


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the sums of each output channel can be, as int64[channels] without wrap-around."""

    least: npt.NDArray[np.int64]
    largest: npt.NDArray[np.int64]


def multiplier_is_below_one(view: OperatorView) -> Iterator[Found]:
    """input scale × filter scale / output scale (of MUL: input scale × input scale / output scale) is below 1.

    From 1 on an output step is finer than a step of the sum, so some output codes can never occur.
    """
    requantization = _requantization(view)
    if requantization is None or view.operator.name not in (*WEIGHTED, "MUL"):
        return
    real = requantization.real_multiplier
    high = np.flatnonzero(real >= 1)
    if high.size:
        channel = f" in channel {high[0]}, {high.size} of {real.size} from 1 on" if real.size > 1 else ""
        yield Found(view.outputs[0], f"multiplier {real[high[0]]:.6g}{channel}", "below 1")


def multiplier_fits_a_shift(view: OperatorView) -> Iterator[Found]:
    """The fixed-point multiplier shifts left by 30 at most; what lies beyond is undefined in the runtimes' C++ code."""
    requantization = _requantization(view)
    if requantization is None:
        return
    high = np.flatnonzero(requantization.shift > _LARGEST_SHIFT)
    if high.size:
        real = requantization.real_multiplier
        yield Found(view.outputs[0], f"multiplier {real[min(high[0], real.size - 1)]:.6g}", "below 2^30")


def accumulator_does_not_overflow(view: OperatorView) -> Iterator[Found]:
    """No input can make a sum of weights × codes + bias leave int32, in which it would wrap around.

    Computed from the actual weights and biases and from all codes that the input's type has.
    """
    requantization, sums = _requantization(view), _sums(view)
    if requantization is None or sums is None:
        return
    info = np.iinfo(requantization.accumulator)
    over = np.flatnonzero((sums.least < info.min) | (sums.largest > info.max))
    if over.size:
        channel = over[0]
        found = f"sums from {sums.least[channel]} to {sums.largest[channel]} in channel {channel}"
        yield Found(view.outputs[0], f"{found}, {over.size} of {sums.least.size} too wide", f"{info.dtype} sums")


def outputs_can_change(view: OperatorView) -> Iterator[Found]:
    """Every output channel depends on the input: its smallest and its largest possible sum give different codes.

    A channel that does not is dead: its weights are 0, its multiplier is too small, or the clamp leaves one code.
    """
    requantization, sums = _requantization(view), _sums(view)
    if requantization is None or sums is None or not sums.least.size:
        return
    info = np.iinfo(requantization.accumulator)
    fits = (sums.least >= info.min) & (sums.largest <= info.max)
    ends = np.stack([np.where(fits, sums.least, 0), np.where(fits, sums.largest, 0)])
    codes = requantize(ends, requantization)
    dead = np.flatnonzero(fits & (codes[0] == codes[1]))
    if dead.size:
        found = f"channel {dead[0]} is always {codes[0, dead[0]]}, {dead.size} of {fits.size} channels never change"
        yield Found(view.outputs[0], found, "codes that depend on the input")


def clamp_leaves_most_codes(view: OperatorView) -> Iterator[Found]:
    """The fused activation leaves at least half of the codes of the output's type: its scale and zero point suit it."""
    requantization = _requantization(view)
    if requantization is None:
        return
    info = np.iinfo(requantization.dtype)
    left = requantization.activation_max - requantization.activation_min + 1
    # int16 activations are symmetric, so that a RELU always leaves half of them and a code of 0.
    if 2 * left < int(info.max) - int(info.min) + 1:
        found = f"{requantization.activation_min} to {requantization.activation_max}: {max(left, 0)} codes"
        yield Found(view.outputs[0], found, f"at least {(int(info.max) - int(info.min) + 1) // 2} codes")


def _requantization(view: OperatorView) -> Requantization | None:
    found = getattr(view.params, "requantization", None)
    return found if isinstance(found, Requantization) else None


def _sums(view: OperatorView) -> _Sums | None:
    """The reach of the sums of an operator with constant weights; None for what has no such sums."""
    weighted = WEIGHTED.get(view.operator.name)
    if weighted is None or _requantization(view) is None:
        return None
    source, filter, bias = view.input(weighted.input), view.input(weighted.filter), view.input(weighted.bias)
    weights = None if filter is None else view.value(filter)
    if source is None or weights is None or weighted.axis >= weights.ndim or weights.dtype.kind not in "iu":
        return None
    zero_point = int(getattr(view.params, "filter_zero_point", 0))
    positive, negative = _split(np.moveaxis(weights, weighted.axis, 0), zero_point)
    info = np.iinfo(source.tensor.type.dtype)
    input_zero_point = source.zero_point if source.tensor.type != TensorType.INT16 else 0
    low, high = min(int(info.min) - input_zero_point, 0), max(int(info.max) - input_zero_point, 0)
    least, largest = positive * low + negative * high, positive * high + negative * low
    if bias is not None:
        constant = _bias(view, bias, least.size)
        if constant is None:
            return None
        least, largest = least + constant, largest + constant
    return _Sums(least, largest)


def _bias(view: OperatorView, bias: Operand, channels: int) -> npt.NDArray[np.int64] | None:
    value = view.value(bias)
    if value is None or value.size != channels or value.dtype.kind != "i":
        return None
    return np.ravel(value).astype(np.int64)


def _split(weights: Array, zero_point: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The sums of the positive and of the negative weights of each channel [channels, ...], block by block."""
    rows = weights.shape[0]
    positive, negative = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    step = max(1, _BLOCK_ELEMENTS * rows // max(1, weights.size))
    for row in range(0, rows, step):
        block = weights[row : row + step].reshape(min(step, rows - row), -1).astype(np.int32) - zero_point
        positive[row : row + step] = np.maximum(block, 0).sum(axis=1, dtype=np.int64)
        negative[row : row + step] = np.minimum(block, 0).sum(axis=1, dtype=np.int64)
    return positive, negative


RULES = (
    operator_rule(Severity.WARNING, accumulator_does_not_overflow),
    operator_rule(Severity.WARNING, outputs_can_change),
    operator_rule(Severity.WARNING, multiplier_fits_a_shift),
    operator_rule(Severity.NOTE, multiplier_is_below_one),
    operator_rule(Severity.NOTE, clamp_leaves_most_codes),
)
