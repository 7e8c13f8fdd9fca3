"""Operators that move or compare 8-bit codes: XNNPACK gives the codes of other kernels, or refuses.

MAX_POOL_2D, PAD, CONCATENATION, SLICE, SPLIT, STRIDED_SLICE, TRANSPOSE, DEPTH_TO_SPACE and SPACE_TO_DEPTH want one
scale and zero point for input and output. The bounds of MAX_POOL_2D's activation are rounded with their zero point.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from int8rt.errors import ModelError
from int8rt.kernels import concatenation, pad, pooling, slice, space_depth, split, strided_slice, transpose
from int8rt.kernels.base import Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.xnnpack.delegation import (
    MAX_RANK,
    Delegated,
    check_codes,
    check_same_codes,
    declared_shape,
    has_elements,
    holds_codes,
    is_stored,
)
from int8rt.kernels.xnnpack.unary import TableParams, prepare_function
from int8rt.kernels.xnnpack.unary import evaluate as evaluate_function
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.xnnpack import ACTIVATIONS, activation_range, real_bounds
from int8rt.schema.options import (
    ConcatenationOptions,
    DepthToSpaceOptions,
    Pool2DOptions,
    SpaceToDepthOptions,
    StridedSliceOptions,
)

_MAX_CONCATENATED = 5
_MAX_SPLITS = 4


def _takes_vector(context: OperatorContext, index: int, *types: TensorType) -> bool:
    """Whether input `index` is a vector that the file holds, of one of these types."""
    tensor = context.optional_input(index)
    if tensor is None or tensor.type not in types or not is_stored(context, tensor):
        return False
    return len(declared_shape(context, tensor)) == 1


def _moves(context: OperatorContext) -> bool:
    """Whether input 0 and the output are codes, or both float32 or both float16."""
    tensors = context.input(0), context.output()
    halves = all(tensor.type == TensorType.FLOAT16 for tensor in tensors)
    return halves or holds_codes(*tensors) or _are_real(*tensors)


def _are_real(*tensors: TensorInfo) -> bool:
    return all(tensor.type == TensorType.FLOAT32 for tensor in tensors)


def _takes_concatenation(context: OperatorContext) -> bool:
    inputs = [context.input(index) for index in range(len(context.inputs))]
    if not 2 <= len(inputs) <= _MAX_CONCATENATED:
        return False
    if not holds_codes(*inputs, context.output()) and not _are_real(*inputs, context.output()):
        return False
    axis = context.options(ConcatenationOptions).axis
    if any(axis >= len(declared_shape(context, tensor)) for tensor in inputs):
        return False
    if context.output().type != TensorType.UINT8:
        return True
    return all(context.per_tensor(tensor) == context.per_tensor(context.output()) for tensor in inputs)


def _prepare_concatenation(context: OperatorContext) -> Params:
    """The parameters; the delegate leaves an activation out."""
    if not _are_real(context.output()):
        check_same_codes(context, context.output(), *(context.input(index) for index in range(len(context.inputs))))
    options = replace(context.options(ConcatenationOptions), fused_activation_function=ActivationFunctionType.NONE)
    return concatenation.prepare(replace(context, operator=replace(context.operator, options=options)))


def _takes_pad(context: OperatorContext) -> bool:
    input, output = context.input(0), context.output()
    if len(context.inputs) != 2 or not holds_codes(input, output):
        return False
    if not has_elements(context, input, (1, MAX_RANK)) or not has_elements(context, output, (1, MAX_RANK)):
        return False
    paddings, rank = context.input(1), len(declared_shape(context, input))
    if paddings.type != TensorType.INT32 or not is_stored(context, paddings):
        return False
    return declared_shape(context, paddings) == (rank, 2) and bool(np.all(context.value(1) >= 0))


def _takes_slice(context: OperatorContext) -> bool:
    if len(context.inputs) != 3 or not _moves(context):
        return False
    integers = TensorType.INT32, TensorType.INT64
    if not all(_takes_vector(context, index, *integers) for index in (1, 2)):
        return False
    # A negative beginning is taken, and leads out of the tensor.
    size = context.value(2)
    return context.value(1).size == size.size and bool(np.all(size > 0))


def _takes_split(context: OperatorContext) -> bool:
    axis = context.optional_input(0)
    if len(context.inputs) != 2 or not 2 <= len(context.outputs) <= _MAX_SPLITS or axis is None:
        return False
    stored = axis.type == TensorType.INT32 and is_stored(context, axis)
    return stored and holds_codes(context.input(1), *context.outputs)


def _takes_strided_slice(context: OperatorContext) -> bool:
    options = context.options(StridedSliceOptions)
    if options.ellipsis_mask or options.new_axis_mask or options.shrink_axis_mask or len(context.inputs) != 4:
        return False
    if not all(_takes_vector(context, index, TensorType.INT32) for index in (1, 2, 3)):
        return False
    rank = len(declared_shape(context, context.input(0)))
    if any(context.value(index).size != rank for index in (1, 2, 3)) or np.any(context.value(3) != 1):
        return False
    return _moves(context)


def _takes_transpose(context: OperatorContext) -> bool:
    if len(context.inputs) != 2 or not holds_codes(context.input(0)):
        return False
    return has_elements(context, context.input(0), (1, MAX_RANK)) and is_stored(context, context.input(1))


def _takes_space_depth(context: OperatorContext) -> bool:
    if len(context.inputs) != 1 or not holds_codes(context.input(0), context.output()):
        return False
    if context.operator.name == "DEPTH_TO_SPACE":
        return context.options(DepthToSpaceOptions).block_size > 1
    block, shape = context.options(SpaceToDepthOptions).block_size, declared_shape(context, context.input(0))
    return block > 1 and len(shape) == 4 and shape[1] % block == 0 and shape[2] % block == 0


def _takes_max_pool(context: OperatorContext) -> bool:
    options = context.options(Pool2DOptions)
    if len(context.inputs) != 1 or not holds_codes(context.input(0), context.output()):
        return False
    strides, window = (options.stride_h, options.stride_w), (options.filter_height, options.filter_width)
    if min(*strides, *window) < 1 or strides[0] > window[0] or strides[1] > window[1]:
        return False
    return options.fused_activation_function in ACTIVATIONS


def _prepare_max_pool(context: OperatorContext) -> Params:
    options, input, output = context.options(Pool2DOptions), context.input(0), context.output()
    activation = options.fused_activation_function
    if (options.filter_height, options.filter_width) == (1, 1) and input.type == output.type:
        check_codes(context, input, output)
        if context.per_tensor(input) != context.per_tensor(output):  # it counts as a function of one code
            bounds = real_bounds(activation)
            return prepare_function(lambda x: np.clip(x, *bounds), context)
    check_same_codes(context, output, input)
    low, high = activation_range(activation, *context.per_tensor(output), output.type.dtype)
    plain = replace(options, fused_activation_function=ActivationFunctionType.NONE)
    params = pooling.prepare(replace(context, operator=replace(context.operator, options=plain)))
    return replace(params, activation_min=low, activation_max=high)


def _check_ends(context: OperatorContext) -> None:
    """`UnsupportedError` for slices that XNNPACK takes for others: an end of 0, which it takes for the dimension's."""
    options, begin = context.options(StridedSliceOptions), context.value(1).reshape(-1)
    for axis, (first, end) in enumerate(zip(begin, context.value(2).reshape(-1), strict=True)):
        inside = first >= 0 and 0 < end <= context.input(0).shape[axis] - first
        if (options.offset and not inside) or (end == 0 and not options.end_mask >> axis & 1):
            raise context.unsupported(f"an end of 0, or beyond, in profile {context.profile.name} is not done")


