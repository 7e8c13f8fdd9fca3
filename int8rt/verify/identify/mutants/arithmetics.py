"""Whole wrong arithmetics: of the requantization's ends, of pools, of functions, of QUANTIZE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.quantization import dialects
from int8rt.quantization.requantization import Requantization
from int8rt.verify.identify.mutants.changes import Array, Changes, Wrong
from int8rt.verify.identify.piece import Piece, quantization
from int8rt.verify.teacher import Teacher


def clamped_early(piece: Piece) -> Array | None:
    """The activation's clamp first, the zero point after it."""
    old = getattr(piece.params, "requantization", None)
    if old is None or not old.zero_point:
        return None
    value = piece.run(replace(piece.params, requantization=replace(old, zero_point=0))).astype(np.int64)
    return piece.finish(value + old.zero_point)


def wrapped(piece: Piece) -> Array | None:
    """Narrowed without saturation, and so without the activation's clamp."""
    old = getattr(piece.params, "requantization", None)
    if old is None:
        return None
    wide = replace(old, dtype=np.dtype(np.int32), activation_min=-(1 << 31), activation_max=(1 << 31) - 1)
    return piece.run(replace(piece.params, requantization=wide)).astype(piece.found.dtype)


def no_activation(old: Requantization, _: Piece) -> Changes:
    """Any code of the type."""
    info = np.iinfo(old.dtype)
    if (old.activation_min, old.activation_max) == (info.min, info.max):
        return {}
    return {"activation_min": int(info.min), "activation_max": int(info.max)}


def cut_bound(old: Requantization, piece: Piece) -> Changes:
    """The bound of RELU6 as a code, its fraction cut off."""
    if getattr(piece.operator.options, "fused_activation_function", None) != ActivationFunctionType.RELU6:
        return {}
    scale, zero_point = quantization(piece.output)
    bound = int(np.float32(6) / np.float32(scale)) + zero_point
    return {"activation_max": min(bound, int(np.iinfo(piece.found.dtype).max))}


def rolled_channels(old: Requantization, _: Piece) -> Changes:
    """Each channel's numbers at the next one."""
    names = ("multiplier", "shift", "real_multiplier")
    return {name: np.roll(getattr(old, name), 1) for name in names} if old.multiplier.size > 1 else {}


def first_channel(old: Requantization, _: Piece) -> Changes:
    """The first channel's numbers at all."""
    names = ("multiplier", "shift", "real_multiplier")
    return {name: getattr(old, name)[:1] for name in names} if old.multiplier.size > 1 else {}


def smaller_multiplier(old: Requantization, _: Piece) -> Changes:
    """One less in the multiplier's last place."""
    return {"multiplier": old.multiplier - 1, "real_multiplier": old.real_multiplier * (1 - 2.0**-30)}


def smaller_shift(old: Requantization, _: Piece) -> Changes:
    """Half the multiplier."""
    return {"shift": old.shift - 1, "real_multiplier": old.real_multiplier / 2}


def pooled(how: str, counts_border: bool = False) -> Wrong:
    """A mean of codes rounded as `dialects.divide` says; over all taps of the window, or those that there are."""

    def run(piece: Piece) -> Array:
        p, x = piece.params, piece.value(0)
        total = np.zeros((x.shape[0], p.height.output, p.width.output, x.shape[3]), np.int64)
        count = np.zeros((1, p.height.output, p.width.output, 1), np.int64)
        for i in range(p.height.output):
            for j in range(p.width.output):
                top, left = i * p.height.stride - p.height.pad_before, j * p.width.stride - p.width.pad_before
                rows = slice(max(top, 0), top + p.height.kernel)
                taps = x[:, rows, max(left, 0) : left + p.width.kernel].astype(np.int64)
                total[:, i, j] = taps.sum(axis=(1, 2))
                count[:, i, j] = taps.shape[1] * taps.shape[2]
        if counts_border:
            count = np.full_like(count, p.height.kernel * p.width.kernel)
        return piece.finish(dialects.divide(total, count, how), int(p.activation_min), int(p.activation_max))

    return run


def quantized(how: str) -> Wrong:
    """QUANTIZE of real numbers with another rounding."""

    def run(piece: Piece) -> Array | None:
        if piece.value(0).dtype != np.float32:
            return None
        return piece.finish(_quantized(piece, how))

    return run


def unsaturated(piece: Piece) -> Array | None:
    """QUANTIZE narrowed without saturation."""
    if piece.value(0).dtype != np.float32:
        return wrapped(piece)
    return _quantized(piece, "half away").astype(piece.found.dtype)


def _quantized(piece: Piece, how: str) -> Array:
    scale, zero_point = quantization(piece.output)
    return dialects.round_real(piece.value(0) / np.float32(scale), how) + zero_point


def softmax(how: str) -> Wrong:
    """SOFTMAX in float64."""

    def run(piece: Piece) -> Array:
        (scale, _), (out, zero_point) = piece.input(), quantization(piece.output)
        options: Any = piece.operator.options
        codes = piece.value(0).astype(np.int64)
        e = np.exp(-((codes.max(axis=-1, keepdims=True) - codes) * (float(options.beta) * scale)))
        real = e / e.sum(axis=-1, keepdims=True) / out
        return piece.finish(dialects.round_real(real, how) + zero_point)

    return run


def function(how: str, offset: bool = True) -> Wrong:
    """LOGISTIC and TANH in float64, or without the zero point of the input."""

    def run(piece: Piece) -> Array:
        (scale, zero), (out, zero_point) = piece.input(), quantization(piece.output)
        x = (piece.value(0).astype(np.int64) - (zero if offset else 0)) * scale
        y = np.tanh(x) if piece.operator.name == "TANH" else 1 / (1 + np.exp(-x))
        return piece.finish(dialects.round_real(y / out, how) + zero_point)

    return run


def without_zero_point(piece: Piece) -> Array | None:
    """DEQUANTIZE as code times scale."""
    if piece.value(0).dtype.kind not in "iu":
        return None
    return piece.value(0).astype(np.float32) * np.float32(piece.input()[0])


def unsigned_bias(bias: Array) -> Array:
    """A bias of int64 as accumulators of 48 bits have it that are not extended by the sign; others as they are."""
    return bias & ((1 << 48) - 1) if bias.dtype == np.int64 else bias


def requantized_tensor(input: bool) -> Wrong:
    """The operator planned anew, the zero point of its first input or of its output being that of a plain integer."""

    def run(piece: Piece) -> Array | None:
        alone = piece.alone()
        if alone is None or piece.found.dtype == np.int16:
            return None
        model, inputs = alone
        graph = model.subgraphs[0]
        index = graph.inputs[0] if input else graph.outputs[0]
        own = graph.tensors[index].quantization
        plain = 128 if graph.tensors[index].type == TensorType.UINT8 else 0
        if own is None or int(own.zero_point[0]) == plain:
            return None
        changed = replace(graph.tensors[index], quantization=Quantization.per_tensor(float(own.scale[0]), plain))
        tensors = (*graph.tensors[:index], changed, *graph.tensors[index + 1 :])
        teacher = Teacher(replace(model, subgraphs=(replace(graph, tensors=tensors),)), inputs, "tflite-ref")
        values = teacher.inputs(0, dict(zip(graph.inputs, inputs, strict=True)))
        return None if values is None else teacher.outputs(0, values)[graph.outputs[0]]

    return run
