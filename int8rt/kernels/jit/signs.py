"""Filters with negative scales: such a channel's weights and multiplier change their signs, and all products stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from int8rt.kernels.jit.lowering import LowerContext, Slot

_INT32_MAX = (1 << 31) - 1


def with_positive_multipliers(params: Any, context: LowerContext, axis: int) -> tuple[Any, LowerContext] | None:
    """The same convolution with multipliers that are not negative; None where a sign can't change.

    params: with a `requantization`, whose multipliers belong to the filter's dimension `axis`. The context's inputs are
    the input, a filter and perhaps a bias, constants both.
    """
    requantization = params.requantization
    negative = requantization.multiplier < 0
    if not negative.any():
        return params, context
    filter, bias = context.input(1), context.inputs[2] if len(context.inputs) > 2 else None
    if filter.value is None or (bias is not None and bias.value is None) or params.filter_zero_point:
        return None
    channels = filter.shape[axis]
    signs = np.where(np.broadcast_to(negative, channels), -1, 1)
    codes = np.moveaxis(filter.value, axis, -1).astype(np.int64) * signs
    biases = np.zeros(channels, np.int64) if bias is None or bias.value is None else bias.value.reshape(-1) * signs
    largest = (abs(params.input_zero_point) + 256) * np.abs(codes).reshape(-1, channels).sum(axis=0) + np.abs(biases)
    # No sum may be -2^31, whose negative does not exist, not even after a shift to the left that wraps around.
    fits = codes.max(initial=0) <= 127 and largest.max(initial=0) <= _INT32_MAX and not np.any(requantization.shift > 0)
    if not fits or requantization.multiplier.min() < -_INT32_MAX:
        return None
    flipped = replace(
        requantization,
        multiplier=np.abs(requantization.multiplier),
        real_multiplier=np.abs(requantization.real_multiplier),
    )
    weights = np.ascontiguousarray(np.moveaxis(codes, -1, axis).astype(np.int8))
    inputs: list[Slot | None] = [context.inputs[0], replace(filter, value=weights)]
    if bias is not None:
        inputs.append(replace(bias, value=biases.astype(np.int32)))
    return replace(params, requantization=flipped), replace(context, inputs=tuple(inputs))
