"""Where the reference interpreter itself is wrong, as one table; profile `tflite-ref` keeps these results.

Measured on BUILTIN_REF of ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from int8rt.lint import defect_conditions as meets
from int8rt.lint.rule import Found, OperatorView, Severity, operator_rule

_COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
_RECURRENT = (
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM"),
    *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN", "RNN", "SVDF"),
)


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


DEFECTS = (
    Defect(
        ("SUM",),
        "int8 and int16 codes are read, clamped and written as if they were bytes of uint8. The second half of an "
        "int16 sum is memory that is never written.",
        "gives the same results, with zeros where nothing is written",
        "MEAN with a scale for it, or uint8",
        meets.sum_of_integers,
    ),
    Defect(
        ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"),
        "With int16 activations the bias is read as the type that the option quantized_bias_type names, int64 where it "
        "is not set. An int32 bias without the option is read as pairs, and past its end.",
        "refuses the model",
        "quantized_bias_type INT32",
        meets.bias_type_is_not_said,
    ),
    Defect(
        ("FULLY_CONNECTED",),
        "With 8-bit activations an int64 bias is read as int32, so the halves of its first elements are added.",
        "gives the same results",
        "an int32 bias",
        meets.long_bias,
    ),
    Defect(
        ("CONV_2D",),
        "Float activations times int2 weights: their bytes, and 15 times as many that stand behind them in the file, "
        "are taken for float32 numbers.",
        "refuses the model",
        "int4 or int8 weights; XNNPACK, which computes it",
        meets.weights_taken_for_floats,
    ),
    Defect(
        ("FULLY_CONNECTED", "CONV_2D"),
        "Float activations times int8 weights (hybrid, on x86 processors with SSSE3): the product of a weight of -128 "
        "and a negative activation has the wrong sign.",
        "gives the same results",
        "weights in -127 to 127",
        meets.lowest_weight,
    ),
    Defect(
        ("FULLY_CONNECTED", "CONV_2D", "BATCH_MATMUL", "DEQUANTIZE"),
        "Weights with a scale for each block, times float activations or to be made real: the kernels do not know these"
        " scales and take them for 0, so the bias is all there is.",
        "gives the same results",
        "one scale a row",
        meets.blockwise,
    ),
    Defect(
        ("FULLY_CONNECTED", "BATCH_MATMUL", *_RECURRENT),
        "Float activations times int8 weights with asymmetric_quantize_inputs (on x86 processors): the sums of a row's "
        "weights are added up in eight int16 parts, which wrap around beyond 32767.",
        "gives the same results",
        "rows of at most 2048 weights",
        meets.long_sums,
    ),
    Defect(
        ("BIDIRECTIONAL_SEQUENCE_RNN",),
        "Float activations times integer weights: a time-major sequence is run through once for each step, with "
        "the state that the last pass left.",
        "gives the same results",
        "sequences that are not time-major",
        meets.repeated_sequence,
    ),
    Defect(
        ("BIDIRECTIONAL_SEQUENCE_RNN",),
        "The backward cell's own input is ignored where sequences are not time-major; an auxiliary input is read as if "
        "its vectors were as far apart as those of the input where they are, or weights are integers.",
        "gives the same results; refuses the model where reading would go beyond the end",
        "two UNIDIRECTIONAL_SEQUENCE_RNN and REVERSE_V2",
        meets.lost_input,
    ),
    Defect(
        ("BATCH_MATMUL",),
        "Float activations times int8 weights: with two batch dimensions above 1, scales of other rows are taken.",
        "gives the same results",
        "one batch dimension",
        meets.two_batch_dimensions,
    ),
    Defect(
        ("NEG",),
        "Codes are negated, whatever the scales and zero points are.",
        "gives the same results",
        "zero point 0, and one scale for input and output",
        meets.negated_zero_point,
    ),
    Defect(
        ("SUB",),
        "A difference of codes whose scale is more than 2^19 (int16: 2^14) times that of the output is shifted by a "
        "negative number of bits: next to nothing is left of it but its sign. TensorFlow's converter writes such "
        "scales where it saw nothing but zeros, as in x - x.",
        "gives the same results; refuses the model where the scale is 2^32 times smaller still",
        "samples that show what differs",
        meets.enlarged_difference,
    ),
    Defect(
        _COMPARISONS,
        "8-bit inputs are each multiplied by their own scale and rounded to 8 more bits: nearly equal numbers compare "
        "as equal.",
        "gives the same results",
        "one scale and zero point for both inputs",
        meets.coarse_comparison,
    ),
    Defect(
        _COMPARISONS,
        "An 8-bit input with a scale of 1 kills the process; a larger one gives meaningless results.",
        "refuses the model",
        "scales below 1",
        meets.scale_from_one,
    ),
    Defect(
        ("LOG_SOFTMAX",),
        "The sum of exponentials of a row wraps around when 4096 or more elements are nearly equal.",
        "gives the same results, or an error where C++ leaves them undefined",
        "rows of less than 4096 elements",
        meets.long_rows,
    ),
    Defect(
        ("RESIZE_BILINEAR",),
        "The ratio of sizes is rounded to 10 bits: an image that is enlarged to more than √(2048 · size) reads pixels "
        "of the next row or of the next image, at the end of memory whatever is there.",
        "gives the same results, and repeats the last pixel at the end",
        "several steps of enlargement",
        meets.much_enlarged,
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
        meets.cell_scale_without_tanh,
    ),
    Defect(
        ("LSTM",),
        "With twelve intermediate tensors the output gate's recurrent product is rescaled by a number from beyond the "
        "end of an array, a shift, so that next to nothing is left of it, and its zero point is another gate's. "
        "Weights of an input gate and peepholes are ignored.",
        "gives the same results",
        "five intermediate tensors, as TensorFlow's converter writes them",
        meets.twelve_intermediates,
    ),
    Defect(
        ("WHERE",),
        "The codes of a quantized condition are compared with code 0, not with the zero point.",
        "gives the same results",
        "truth values of a comparison",
        meets.nonzero_codes,
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
        meets.moved_down,
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
