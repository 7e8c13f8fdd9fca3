"""TRANSPOSE_CONV and BATCH_MATMUL of real numbers with constant int8 weights in XNNPACK.

As in `hybrid`: each image, or each row of the left matrices, is quantized on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels import transpose_conv
from int8rt.kernels.base import Array, OperatorContext, Params, TensorInfo
from int8rt.kernels.exact_product import ExactProduct
from int8rt.kernels.hybrid.transpose_conv import HybridTransposeConvParams
from int8rt.kernels.matrices import MatrixParams, batches, in_rows, prepare_matrices
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import reached_pixels
from int8rt.kernels.xnnpack.convolution_rules import transposes
from int8rt.kernels.xnnpack.delegation import declared_shape, has_elements, has_normal_scales, is_stored, zero_points
from int8rt.kernels.xnnpack.float_product_rules import is_constant
from int8rt.kernels.xnnpack.hybrid import LARGEST_CODE, Scaled, quantize_rows, scale_sums
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.xnnpack import ACTIVATIONS, real_bounds
from int8rt.schema.options import BatchMatMulOptions, TransposeConvOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DynamicTransposeConvParams(Scaled):
    """height, width: the windows of the convolution that this is the transpose of; their `input` is the output here."""

    height: Window
    width: Window
    input_channels: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DynamicMatrixParams(Scaled):
    """matrices: the shapes."""

    matrices: MatrixParams


def _takes_weights(context: OperatorContext, filter: TensorInfo, axis: int) -> bool:
    """axis: that of the output channels."""
    quantization = filter.quantization
    if filter.type != TensorType.INT8 or quantization is None or not quantization.scale.size:
        return False
    if quantization.blockwise is not None or filter.sparsity is not None or not has_normal_scales(filter):
        return False
    return quantization.scale.size == 1 or (
        quantization.quantized_dimension == axis and int(zero_points(context, filter)[0]) == 0
    )


def _check_weights(context: OperatorContext, filter: TensorInfo, depth: int) -> None:
    profile = context.profile.name
    if np.any(zero_points(context, filter) != 0) or not is_stored(context, filter):
        raise context.unsupported(
            f"weights with zero points, or that are no constants, in profile {profile} is not done"
        )
    if depth >= 1 << 15:
        raise context.unsupported(f"sums of more than 2^15 products in profile {profile} is not done")


def takes_transpose_conv(context: OperatorContext) -> bool:
    """Whether the delegate takes this TRANSPOSE_CONV, quantizing its input."""
    activation = context.options(TransposeConvOptions).fused_activation_function
    if not 3 <= len(context.inputs) <= 4 or activation not in ACTIVATIONS:
        return False
    images, bias = (context.input(1), context.input(2), context.output()), context.optional_input(3)
    if not (images[1].type == images[2].type == TensorType.FLOAT32) or not _takes_weights(context, images[0], 0):
        return False
    if not is_stored(context, images[0]):
        return False
    if bias is not None and not (is_constant(context, bias) and has_elements(context, bias, 1)):
        return False
    return all(has_elements(context, tensor, 4) for tensor in images) and transposes(context)


def prepare_transpose_conv(context: OperatorContext) -> Params:
    """The parameters of a TRANSPOSE_CONV."""
    plain, filter = transpose_conv.prepare(context), context.input(1)
    assert isinstance(plain, HybridTransposeConvParams)
    _check_weights(context, filter, plain.input_channels * plain.height.kernel * plain.width.kernel)
    low, high = real_bounds(context.options(TransposeConvOptions).fused_activation_function)
    return DynamicTransposeConvParams(
        output_shapes=plain.output_shapes,
        height=plain.height,
        width=plain.width,
        input_channels=plain.input_channels,
        scale=np.broadcast_to(context.per_axis(filter)[0], filter.shape[:1]),
        activation_min=low,
        activation_max=high,
        profile=context.profile.name,
    )


def evaluate_transpose_conv(
    params: DynamicTransposeConvParams, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """TRANSPOSE_CONV of images that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    quantized = quantize_rows(input.reshape(len(input), -1), params.scale, params.profile)
    offset = np.zeros(shape[3], np.float32) if bias is None else bias.reshape(-1)
    taps = filter.transpose(1, 2, 3, 0).astype(np.float64)
    for image, result in enumerate(output):
        codes = quantized.codes[image].reshape(input.shape[1:]).astype(np.float64) - quantized.zero_point[image]
        sums = np.zeros(shape[1:])
        for row in range(params.height.kernel):
            rows, target_rows = reached_pixels(params.height, row)
            for column in range(params.width.kernel if rows.stop > rows.start else 0):
                columns, target_columns = reached_pixels(params.width, column)
                if columns.stop > columns.start:
                    sums[target_rows, target_columns] += codes[rows, columns] @ taps[row, column]
        target = result.reshape(-1, shape[3])
        scale_sums(params, sums.reshape(target.shape), quantized.inverse_scale[image], offset, target)
    return output


def takes_batch_matmul(context: OperatorContext) -> bool:
    """Whether the delegate takes this BATCH_MATMUL, quantizing the left matrices."""
    if len(context.inputs) != 2:
        return False
    lhs, rhs, adjoint = context.input(0), context.input(1), context.options(BatchMatMulOptions).adj_y
    ranks = len(declared_shape(context, lhs)), len(declared_shape(context, rhs))
    if not (lhs.type == context.output().type == TensorType.FLOAT32) or min(ranks) < 2:
        return False
    return _takes_weights(context, rhs, ranks[1] - (2 if adjoint else 1))


def prepare_batch_matmul(context: OperatorContext) -> Params:
    """The parameters of a BATCH_MATMUL."""
    plain, rhs = prepare_matrices(context), context.input(1)
    (shape,) = plain.output_shapes
    assert shape is not None
    _check_weights(context, rhs, plain.depth)
    scale = context.per_axis(rhs)[0]
    if scale.size not in (1, shape[-1]):
        raise context.invalid(f"{rhs.name!r} has {scale.size} scales for {shape[-1]} columns")
    low, high = real_bounds(ActivationFunctionType.NONE)
    return DynamicMatrixParams(
        output_shapes=plain.output_shapes,
        matrices=plain,
        scale=np.broadcast_to(scale, shape[-1:]),
        activation_min=low,
        activation_max=high,
        profile=context.profile.name,
    )


def evaluate_batch_matmul(params: DynamicMatrixParams, lhs: Array, rhs: Array) -> Array:
    """BATCH_MATMUL of rows that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    offset = np.zeros(shape[-1], np.float32)
    for x, weights, target in batches(*in_rows(params.matrices, lhs, rhs), output):
        product, rows = ExactProduct(weights, LARGEST_CODE), quantize_rows(x, params.scale, params.profile)
        sums = product(rows.codes, len(x)).astype(np.int64) - np.outer(rows.zero_point, product.sums)
        scale_sums(params, sums, rows.inverse_scale[:, np.newaxis], offset, target)
    return output
