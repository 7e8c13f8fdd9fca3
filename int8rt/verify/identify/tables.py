"""AVERAGE_POOL_2D, SOFTMAX, LOGISTIC, TANH and QUANTIZE: one division, or a table; and operators without a choice."""

from __future__ import annotations

import numpy as np

from int8rt.kernels.pooling import Pool2DParams
from int8rt.kernels.taps import pad_input, windows
from int8rt.kernels.xnnpack.unary import sigmoid
from int8rt.quantization import dialects
from int8rt.quantization.affine import dequantize_in_eights
from int8rt.quantization.float_softmax import exponentials, probabilities
from int8rt.quantization.lookup_table import lookup
from int8rt.quantization.vector_body import quantize_in_eights
from int8rt.quantization.xnnpack import populate_lookup_table
from int8rt.schema.options import SoftmaxOptions
from int8rt.verify.identify.piece import Array, Candidates, Piece, quantization
from int8rt.verify.identify.whole import RIGHT, in_profile

FIXED_POINT = "fixed point (gemmlowp)"
TABLES = "tables of 513 entries, in fixed point (TensorFlow Lite)"
ENTRIES = "a table of 513 entries, interpolated (TensorFlow Lite)"
TABLE = "a float32 table, half away (TensorFlow Lite)"
MEAN_OF_CODES = "the codes' mean, half away from code 0"
QUOTIENT = "float32, half away"
DIFFERENCE = "float32, (code - zero point) · scale"
_CODES = np.arange(256, dtype=np.uint8)


def average_pool(piece: Piece) -> Candidates:
    """Means of the codes, or of the codes without their zero point; of the taps there are, or of all."""
    p: Pool2DParams = piece.params
    zero_point = quantization(piece.output)[1]
    low, high = int(p.activation_min), int(p.activation_max)
    ones = np.ones((1, *piece.value(0).shape[1:3], 1), np.int64)
    total, count = _window_sums(piece.value(0).astype(np.int64), p, 0), _window_sums(ones, p, 0)
    yield MEAN_OF_CODES, piece.run()
    for how in ("half up", "half even", "truncate", "floor"):
        yield f"the codes' mean, {how}", piece.finish(dialects.divide(total, count, how), low, high)
    apart = ("half away", "half even", "half up", "truncate") if piece.found.dtype != np.int16 else ()
    for how in apart:  # int16 has no zero point
        mean = dialects.divide(total - zero_point * count, count, how) + zero_point
        yield f"the mean without the zero point, {how}", piece.finish(mean, low, high)
    taps = np.full_like(count, p.height.kernel * p.width.kernel)
    for name, border in (("code 0", 0), ("the zero point", zero_point))[: 2 if apart else 1]:
        mean = dialects.divide(total + border * (taps - count), taps, "half away")
        yield f"the codes' mean, half away from code 0; the border counts, as {name}", piece.finish(mean, low, high)
    yield (
        "the codes' mean, half away from code 0; no activation",
        piece.finish(dialects.divide(total, count, "half away")),
    )


def _window_sums(codes: Array, p: Pool2DParams, border: int) -> Array:
    padded = pad_input(codes, p.height, p.width, border)
    return np.stack([windows(image, p.height, p.width).sum(axis=(2, 3)) for image in padded])


def softmax(piece: Piece) -> Candidates:
    """The fixed-point exponentials of the reference, LiteRT's table (int16: those of others), and the real function."""
    options = piece.operator.options
    beta = options.beta if isinstance(options, SoftmaxOptions) else 0.0
    (scale, _), (output_scale, zero_point) = piece.input(), quantization(piece.output)
    codes = piece.value(0).astype(np.int64)
    difference = codes.max(axis=-1, keepdims=True) - codes
    if piece.found.dtype == np.int16:
        yield TABLES, piece.run()
        for profile, words in (("tflm", "made in float32 (TensorFlow Lite Micro)"), ("tosa", "made in float64 (TOSA)")):
            if (other := in_profile(piece, profile)) is not None:
                yield f"tables of 513 entries {words}", other
    else:
        yield FIXED_POINT, piece.run()
        terms = exponentials(scale, beta)[difference].reshape(-1, codes.shape[-1])
        value = probabilities(terms, output_scale, zero_point, piece.found.dtype).reshape(codes.shape)
        yield "a float32 table (LiteRT's optimized kernels)", value
    e = np.exp(-(difference * (float(beta) * scale)))
    real = e / e.sum(axis=-1, keepdims=True) / output_scale
    for how in ("half away", "half even", "truncate"):
        yield f"float64, {how}", piece.finish(dialects.round_real(real, how) + zero_point)
    info = np.iinfo(piece.found.dtype)
    wrapped = (dialects.round_real(real, "half away") + zero_point - info.min) % (info.max - info.min + 1) + info.min
    yield "float64, half away; wraps around instead of saturating", piece.finish(wrapped)
    e = np.exp(-(difference * scale))
    plain = e / e.sum(axis=-1, keepdims=True) / output_scale
    value = dialects.round_real(plain, "half away")
    yield "float64, half away; beta is ignored", piece.finish(value + zero_point)
    value = dialects.round_real(plain * float(beta), "half away")
    yield "float64, half away; beta multiplies the result", piece.finish(value + zero_point)


