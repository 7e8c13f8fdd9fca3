"""Where an operator's `Kernel` is found: builtin operators by name, custom ones by their custom code."""

from __future__ import annotations

from collections.abc import Mapping

from int8rt.kernels.base import Kernel
from int8rt.kernels.custom.argmax_pooling import MAX_POOL_WITH_ARGMAX, MAX_POOLING_WITH_ARGMAX_2D
from int8rt.kernels.custom.audio_spectrogram import AUDIO_SPECTROGRAM
from int8rt.kernels.custom.detection_postprocess import TFLITE_DETECTION_POST_PROCESS
from int8rt.kernels.custom.max_unpooling import MAX_UNPOOLING_2D
from int8rt.kernels.custom.mfcc import MFCC
from int8rt.kernels.custom.numeric_verify import NUMERIC_VERIFY
from int8rt.kernels.custom.transpose_conv_bias import CONVOLUTION_2D_TRANSPOSE_BIAS
from int8rt.kernels.custom.user import registered
from int8rt.kernels.registry import KERNELS
from int8rt.kernels.variants import VARIANTS
from int8rt.model import Operator
from int8rt.quantization.profiles import TFLITE_REF, Profile

CUSTOM_KERNELS: Mapping[str, Kernel] = {
    kernel.name.removeprefix("CUSTOM:"): kernel
    for kernel in (
        AUDIO_SPECTROGRAM,
        CONVOLUTION_2D_TRANSPOSE_BIAS,
        MAX_POOLING_WITH_ARGMAX_2D,
        MAX_POOL_WITH_ARGMAX,
        MAX_UNPOOLING_2D,
        MFCC,
        NUMERIC_VERIFY,
        TFLITE_DETECTION_POST_PROCESS,
    )
}


def find_kernel(operator: Operator, profile: Profile = TFLITE_REF) -> Kernel | None:
    """The kernel that runs an operator of a model; what a user has registered comes before int8rt's own."""
    if operator.name != "CUSTOM":
        return VARIANTS.get(profile.name, {}).get(operator.name) or KERNELS.get(operator.name)
    return registered(operator.custom_code) or CUSTOM_KERNELS.get(operator.custom_code)