def _copying(kernel: Kernel, input: int = 0) -> Delegated:
    """An operator whose tensors of codes must all mean the same by them. input: the place of the one that is copied."""
    takes = _TAKES[kernel.name]

    def prepare(context: OperatorContext) -> Params:
        tensors: tuple[TensorInfo, ...] = (context.input(input), *context.outputs)
        if tensors[0].type not in (TensorType.FLOAT32, TensorType.FLOAT16):
            check_same_codes(context, *tensors)
        if kernel.name == "STRIDED_SLICE":
            _check_ends(context)
        try:
            return kernel.prepare(context)
        except ModelError as error:
            if kernel.name != "SLICE":
                raise
            # The delegate checks no limits, and XNNPACK reads on beyond the input.
            profile = context.profile.name
            raise context.unsupported(f"out of its input in profile {profile} is not done: {error}") from None

    return Delegated(kernel.name, takes, prepare, "src/subgraph/validation.c")


_TAKES = {
    "DEPTH_TO_SPACE": _takes_space_depth,
    "PAD": _takes_pad,
    "SLICE": _takes_slice,
    "SPACE_TO_DEPTH": _takes_space_depth,
    "SPLIT": _takes_split,
    "STRIDED_SLICE": _takes_strided_slice,
    "TRANSPOSE": _takes_transpose,
}

COPIES = (
    Delegated("CONCATENATION", _takes_concatenation, _prepare_concatenation, "src/subgraph/concatenate.c"),
    Delegated(
        "MAX_POOL_2D",
        _takes_max_pool,
        _prepare_max_pool,
        "src/operators/max-pooling-nhwc.c",
        evaluate_function,
        (TableParams,),
    ),
    _copying(space_depth.DEPTH_TO_SPACE),
    _copying(pad.PAD),
    _copying(replace(slice.SLICE, prepare=slice.prepare_box)),
    _copying(space_depth.SPACE_TO_DEPTH),
    _copying(split.SPLIT, 1),
    _copying(strided_slice.STRIDED_SLICE),
    _copying(transpose.TRANSPOSE),
)
