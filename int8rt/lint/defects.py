"""Where the reference interpreter itself is wrong, as one table; profile `tflite-ref` keeps these results.

Measured on BUILTIN_REF of ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array
from int8rt.lint.rule import Found, OperatorView, Severity, operator_rule
from int8rt.lint.specification import WEIGHTED
from int8rt.model import TensorType
from int8rt.schema.options import BidirectionalSequenceRNNOptions, WhileOptions

_SIGNED = (TensorType.INT8, TensorType.INT16)
_COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
_RECURRENT = (
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM"),
    *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN", "RNN", "SVDF"),
)
_CELL_STATE = 19
# The columns that the SSSE3 product takes at a time; what is left over is computed without its defect.
_SSE_COLUMNS = 16
# So many weights can always be added up in eight int16 numbers.
_LONGEST_SUM = 8 * 256


@dataclass(frozen=True, slots=True)
class Defect:
    """operators: the names it concerns. applies: whether an operator of these is met by it (None: the data decides).

    runs: what int8rt does with it. instead: what a model can have in its place.
    """

    operators: tuple[str, ...]
    what: str
    runs: str
    instead: str
    applies: Callable[[OperatorView], bool] | None = None


def _type(view: OperatorView, index: int) -> TensorType | None:
    operand = view.input(index)
    return None if operand is None else operand.tensor.type


def _cell_scale_without_tanh(view: OperatorView) -> bool:
    cell = view.input(_CELL_STATE)
    if cell is None or cell.tensor.type is not TensorType.INT16 or cell.tensor.quantization is None:
        return False
    scale = cell.tensor.quantization.scale
    return scale.size == 1 and not 2**-15 <= scale[0] <= 2**-9


def _twelve_intermediates(view: OperatorView) -> bool:
    return len(view.operator.intermediates) == 12


def _sum(view: OperatorView) -> bool:
    return _type(view, 0) in _SIGNED


def _bias_type_is_not_said(view: OperatorView) -> bool:
    weighted = WEIGHTED[view.operator.name]
    said = getattr(view.operator.options, "quantized_bias_type", TensorType.FLOAT32)
    types = _type(view, weighted.input), _type(view, weighted.bias)
    return types == (TensorType.INT16, TensorType.INT32) and said != TensorType.INT32


def _long_bias(view: OperatorView) -> bool:
    return _type(view, 0) in (TensorType.INT8, TensorType.UINT8) and _type(view, 2) == TensorType.INT64


def _weights_taken_for_floats(view: OperatorView) -> bool:
    read = (TensorType.FLOAT32, TensorType.INT8, TensorType.UINT8, TensorType.INT4)
    return _type(view, 0) == TensorType.FLOAT32 and _type(view, 1) not in read


def _lowest_weight(view: OperatorView) -> bool:
    filter = view.input(1)
    value = None if filter is None else view.value(filter)
    if _type(view, 0) != TensorType.FLOAT32 or value is None or value.dtype != np.int8 or value.ndim != 2:
        return False
    columns = value.shape[1] // _SSE_COLUMNS * _SSE_COLUMNS
    return bool(np.any(value[:, :columns] == -128))


def _blockwise(view: OperatorView) -> bool:
    weights = view.input(0 if view.operator.name == "DEQUANTIZE" else 1)
    quantization = None if weights is None else weights.tensor.quantization
    return quantization is not None and quantization.blockwise is not None


def _long_sums(view: OperatorView) -> bool:
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


def _two_batch_dimensions(view: OperatorView) -> bool:
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


def _negated_zero_point(view: OperatorView) -> bool:
    source = view.input(0)
    if source is None or not source.scales.size or not view.outputs:
        return False
    output = view.outputs[0]
    return source.zero_point != 0 or output.zero_point != 0 or source.scale != output.scale


def _coarse_comparison(view: OperatorView) -> bool:
    operands = [operand for operand in view.inputs if operand is not None]
    eight_bit = all(operand.tensor.type in (TensorType.INT8, TensorType.UINT8) for operand in operands)
    return eight_bit and len({(operand.scale, operand.zero_point) for operand in operands}) > 1


def _scale_from_one(view: OperatorView) -> bool:
    operands = [operand for operand in view.inputs if operand is not None]
    return any(o.tensor.type in (TensorType.INT8, TensorType.UINT8) and o.scale >= 1 for o in operands)


def _long_rows(view: OperatorView) -> bool:
    source = view.input(0)
    shape = () if source is None else source.tensor.shape
    return _type(view, 0) in (TensorType.INT8, TensorType.UINT8) and bool(shape) and shape[-1] >= 4096


def _much_enlarged(view: OperatorView) -> bool:
    source = view.input(0)
    if source is None or not view.outputs or source.tensor.type not in _SIGNED:
        return False
    sizes, larger = source.tensor.shape[1:3], view.outputs[0].tensor.shape[1:3]
    return any(out * out > 2048 * size > 0 for size, out in zip(sizes, larger, strict=False))


def _nonzero_codes(view: OperatorView) -> bool:
    source = view.input(0)
    return source is not None and source.scales.size == 1 and source.zero_point != 0


def _repeated_sequence(view: OperatorView) -> bool:
    source, options = view.input(0), view.operator.options
    if source is None or not isinstance(options, BidirectionalSequenceRNNOptions) or not source.tensor.shape:
        return False
    return options.time_major and source.tensor.shape[0] > 1 and _type(view, 1) in (TensorType.INT8, TensorType.UINT8)


def _lost_input(view: OperatorView) -> bool:
    source, second, options = view.input(0), view.input(9), view.operator.options
    if source is None or second is None or not isinstance(options, BidirectionalSequenceRNNOptions):
        return False
    if view.input(10) is None:
        return not options.time_major
    other_width = source.tensor.shape[-1:] != second.tensor.shape[-1:]
    return other_width and (options.time_major or _type(view, 1) != TensorType.FLOAT32)


def _moved_down(view: OperatorView) -> bool:
    options = view.operator.options
    if not isinstance(options, WhileOptions) or options.body_subgraph_index >= len(view.model.subgraphs):
        return False
    body = view.model.subgraphs[options.body_subgraph_index]
    return any(output in body.inputs[:place] for place, output in enumerate(body.outputs))


DEFECTS = (
    Defect(
        ("SUM",),
        "int8 and int16 codes are read, clamped and written as if they were bytes of uint8. The second half of an "
        "int16 sum is memory that is never written.",
        "gives the same results, with zeros where nothing is written",
        "MEAN with a scale for it, or uint8",
        _sum,
    ),
    Defect(
        ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"),
        "With int16 activations the bias is read as the type that the option quantized_bias_type names, int64 where it "
        "is not set. An int32 bias without the option is read as pairs, and past its end.",
        "refuses the model",
        "quantized_bias_type INT32",
        _bias_type_is_not_said,
    ),
    Defect(
        ("FULLY_CONNECTED",),
        "With 8-bit activations an int64 bias is read as int32, so the halves of its first elements are added.",
        "gives the same results",
        "an int32 bias",
        _long_bias,
    ),
    Defect(
        ("CONV_2D",),
        "Float activations times int2 weights: their bytes, and 15 times as many that stand behind them in the file, "
        "are taken for float32 numbers.",
        "refuses the model",
        "int4 or int8 weights; XNNPACK, which computes it",
        _weights_taken_for_floats,
    ),
    Defect(
        ("FULLY_CONNECTED", "CONV_2D"),
        "Float activations times int8 weights (hybrid, on x86 processors with SSSE3): the product of a weight of -128 "
        "and a negative activation has the wrong sign.",
        "gives the same results",
        "weights in -127 to 127",
        _lowest_weight,
    ),
    Defect(
        ("FULLY_CONNECTED", "CONV_2D", "BATCH_MATMUL", "DEQUANTIZE"),
        "Weights with a scale for each block, times float activations or to be made real: the kernels do not know these"
        " scales and take them for 0, so the bias is all there is.",
        "gives the same results",
        "one scale a row",
        _blockwise,
    ),
    Defect(
        ("FULLY_CONNECTED", "BATCH_MATMUL", *_RECURRENT),
        "Float activations times int8 weights with asymmetric_quantize_inputs (on x86 processors): the sums of a row's "
        "weights are added up in eight int16 parts, which wrap around beyond 32767.",
        "gives the same results",
        "rows of at most 2048 weights",
        _long_sums,
    ),
    Defect(
        ("BIDIRECTIONAL_SEQUENCE_RNN",),
        "Float activations times integer weights: a time-major sequence is run through once for each step, with "
        "the state that the last pass left.",
        "gives the same results",
        "sequences that are not time-major",
        _repeated_sequence,
    ),
    Defect(
        ("BIDIRECTIONAL_SEQUENCE_RNN",),
        "The backward cell's own input is ignored where sequences are not time-major; an auxiliary input is read as if "
        "its vectors were as far apart as those of the input where they are, or weights are integers.",
        "gives the same results; refuses the model where reading would go beyond the end",
        "two UNIDIRECTIONAL_SEQUENCE_RNN and REVERSE_V2",
        _lost_input,
    ),
    Defect(
        ("BATCH_MATMUL",),
        "Float activations times int8 weights: with two batch dimensions above 1, scales of other rows are taken.",
        "gives the same results",
        "one batch dimension",
        _two_batch_dimensions,
    ),
    Defect(
        ("NEG",),
        "Codes are negated, whatever the scales and zero points are.",
        "gives the same results",
        "zero point 0, and one scale for input and output",
        _negated_zero_point,
    ),
    Defect(
        _COMPARISONS,
        "8-bit inputs are each multiplied by their own scale and rounded to 8 more bits: nearly equal numbers compare "
        "as equal.",
        "gives the same results",
        "one scale and zero point for both inputs",
        _coarse_comparison,
    ),
    Defect(
        _COMPARISONS,
        "An 8-bit input with a scale of 1 kills the process; a larger one gives meaningless results.",
        "refuses the model",
        "scales below 1",
        _scale_from_one,
    ),
    Defect(
        ("LOG_SOFTMAX",),
        "The sum of exponentials of a row wraps around when 4096 or more elements are nearly equal.",
        "gives the same results, or an error where C++ leaves them undefined",
        "rows of less than 4096 elements",
        _long_rows,
    ),
    Defect(
        ("RESIZE_BILINEAR",),
        "The ratio of sizes is rounded to 10 bits: an image that is enlarged to more than √(2048 · size) reads pixels "
        "of the next row or of the next image, at the end of memory whatever is there.",
        "gives the same results, and repeats the last pixel at the end",
        "several steps of enlargement",
        _much_enlarged,
    ),
    Defect(
        ("FULLY_CONNECTED",),
        "Int8 activations times sparse int8 weights: two products of -128 and -128, eight columns apart, give -2^15.",
        "gives the same results",
        "weights without -128",
    ),
    Defect(
        ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
        "The TANH of an integer cell state is left out where its scale is below 2^-15 or above 2^-9: the input gate "
        "stands in its place. TensorFlow's converter writes such scales for cell states that stay below 0.5.",
        "gives the same results",
        "a cell state with a scale of 2^-15 or more, as int8rt quantize writes it",
        _cell_scale_without_tanh,
    ),
    Defect(
        ("LSTM",),
        "With twelve intermediate tensors the output gate's recurrent product is rescaled by a number from beyond the "
        "end of an array, a shift, so that next to nothing is left of it, and its zero point is another gate's. "
        "Weights of an input gate and peepholes are ignored.",
        "gives the same results",
        "five intermediate tensors, as TensorFlow's converter writes them",
        _twelve_intermediates,
    ),
    Defect(
        ("WHERE",),
        "The codes of a quantized condition are compared with code 0, not with the zero point.",
        "gives the same results",
        "truth values of a comparison",
        _nonzero_codes,
    ),
    Defect(
        ("DIV",),
        "A quantized dividend of zero is shifted by more than 31 bits, which gives ±1 or the end of the range; a "
        "divisor of zero is an error.",
        "gives the same results, or an error where the interpreter gives one",
        "a dividend without zero",
    ),
    Defect(
        ("WHILE",),
        "A body that passes one of its inputs on as a later output has overwritten it by then: the next round gets the "
        "earlier output twice. Where shapes change from round to round, it reads memory that it has freed.",
        "gives the same results; refuses the model where shapes change",
        "outputs that the body computes",
        _moved_down,
    ),
    Defect(
        ("IF", "STABLEHLO_COMPOSITE"),
        "Of two outputs that are the same computed tensor of a subgraph only the last is written.",
        "refuses the model",
        "a tensor for each output",
    ),
)

# Operators that BUILTIN_REF lacks; int8rt takes the arithmetic of the optimized kernels for those that it runs.
MISSING = (
    *("CEIL", "ELU", "ROUND", "SEGMENT_SUM", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE"),
    *("STABLEHLO_AND", "STABLEHLO_CASE", "STABLEHLO_SHIFT_LEFT", "ABS version 4", "ADD version 6", "ARG_MAX version 3"),
    *("ARG_MIN version 3", "COS version 2", "DEPTH_TO_SPACE version 2", "GELU version 3", "MUL version 8"),
    *("RANGE version 2", "SIN version 2", "SOFTMAX version 4", "SQUEEZE version 2", "STRIDED_SLICE version 5"),
    *("TILE version 3", "TRANSPOSE version 9"),
)


def reference_is_right(view: OperatorView) -> Iterator[Found]:
    """The reference interpreter has no known defect that this operator, with its types and parameters, is met by.

    The page of defects lists them all, also those that only the data can tell.
    """
    for defect in DEFECTS:
        if view.operator.name in defect.operators and defect.applies is not None and defect.applies(view):
            operand = view.outputs[0] if view.outputs else view.input(0)
            if operand is not None:
                yield Found(operand, f"a known defect: {defect.what.rstrip('.')}", defect.instead)


RULES = (operator_rule(Severity.WARNING, reference_is_right),)
