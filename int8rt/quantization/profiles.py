"""Profiles: which arithmetic a runtime really uses, operator by operator.

The quantization specification fixes parameters, never rounding. A profile names the rounding of one runtime, measured
on a given release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from int8rt.errors import InputError
from int8rt.quantization.requantization import Rounding


@dataclass(frozen=True, slots=True)
class Profile:
    """`roundings`: operator name to the rounding of its accumulator, whatever its width; `int32_roundings`: before
    that, for int32 accumulators.

    Every other operator uses `default` for int32 accumulators and `default_int64` for int64 ones.
    about: how it differs from the profile before it in `PROFILES`, in a few sentences.
    plain_int16_sums: SUM of int16 adds the codes up in int16, and wants one scale for input and output.
    before_2_20: LEAKY_RELU multiplies by a negative number, not by a positive one whose product changes its sign; EQUAL
    and NOT_EQUAL compare int16 codes as they are; RELU6 makes 0.0 of NaN and -0.0.
    float64_multipliers: multipliers of matrix products that TensorFlow Lite computes in float32 at first are computed
    in float64; float64_ratios: so are those of operators that work element by element.
    instructions: what the processor has by which the runtime chose the kernels of real numbers that the profile
    stands for, in LLVM's names; on a processor without them it has others, and other bits. None: any processor's.
    compiled: whether compiled kernels compute this arithmetic; else NumPy does.
    The operators that need more than another rounding are in `int8rt.kernels.variants`.
    """

    name: str
    description: str
    roundings: Mapping[str, Rounding]
    default: Rounding = Rounding.DOUBLE
    default_int64: Rounding = Rounding.INT64
    int32_roundings: Mapping[str, Rounding] = field(default_factory=dict)
    about: str = ""
    plain_int16_sums: bool = False
    before_2_20: bool = False
    float64_multipliers: bool = False
    float64_ratios: bool = False
    instructions: tuple[str, ...] = ()
    compiled: bool = True

    def rounding(self, operator: str, accumulator: np.dtype[Any] = np.dtype(np.int32)) -> Rounding:  # noqa: B008
        """The rounding of an operator's rescaling, by its TensorFlow Lite name and its accumulator's type."""
        if accumulator.itemsize == 8:
            return self.roundings.get(operator, self.default_int64)
        return self.int32_roundings.get(operator) or self.roundings.get(operator, self.default)


TFLITE_REF = Profile(
    "tflite-ref",
    "ai-edge-litert 2.3.0, OpResolverType.BUILTIN_REF",
    {"FULLY_CONNECTED": Rounding.FLOAT64},
    about="TensorFlow Lite's reference kernels. Accumulators are rescaled with two roundings, of which the second "
    "takes ties away from zero; int64 ones with one rounding and a 16-bit multiplier; those of FULLY_CONNECTED in "
    "float64.",
)

TFLITE_REF_2_19 = Profile(
    "tflite-ref@2.19",
    "ai-edge-litert 1.2.0 (TensorFlow 2.19), OpResolverType.BUILTIN_REF: FULLY_CONNECTED rounds twice, as others do",
    {},
    about="The reference kernels of older releases. FULLY_CONNECTED rescales as the convolutions do; SUM of int16 adds "
    "codes up without rescaling, EQUAL and NOT_EQUAL of int16 compare them so; ties of LEAKY_RELU with a negative "
    "alpha round the other way, and RELU6 makes 0.0 of NaN and -0.0.",
    plain_int16_sums=True,
    before_2_20=True,
)

TFLM = Profile(
    "tflm",
    "TensorFlow Lite Micro, tflite-micro 0.dev20261023, its own kernels",
    {},
    about="The reference kernels of tflite-ref@2.19 but for a few: multipliers are computed in float64, ADD and SUB "
    "of int16 know no case of powers of two, RELU6 clamps codes without rescaling, LOGISTIC and TANH of int8 are in "
    "fixed point where TensorFlow Lite has tables, and so is RSQRT of int16. int16 SOFTMAX has tables made in float32, "
    "SUM is right for signed types, SQUARED_DIFFERENCE has int16, DEQUANTIZE takes one scale for a whole tensor, and "
    "CONV_2D takes signed filters for symmetric ones. UNIDIRECTIONAL_SEQUENCE_LSTM is made of FULLY_CONNECTED, MUL, "
    "and LOGISTIC and TANH of int16. There is no arithmetic of uint8, nor with integer weights of real numbers. "
    "CMSIS-NN rescales accumulators in the same way by its source, unless it is built with "
    "CMSIS_NN_USE_SINGLE_ROUNDING; its kernels were not run.",
    float64_multipliers=True,
    float64_ratios=True,
    compiled=False,
)

TOSA = Profile(
    "tosa",
    "TOSA reference model, tosa-tools 2026.8.0, of models converted by tosa-converter-for-tflite 2026.2.0",
    {},
    about="Models after their conversion to TOSA. Accumulators round as in tflite-ref@2.19, for a RESCALE with two "
    "roundings is the same arithmetic, but the multipliers of matrix products and of LEAKY_RELU are computed in "
    "float64. AVERAGE_POOL_2D divides by a fixed-point reciprocal, uint8 after it has become int8, so that ties "
    "go away from 128; RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR take positions as exact fractions; RELU "
    "rescales with one rounding, SUM has 20 fractional bits; LOGISTIC, TANH and int16 SOFTMAX have tables "
    "computed in float64. Defects of the converter are kept: pools lose their activation, QUANTIZE of real "
    "numbers with a zero point wraps around, and so do differences of int16 SOFTMAX. Only operators on codes "
    "that were measured equal are computed, and QUANTIZE of real numbers; LSTMs and most else that takes codes "
    "is refused by the converter itself.",
    float64_multipliers=True,
    compiled=False,
)

TFLITE_SINGLE_ROUNDING = Profile(
    "tflite-single-rounding",
    "LiteRT 2.3.0's reference kernels compiled with TFLITE_SINGLE_ROUNDING=1; by the source, without a measurement",
    {"FULLY_CONNECTED": Rounding.FLOAT64},
    default=Rounding.SINGLE,
    about="A switch that vendors may build with. Wherever the reference kernels of tflite-ref round an int32 number "
    "twice, they round its 64-bit product once, ties up: also the inputs and the sum of ADD, and the interpolation of "
    "RESIZE_BILINEAR. uint8 DEPTHWISE_CONV_2D keeps both roundings, FULLY_CONNECTED its float64. No runtime that was "
    "measured computes so: the definition is TensorFlow Lite's source.",
    compiled=False,
)

TFLITE_OPT = Profile(
    "tflite-opt",
    "ai-edge-litert 2.3.0 on x86-64, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, one thread",
    {"FULLY_CONNECTED": Rounding.FLOAT64},
    int32_roundings={
        "CONV_2D": Rounding.TIES_UP,
        "FULLY_CONNECTED": Rounding.TIES_UP,
        "DEPTHWISE_CONV_2D": Rounding.TIES_UP_IN_EIGHTS,
        "TRANSPOSE_CONV": Rounding.TIES_UP_IN_EIGHTS,
    },
    about="TensorFlow Lite's optimized kernels, without XNNPACK. The matrix products of CONV_2D and FULLY_CONNECTED "
    "take ties up in both roundings. Other operators compute blocks of elements with vector instructions, and what is "
    "left over as the reference kernels do, so that results depend on where an element is: the first 8 · ⌊C/8⌋ "
    "channels of int8 DEPTHWISE_CONV_2D and of TRANSPOSE_CONV take ties up, the rest away from zero. Real numbers have "
    "the sums and functions of Eigen with SSE.",
    compiled=False,
)

XNNPACK = Profile(
    "xnnpack",
    "ai-edge-litert 2.3.0 on x86-64, OpResolverType.BUILTIN: XNNPACK, and tflite-opt for the rest",
    TFLITE_OPT.roundings,
    int32_roundings=TFLITE_OPT.int32_roundings,
    about="LiteRT's default: a delegate takes operators by their types, scales, options and constants, and XNNPACK "
    "computes these; all others are those of tflite-opt. On 8-bit codes XNNPACK multiplies accumulators by a float32 "
    "scale and takes ties to even; it adds codes with multipliers of 21 bits, and rescales them with 8 fractional "
    "bits. The bounds of an activation are rounded with their zero point. Real numbers have the sums and functions of "
    "its kernels for AVX-512F; those for other instruction sets differ. Its products of matrices, for which any "
    "processor with FMA but the first Zen will do, add up the terms in order by fused multiply-adds from the bias on; "
    "those of int4 weights with scales for blocks are those of AVX-512 VNNI. Subnormal numbers count as 0. What "
    "XNNPACK refuses of the operators taken is an error, as it is there.",
    instructions=("avx512f", "avx512vnni"),
    compiled=False,
)

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (TFLITE_REF, TFLITE_REF_2_19, TFLM, TOSA, TFLITE_SINGLE_ROUNDING, TFLITE_OPT, XNNPACK)
}


def get_profile(name: str) -> Profile:
    """The profile of that name; raises `InputError` that lists the known ones."""
    if name not in PROFILES:
        raise InputError(f"unknown profile {name!r}; known: {', '.join(PROFILES)}")
    return PROFILES[name]
