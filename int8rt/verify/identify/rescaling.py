"""Convolutions, matrix products, MUL, MEAN, RELU and its kin, QUANTIZE of codes: an accumulator and a multiplier."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from int8rt.kernels.opt.mean import evaluate_mean, of_image
from int8rt.quantization import dialects
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantization import Requantization
from int8rt.quantization.requantize import (
    multiply_by_quantized_multiplier,
    multiply_by_quantized_multiplier_int64,
    multiply_by_real_multiplier,
)
from int8rt.quantization.rescale import (
    multiply_by_float32_multiplier,
    multiply_by_quantized_multiplier_single_rounding,
    multiply_by_quantized_multiplier_ties_up,
)
from int8rt.quantization.rounding import wrap_int32
from int8rt.quantization.xnnpack import in_256ths, reduced_codes
from int8rt.verify.identify.mutants.changes import accumulators
from int8rt.verify.identify.piece import Array, Candidates, Piece, quantization, xnnpack_range
from int8rt.verify.identify.whole import TWICE, in_profile

TIES_UP = "two roundings, both with ties up"
BLOCKS = "two roundings, ties up in whole blocks of 8 channels, as gemmlowp in the rest"
FLOAT64 = "float64, half away"
XNNPACK = "float32, half even (XNNPACK)"
SIXTEEN = "a multiplier of 16 bits, one rounding, ties up"
BY_SUMS = "16-bit multipliers, one rounding, ties up, for int64 sums, two roundings for int32 sums (TensorFlow Lite)"
OPTIMIZED = "the reference's for int64 sums, that of 8 bits for int32 sums (LiteRT's optimized kernels)"
IN_SIXTEENS = "two roundings, ties up in whole blocks of 16 elements, as gemmlowp in the rest"
OF_256 = "a multiplier of 8 fractional bits, ties up (XNNPACK)"
IN_32_BITS = "sums in 32 bits: "
_OF_XNNPACK = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "TRANSPOSE_CONV",
    "BATCH_MATMUL",
    "MUL",
    "MEAN",
)
IN_FLOAT64 = "two roundings (gemmlowp), a multiplier made in float64 (TOSA)"
UNSIGNED_BIAS = "; a negative bias is unsigned, of 48 bits"
_SUMS_OF_INT32 = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_BIASED = (*_SUMS_OF_INT32, "DEPTHWISE_CONV_2D")


def rescaled(piece: Piece) -> Candidates:
    """Every rounding as it should be, and then with each deviation."""
    base: dict[str, Array] = {}
    names: list[tuple[str, Array]] = []
    for suffix, variant in _variants(piece):
        if variant is not None:
            names = _roundings(piece, *variant)
            base = dict(names) if not suffix else base
        for name, value in names if suffix and variant is not None else base.items():
            yield name + suffix, value
        if not suffix and piece.found.dtype == np.int16 and piece.operator.name in _SUMS_OF_INT32:
            optimized = in_profile(piece, "tflite-opt")
            yield OPTIMIZED, piece.run() if optimized is None else optimized
        if not suffix and piece.found.dtype == np.int16 and piece.operator.name in _BIASED:
            yield SIXTEEN + UNSIGNED_BIAS, _with_unsigned_bias(piece)
        if not suffix and piece.operator.name == "RELU6" and (clamped := in_profile(piece, "tflm")) is not None:
            yield "codes between the input's codes of 0 and 6, not rescaled (TensorFlow Lite Micro)", clamped


def _with_unsigned_bias(piece: Piece) -> Array:
    """Sums in which a negative bias has no sign beyond its 48 bits, by multipliers of 16 bits; none is too small to
    count, as those below 2^-32 are to TensorFlow Lite. So has IREE what was converted to TOSA.
    """
    r, bias = piece.params.requantization, piece.inputs[-1]
    sums = accumulators(piece)
    if bias is not None and bias.dtype == np.int64 and bias.ndim == 1:
        sums = sums + (bias < 0) * np.int64(1 << 48)
    mantissa, exponent = np.frexp(r.real_multiplier)
    small = (r.multiplier == 0) & (exponent >= -46)
    multiplier = np.where(small, np.minimum(np.rint(mantissa * 2.0**31), 2.0**31 - 1), r.multiplier)
    value = multiply_by_quantized_multiplier_int64(sums, multiplier, np.where(small, exponent, r.shift))
    return _finish(piece, value, r, False)


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
    if offsets:
        zeros = replace(piece.params, **dict.fromkeys(offsets, 0))
        there = any(getattr(piece.params, name) for name in offsets)
        yield "; the input's zero point is ignored", (accumulators(piece, zeros), r, False) if there else None
    yield "; the output's zero point is ignored", (sums, replace(r, zero_point=0), False) if r.zero_point else None
    yield "; clamped before the zero point", (sums, r, True) if r.zero_point else None
    if hasattr(piece.operator.options, "fused_activation_function"):
        clamps = (r.activation_min, r.activation_max) != (info.min, info.max)
        free = replace(r, activation_min=int(info.min), activation_max=int(info.max))
        yield "; no activation", (sums, free, False) if clamps else None
    if piece.operator.name in _BIASED:
        place = 3 if piece.operator.name == "TRANSPOSE_CONV" else 2
        bias = piece.inputs[place] if len(piece.inputs) > place else None
        without = None if bias is None else (*piece.inputs[:place], np.zeros_like(bias))
        yield "; no bias", None if without is None else (accumulators(piece, None, without), r, False)
        first = replace(r, multiplier=r.multiplier[:1], shift=r.shift[:1], real_multiplier=r.real_multiplier[:1])
        yield "; one multiplier for all channels", (sums, first, False) if r.multiplier.size > 1 else None
    if piece.operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
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
    if piece.found.dtype == np.int16:
        return [(name, _finish(piece, value, r, early)) for name, value in _of_int16(piece, sums, r)]
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
    if piece.operator.name in ("DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"):
        blocks = sums.shape[-1] // 8 * 8
        found.insert(2, (BLOCKS, np.concatenate([up[..., :blocks], twice[..., blocks:]], axis=-1)))
    outputs = [(name, _finish(piece, value, r, early)) for name, value in found]
    # XNNPACK computes the multiplier itself in float32, and has bounds of its own for activations.
    if piece.operator.name in _OF_XNNPACK:
        low, high = xnnpack_range(piece)
        info = np.iinfo(r.dtype)
        if (r.activation_min, r.activation_max) == (info.min, info.max):
            low, high = int(info.min), int(info.max)
        own = dataclasses.replace(r, activation_min=low, activation_max=high)
        value = multiply_by_float32_multiplier(sums, _float32_multiplier(piece)[: real.size])
        outputs.insert(len(outputs) - 3, (XNNPACK, _finish(piece, value, own, early)))
    if piece.operator.name in _BIASED and piece.found.dtype == np.uint8:
        in_float64 = multiply_by_quantized_multiplier(sums, *_float64_multiplier(piece))
        outputs.insert(len(outputs) - 4, (IN_FLOAT64, _finish(piece, in_float64, r, early)))
    if piece.operator.name == "QUANTIZE":
        outputs[2:2] = [(name, _finish(piece, value, r, early)) for name, value in _of_codes(piece, sums, twice, up)]
    return outputs


def _of_codes(piece: Piece, sums: Array, twice: Array, up: Array) -> list[tuple[str, Array]]:
    """QUANTIZE from 8 bits to 8 bits in LiteRT's optimized kernels and in XNNPACK, which takes codes of one type."""
    ratio = np.float32(np.float32(piece.input()[0]) / np.float32(quantization(piece.output)[0]))
    if piece.value(0).itemsize > 1:
        return [(IN_SIXTEENS, twice), (OF_256, twice)]
    whole = sums.size // 16 * 16
    vectors = np.concatenate([up.ravel()[:whole], twice.ravel()[whole:]]).reshape(sums.shape)
    taken = piece.value(0).dtype == piece.found.dtype and 1 / 256 <= ratio <= 128
    return [(IN_SIXTEENS, vectors), (OF_256, (sums * in_256ths(ratio) + 128) >> 8 if taken else vectors)]


