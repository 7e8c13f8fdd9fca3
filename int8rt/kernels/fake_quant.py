"""FAKE_QUANT: real numbers rounded to the values that a quantized tensor of a given range could have.

input: float32[...], output: float32[...]. min, max: the range, real numbers; num_bits: log2 of the number of values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.signature import signatures
from int8rt.quantization.fake_quant import fake_quantize, nudge_quantization_range
from int8rt.schema.options import FakeQuantOptions

# TensorFlow Lite counts elements in float32.
_MOST_ELEMENTS = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeQuantParams(Params):
    """The ends of the range that has a value at 0, and the distance between values; real numbers."""

    nudged_min: float
    nudged_max: float
    nudged_scale: float


def prepare(context: OperatorContext) -> FakeQuantParams:
    """Check the range and move it so that 0 is one of its values."""
    input, options = context.input(0), context.options(FakeQuantOptions)
    if options.narrow_range:
        raise context.invalid("narrow_range is for weights only")
    if not (math.isfinite(options.max - options.min) and options.min <= 0 <= options.max and options.min < options.max):
        raise context.unsupported(f"the range from {options.min:g} to {options.max:g} does not hold 0 and more")
    if not 1 <= options.num_bits <= 16:
        raise context.unsupported(f"{options.num_bits} bits; supported are 1 to 16")
    if element_count(input.shape) > _MOST_ELEMENTS:
        raise context.unsupported(f"{element_count(input.shape)} elements; supported up to {_MOST_ELEMENTS}")
    low, high, scale = nudge_quantization_range(options.min, options.max, options.num_bits)
    return FakeQuantParams(output_shapes=(input.shape,), nudged_min=low, nudged_max=high, nudged_scale=scale)


def evaluate(params: FakeQuantParams, input: Array) -> Array:
    """The rounded numbers."""
    return fake_quantize(input, params.nudged_min, params.nudged_max, params.nudged_scale)


FAKE_QUANT = Kernel(
    name="FAKE_QUANT",
    signatures=signatures("float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/fake_quant.cc, reference/reference_ops.h",
    max_version=2,
)
