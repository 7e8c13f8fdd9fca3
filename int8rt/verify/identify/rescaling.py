"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, MUL, MEAN: an accumulator in int32 and a real multiplier."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from int8rt.kernels.opt.mean import evaluate_mean, of_image
from int8rt.quantization import dialects
from int8rt.quantization.requantization import Requantization
from int8rt.quantization.requantize import multiply_by_quantized_multiplier, multiply_by_real_multiplier
from int8rt.quantization.rescale import (
    multiply_by_float32_multiplier,
    multiply_by_quantized_multiplier_single_rounding,
    multiply_by_quantized_multiplier_ties_up,
)
from int8rt.quantization.xnnpack import reduced_codes
from int8rt.verify.identify.mutants.changes import accumulators
from int8rt.verify.identify.piece import Array, Candidates, Piece, quantization, xnnpack_range

TWICE = "two roundings (gemmlowp)"
TIES_UP = "two roundings, both with ties up"
BLOCKS = "two roundings, ties up in whole blocks of 8 channels, as gemmlowp in the rest"
FLOAT64 = "float64, half away"
XNNPACK = "float32, half even (XNNPACK)"


def rescaled(piece: Piece) -> Candidates:
    """Every rounding as it should be, and then with each deviation."""
    base: dict[str, Array] = {}
    for suffix, variant in _variants(piece):
        if variant is not None:
            names = _roundings(piece, *variant)
            base = dict(names) if not suffix else base
        for name, value in names if suffix and variant is not None else base.items():
            yield name + suffix, value


def _variants(piece: Piece) -> Iterator[tuple[str, tuple[Array, Requantization, bool] | None]]:
    """(what deviates, (accumulators, requantization, clamp before the zero point)); None where it makes no difference.

    The first one is right.
    """
    r: Requantization = piece.params.requantization
    info = np.iinfo(r.dtype)
    sums = accumulators(piece)
    replace = dataclasses.replace
    yield "", (sums, r, False)
    names = [field.name for field in dataclasses.fields(piece.params)]
    offsets = [name for name in names if name.startswith("input") and name.endswith("zero_point")]
    zeros = replace(piece.params, **dict.fromkeys(offsets, 0))
    yield "; the input's zero point is ignored", (accumulators(piece, zeros), r, False)
    yield "; the output's zero point is ignored", (sums, replace(r, zero_point=0), False) if r.zero_point else None
    yield "; clamped before the zero point", (sums, r, True) if r.zero_point else None
    if piece.operator.name != "MEAN":
        clamps = (r.activation_min, r.activation_max) != (info.min, info.max)
        free = replace(r, activation_min=int(info.min), activation_max=int(info.max))
        yield "; no activation", (sums, free, False) if clamps else None
    if "CONV" in piece.operator.name or piece.operator.name == "FULLY_CONNECTED":
        bias = piece.inputs[2] if len(piece.inputs) > 2 else None
        without = None if bias is None else (*piece.inputs[:2], np.zeros_like(bias))
        yield "; no bias", None if without is None else (accumulators(piece, None, without), r, False)
        first = replace(r, multiplier=r.multiplier[:1], shift=r.shift[:1], real_multiplier=r.real_multiplier[:1])
        yield "; one multiplier for all channels", (sums, first, False) if r.multiplier.size > 1 else None
    if "CONV" in piece.operator.name:
        padded = _with_zeros(piece)
        yield "; the border is code 0", None if padded is None else (accumulators(piece, *padded), r, False)
    if getattr(piece.params, "groups", 1) > 1:
        own = replace(piece.params, groups=1), (_of_one_group(piece), *piece.inputs[1:])
        yield "; the input's memory is read with the channels of one group", (accumulators(piece, *own), r, False)


