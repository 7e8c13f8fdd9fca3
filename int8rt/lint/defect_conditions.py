"""Which operators of a model meet a defect of the reference interpreter: a function for each that the file tells."""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array
from int8rt.lint.rule import OperatorView
from int8rt.lint.specification import WEIGHTED
from int8rt.model import TensorType
from int8rt.quantization.effective_scales import sum_multipliers
from int8rt.schema.options import BidirectionalSequenceRNNOptions, WhileOptions

_SIGNED = (TensorType.INT8, TensorType.INT16)
_CELL_STATE = 19
# More bits that SUB has on the way.
_LEFT_SHIFT = {TensorType.INT8: 20, TensorType.UINT8: 20, TensorType.INT16: 15}
# The columns that the SSSE3 product takes at a time; what is left over is computed without its defect.
_SSE_COLUMNS = 16
# So many weights can always be added up in eight int16 numbers.
_LONGEST_SUM = 8 * 256


def _type(view: OperatorView, index: int) -> TensorType | None:
    operand = view.input(index)
    return None if operand is None else operand.tensor.type


def cell_scale_without_tanh(view: OperatorView) -> bool:
    """Its integer cell state has a scale outside of [2^-15, 2^-9]."""
    cell = view.input(_CELL_STATE)
    if cell is None or cell.tensor.type is not TensorType.INT16 or cell.tensor.quantization is None:
        return False
    scale = cell.tensor.quantization.scale
    return scale.size == 1 and not 2**-15 <= scale[0] <= 2**-9


def twelve_intermediates(view: OperatorView) -> bool:
    """It has the older, longer list of intermediate tensors."""
    return len(view.operator.intermediates) == 12


def sum_of_integers(view: OperatorView) -> bool:
    """Its input has signed codes."""
    return _type(view, 0) in _SIGNED


def bias_type_is_not_said(view: OperatorView) -> bool:
    """An int32 bias of int16 activations, without the option that says so."""
    weighted = WEIGHTED[view.operator.name]
    said = getattr(view.operator.options, "quantized_bias_type", TensorType.FLOAT32)
    types = _type(view, weighted.input), _type(view, weighted.bias)
    return types == (TensorType.INT16, TensorType.INT32) and said != TensorType.INT32


def long_bias(view: OperatorView) -> bool:
    """An int64 bias of 8-bit activations."""
    return _type(view, 0) in (TensorType.INT8, TensorType.UINT8) and _type(view, 2) == TensorType.INT64


def weights_taken_for_floats(view: OperatorView) -> bool:
    """Float activations times weights of a type that the kernel does not know."""
    read = (TensorType.FLOAT32, TensorType.INT8, TensorType.UINT8, TensorType.INT4)
    return _type(view, 0) == TensorType.FLOAT32 and _type(view, 1) not in read


def lowest_weight(view: OperatorView) -> bool:
    """Float activations times int8 weights, a -128 among those that are multiplied in vectors."""
    filter = view.input(1)
    value = None if filter is None else view.value(filter)
    if _type(view, 0) != TensorType.FLOAT32 or value is None or value.dtype != np.int8 or value.ndim != 2:
        return False
    columns = value.shape[1] // _SSE_COLUMNS * _SSE_COLUMNS
    return bool(np.any(value[:, :columns] == -128))


def blockwise(view: OperatorView) -> bool:
    """Its weights have a scale for each block."""
    weights = view.input(0 if view.operator.name == "DEQUANTIZE" else 1)
    quantization = None if weights is None else weights.tensor.quantization
    return quantization is not None and quantization.blockwise is not None


def long_sums(view: OperatorView) -> bool:
    """The sum of some row of its int8 weights, taken in eight parts, leaves int16."""
    if _type(view, 0) != TensorType.FLOAT32 or not getattr(view.operator.options, "asymmetric_quantize_inputs", False):
        return False
    values = [view.value(operand) for operand in view.inputs if operand is not None]
    across = view.operator.name == "BATCH_MATMUL" and not getattr(view.operator.options, "adj_y", False)
    weights = [value for value in values if value is not None and value.dtype == np.int8 and value.ndim > 1]
    return any(_a_part_wraps(np.swapaxes(value, -1, -2) if across else value) for value in weights)


def _a_part_wraps(weights: Array) -> bool:
    rows = weights.reshape(-1, weights.shape[-1])
    columns = rows.shape[1] // _SSE_COLUMNS * _SSE_COLUMNS
    if not rows.size or columns <= _LONGEST_SUM:
        return False
    parts = rows[:, :columns].reshape(len(rows), -1, 8, 2).sum(axis=(1, 3), dtype=np.int64)
    return bool(np.any(np.abs(parts) > np.iinfo(np.int16).max))


