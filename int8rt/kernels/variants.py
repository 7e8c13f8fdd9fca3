"""Profiles other than the reference: which operators they compute with kernels of their own, and what is not done.

`VARIANTS` has the kernels that need more than another `Rounding`. Everything else is the kernel of the registry, as
long as TensorFlow Lite registers one function for both resolvers, or computes the same in both; `not_done` says where
not.
"""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.micro import MICRO_KERNELS, not_done_in_micro
from int8rt.kernels.opt.table import OPTIMIZED_KERNELS, not_done_in_optimized
from int8rt.kernels.registry import KERNELS
from int8rt.kernels.single_rounding import SINGLE_ROUNDING_KERNELS, not_done_in_single_rounding
from int8rt.kernels.tosa.table import TOSA_KERNELS, not_done_in_tosa
from int8rt.kernels.xnnpack.table import delegated_kernels, not_done_in_xnnpack

_REFERENCE = ("tflite-ref", "tflite-ref@2.19")


def not_done(context: OperatorContext) -> str | None:
    """Why int8rt cannot compute this operator in the context's profile; None where it can."""
    if context.profile.name == "tflite-ref@2.19" and context.operator.name == "STABLEHLO_GATHER":
        return f"its arithmetic in profile {context.profile.name} is not done: older kernels take other elements"
    if context.profile.name in _REFERENCE:
        return None
    if context.profile.name == "tflite-single-rounding":
        return not_done_in_single_rounding(context)
    if context.profile.name == "tflm":
        return not_done_in_micro(context)
    if context.profile.name == "tosa":
        return not_done_in_tosa(context)
    if context.profile.name == "xnnpack":
        return not_done_in_xnnpack(context, not_done_in_optimized)
    return not_done_in_optimized(context)


VARIANTS: Mapping[str, Mapping[str, Kernel]] = {
    "tflm": MICRO_KERNELS,
    "tosa": TOSA_KERNELS,
    "tflite-single-rounding": SINGLE_ROUNDING_KERNELS,
    "tflite-opt": OPTIMIZED_KERNELS,
    "xnnpack": {
        **OPTIMIZED_KERNELS,
        **delegated_kernels(lambda name: OPTIMIZED_KERNELS.get(name) or KERNELS[name], not_done_in_optimized),
    },
}
