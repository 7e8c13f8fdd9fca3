"""Probes for operators that rescale or look up each code: RELU and its kin, LEAKY_RELU, QUANTIZE of codes, roots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import ConcatenationOptions, LeakyReluOptions, ReducerOptions
from int8rt.verify.identify.probes import Probe, every_code, zero

# Ratios with ties of both signs, ratios without, and those at the ends of what kernels take.
_SCALES = ((0.5, 1.0), (0.25, 1.0), (0.0371, 0.0527), (0.9, 0.31), (0.0117, 0.9), (0.031, 0.0005), (3.0, 4.0))
_SLOPES = (-0.5, 0.5, 0.1, -0.3, 1.7, -0.25, 0.9)
_COUNT = 2 * 256 + 13


def unary(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """Every code with each of several scales; a number of elements that no vector divides."""
    version = 1 if name in ("RELU_N1_TO_1", "HARD_SWISH") else 2
    for place, (scale_in, scale_out) in enumerate(_SCALES):
        options: Any = LeakyReluOptions(_SLOPES[place]) if name == "LEAKY_RELU" else None
        x = rng.permutation(np.resize(every_code(type), _COUNT)).reshape(1, -1)
        wide = 1 / 4099.3 if type == TensorType.INT16 and name.startswith("RELU") else 1
        specs = [
            TensorSpec(type, x.shape, Quantization.per_tensor(scale * wide, zero(type, z)))
            for scale, z in ((scale_in, -3), (scale_out, 5 - 20 * (place % 2)))
        ]
        yield (
            f"scales {scale_in}, {scale_out}",
            single_operator_model(name, specs[:1], specs[1:], options, version),
            [x],
        )


def roots(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """RSQRT and SQRT of codes that stand for numbers above 0, or 0."""
    codes = every_code(type)
    lowest = 0 if type == TensorType.INT16 else -128
    for scale_in, scale_out in ((0.0371, 0.0527), (0.5, 0.125), (0.003, 0.11), (0.9, 0.31)):
        x = rng.permutation(codes[codes >= lowest + (name == "RSQRT")]).reshape(1, -1)
        specs = [
            TensorSpec(type, x.shape, Quantization.per_tensor(scale, z))
            for scale, z in ((scale_in, lowest), (scale_out, lowest))
        ]
        yield f"scales {scale_in}, {scale_out}", single_operator_model(name, specs[:1], specs[1:], None, 2), [x]


def requantized(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """QUANTIZE from codes of the same type, and from each other that it may have, to `type`."""
    eight = (TensorType.INT8, TensorType.UINT8)
    for source in eight if type in eight else (*eight, TensorType.INT16):
        for scale_in, scale_out in _SCALES:
            x = rng.permutation(np.resize(every_code(source), _COUNT)).reshape(1, -1)
            scale = scale_out / (64 if type == TensorType.INT16 != source else 1)
            specs = [
                TensorSpec(t, x.shape, Quantization.per_tensor(s, zero(t, z)))
                for t, s, z in ((source, scale_in, -3), (type, scale, 5))
            ]
            label = f"from {source.label}, scales {scale_in}, {scale_out}"
            yield label, single_operator_model("QUANTIZE", specs[:1], specs[1:], None, 2), [x]


def joined(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """CONCATENATION of inputs whose scales differ, which uint8 alone may have."""
    if type != TensorType.UINT8:
        return
    x = [every_code(type).reshape(1, -1) for _ in range(4)]
    scales = ((0.5, 128), (0.25, 117), (0.0371, 3), (1.7, 250))
    for scale_out, zero_out in ((1.0, 128), (0.0527, 97), (0.5, 0)):
        specs = [TensorSpec(type, (1, 256), Quantization.per_tensor(*own)) for own in scales]
        output = TensorSpec(type, (1, 1024), Quantization.per_tensor(scale_out, zero_out))
        yield (
            f"to scale {scale_out}",
            single_operator_model("CONCATENATION", specs, [output], ConcatenationOptions(1), 2),
            x,
        )


def totals(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """SUM over height and width, with ties and without."""
    for scales in ((0.5, 1.0), (0.5, 4.0), (0.0371, 0.31), (0.9, 7.3)):
        x = rng.choice(every_code(type), (48, 3, 3, 20))
        if type == TensorType.INT8:  # few sums beyond what a code can hold
            x //= 4
        specs = [
            TensorSpec(type, shape, Quantization.per_tensor(scale, zero(type, z)))
            for shape, scale, z in ((x.shape, scales[0], -3), ((48, 1, 1, 20), scales[1], 5))
        ]
        inputs = [specs[0], TensorSpec.constant(np.array([1, 2], np.int32))]
        yield f"scales {scales}", single_operator_model("SUM", inputs, specs[1:], ReducerOptions(True), 2), [x]