def _of_one_group(piece: Piece) -> Array:
    """The input's first codes as an image of fewer channels, as many as one group has."""
    x, channels = piece.value(0), piece.params.filter_channels
    shape = (*x.shape[:3], channels)
    return np.ascontiguousarray(x.reshape(-1)[: x.size // piece.params.groups].reshape(shape))


def _with_zeros(piece: Piece) -> tuple[Any, tuple[Array | None, ...]] | None:
    """Parameters and inputs with the border made of code 0; None where there is no border, or it is that anyway."""
    height, width = getattr(piece.params, "height", None), getattr(piece.params, "width", None)
    if height is None or width is None or not piece.params.input_zero_point:
        return None
    pads = [(w.pad_before, w.pad_after) for w in (height, width)]
    if not any(map(any, pads)) or min(map(min, pads)) < 0:
        return None
    inputs = (np.pad(piece.value(0), [(0, 0), *pads, (0, 0)]), *piece.inputs[1:])
    whole = {
        name: dataclasses.replace(w, input=w.input + sum(pad), pad_before=0, pad_after=0)
        for name, w, pad in (("height", height, pads[0]), ("width", width, pads[1]))
    }
    return dataclasses.replace(piece.params, **whole), inputs


def _roundings(piece: Piece, sums: Array, r: Requantization, early: bool) -> list[tuple[str, Array]]:
    """The outputs by each rounding."""
    real, m, shift = r.real_multiplier, r.multiplier, r.shift
    twice, up = (
        multiply_by_quantized_multiplier(sums, m, shift),
        multiply_by_quantized_multiplier_ties_up(sums, m, shift),
    )
    found = [
        (TWICE, twice),
        (TIES_UP, up),
        ("one rounding, ties up", multiply_by_quantized_multiplier_single_rounding(sums, m, shift)),
        (FLOAT64, multiply_by_real_multiplier(sums, real)),
        ("float32, half even", multiply_by_float32_multiplier(sums, real)),
        ("truncation", dialects.multiply_truncate(sums, real)),
        ("floor", dialects.multiply_floor(sums, real)),
    ]
    if piece.operator.name == "DEPTHWISE_CONV_2D":
        blocks = sums.shape[-1] // 8 * 8
        found.insert(2, (BLOCKS, np.concatenate([up[..., :blocks], twice[..., blocks:]], axis=-1)))
    outputs = [(name, _finish(piece, value, r, early)) for name, value in found]
    # XNNPACK computes the multiplier itself in float32, and has bounds of its own for activations.
    low, high = xnnpack_range(piece)
    info = np.iinfo(r.dtype)
    if (r.activation_min, r.activation_max) == (info.min, info.max):
        low, high = int(info.min), int(info.max)
    r = dataclasses.replace(r, activation_min=low, activation_max=high)
    value = multiply_by_float32_multiplier(sums, _float32_multiplier(piece)[: real.size])
    outputs.insert(len(outputs) - 3, (XNNPACK, _finish(piece, value, r, early)))
    return outputs


def _float32_multiplier(piece: Piece) -> Array:
    """input scale · filter scale / output scale, all in float32."""
    if piece.operator.name == "MEAN":
        real: Array = piece.params.requantization.real_multiplier
        return real
    other = piece.tensors[1]
    assert other is not None
    assert other.quantization is not None
    product = np.float32(piece.input(0)[0]) * other.quantization.scale.astype(np.float32)
    return np.asarray(product / np.float32(quantization(piece.output)[0]), np.float32)


def _finish(piece: Piece, value: Array, r: Requantization, early: bool) -> Array:
    if early:
        value = np.clip(value, r.activation_min, r.activation_max)
        return piece.finish(value + r.zero_point)
    return piece.finish(value + r.zero_point, r.activation_min, r.activation_max)


def mean(piece: Piece) -> Candidates:
    """MEAN: the roundings, and the two kernels that compute with the codes as they are."""
    count = piece.params.count
    total = accumulators(piece) + piece.params.input_zero_point * count
    scales = piece.input(0), quantization(piece.output)
    plain = list(rescaled(piece))
    right = dict(plain)[TWICE]
    rank4 = piece.value(0).ndim == 4 and set(piece.params.axis) == {1, 2} and total.ndim == 4
    vectorized = evaluate_mean(of_image(piece.params, *scales), piece.value(0), piece.value(1)) if rank4 else right
    yield plain[0]
    yield "LiteRT's vectorized mean over height and width, else two roundings (gemmlowp)", vectorized
    yield XNNPACK, reduced_codes(total.astype(np.int32), count, True, *scales, piece.found.dtype)
    yield from ((name, value) for name, value in plain[1:] if not name.startswith(XNNPACK))
