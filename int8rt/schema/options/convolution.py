"""Options of convolutions, pooling and matrix products."""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.schema.enums import ActivationFunctionType, FullyConnectedOptionsWeightsFormat, Padding, TensorType
from int8rt.schema.storage import Bool, Bytes, Int32


@dataclass(frozen=True, slots=True)
class Conv2DOptions:
    """CONV_2D. `quantized_bias_type`: accumulator and bias type of 16x8 models (FLOAT32 where it is not set)."""

    padding: Padding = Padding.SAME
    stride_w: Int32 = 0
    stride_h: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    dilation_w_factor: Int32 = 1
    dilation_h_factor: Int32 = 1
    quantized_bias_type: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class DepthwiseConv2DOptions:
    """DEPTHWISE_CONV_2D."""

    padding: Padding = Padding.SAME
    stride_w: Int32 = 0
    stride_h: Int32 = 0
    depth_multiplier: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    dilation_w_factor: Int32 = 1
    dilation_h_factor: Int32 = 1


@dataclass(frozen=True, slots=True)
class TransposeConvOptions:
    """TRANSPOSE_CONV."""

    padding: Padding = Padding.SAME
    stride_w: Int32 = 0
    stride_h: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    quantized_bias_type: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class Conv3DOptions:
    """CONV_3D and CONV_3D_TRANSPOSE."""

    padding: Padding = Padding.SAME
    stride_d: Int32 = 0
    stride_w: Int32 = 0
    stride_h: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    dilation_d_factor: Int32 = 1
    dilation_w_factor: Int32 = 1
    dilation_h_factor: Int32 = 1


@dataclass(frozen=True, slots=True)
class Pool2DOptions:
    """AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D."""

    padding: Padding = Padding.SAME
    stride_w: Int32 = 0
    stride_h: Int32 = 0
    filter_width: Int32 = 0
    filter_height: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE


@dataclass(frozen=True, slots=True)
class FullyConnectedOptions:
    """FULLY_CONNECTED. `quant_spec`: opaque bytes of newer converters."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    weights_format: FullyConnectedOptionsWeightsFormat = FullyConnectedOptionsWeightsFormat.DEFAULT
    keep_num_dims: Bool = False
    asymmetric_quantize_inputs: Bool = False
    quantized_bias_type: TensorType = TensorType.FLOAT32
    quant_spec: Bytes = b""


@dataclass(frozen=True, slots=True)
class BatchMatMulOptions:
    """BATCH_MATMUL."""

    adj_x: Bool = False
    adj_y: Bool = False
    asymmetric_quantize_inputs: Bool = False
