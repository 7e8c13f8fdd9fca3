"""The convolutions and matrix products of float32 that XNNPACK computes, as operators."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from int8rt.kernels import batch_matmul, conv, depthwise_conv, fully_connected, transpose_conv
from int8rt.kernels.base import OperatorContext, Params, element_count
from int8rt.kernels.xnnpack import float_product_rules as rules
from int8rt.kernels.xnnpack import float_products as products
from int8rt.kernels.xnnpack.delegation import Delegated
from int8rt.model import ActivationFunctionType
from int8rt.quantization.xnnpack import real_bounds
from int8rt.schema.options import DepthwiseConv2DOptions

# Elements that a window may reach beyond the border: far more than any model needs.
_LARGEST_PAD = 4096

_Fused = TypeVar("_Fused", bound=Params)


def _fused(context: OperatorContext, kind: type[_Fused], plain: Params) -> _Fused:
    """The parameters of the reference kernel, as those of this arithmetic."""
    values = {field.name: getattr(plain, field.name) for field in fields(plain)}
    if "activation_min" in values:
        options: Any = context.operator.options
        low, high = real_bounds(ActivationFunctionType.NONE if options is None else options.fused_activation_function)
        values |= {"activation_min": float(low), "activation_max": float(high)}
    return kind(**values)


def _of_windows(context: OperatorContext, kind: type[_Fused], plain: Any) -> _Fused:
    if (
        max(plain.height.pad_before, plain.height.pad_after, plain.width.pad_before, plain.width.pad_after)
        > _LARGEST_PAD
    ):
        raise context.unsupported(f"a window of that size in profile {context.profile.name} is not done")
    return _fused(context, kind, plain)


def prepare_conv(context: OperatorContext) -> Params:
    """The parameters of a CONV_2D."""
    return _of_windows(context, products.FusedConv2DParams, conv.prepare(context))


def prepare_depthwise_conv(context: OperatorContext) -> Params:
    """The parameters of a DEPTHWISE_CONV_2D."""
    multiplier, filter = context.options(DepthwiseConv2DOptions).depth_multiplier, context.input(1)
    if multiplier * context.input(0).shape[3] != filter.shape[3]:
        channels = f"{context.input(0).shape[3]} input channels and {filter.shape[3]} output channels"
        raise context.invalid(f"depth_multiplier is {multiplier}, with {channels}")
    return _of_windows(context, products.FusedDepthwiseConv2DParams, depthwise_conv.prepare(context))


def prepare_fully_connected(context: OperatorContext) -> Params:
    """The parameters of a FULLY_CONNECTED."""
    input, depth = context.input(0), context.input(1).shape[1]
    if element_count(input.shape) % depth:
        raise context.invalid(f"XNNPACK wants an input {list(input.shape)} of whole rows of {depth}")
    return _fused(context, products.FusedFullyConnectedParams, fully_connected.prepare(context))


def prepare_transpose_conv(context: OperatorContext) -> Params:
    """The parameters of a TRANSPOSE_CONV."""
    return _of_windows(context, products.FusedTransposeConvParams, transpose_conv.prepare(context))


def prepare_batch_matmul(context: OperatorContext) -> Params:
    """The parameters of a BATCH_MATMUL."""
    return _fused(context, products.FusedMatrixParams, batch_matmul.prepare(context))


PRODUCTS = (
    Delegated(
        "CONV_2D",
        rules.takes_conv,
        prepare_conv,
        "src/f32-igemm",
        products.evaluate_conv,
        (products.FusedConv2DParams,),
    ),
    Delegated(
        "DEPTHWISE_CONV_2D",
        rules.takes_depthwise,
        prepare_depthwise_conv,
        "src/f32-dwconv",
        products.evaluate_depthwise_conv,
        (products.FusedDepthwiseConv2DParams,),
    ),
    Delegated(
        "FULLY_CONNECTED",
        rules.takes_fully_connected,
        prepare_fully_connected,
        "src/f32-gemm",
        products.evaluate_fully_connected,
        (products.FusedFullyConnectedParams,),
    ),
    Delegated(
        "TRANSPOSE_CONV",
        rules.takes_transpose_conv,
        prepare_transpose_conv,
        "src/operators/deconvolution-nhwc.c",
        products.evaluate_transpose_conv,
        (products.FusedTransposeConvParams,),
    ),
    Delegated(
        "BATCH_MATMUL",
        rules.takes_batch_matmul,
        prepare_batch_matmul,
        "src/operators/batch-matrix-multiply-nc.c",
        products.evaluate_batch_matmul,
        (products.FusedMatrixParams,),
    ),
)
