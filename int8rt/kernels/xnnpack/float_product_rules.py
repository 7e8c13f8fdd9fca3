"""Which convolutions and matrix products of float32 the delegate takes.

Weights must be constants, or what a DEQUANTIZE makes of constants of float16 or int8: the delegate unpacks these.
"""

from __future__ import annotations

from typing import Any

from int8rt.kernels.base import OperatorContext, TensorInfo, element_count
from int8rt.kernels.xnnpack.convolution_rules import transposes
from int8rt.kernels.xnnpack.delegation import declared_shape, has_elements, is_stored
from int8rt.model import Operator, TensorType
from int8rt.quantization.xnnpack import ACTIVATIONS
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat
from int8rt.schema.options import DepthwiseConv2DOptions, FullyConnectedOptions

_PACKED = (TensorType.FLOAT16, TensorType.INT8)
_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def _maker(context: OperatorContext, index: int) -> Operator | None:
    """The operator that writes a tensor."""
    if context.subgraph is None:
        return None
    return next((operator for operator in context.subgraph.operators if index in operator.outputs), None)


def is_constant(context: OperatorContext, tensor: TensorInfo | None) -> bool:
    """Whether the delegate has the numbers of this float32 tensor beforehand."""
    if tensor is None or tensor.type != TensorType.FLOAT32:
        return False
    if tensor.sparsity is not None:
        raise context.unsupported(f"sparse weights in profile {context.profile.name} is not done")
    return is_stored(context, tensor) or _is_unpacked(context, tensor.index)


def _is_unpacked(context: OperatorContext, index: int) -> bool:
    maker = _maker(context, index)
    if maker is None or context.subgraph is None:
        return False
    if maker.name == "DENSIFY":
        raise context.unsupported(f"sparse weights in profile {context.profile.name} is not done")
    if maker.name != "DEQUANTIZE":
        return False
    packed = context.subgraph.tensors[maker.inputs[0]]
    if packed.sparsity is not None or packed.type not in _PACKED or maker.inputs[0] in context.subgraph.inputs:
        return False
    source = _maker(context, maker.inputs[0])
    if source is not None:
        return _is_unpacked(context, maker.inputs[0])
    return packed.type == TensorType.FLOAT16 or packed.quantization is not None


def _stays_float16(context: OperatorContext, tensor: TensorInfo) -> bool:
    """Whether XNNPACK gets the float16 numbers, which is where nothing but weights and biases is made of them."""
    maker = _maker(context, tensor.index)
    if maker is None or context.subgraph is None:
        return False
    if context.subgraph.tensors[maker.inputs[0]].type != TensorType.FLOAT16:
        return False
    readers = (operator for operator in context.subgraph.operators if tensor.index in operator.inputs)
    return all(operator.name in _PRODUCTS and operator.inputs[0] != tensor.index for operator in readers)


def _takes_weights(context: OperatorContext, filter: TensorInfo, bias: TensorInfo | None) -> bool:
    if not is_constant(context, filter):
        return False
    if bias is None:
        return True
    return is_constant(context, bias) and (_stays_float16(context, filter) or not _stays_float16(context, bias))


def _is_real(*tensors: TensorInfo) -> bool:
    return all(tensor.type == TensorType.FLOAT32 for tensor in tensors)


def _has_activation(context: OperatorContext) -> bool:
    options: Any = context.operator.options
    return options is None or options.fused_activation_function in ACTIVATIONS


def takes_conv(context: OperatorContext) -> bool:
    """Whether the delegate takes this CONV_2D, or DEPTHWISE_CONV_2D, of float32."""
    if len(context.inputs) != 3 or not _has_activation(context):
        return False
    images, bias = (context.input(0), context.input(1), context.output()), context.optional_input(2)
    if not _is_real(*images) or bias is None or not _takes_weights(context, images[1], bias):
        return False
    return all(has_elements(context, tensor, 4) for tensor in images) and has_elements(context, bias, 1)


def takes_depthwise(context: OperatorContext) -> bool:
    """Whether the delegate takes this DEPTHWISE_CONV_2D of float32."""
    multiplier = context.options(DepthwiseConv2DOptions).depth_multiplier
    return takes_conv(context) and multiplier > 0 and declared_shape(context, context.input(1))[3] % multiplier == 0


def takes_fully_connected(context: OperatorContext) -> bool:
    """Whether the delegate takes this FULLY_CONNECTED of float32."""
    options, filter, bias = context.options(FullyConnectedOptions), context.input(1), context.optional_input(2)
    if options.weights_format != FullyConnectedOptionsWeightsFormat.DEFAULT or not _has_activation(context):
        return False
    if not 2 <= len(context.inputs) <= 3 or context.operator.version == 8:
        return False
    if not _is_real(context.input(0), filter, context.output()):
        return False
    if not has_elements(context, filter, 2) or not _takes_weights(context, filter, bias):
        return False
    return bias is None or element_count(declared_shape(context, bias)) == declared_shape(context, filter)[0]


def takes_transpose_conv(context: OperatorContext) -> bool:
    """Whether the delegate takes this TRANSPOSE_CONV of float32."""
    if not 3 <= len(context.inputs) <= 4 or not _has_activation(context):
        return False
    filter, input, bias = context.input(1), context.input(2), context.optional_input(3)
    if not _is_real(filter, input, context.output()) or not is_constant(context, filter):
        return False
    if bias is not None and not (is_constant(context, bias) and has_elements(context, bias, 1)):
        return False
    images = filter, input, context.output()
    return all(has_elements(context, tensor, 4) for tensor in images) and transposes(context)


def takes_batch_matmul(context: OperatorContext) -> bool:
    """Whether the delegate takes this BATCH_MATMUL of float32."""
    if len(context.inputs) != 2 or not _is_real(context.input(0), context.input(1), context.output()):
        return False
    return all(len(declared_shape(context, context.input(index))) >= 2 for index in (0, 1))