def _of_int16(piece: Piece, sums: Array, r: Requantization) -> list[tuple[str, Array]]:
    """Rescaled sums: int64 ones with many roundings, and their low 32 bits with those of int32."""
    real, m, shift = r.real_multiplier, r.multiplier, r.shift
    narrow = wrap_int32(sums)
    sixteen = multiply_by_quantized_multiplier_int64(sums, m, shift)
    twice = multiply_by_quantized_multiplier(narrow, m, shift)
    found = [
        (SIXTEEN, sixteen),
        (FLOAT64, multiply_by_real_multiplier(sums, real)),
        ("one rounding, ties up", dialects.multiply_wide(sums, m, shift)),
        ("float64, half even", dialects.multiply_half_even(sums, real)),
        ("float32, half even", dialects.multiply_in_float32(sums, real)),
        ("truncation", dialects.multiply_truncate(sums, real)),
        ("floor", dialects.multiply_floor(sums, real)),
    ]
    up = multiply_by_quantized_multiplier_ties_up(narrow, m, shift)
    if piece.operator.name in (*_BIASED, "BATCH_MATMUL"):
        found += [(IN_32_BITS + TWICE, twice), (IN_32_BITS + TIES_UP, up)]
    else:
        found[:0] = [(TWICE, twice), (TIES_UP, up)]
    if piece.operator.name in _SUMS_OF_INT32:
        found.insert(0, (BY_SUMS, twice if r.accumulator.itemsize < 8 else sixteen))
    return found


def _float32_multiplier(piece: Piece) -> Array:
    """input scale · filter scale / output scale, all in float32."""
    if piece.operator.name == "MEAN":
        real: Array = piece.params.requantization.real_multiplier
        return real
    other = piece.tensors[1]
    assert other is not None
    assert other.quantization is not None
    first = piece.input(2 if piece.operator.name == "TRANSPOSE_CONV" else 0)[0]
    product = np.float32(first) * other.quantization.scale.astype(np.float32)
    return np.asarray(product / np.float32(quantization(piece.output)[0]), np.float32)


def _float64_multiplier(piece: Piece) -> tuple[int, int]:
    """(multiplier, shift) of input scale · filter scale / output scale, in float64; one scale each."""
    filter = quantization(piece.tensors[1])[0]
    first = piece.input(2 if piece.operator.name == "TRANSPOSE_CONV" else 0)[0]
    return quantize_multiplier(first * filter / quantization(piece.output)[0])


def _finish(piece: Piece, value: Array, r: Requantization, early: bool) -> Array:
    if early:
        value = np.clip(value, r.activation_min, r.activation_max)
        return piece.finish(value + r.zero_point)
    return piece.finish(value + r.zero_point, r.activation_min, r.activation_max)


def mean(piece: Piece) -> Candidates:
    """MEAN: the roundings, and in 8 bits the two kernels that compute with the codes as they are."""
    if piece.found.dtype == np.int16:
        yield from rescaled(piece)
        return
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