def logistic(piece: Piece) -> Candidates:
    """LOGISTIC and TANH: TensorFlow Lite's table, XNNPACK's for LOGISTIC, and the real function."""
    codes, dtype = piece.value(0), piece.found.dtype
    (scale, input_zero), (output_scale, zero_point) = piece.input(), quantization(piece.output)
    yield ENTRIES if dtype == np.int16 else TABLE, piece.run()
    tanh = piece.operator.name == "TANH"
    if dtype == np.int16:
        for profile, words in (
            ("tflite-opt", "the table, fixed point at scales of 2^-12 and the like (LiteRT's optimized kernels)"),
            ("tosa", "a table of 513 entries, made in float64 (TOSA)"),
        ):
            if (other := in_profile(piece, profile)) is not None:
                yield words, other
    elif not tanh:
        table = populate_lookup_table(sigmoid, _CODES.view(dtype), piece.input(), (output_scale, zero_point))
        yield "a table with the zero point added before rounding, half even (XNNPACK)", lookup(codes, table)
    mistakes = [("; the input's zero point is ignored", 0)] if dtype != np.int16 else []
    for suffix, zero in (("", input_zero), *mistakes):
        x = (codes.astype(np.int64) - zero) * scale
        real = (np.tanh(x) if tanh else 1 / (1 + np.exp(-x))) / output_scale
        for how in ("half away", "half even", "truncate"):
            yield f"float64, {how}{suffix}", piece.finish(dialects.round_real(real, how) + zero_point)


def quantize(piece: Piece) -> Candidates:
    """QUANTIZE of real numbers: a quotient, or a product with the reciprocal of the scale."""
    x, (scale, zero_point) = piece.value(0), quantization(piece.output)
    yield QUOTIENT, piece.run()
    info = np.iinfo(piece.found.dtype)
    eights = quantize_in_eights(x.ravel(), scale, zero_point, piece.found.dtype, int(info.min), int(info.max))
    yield "LiteRT's vectors: the reciprocal, half even, the rest as the reference", eights.reshape(x.shape)
    quotient = np.clip(x * (np.float32(1) / np.float32(scale)), -(2.0**30), 2.0**30)
    product = dialects.round_real(quotient, "half even")
    yield "the reciprocal, half even", piece.finish(product + zero_point)
    wrapped = (product + zero_point).astype(piece.found.dtype)
    yield "the reciprocal, half even; no saturation", wrapped
    middle = zero_point == (int(info.min) + int(info.max) + 1) // 2
    value = piece.finish(product + zero_point) if middle else wrapped
    if piece.found.dtype != np.int16:
        yield "the reciprocal, half even; no saturation unless the zero point is 0 (uint8: 128)", value


def dequantize(piece: Piece) -> Candidates:
    """DEQUANTIZE: the zero point is subtracted first, or its product added."""
    codes, (scale, zero_point) = piece.value(0), piece.input()
    yield DIFFERENCE, piece.run()
    yield (
        "LiteRT's vectors: code · scale + offset, the rest as the reference",
        dequantize_in_eights(np.ascontiguousarray(codes), scale, zero_point),
    )
    offset = np.float32(-zero_point) * np.float32(scale)
    yield "float32, code · scale + offset", codes.astype(np.float32) * np.float32(scale) + offset


def fixed(piece: Piece) -> Candidates:
    """An operator whose output nothing rounds: right, or with a mistake."""
    yield RIGHT, piece.run()