def two_batch_dimensions(view: OperatorView) -> bool:
    """Float times int8 matrices, in more than one batch dimension above 1."""
    first, second = view.input(0), view.input(1)
    if (
        first is None
        or second is None
        or (first.tensor.type, second.tensor.type) != (TensorType.FLOAT32, TensorType.INT8)
    ):
        return False
    batch, shape = first.tensor.shape[:-2], second.tensor.shape
    # The last dimension of the batch goes into the rows where all of it meets the same matrix.
    if len(shape) > 2 and shape[-3] == 1 and not getattr(view.operator.options, "adj_x", False):
        batch = batch[:-1]
    return sum(size > 1 for size in batch) > 1


def negated_zero_point(view: OperatorView) -> bool:
    """A zero point other than 0, or two scales."""
    source = view.input(0)
    if source is None or not source.scales.size or not view.outputs:
        return False
    output = view.outputs[0]
    return source.zero_point != 0 or output.zero_point != 0 or source.scale != output.scale


def enlarged_difference(view: OperatorView) -> bool:
    """SUB of codes whose multiplier of the difference is above 1."""
    operands = [operand for operand in (*view.inputs, *view.outputs) if operand is not None]
    if len(operands) != 3 or any(operand.tensor.type not in _LEFT_SHIFT or not operand.scale for operand in operands):
        return False
    first, second, output = operands
    return sum_multipliers(first.scale, second.scale, output.scale, _LEFT_SHIFT[output.tensor.type])[2] > 1


def coarse_comparison(view: OperatorView) -> bool:
    """8-bit inputs of different scales or zero points."""
    operands = [operand for operand in view.inputs if operand is not None]
    eight_bit = all(operand.tensor.type in (TensorType.INT8, TensorType.UINT8) for operand in operands)
    return eight_bit and len({(operand.scale, operand.zero_point) for operand in operands}) > 1


def scale_from_one(view: OperatorView) -> bool:
    """An 8-bit input with a scale of 1 or more."""
    operands = [operand for operand in view.inputs if operand is not None]
    return any(o.tensor.type in (TensorType.INT8, TensorType.UINT8) and o.scale >= 1 for o in operands)


def long_rows(view: OperatorView) -> bool:
    """8-bit rows of 4096 elements or more."""
    source = view.input(0)
    shape = () if source is None else source.tensor.shape
    return _type(view, 0) in (TensorType.INT8, TensorType.UINT8) and bool(shape) and shape[-1] >= 4096


def much_enlarged(view: OperatorView) -> bool:
    """Height or width grows beyond √(2048 · size)."""
    source = view.input(0)
    if source is None or not view.outputs or source.tensor.type not in _SIGNED:
        return False
    sizes, larger = source.tensor.shape[1:3], view.outputs[0].tensor.shape[1:3]
    return any(out * out > 2048 * size > 0 for size, out in zip(sizes, larger, strict=False))


def nonzero_codes(view: OperatorView) -> bool:
    """A condition whose zero point is not 0."""
    source = view.input(0)
    return source is not None and source.scales.size == 1 and source.zero_point != 0


def repeated_sequence(view: OperatorView) -> bool:
    """Integer weights and a time-major sequence of several steps."""
    source, options = view.input(0), view.operator.options
    if source is None or not isinstance(options, BidirectionalSequenceRNNOptions) or not source.tensor.shape:
        return False
    return options.time_major and source.tensor.shape[0] > 1 and _type(view, 1) in (TensorType.INT8, TensorType.UINT8)


def lost_input(view: OperatorView) -> bool:
    """An auxiliary input that is ignored, or read at another width."""
    source, second, options = view.input(0), view.input(9), view.operator.options
    if source is None or second is None or not isinstance(options, BidirectionalSequenceRNNOptions):
        return False
    if view.input(10) is None:
        return not options.time_major
    other_width = source.tensor.shape[-1:] != second.tensor.shape[-1:]
    return other_width and (options.time_major or _type(view, 1) != TensorType.FLOAT32)


def moved_down(view: OperatorView) -> bool:
    """Some input of the body is a later one of its outputs."""
    options = view.operator.options
    if not isinstance(options, WhileOptions) or options.body_subgraph_index >= len(view.model.subgraphs):
        return False
    body = view.model.subgraphs[options.body_subgraph_index]
    return any(output in body.inputs[:place] for place, output in enumerate(body.outputs))
