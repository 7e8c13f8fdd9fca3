"""Options of element-wise operators, activations and normalizations."""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.schema.enums import ActivationFunctionType, TensorType
from int8rt.schema.storage import Bool, Float32, Float32s, Int32


@dataclass(frozen=True, slots=True)
class AddOptions:
    """ADD."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    pot_scale_int16: Bool = True


@dataclass(frozen=True, slots=True)
class SubOptions:
    """SUB."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    pot_scale_int16: Bool = True


@dataclass(frozen=True, slots=True)
class MulOptions:
    """MUL."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE


@dataclass(frozen=True, slots=True)
class DivOptions:
    """DIV."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE


@dataclass(frozen=True, slots=True)
class SoftmaxOptions:
    """SOFTMAX."""

    beta: Float32 = 0.0


@dataclass(frozen=True, slots=True)
class LeakyReluOptions:
    """LEAKY_RELU."""

    alpha: Float32 = 0.0


@dataclass(frozen=True, slots=True)
class GeluOptions:
    """GELU."""

    approximate: Bool = False


@dataclass(frozen=True, slots=True)
class L2NormOptions:
    """L2_NORMALIZATION."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE


@dataclass(frozen=True, slots=True)
class LocalResponseNormalizationOptions:
    """LOCAL_RESPONSE_NORMALIZATION."""

    radius: Int32 = 0
    bias: Float32 = 0.0
    alpha: Float32 = 0.0
    beta: Float32 = 0.0


@dataclass(frozen=True, slots=True)
class FakeQuantOptions:
    """FAKE_QUANT."""

    min: Float32 = 0.0
    max: Float32 = 0.0
    num_bits: Int32 = 0
    narrow_range: Bool = False


@dataclass(frozen=True, slots=True)
class CastOptions:
    """CAST."""

    in_data_type: TensorType = TensorType.FLOAT32
    out_data_type: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class CumsumOptions:
    """CUMSUM."""

    exclusive: Bool = False
    reverse: Bool = False


@dataclass(frozen=True, slots=True)
class BucketizeOptions:
    """BUCKETIZE."""

    boundaries: Float32s = ()
