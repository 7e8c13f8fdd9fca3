"""Operators that are tried as a whole: as each profile of int8rt computes them, and in real numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from int8rt.errors import Int8rtError
from int8rt.model import Model, TensorType
from int8rt.quantization import dialects
from int8rt.quantization.profiles import PROFILES
from int8rt.verify.identify.piece import Array, Candidates, Piece, quantization
from int8rt.verify.identify.reals import in_reals
from int8rt.verify.teacher import Teacher

PROFILE = "profile "
REFERENCE = "TensorFlow Lite's reference kernel"
RIGHT = "the specification's"
TWICE = "two roundings (gemmlowp)"
ONCE = "one rounding, ties up"
_OF_256 = "multipliers of 8 fractional bits, ties up (XNNPACK)"
_SUMS = "sums in 20 fractional bits (TOSA)"
_EIGHT, _WIDE = (TensorType.INT8, TensorType.UINT8), (TensorType.INT16,)
_ALL = (*_EIGHT, *_WIDE)

# Operator to what a profile does there, in which types of codes; elsewhere it is as another, or has no other name.
_WORDS: Mapping[str, tuple[tuple[str, str, tuple[TensorType, ...]], ...]] = {
    "LEAKY_RELU": (
        ("tflite-ref", TWICE, _ALL),
        ("tflite-single-rounding", ONCE, _ALL),
        ("tflite-opt", "two roundings (gemmlowp), with a slope that keeps its sign", _WIDE),
        ("xnnpack", _OF_256, _EIGHT),
    ),
    "PRELU": (("tflite-ref", TWICE, _ALL), ("tflite-single-rounding", ONCE, _ALL)),
    "ABS": (("tflite-ref", TWICE, _ALL), ("tflite-single-rounding", ONCE, _ALL)),
    "SQUARED_DIFFERENCE": (
        ("tflite-ref", "two roundings of each input and of the square (gemmlowp)", _EIGHT),
        ("tflm", "two roundings of each input and of the square (gemmlowp)", _WIDE),
        ("tflite-single-rounding", "one rounding of each input and of the square, ties up", _EIGHT),
    ),
    "HARD_SWISH": (("tflite-ref", "multipliers of 16 bits (TensorFlow Lite)", _EIGHT),),
    "SUM": (
        ("tflite-ref", "two roundings (gemmlowp) of codes read as uint8 (BUILTIN_REF)", (TensorType.INT8,)),
        ("tflm", TWICE, (TensorType.INT8, *_WIDE)),
        ("tflite-ref", TWICE, (TensorType.UINT8,)),
        ("tflite-single-rounding", ONCE, (TensorType.UINT8,)),
        ("tosa", _SUMS, _ALL),
        ("tflite-opt", "float32, half away (LiteRT's optimized kernels)", _ALL),
        ("xnnpack", "float32, half even (XNNPACK)", _EIGHT),
    ),
    "CONCATENATION": (
        ("tflite-ref", "rescaled in float32, half away (TensorFlow Lite)", (TensorType.UINT8,)),
        ("tflite-ref", RIGHT, (TensorType.INT8, *_WIDE)),
    ),
    "MAXIMUM": (("tflite-ref", RIGHT, _ALL),),
    "MINIMUM": (("tflite-ref", RIGHT, _ALL),),
    "L2_NORMALIZATION": (("tflite-ref", "fixed point (TensorFlow Lite)", _EIGHT),),
    "DIV": (("tflite-ref", "fixed point (TensorFlow Lite)", _EIGHT),),
}


def whole(piece: Piece) -> Candidates:
    """The reference's arithmetic, others of int8rt's profiles that have names, and the real-valued result rounded."""
    alone = piece.alone()
    for profile, name in words_of(piece.operator.name, piece.output.type):
        value = piece.run() if profile == "tflite-ref" else in_profile(piece, profile, alone)
        if value is not None:
            yield name, value
    if reference_of(piece.operator.name, piece.output.type) != RIGHT:  # something is rounded
        yield from in_floats(piece)


def words_of(operator: str, type: TensorType) -> list[tuple[str, str]]:
    """(profile, what it does there), the reference first."""
    known = [(profile, name) for profile, name, types in _WORDS.get(operator, ()) if type in types]
    return known if any(profile == "tflite-ref" for profile, _ in known) else [("tflite-ref", REFERENCE), *known]


def reference_of(operator: str, type: TensorType) -> str:
    """The name of what the reference does."""
    return dict(words_of(operator, type))["tflite-ref"]


def by_profile(piece: Piece) -> Candidates:
    """Name and output of each profile but the reference that computes this operator."""
    alone = piece.alone()
    for profile in PROFILES:
        value = None if profile == "tflite-ref" else in_profile(piece, profile, alone)
        if value is not None:
            yield PROFILE + profile, value


def in_profile(piece: Piece, profile: str, alone: tuple[Model, list[Array]] | None = None) -> Array | None:
    """The operator's output in a profile; None where it is not done there. alone: `piece.alone()`, where known."""
    alone = piece.alone() if alone is None else alone
    if alone is None:
        return None
    model, inputs = alone
    try:
        teacher = Teacher(model, inputs, profile)
        own = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
        value = None if own is None else next(iter(teacher.outputs(0, own).values()))
    except Int8rtError:  # not done in this profile
        return None
    fits = value is not None and (value.shape, value.dtype) == (piece.found.shape, piece.found.dtype)
    return value if fits else None


def in_floats(piece: Piece) -> Candidates:
    """The operator in float32 between DEQUANTIZE and QUANTIZE, by each rounding; nothing where it is not known."""
    alone = piece.alone()
    real = None if alone is None else in_reals(*alone)
    if real is None or real.shape != piece.found.shape or real.dtype != np.float32:
        return
    scale, zero_point = quantization(piece.output)
    with np.errstate(all="ignore"):
        steps = np.clip(np.nan_to_num(real / np.float32(scale)), -(2.0**30), 2.0**30).astype(np.float32)
    for how in ("half away", "half even", "truncate"):
        value = piece.finish(dialects.round_real(steps, how) + zero_point)
        yield f"float32 between DEQUANTIZE and QUANTIZE, {how}", value
