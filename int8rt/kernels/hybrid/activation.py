"""Fused activations of float operators that handle their output as a vector.

Source: TensorFlow Lite kernels/internal/tensor_utils.h, ApplyActivationToVector.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.model import ActivationFunctionType
from int8rt.quantization import eigen

Float32 = npt.NDArray[np.float32]

_CLAMPS = {
    ActivationFunctionType.RELU: (0.0, np.inf),
    ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    ActivationFunctionType.RELU6: (0.0, 6.0),
}


def apply_activation_to_vector(values: Float32, activation: ActivationFunctionType) -> Float32:
    """The activation of float32 values. A clamp makes NaN its lower bound, and -0.0 becomes 0.0 if that bound is 0."""
    if activation in _CLAMPS:
        low, high = map(np.float32, _CLAMPS[activation])
        held = np.where(values > high, high, values)
        return np.where(held > low, held, low)
    if activation == ActivationFunctionType.TANH:
        return eigen.tanh(values)
    if activation == ActivationFunctionType.SIGN_BIT:
        return np.signbit(values).astype(np.float32)
    return values
